// Pooling: tensorflow/core/ops/nn_ops.cc. An average leaves out what SAME pads, as ONNX's does by default.
#include "base/text.h"
#include "import/tensorflow/lower.h"
#include "import/tensorflow/windows.h"

namespace wherry::tensorflow {
namespace {

template <std::size_t kSpatial, bool kMax>
void pool(Op& op) {
  Builder& b = op.b;
  const Window window = window_of(op, kSpatial, false);
  const Ints all = op.def.attributes.integers("ksize");
  if (all.size() != kSpatial + 2) return op.refuse("a window of another rank");
  const std::size_t first = window.channels_last ? 1 : 2;
  if (all[0] != 1 || (window.channels_last ? all.back() : all[1]) != 1)
    return op.refuse("a window over batch or channels");
  Ints kernel;
  for (std::size_t i = 0; i < kSpatial; ++i) {
    if (all[first + i] < 1 || all[first + i] > 1 << 20) return op.refuse("a window without length");
    kernel.push_back(all[first + i]);
  }
  const ValueId x = to_first(b, window, op.in(0));
  graph::Attributes attributes = window_attributes(op, window, x, kernel);
  if (op.failed()) return;
  attributes.push_back({"kernel_shape", kernel});
  op.out(from_first(b, window, b.add(kMax ? "MaxPool" : "AveragePool", {x}, attributes)));
}

constexpr OpRow kRows[] = {
    {"MaxPool", pool<2, true>},
    {"MaxPool3D", pool<3, true>},
    {"AvgPool", pool<2, false>},
    {"AvgPool3D", pool<3, false>},
};

}  // namespace

std::span<const OpRow> pooling_rows() {
  return kRows;
}

}  // namespace wherry::tensorflow
