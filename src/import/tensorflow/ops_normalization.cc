// Normalisations as single ops: tensorflow/core/ops/nn_ops.cc.
#include <algorithm>

#include "base/text.h"
#include "import/tensorflow/lower.h"
#include "import/tensorflow/windows.h"

namespace wherry::tensorflow {
namespace {

// With the statistics of the batch itself, which Keras 2 makes a layer normalisation of.
void batch_statistics(Op& op, bool last) {
  using graph::binary;
  Builder& b = op.b;
  const ValueId x = op.in(0);
  const int rank = op.rank(x);
  Ints axes, shape(static_cast<std::size_t>(std::max(rank, 2)), 1);
  for (int axis = 0; axis < rank; ++axis)
    if (axis != (last ? rank - 1 : 1)) axes.push_back(axis);
  shape[static_cast<std::size_t>(last ? std::max(rank, 1) - 1 : 1)] = -1;
  const ValueId mean = graph::reduce(b, "ReduceMean", x, axes, true);
  const ValueId off = binary(b, "Sub", x, mean);
  const ValueId variance = graph::reduce(b, "ReduceMean", binary(b, "Mul", off, off), axes, true);
  const ValueId deviation =
      graph::unary(b, "Sqrt", binary(b, "Add", variance, static_cast<double>(op.real("epsilon", 1e-4f))));
  const ValueId scaled =
      binary(b, "Mul", binary(b, "Div", off, deviation), graph::reshape(b, op.in(1), shape));
  op.out(binary(b, "Add", scaled, graph::reshape(b, op.in(2), shape)));
  op.out(graph::reshape(b, mean, Ints{-1}), 1);
}

void batch_norm(Op& op) {
  Builder& b = op.b;
  const bool last = !op.text("data_format", "NHWC").starts_with("NC");
  if (op.boolean("is_training", true)) return batch_statistics(op, last);
  const ValueId x = op.in(0);
  const bool moved = last && b.rank(x) > 2;
  const ValueId y = b.add("BatchNormalization",
                          {moved ? graph::channels_first(b, x) : x, op.in(1), op.in(2), op.in(3), op.in(4)},
                          {{"epsilon", op.real("epsilon", 1e-4f)}});
  op.out(moved ? graph::channels_last(b, y) : y);
  op.out(op.in(3), 1);
  op.out(op.in(4), 2);
}

// x / (bias + alpha · sum of squares of 2 · radius + 1 neighbours)^beta along the channels.
void local_response(Op& op) {
  Builder& b = op.b;
  const std::int64_t radius = op.integer("depth_radius", 5);
  if (radius < 0 || radius > 1 << 20) return op.refuse("a radius without sense");
  const std::int64_t size = 2 * radius + 1;
  const ValueId y =
      b.add("LRN", {graph::channels_first(b, op.in(0))},
            {{"size", size},
             {"bias", op.real("bias", 1)},
             {"alpha", op.real("alpha", 1) * static_cast<float>(size)},  // ONNX divides it by the size
             {"beta", op.real("beta", 0.5f)}});
  op.out(graph::channels_last(b, y));
}

constexpr OpRow kRows[] = {
    {"FusedBatchNorm", batch_norm},
    {"FusedBatchNormV2", batch_norm},
    {"FusedBatchNormV3", batch_norm},
    {"LRN", local_response},
};

}  // namespace

std::span<const OpRow> normalization_rows() {
  return kRows;
}

}  // namespace wherry::tensorflow
