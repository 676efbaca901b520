// Reductions, arg-extremes, cumulative sums, the largest k (tensorflow/core/ops/math_ops.cc, nn_ops.cc).
#include <algorithm>

#include "base/text.h"
#include "import/tensorflow/lower.h"

namespace wherry::tensorflow {
namespace {

using graph::binary;
using graph::cast;

constexpr char kSum[] = "ReduceSum", kMean[] = "ReduceMean", kMax[] = "ReduceMax", kMin[] = "ReduceMin",
               kProd[] = "ReduceProd", kNorm[] = "ReduceL2";

// No axes at all is the value itself, which ONNX would take for all axes.
template <const char* kVerb>
void reduce(Op& op) {
  Builder& b = op.b;
  ValueId x = op.in(0);
  const Ints axes = op.known(1);
  if (axes.empty()) return op.out(x);
  const DType dtype = b.dtype(x);
  const bool direct = dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kInt32 ||
                      dtype == DType::kInt64 || dtype == DType::kFloat16 || dtype == DType::kBfloat16;
  if (!direct) x = cast(b, x, DType::kInt64);  // ONNX Runtime has no kernels for the others
  op.out(cast(b, graph::reduce(b, kVerb, x, axes, op.boolean("keep_dims", false)), dtype));
}

// The mean of integers is their sum divided towards zero.
void mean(Op& op) {
  Builder& b = op.b;
  const ValueId x = op.in(0);
  const DType dtype = b.dtype(x);
  const bool real = dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kFloat16 ||
                    dtype == DType::kBfloat16;
  if (real) return reduce<kMean>(op);
  const Ints axes = op.known(1);
  if (axes.empty()) return op.out(x);
  const ValueId wide = cast(b, x, DType::kInt64);
  const ValueId ones = graph::full(b, DType::kInt64, graph::shape_of(b, x), 1);
  const bool keep = op.boolean("keep_dims", false);
  op.out(cast(b,
              binary(b, "Div", graph::reduce(b, "ReduceSum", wide, axes, keep),
                     graph::reduce(b, "ReduceSum", ones, axes, keep)),
              dtype));
}

template <const char* kVerb>
void reduce_bool(Op& op) {
  Builder& b = op.b;
  const auto axes = op.maybe_known(1);
  if (!axes) return op.refuse("axes which are computed at run time");
  if (axes->empty()) return op.out(op.in(0));
  const ValueId numbers = cast(b, op.in(0), DType::kInt32);
  op.out(cast(b, graph::reduce(b, kVerb, numbers, *axes, op.boolean("keep_dims", false)), DType::kBool));
}

template <bool kMaximum>
void arg_extreme(Op& op) {
  Builder& b = op.b;
  ValueId x = op.in(0);
  const Ints axis = op.known(1);
  if (axis.size() != 1) return;
  const DType dtype = b.dtype(x);
  if (dtype == DType::kInt64 || dtype == DType::kUint32 || dtype == DType::kUint64)
    return op.refuse("64-bit integers");  // ONNX Runtime has no such kernel, and doubles do not hold them
  if (dtype == DType::kBool || dtype == DType::kInt16 || dtype == DType::kUint16)
    x = cast(b, x, DType::kInt32);
  if (dtype == DType::kFloat16 || dtype == DType::kBfloat16) x = cast(b, x, DType::kFloat32);
  const ValueId index =
      b.add(kMaximum ? "ArgMax" : "ArgMin", {x}, {{"axis", axis[0]}, {"keepdims", std::int64_t{0}}});
  op.out(cast(b, index, op.type("output_type", DType::kInt64)));
}

void cumsum(Op& op) {
  op.out(op.b.add("CumSum", {op.in(0), graph::reshape(op.b, op.index(1), Ints{})},
                  {{"exclusive", std::int64_t{op.boolean("exclusive", false)}},
                   {"reverse", std::int64_t{op.boolean("reverse", false)}}}));
}

// Products one after the other: a Scan over the axis.
void cumprod(Op& op) {
  Builder& b = op.b;
  ValueId x = op.in(0);
  Ints axis = op.known(1);
  if (axis.size() != 1) return;
  if (axis[0] < 0) axis[0] += op.rank(x);
  const bool exclusive = op.boolean("exclusive", false), reverse = op.boolean("reverse", false);
  graph::Type step = b.type(x);
  if (!step.ranked || axis[0] < 0 || axis[0] >= static_cast<std::int64_t>(step.rank()))
    return op.refuse("the number of axes of its input is unknown");
  step.dims.erase(step.dims.begin() + axis[0]);
  const ValueId first =
      graph::full(b, b.dtype(x), graph::shape_of(b, graph::reduce(b, "ReduceMax", x, {axis[0]}, false)), 1);
  b.begin_block();
  const ValueId product = b.block_input(step), next = b.block_input(step);
  const ValueId grown = binary(b, "Mul", product, next);
  const ValueId seen = graph::unary(b, "Identity", exclusive ? product : grown);
  const auto body = b.end_block({grown, seen});
  const Ints direction{reverse ? 1 : 0};
  const auto results = b.add_many("Scan", {first, x}, 2,
                                  {{"body", body},
                                   {"num_scan_inputs", std::int64_t{1}},
                                   {"scan_input_axes", axis},
                                   {"scan_output_axes", axis},
                                   {"scan_input_directions", direction},
                                   {"scan_output_directions", direction}});
  b.refine(results[1], b.type(x).dims);
  op.out(results[1]);
}

void top_k(Op& op, ValueId k) {
  Builder& b = op.b;
  const auto found =
      b.add_many("TopK", {op.in(0), graph::reshape(b, k, Ints{1})}, 2,
                 {{"axis", std::int64_t{-1}}, {"largest", std::int64_t{1}}, {"sorted", std::int64_t{1}}});
  op.out(found[0]);
  op.out(cast(b, found[1], op.type("index_type", DType::kInt32)), 1);
}

void top_k_v1(Op& op) {
  top_k(op, graph::int_scalar(op.b, op.integer("k", 1)));
}

void top_k_v2(Op& op) {
  top_k(op, op.index(1));
}

// Half the sum of squares.
void l2_loss(Op& op) {
  const ValueId x = op.in(0);
  op.out(binary(op.b, "Div", graph::reduce(op.b, "ReduceSumSquare", x, {}, false), 2.0));
}

// Whether the target's prediction is among the k largest of its row.
void in_top_k(Op& op) {
  Builder& b = op.b;
  const ValueId predictions = op.in(0), targets = op.index(1);
  const ValueId column = graph::unsqueeze(b, targets, {1});
  const ValueId own = b.add("GatherElements", {predictions, column}, {{"axis", std::int64_t{1}}});
  const ValueId better = cast(b, b.add("Greater", {predictions, own}), DType::kInt64);
  const ValueId k = op.def.op == "InTopK" ? graph::int_scalar(b, op.integer("k", 1)) : op.index(2);
  op.out(b.add("Less", {graph::reduce(b, "ReduceSum", better, {1}, false), k}));
}

// How many boundaries each element has reached.
void bucketize(Op& op) {
  Builder& b = op.b;
  ValueId x = op.in(0);
  if (b.dtype(x) != DType::kFloat32 && b.dtype(x) != DType::kFloat64) {
    if (b.dtype(x) == DType::kInt64) return op.refuse("64-bit integers");
    x = cast(b, x, DType::kFloat64);
  }
  const ValueId boundaries = cast(b, graph::floats(b, op.def.attributes.reals("boundaries")), b.dtype(x));
  const ValueId reached = b.add("GreaterOrEqual", {graph::unsqueeze(b, x, {-1}), boundaries});
  op.out(graph::reduce(b, "ReduceSum", cast(b, reached, DType::kInt32), {-1}, false));
}

constexpr OpRow kRows[] = {
    {"Sum", reduce<kSum>},
    {"Mean", mean},
    {"Max", reduce<kMax>},
    {"Min", reduce<kMin>},
    {"Prod", reduce<kProd>},
    {"EuclideanNorm", reduce<kNorm>},
    {"All", reduce_bool<kMin>},
    {"Any", reduce_bool<kMax>},
    {"ArgMax", arg_extreme<true>},
    {"ArgMin", arg_extreme<false>},
    {"Cumsum", cumsum},
    {"Cumprod", cumprod},
    {"TopK", top_k_v1},
    {"TopKV2", top_k_v2},
    {"L2Loss", l2_loss},
    {"InTopK", in_top_k},
    {"InTopKV2", in_top_k},
    {"Bucketize", bucketize},
};

}  // namespace

std::span<const OpRow> reduction_rows() {
  return kRows;
}

}  // namespace wherry::tensorflow
