// Sums, extremes and products of matrices.
#include <limits>

#include "base/text.h"
#include "import/keras/operations.h"

namespace wherry::keras {

using base::cat;

namespace {

struct Reduction {
  ValueId x = kNone;
  Ints axes;
  bool keep = false;
};
Reduction reduction_of(const Args& args) {
  Reduction out{args.x(), {}, args.flag({"keepdims", "keep_dims"})};
  if (const auto axes = args.integers(args.get(1, {"axis", "reduction_indices"}))) out.axes = *axes;
  return out;
}
template <Name op>
Value reduce(Lowering& l, const Layer& layer, const Call& call) {
  Reduction how = reduction_of({l, layer, call});
  if (op.view() == "ReduceMean") how.x = l.floating(how.x);
  return Value::of(graph::reduce(l.b, op.view(), how.x, how.axes, how.keep));
}
template <Name op>
Value reduce_bools(Lowering& l, const Layer& layer, const Call& call) {
  const Reduction how = reduction_of({l, layer, call});
  const ValueId x = graph::cast(l.b, graph::cast(l.b, how.x, DType::kBool), DType::kInt32);
  return Value::of(graph::cast(l.b, graph::reduce(l.b, op.view(), x, how.axes, how.keep), DType::kBool));
}
template <bool root>
Value variance(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const Reduction how = reduction_of({l, layer, call});
  const ValueId x = l.floating(how.x);
  const ValueId centered = graph::binary(b, "Sub", x, graph::reduce(b, "ReduceMean", x, how.axes, true));
  const ValueId y =
      graph::reduce(b, "ReduceMean", graph::binary(b, "Mul", centered, centered), how.axes, how.keep);
  return Value::of(root ? graph::unary(b, "Sqrt", y) : y);
}
Value norm(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const Value order = args.option({"ord"});
  const bool plain = order.is_none() || args.integer(order) == 2 ||
                     (order.kind == Value::Kind::kLiteral && order.literal == "euclidean");
  const Reduction how = reduction_of(args);
  if (!plain || how.axes.size() > 1) l.refuse(layer, "a norm other than the Euclidean");
  return Value::of(graph::reduce(l.b, "ReduceL2", l.floating(how.x), how.axes, how.keep));
}
Value l2_normalize(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const Args args{l, layer, call};
  const ValueId x = l.floating(args.x());
  const Ints axes = args.integers(args.get(1, {"axis"})).value_or(Ints{});
  const ValueId squares = graph::reduce(b, "ReduceSum", graph::binary(b, "Mul", x, x), axes, true);
  const double epsilon = args.number({"epsilon"}, 1e-12);
  return Value::of(graph::binary(
      b, "Div", x,
      graph::unary(b, "Sqrt", graph::clip(b, squares, epsilon, std::numeric_limits<double>::infinity()))));
}
template <Name op>
Value arg_extreme(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const Value axis = args.get(1, {"axis"});
  ValueId x = args.x();
  std::int64_t along = args.integer(axis).value_or(0);
  if (axis.is_none() && l.keras >= 3) x = graph::reshape(l.b, x, Ints{-1});
  const ValueId y =
      l.b.add(op.view(), {x}, {{"axis", along}, {"keepdims", std::int64_t{args.flag({"keepdims"}) ? 1 : 0}}});
  return Value::of(l.keras >= 3 ? graph::cast(l.b, y, DType::kInt32) : y);
}
Value cumulative_sum(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const auto axis = args.integer(args.get(1, {"axis"}));
  if ((!axis && l.keras >= 3) || args.flag({"reverse"}) || args.flag({"exclusive"}))
    l.refuse(layer, "its options");
  return Value::of(l.b.add("CumSum", {args.x(), graph::int_scalar(l.b, axis.value_or(0))}));
}

Value matmul(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  auto [x, y] = pair_of(args);
  for (const std::string_view option : {"adjoint_a", "adjoint_b", "a_is_sparse", "b_is_sparse"})
    if (args.flag({option})) l.refuse(layer, cat(option, "=True"));
  if (args.flag({"transpose_a"})) x = graph::swap_axes(l.b, x, -2, -1);
  if (args.flag({"transpose_b"})) y = graph::swap_axes(l.b, y, -2, -1);
  return Value::of(graph::matmul(l.b, x, y));
}
Value einsum(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  std::vector<ValueId> inputs;
  for (const Value& arg : call.args)
    for (const Value& tensor : tensors_of(arg)) inputs.push_back(tensor.tensor);
  const Value equation = args.option({"subscripts", "equation"});
  if (equation.kind != Value::Kind::kLiteral || !equation.literal.is_string() || inputs.empty()) {
    l.refuse(layer, "an equation that is not in the file");
    return {};
  }
  std::string spelled;
  for (const char c : equation.literal.get_ref<const std::string&>())
    if (c != ' ') spelled += c;
  return Value::of(l.b.add("Einsum", inputs, {{"equation", spelled}}));
}

constexpr OperationRow kRows[] = {
    {"Sum", "reduce_sum", reduce<"ReduceSum">},
    {"Mean", "reduce_mean", reduce<"ReduceMean">},
    {"Max", "reduce_max", reduce<"ReduceMax">},
    {"Amax", "", reduce<"ReduceMax">},
    {"Min", "reduce_min", reduce<"ReduceMin">},
    {"Amin", "", reduce<"ReduceMin">},
    {"Prod", "reduce_prod", reduce<"ReduceProd">},
    {"Logsumexp", "reduce_logsumexp", reduce<"ReduceLogSumExp">},
    {"Any", "reduce_any", reduce_bools<"ReduceMax">},
    {"All", "reduce_all", reduce_bools<"ReduceMin">},
    {"Var", "reduce_variance", variance<false>},
    {"Std", "reduce_std", variance<true>},
    {"Norm", "norm", norm},
    {"Argmax", "argmax", arg_extreme<"ArgMax">},
    {"Argmin", "argmin", arg_extreme<"ArgMin">},
    {"Cumsum", "cumsum", cumulative_sum},
    {"Matmul", "matmul", matmul},
    {"Einsum", "einsum", einsum},
    {"", "l2_normalize", l2_normalize},
};

}  // namespace

std::span<const OperationRow> reduction_operations() {
  return kRows;
}

}  // namespace wherry::keras
