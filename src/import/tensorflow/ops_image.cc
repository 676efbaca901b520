// Images: tensorflow/core/ops/image_ops.cc, core/util/image_resizer_state.h.
#include "graph/resampling.h"

#include "base/text.h"
#include "import/tensorflow/lower.h"

namespace wherry::tensorflow {
namespace {

std::string coordinates(Op& op) {
  if (op.boolean("align_corners", false)) return "align_corners";
  return op.boolean("half_pixel_centers", false) ? "half_pixel" : "asymmetric";
}

graph::PixelGrid grid_of(Op& op) {
  return {op.boolean("align_corners", false), op.boolean("half_pixel_centers", false)};
}

// Images [n, h, w, c], size [2]. All four lengths are given: with "axes", ONNX Runtime's own moving of
// transpositions would break the node.
ValueId resized(Op& op, ValueId x, graph::Attributes attributes) {
  Builder& b = op.b;
  x = graph::channels_first(b, x);
  const ValueId sizes = graph::concat(b, {graph::dim_of(b, x, 0), graph::dim_of(b, x, 1), op.index(1)}, 0);
  return graph::channels_last(b, b.add("Resize", {x, kNone, kNone, sizes}, std::move(attributes)));
}

void bilinear(Op& op) {
  const ValueId x = graph::cast(op.b, op.in(0), DType::kFloat32);
  op.out(
      resized(op, x, {{"mode", std::string("linear")}, {"coordinate_transformation_mode", coordinates(op)}}));
}

// Two products with constant matrices: ONNX's cubic Resize computes its weights more finely than TensorFlow.
void bicubic(Op& op) {
  Builder& b = op.b;
  const ValueId x = graph::channels_first(b, graph::cast(b, op.in(0), DType::kFloat32));
  const auto size = op.maybe_known(1);
  const graph::Dim height = b.dim(x, 2), width = b.dim(x, 3);
  if (!size || size->size() != 2 || !height.known() || !width.known())
    return op.refuse("images of a size which is only known at run time");
  for (const std::int64_t each : {(*size)[0], (*size)[1], height.number, width.number})
    if (each < 1 || each > 4096) return op.refuse("images of more than 4096 lines");
  const auto matrix = [&](std::int64_t in, std::int64_t out) {
    return b.constant(tensor::Tensor::of<float>({out, in}, graph::cubic_weights(in, out, grid_of(op))));
  };
  const ValueId rows = graph::matmul(b, matrix(height.number, (*size)[0]), x);
  const ValueId columns = graph::transpose(b, matrix(width.number, (*size)[1]), {1, 0});
  op.out(graph::channels_last(b, graph::matmul(b, rows, columns)));
}

void nearest(Op& op) {
  Builder& b = op.b;
  ValueId x = op.in(0);
  const auto size = op.maybe_known(1);
  const graph::Dim height = b.dim(x, 1), width = b.dim(x, 2);
  const bool known = size && size->size() == 2 && height.known() && width.known() && height.number > 0 &&
                     width.number > 0 && (*size)[0] > 0 && (*size)[1] > 0;
  const bool whole = known && (*size)[0] % height.number == 0 && (*size)[1] % width.number == 0;
  if (known && !(whole && !op.boolean("align_corners", false))) {
    if ((*size)[0] > 1 << 16 || (*size)[1] > 1 << 16) return op.refuse("images of more than 65536 lines");
    x = graph::gather(b, x, graph::ints(b, graph::nearest_pixels(height.number, (*size)[0], grid_of(op))), 1);
    return op.out(
        graph::gather(b, x, graph::ints(b, graph::nearest_pixels(width.number, (*size)[1], grid_of(op))), 2));
  }
  const bool down = coordinates(op) == "asymmetric";
  op.out(resized(op, x,
                 {{"mode", std::string("nearest")},
                  {"coordinate_transformation_mode", coordinates(op)},
                  {"nearest_mode", std::string(down ? "floor" : "round_prefer_ceil")}}));
}

// Boxes are [y1, x1, y2, x2] on both sides.
void non_max_suppression(Op& op) {
  Builder& b = op.b;
  const ValueId boxes = graph::unsqueeze(b, op.in(0), {0}), scores = graph::unsqueeze(b, op.in(1), {0, 1});
  const bool v1 = op.def.op == "NonMaxSuppression", v2 = op.def.op == "NonMaxSuppressionV2";
  const ValueId overlap = v1 ? graph::scalar(b, DType::kFloat32, op.real("iou_threshold", 0.5f)) : op.in(3);
  const ValueId least = v1 || v2 ? kNone : op.in(4);
  std::vector<ValueId> inputs{boxes, scores, op.index(2), overlap};
  if (least != kNone) inputs.push_back(least);
  const ValueId found = b.add("NonMaxSuppression", inputs);
  op.out(graph::cast(b, graph::select(b, found, 1, 2), DType::kInt32));
}

constexpr OpRow kRows[] = {
    {"ResizeBilinear", bilinear},
    {"ResizeBicubic", bicubic},
    {"ResizeNearestNeighbor", nearest},
    {"NonMaxSuppression", non_max_suppression},
    {"NonMaxSuppressionV2", non_max_suppression},
    {"NonMaxSuppressionV3", non_max_suppression},
};

}  // namespace

std::span<const OpRow> image_rows() {
  return kRows;
}

}  // namespace wherry::tensorflow
