#include "base/text.h"
#include "engine/kernels.h"

namespace wherry::engine {

MadeKernel make_kernel(const program::TensorInput& op, const Wiring& wiring) {
  const auto index = static_cast<std::size_t>(op.index);
  return Kernel{[index, out = wiring.output()](const Frame& frame) -> base::Status {
    const tensor::TensorCells& cells = frame.input().tensors[index];
    tensor::ResultView view;
    view.dtype = cells.dtype;
    view.axes = static_cast<std::uint8_t>(cells.shape.size());
    for (std::size_t axis = 0; axis < cells.shape.size(); ++axis) view.lengths[axis] = cells.shape[axis];
    view.data = cells.bytes.data();
    view.texts = cells.texts;
    frame.borrow(out, view);
    return {};
  }};
}

MadeKernel make_kernel(const program::OnnxGraph&, const Wiring&) {
  return base::fail(base::Code::kUnsupported, "engine.operation",
                    "this build of wherry does not execute ONNX graphs", "");
}

MadeKernel make_kernel(const program::GraphOutput&, const Wiring&) {
  return base::fail(base::Code::kUnsupported, "engine.operation",
                    "this build of wherry does not execute ONNX graphs", "");
}

}  // namespace wherry::engine
