// Arithmetic, comparison, choice and casts, element by element (keras/src/ops/numpy.py).
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "import/keras/operations.h"

namespace wherry::keras {

namespace {

template <Name op>
Value two(Lowering& l, const Layer& layer, const Call& call) {
  const auto [x, y] = pair_of({l, layer, call});
  return Value::of(graph::binary(l.b, op.view(), x, y));
}

template <Name op>
Value one(Lowering& l, const Layer& layer, const Call& call) {
  ValueId x = Args{l, layer, call}.x();
  static constexpr std::string_view kAnyNumber[] = {"Abs", "Neg", "Sign"};
  if (std::ranges::find(kAnyNumber, op.view()) == std::end(kAnyNumber)) x = l.floating(x);
  return Value::of(graph::unary(l.b, op.view(), x));
}

Value divide(Lowering& l, const Layer& layer, const Call& call) {
  const auto [x, y] = pair_of({l, layer, call});
  return Value::of(graph::binary(l.b, "Div", l.floating(x), l.floating(y)));
}
ValueId floor_division(Lowering& l, ValueId x, ValueId y) {
  Builder& b = l.b;
  if (is_float(b.dtype(x))) return graph::unary(b, "Floor", graph::binary(b, "Div", x, y));
  // ONNX truncates integers: what is left over tells whether one less is meant.
  const ValueId rest = b.add("Mod", {x, y});
  return graph::binary(b, "Div", graph::binary(b, "Sub", x, rest), y);
}
Value floor_divide(Lowering& l, const Layer& layer, const Call& call) {
  const auto [x, y] = pair_of({l, layer, call});
  return Value::of(floor_division(l, x, y));
}
Value modulo(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const auto [x, y] = pair_of({l, layer, call});
  if (!is_float(b.dtype(x))) return Value::of(b.add("Mod", {x, y}));
  const ValueId rest = b.add("Mod", {x, y}, {{"fmod", std::int64_t{1}}});
  // Python's remainder has the divisor's sign.
  const ValueId zero = graph::scalar_like(b, x, 0);
  const ValueId other_sign =
      b.add("Xor", {graph::binary(b, "Less", rest, zero), graph::binary(b, "Less", y, zero)});
  const ValueId fix =
      b.add("And", {graph::unary(b, "Not", graph::binary(b, "Equal", rest, zero)), other_sign});
  return Value::of(graph::where(b, fix, graph::binary(b, "Add", rest, y), rest));
}
Value not_equal(Lowering& l, const Layer& layer, const Call& call) {
  const auto [x, y] = pair_of({l, layer, call});
  return Value::of(graph::unary(l.b, "Not", graph::binary(l.b, "Equal", x, y)));
}
Value squared_difference(Lowering& l, const Layer& layer, const Call& call) {
  const auto [x, y] = pair_of({l, layer, call});
  const ValueId difference = graph::binary(l.b, "Sub", x, y);
  return Value::of(graph::binary(l.b, "Mul", difference, difference));
}
template <Name op>
Value logical(Lowering& l, const Layer& layer, const Call& call) {
  auto [x, y] = pair_of({l, layer, call});
  return Value::of(
      graph::binary(l.b, op.view(), graph::cast(l.b, x, DType::kBool), graph::cast(l.b, y, DType::kBool)));
}
Value logical_not(Lowering& l, const Layer& layer, const Call& call) {
  return Value::of(graph::unary(l.b, "Not", graph::cast(l.b, Args{l, layer, call}.x(), DType::kBool)));
}
Value square(Lowering& l, const Layer& layer, const Call& call) {
  const ValueId x = Args{l, layer, call}.x();
  return Value::of(graph::binary(l.b, "Mul", x, x));
}
Value rsqrt(Lowering& l, const Layer& layer, const Call& call) {
  return Value::of(
      graph::unary(l.b, "Reciprocal", graph::unary(l.b, "Sqrt", l.floating(Args{l, layer, call}.x()))));
}
Value log1p(Lowering& l, const Layer& layer, const Call& call) {
  // log(1 + x) as accurate as the framework's near 0: x · log(u) / (u - 1) with u = 1 + x.
  Builder& b = l.b;
  const ValueId x = l.floating(Args{l, layer, call}.x());
  const ValueId u = graph::binary(b, "Add", x, 1.0), less = graph::binary(b, "Sub", u, 1.0);
  const ValueId exact = graph::binary(b, "Div", graph::binary(b, "Mul", x, graph::unary(b, "Log", u)), less);
  return Value::of(graph::where(b, graph::binary(b, "Equal", less, 0.0), x, exact));
}
template <int base>
Value logarithm(Lowering& l, const Layer& layer, const Call& call) {
  const ValueId log = graph::unary(l.b, "Log", l.floating(Args{l, layer, call}.x()));
  return Value::of(graph::binary(l.b, "Mul", log, 1.0 / std::log(static_cast<double>(base))));
}
Value is_finite(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const ValueId x = l.floating(Args{l, layer, call}.x());
  return Value::of(graph::unary(
      b, "Not", graph::binary(b, "Or", graph::unary(b, "IsNaN", x), graph::unary(b, "IsInf", x))));
}
Value same(Lowering& l, const Layer& layer, const Call& call) {
  return Value::of(Args{l, layer, call}.x());
}
Value clip(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const ValueId x = args.x();
  const Value low = args.get(1, {"x_min", "clip_value_min"}), high = args.get(2, {"x_max", "clip_value_max"});
  const ValueId up = graph::binary(l.b, "Max", x, operand(l, layer, low, x));
  return Value::of(graph::binary(l.b, "Min", up, operand(l, layer, high, x)));
}
Value cast_to(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const auto known = args.dtype(args.get(1, {"dtype"}));
  if (!known || *known == DType::kString) {
    l.refuse(layer, "casting to an unusual dtype");
    return {};
  }
  return Value::of(graph::cast(l.b, args.x(), *known));
}
Value where(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const Value first = args.get(1, {"x1", "x"}), second = args.get(2, {"x2", "y"});
  const Value condition = args.get(0, {"condition"});
  if (!condition.is_tensor() || first.is_none() || second.is_none()) {
    l.refuse(layer, "a where() of one argument");
    return {};
  }
  const auto [x, y] = pair_of(args, first, second);
  return Value::of(graph::where(l.b, graph::cast(l.b, condition.tensor, DType::kBool), x, y));
}

constexpr OperationRow kRows[] = {
    {"Add", "add", two<"Add">},
    {"", "bias_add", two<"Add">},
    {"Subtract", "subtract", two<"Sub">},
    {"", "sub", two<"Sub">},
    {"Multiply", "multiply", two<"Mul">},
    {"", "mul", two<"Mul">},
    {"Divide", "divide", divide},
    {"TrueDivide", "truediv", divide},
    {"FloorDivide", "floordiv", floor_divide},
    {"", "floor_div", floor_divide},
    {"Mod", "mod", modulo},
    {"", "floormod", modulo},
    {"Power", "pow", two<"Pow">},
    {"Maximum", "maximum", two<"Max">},
    {"Minimum", "minimum", two<"Min">},
    {"Equal", "equal", two<"Equal">},
    {"", "eq", two<"Equal">},
    {"NotEqual", "not_equal", not_equal},
    {"", "ne", not_equal},
    {"Greater", "greater", two<"Greater">},
    {"GreaterEqual", "greater_equal", two<"GreaterOrEqual">},
    {"Less", "less", two<"Less">},
    {"LessEqual", "less_equal", two<"LessOrEqual">},
    {"LogicalAnd", "logical_and", logical<"And">},
    {"LogicalOr", "logical_or", logical<"Or">},
    {"LogicalXor", "", logical<"Xor">},
    {"LogicalNot", "logical_not", logical_not},
    {"Negative", "negative", one<"Neg">},
    {"Abs", "abs", one<"Abs">},
    {"Absolute", "", one<"Abs">},
    {"Sign", "sign", one<"Sign">},
    {"Sqrt", "sqrt", one<"Sqrt">},
    {"Rsqrt", "rsqrt", rsqrt},
    {"Square", "square", square},
    {"Exp", "exp", one<"Exp">},
    {"Log", "log", one<"Log">},
    {"Log1p", "log1p", log1p},
    {"Log2", "", logarithm<2>},
    {"Log10", "", logarithm<10>},
    {"Sin", "sin", one<"Sin">},
    {"Cos", "cos", one<"Cos">},
    {"Tan", "tan", one<"Tan">},
    {"Sinh", "sinh", one<"Sinh">},
    {"Cosh", "cosh", one<"Cosh">},
    {"Tanh", "tanh", one<"Tanh">},
    {"Arcsin", "", one<"Asin">},
    {"Arccos", "", one<"Acos">},
    {"Arctan", "atan", one<"Atan">},
    {"Arcsinh", "", one<"Asinh">},
    {"Arccosh", "", one<"Acosh">},
    {"Arctanh", "", one<"Atanh">},
    {"Erf", "erf", one<"Erf">},
    {"Floor", "floor", one<"Floor">},
    {"Ceil", "ceil", one<"Ceil">},
    {"Round", "round", one<"Round">},
    {"Reciprocal", "reciprocal", one<"Reciprocal">},
    {"Isnan", "is_nan", one<"IsNaN">},
    {"Isinf", "is_inf", one<"IsInf">},
    {"Isfinite", "is_finite", is_finite},
    {"Clip", "clip_by_value", clip},
    {"Cast", "cast", cast_to},
    {"Where", "where", where},
    {"", "where_v2", where},
    {"StopGradient", "stop_gradient", same},
    {"", "identity", same},
    {"Copy", "", same},
    {"", "squared_difference", squared_difference},
};

}  // namespace

std::span<const OperationRow> arithmetic_operations() {
  return kRows;
}

}  // namespace wherry::keras
