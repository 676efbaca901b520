#include <memory>

#include "engine/kernels.h"
#include "engine/trees.h"

namespace wherry::engine {

MadeKernel make_kernel(const program::TreeEnsemble& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const bool has_start = wiring.node.inputs.size() == 2;
  const auto start = wiring.node.inputs.back();
  const std::size_t width = wiring.width_of(in);
  TRY_ASSIGN(PackedTrees packed, PackedTrees::pack(tree_arrays(op, wiring.program)));
  const auto trees = std::make_shared<const PackedTrees>(std::move(packed));
  return Kernel{[=](const Frame& frame) -> base::Status {
                  trees->run(frame.matrix(in), frame.rows(), width, has_start ? frame.matrix(start) : nullptr,
                             frame.make_matrix(out), frame.buffers());
                  return {};
                },
                trees->best_rows(width)};
}

}  // namespace wherry::engine
