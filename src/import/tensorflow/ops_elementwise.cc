// Element by element: tensorflow/core/ops/math_ops.cc and nn_ops.cc, kernels in core/kernels/cwise_ops.h.
#include <cmath>
#include <limits>

#include "base/text.h"
#include "import/tensorflow/lower.h"

namespace wherry::tensorflow {
namespace {

using graph::binary;
using graph::cast;
using graph::scalar_like;
using graph::unary;
using graph::where;

bool is_float(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kFloat16 ||
         dtype == DType::kBfloat16;
}

// Where() of ONNX Runtime has no kernels for these: through a dtype which has one and holds all values.
ValueId choose(Builder& b, ValueId condition, ValueId yes, ValueId no) {
  const DType dtype = b.dtype(yes);
  const bool direct = dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kInt32 ||
                      dtype == DType::kInt64 || dtype == DType::kString || dtype == DType::kUint8;
  if (direct) return where(b, condition, yes, no);
  const DType wide = is_float(dtype)         ? DType::kFloat32
                     : dtype == DType::kBool ? DType::kUint8
                                             : DType::kInt64;
  return cast(b, where(b, condition, cast(b, yes, wide), cast(b, no, wide)), dtype);
}

template <const char* kOp>
void same(Op& op) {
  op.out(unary(op.b, kOp, op.in(0)));
}
#define SAME(name)                        \
  constexpr char k##name##Name[] = #name; \
  constexpr auto same_##name = &same<k##name##Name>;
SAME(Abs)
SAME(Neg)
SAME(Exp)
SAME(Log)
SAME(Sqrt)
SAME(Sin)
SAME(Cos)
SAME(Tan)
SAME(Asin)
SAME(Acos)
SAME(Atan)
SAME(Sinh)
SAME(Cosh)
SAME(Asinh)
SAME(Acosh)
SAME(Atanh)
SAME(Tanh)
SAME(Sigmoid)
SAME(Softplus)
SAME(Softsign)
SAME(Ceil)
SAME(Floor)
SAME(Round)
SAME(Sign)
SAME(Reciprocal)
SAME(Erf)
SAME(Not)
SAME(IsNaN)
SAME(IsInf)
SAME(BitwiseNot)
#undef SAME

template <const char* kOp>
void both(Op& op) {
  op.out(binary(op.b, kOp, op.in(0), op.in(1)));
}
#define BOTH(name)                        \
  constexpr char k##name##Name[] = #name; \
  constexpr auto both_##name = &both<k##name##Name>;
BOTH(Sub)
BOTH(Mul)
BOTH(Pow)
BOTH(Greater)
BOTH(GreaterOrEqual)
BOTH(Less)
BOTH(LessOrEqual)
BOTH(And)
BOTH(Or)
BOTH(BitwiseAnd)
BOTH(BitwiseOr)
BOTH(BitwiseXor)
#undef BOTH

void add(Op& op) {
  const ValueId x = op.in(0);
  op.out(op.b.dtype(x) == DType::kString ? op.b.add("StringConcat", {x, op.in(1)})
                                         : binary(op.b, "Add", x, op.in(1)));
}

void rsqrt(Op& op) {
  op.out(unary(op.b, "Reciprocal", unary(op.b, "Sqrt", op.in(0))));
}

void square(Op& op) {
  const ValueId x = op.in(0);
  op.out(binary(op.b, "Mul", x, x));
}

void erfc(Op& op) {
  const ValueId x = op.in(0);
  op.out(binary(op.b, "Sub", scalar_like(op.b, x, 1), unary(op.b, "Erf", x)));
}

// log(1 + x) without cancellation (Kahan): x · log(u) / (u - 1) for u = 1 + x, x itself where u is 1.
void log1p(Op& op) {
  Builder& b = op.b;
  const ValueId x = op.in(0), one = scalar_like(b, x, 1);
  const ValueId u = binary(b, "Add", x, one);
  const ValueId log = unary(b, "Log", u);
  const ValueId difference = binary(b, "Sub", u, one);
  const ValueId tiny = b.add("Equal", {difference, scalar_like(b, x, 0)});
  const ValueId infinite = unary(b, "IsInf", u);
  const ValueId safe = where(b, tiny, one, difference);
  const ValueId corrected = binary(b, "Mul", log, binary(b, "Div", x, safe));
  op.out(where(b, tiny, x, where(b, infinite, log, corrected)));
}

// exp(x) - 1 likewise: (u - 1) · x / log(u) for u = exp(x).
void expm1(Op& op) {
  Builder& b = op.b;
  const ValueId x = op.in(0), one = scalar_like(b, x, 1);
  const ValueId u = unary(b, "Exp", x);
  const ValueId difference = binary(b, "Sub", u, one);
  const ValueId log = unary(b, "Log", u);
  const ValueId zero = scalar_like(b, x, 0);
  const ValueId tiny = b.add("Equal", {log, zero});
  const ValueId far = binary(b, "Greater", unary(b, "Abs", x), scalar_like(b, x, 1));
  const ValueId corrected = binary(b, "Mul", difference, binary(b, "Div", x, where(b, tiny, one, log)));
  op.out(where(b, far, difference, where(b, tiny, x, corrected)));
}

void relu(Op& op) {
  op.out(unary(op.b, "Relu", op.in(0)));
}

void relu6(Op& op) {
  op.out(graph::clip(op.b, op.in(0), 0, 6));
}

void elu(Op& op) {
  op.out(op.b.add("Elu", {op.in(0)}));
}

void selu(Op& op) {
  op.out(op.b.add(
      "Selu", {op.in(0)},
      {{"alpha", 1.6732632423543772848170429916717f}, {"gamma", 1.0507009873554804934193349852946f}}));
}

void leaky_relu(Op& op) {
  op.out(op.b.add("LeakyRelu", {op.in(0)}, {{"alpha", op.real("alpha", 0.2f)}}));
}

void is_finite(Op& op) {
  const ValueId x = op.in(0);
  op.out(unary(op.b, "Not", op.b.add("Or", {unary(op.b, "IsNaN", x), unary(op.b, "IsInf", x)})));
}

ValueId filled_like(Op& op, double number) {
  const ValueId x = op.in(0);
  const DType dtype = op.b.dtype(x);
  if (dtype == DType::kString) {
    op.refuse("strings");
    return kNone;
  }
  return graph::full(op.b, dtype, graph::shape_of(op.b, x), number);
}

void zeros_like(Op& op) {
  op.out(filled_like(op, 0));
}

void ones_like(Op& op) {
  op.out(filled_like(op, 1));
}

// Division. ONNX divides integers as C++ does: towards zero.
void divide(Op& op) {
  op.out(binary(op.b, "Div", op.in(0), op.in(1)));
}

ValueId signs_differ(Builder& b, ValueId x, ValueId y) {
  const ValueId zero = scalar_like(b, x, 0);
  return b.add("Xor", {binary(b, "Less", x, zero), binary(b, "Less", y, zero)});
}

void floor_div(Op& op) {
  Builder& b = op.b;
  const ValueId x = op.in(0), y = op.in(1);
  const ValueId quotient = binary(b, "Div", x, y);
  if (is_float(b.dtype(x))) return op.out(unary(b, "Floor", quotient));
  const ValueId rest = binary(b, "Sub", x, binary(b, "Mul", quotient, y));
  const ValueId uneven = unary(b, "Not", b.add("Equal", {rest, scalar_like(b, x, 0)}));
  const ValueId lower = binary(b, "Sub", quotient, scalar_like(b, x, 1));
  op.out(choose(b, b.add("And", {uneven, signs_differ(b, x, y)}), lower, quotient));
}

void floor_mod(Op& op) {
  Builder& b = op.b;
  const ValueId x = op.in(0), y = op.in(1);
  if (!is_float(b.dtype(x))) return op.out(b.add("Mod", {x, y}, {{"fmod", std::int64_t{0}}}));
  const ValueId rest = b.add("Mod", {x, y}, {{"fmod", std::int64_t{1}}});
  const ValueId uneven = unary(b, "Not", b.add("Equal", {rest, scalar_like(b, rest, 0)}));
  op.out(choose(b, b.add("And", {uneven, signs_differ(b, rest, y)}), binary(b, "Add", rest, y), rest));
}

void truncate_mod(Op& op) {
  op.out(op.b.add("Mod", {op.in(0), op.in(1)}, {{"fmod", std::int64_t{1}}}));
}

// 0 where the divisor (factor) is 0, whatever the other one is.
void div_no_nan(Op& op) {
  Builder& b = op.b;
  const ValueId x = op.in(0), y = op.in(1), zero = scalar_like(b, y, 0);
  const ValueId none = b.add("Equal", {y, zero});
  op.out(choose(b, none, zero, binary(b, "Div", x, choose(b, none, scalar_like(b, y, 1), y))));
}

void mul_no_nan(Op& op) {
  Builder& b = op.b;
  const ValueId x = op.in(0), y = op.in(1), zero = scalar_like(b, y, 0);
  op.out(choose(b, b.add("Equal", {y, zero}), zero, binary(b, "Mul", x, y)));
}

// 0 where x is 0.
void x_times(Op& op, ValueId other, std::string_view verb) {
  Builder& b = op.b;
  const ValueId x = op.in(0), zero = scalar_like(b, x, 0);
  op.out(choose(b, b.add("Equal", {x, zero}), zero, binary(b, verb, x, other)));
}

void xlogy(Op& op) {
  x_times(op, unary(op.b, "Log", op.in(1)), "Mul");
}

void xdivy(Op& op) {
  x_times(op, op.in(1), "Div");
}

void squared_difference(Op& op) {
  const ValueId difference = binary(op.b, "Sub", op.in(0), op.in(1));
  op.out(binary(op.b, "Mul", difference, difference));
}

// Max and Min of ONNX Runtime have no kernels for short integers.
template <bool kMax>
void extreme(Op& op) {
  Builder& b = op.b;
  const ValueId x = op.in(0), y = op.in(1);
  const DType dtype = b.dtype(x);
  const bool narrow =
      dtype == DType::kInt8 || dtype == DType::kInt16 || dtype == DType::kUint8 || dtype == DType::kUint16;
  const auto verb = kMax ? "Max" : "Min";
  if (!narrow) return op.out(binary(b, verb, x, y));
  op.out(cast(b, binary(b, verb, cast(b, x, DType::kInt32), cast(b, y, DType::kInt32)), dtype));
}

template <bool kEqual>
void equal(Op& op) {
  const ValueId result = op.b.add("Equal", {op.in(0), op.in(1)});
  op.out(kEqual ? result : unary(op.b, "Not", result));
}

void approximate_equal(Op& op) {
  const ValueId difference = unary(op.b, "Abs", binary(op.b, "Sub", op.in(0), op.in(1)));
  op.out(binary(op.b, "Less", difference, scalar_like(op.b, difference, op.real("tolerance", 1e-5f))));
}

// atan(y / x), moved by π where x is negative; ±π/2 where x is 0.
void atan2(Op& op) {
  Builder& b = op.b;
  const ValueId y = op.in(0), x = op.in(1);
  const ValueId zero = scalar_like(b, x, 0);
  const ValueId no_x = b.add("Equal", {x, zero});
  const ValueId below = binary(b, "Less", y, zero);
  const ValueId plain = unary(b, "Atan", binary(b, "Div", y, where(b, no_x, scalar_like(b, x, 1), x)));
  const ValueId turn = where(b, below, scalar_like(b, x, -M_PI), scalar_like(b, x, M_PI));
  const ValueId left = binary(b, "Less", x, zero);
  const ValueId full = where(b, left, binary(b, "Add", plain, turn), plain);
  const ValueId half = where(b, below, scalar_like(b, x, -M_PI_2), scalar_like(b, x, M_PI_2));
  const ValueId upright = where(b, b.add("Equal", {y, zero}), zero, half);
  op.out(where(b, no_x, upright, full));
}

void add_n(Op& op) {
  ValueId sum = op.in(0);
  for (std::size_t i = 1; i < op.count(); ++i) sum = binary(op.b, "Add", sum, op.in(i));
  op.out(sum);
}

void select_v2(Op& op) {
  op.out(choose(op.b, op.in(0), op.in(1), op.in(2)));
}

// The old Select: a condition of one axis chooses whole rows.
void select(Op& op) {
  Builder& b = op.b;
  ValueId condition = op.in(0);
  const ValueId yes = op.in(1);
  const int rank = op.rank(yes);
  if (b.rank(condition) == 1 && rank > 1) {
    Ints axes;
    for (int axis = 1; axis < rank; ++axis) axes.push_back(axis);
    condition = graph::unsqueeze(b, condition, axes);
  }
  op.out(choose(b, condition, yes, op.in(2)));
}

void cast_to(Op& op) {
  Builder& b = op.b;
  const ValueId x = op.in(0);
  const DType to = op.type("DstT", DType::kFloat32);
  if (b.dtype(x) == DType::kString || to == DType::kString) return op.refuse("strings");
  op.out(cast(b, x, to));
}

void clip_by_value(Op& op) {
  const ValueId raised = binary(op.b, "Max", op.in(0), op.in(1));
  op.out(binary(op.b, "Min", raised, op.in(2)));
}

// BiasAdd: along the last axis, or the second one of NCHW.
void bias_add(Op& op) {
  Builder& b = op.b;
  const ValueId x = op.in(0);
  ValueId bias = op.in(1);
  if (op.text("data_format", "NHWC").starts_with("NC")) {
    const int rank = op.rank(x);
    Ints axes;
    for (int axis = 2; axis < rank; ++axis) axes.push_back(axis - 1);
    bias = graph::unsqueeze(b, bias, axes);
  } else if (b.rank(x) >= 4) {
    // Beside a convolution, whose output is channels first in truth: the transpositions cancel out.
    Ints axes;
    for (int axis = 2; axis < b.rank(x); ++axis) axes.push_back(axis - 1);
    const ValueId moved = binary(b, "Add", graph::channels_first(b, x), graph::unsqueeze(b, bias, axes));
    return op.out(graph::channels_last(b, moved));
  }
  op.out(binary(b, "Add", x, bias));
}

template <bool kLeft>
void shift(Op& op) {
  op.out(op.b.add("BitShift", {op.in(0), op.in(1)}, {{"direction", std::string(kLeft ? "LEFT" : "RIGHT")}}));
}

constexpr OpRow kRows[] = {
    {"Abs", same_Abs},
    {"Neg", same_Neg},
    {"Exp", same_Exp},
    {"Log", same_Log},
    {"Sqrt", same_Sqrt},
    {"Sin", same_Sin},
    {"Cos", same_Cos},
    {"Tan", same_Tan},
    {"Asin", same_Asin},
    {"Acos", same_Acos},
    {"Atan", same_Atan},
    {"Sinh", same_Sinh},
    {"Cosh", same_Cosh},
    {"Asinh", same_Asinh},
    {"Acosh", same_Acosh},
    {"Atanh", same_Atanh},
    {"Tanh", same_Tanh},
    {"Sigmoid", same_Sigmoid},
    {"Softplus", same_Softplus},
    {"Softsign", same_Softsign},
    {"Ceil", same_Ceil},
    {"Floor", same_Floor},
    {"Round", same_Round},
    {"Rint", same_Round},
    {"Sign", same_Sign},
    {"Reciprocal", same_Reciprocal},
    {"Inv", same_Reciprocal},
    {"Erf", same_Erf},
    {"LogicalNot", same_Not},
    {"IsNan", same_IsNaN},
    {"IsInf", same_IsInf},
    {"Invert", same_BitwiseNot},
    {"Erfc", erfc},
    {"Rsqrt", rsqrt},
    {"Square", square},
    {"Log1p", log1p},
    {"Expm1", expm1},
    {"Relu", relu},
    {"Relu6", relu6},
    {"Elu", elu},
    {"Selu", selu},
    {"LeakyRelu", leaky_relu},
    {"IsFinite", is_finite},
    {"ZerosLike", zeros_like},
    {"OnesLike", ones_like},
    {"Add", add},
    {"AddV2", add},
    {"Sub", both_Sub},
    {"Mul", both_Mul},
    {"Pow", both_Pow},
    {"Greater", both_Greater},
    {"GreaterEqual", both_GreaterOrEqual},
    {"Less", both_Less},
    {"LessEqual", both_LessOrEqual},
    {"LogicalAnd", both_And},
    {"LogicalOr", both_Or},
    {"BitwiseAnd", both_BitwiseAnd},
    {"BitwiseOr", both_BitwiseOr},
    {"BitwiseXor", both_BitwiseXor},
    {"LeftShift", shift<true>},
    {"RightShift", shift<false>},
    {"RealDiv", divide},
    {"Div", divide},
    {"TruncateDiv", divide},
    {"FloorDiv", floor_div},
    {"FloorMod", floor_mod},
    {"Mod", truncate_mod},
    {"TruncateMod", truncate_mod},
    {"DivNoNan", div_no_nan},
    {"MulNoNan", mul_no_nan},
    {"Xlogy", xlogy},
    {"Xdivy", xdivy},
    {"SquaredDifference", squared_difference},
    {"Maximum", extreme<true>},
    {"Minimum", extreme<false>},
    {"Equal", equal<true>},
    {"NotEqual", equal<false>},
    {"ApproximateEqual", approximate_equal},
    {"Atan2", atan2},
    {"AddN", add_n},
    {"AccumulateNV2", add_n},
    {"SelectV2", select_v2},
    {"Select", select},
    {"Cast", cast_to},
    {"ClipByValue", clip_by_value},
    {"BiasAdd", bias_add},
    {"BiasAddV1", bias_add},
};

}  // namespace

std::span<const OpRow> elementwise_rows() {
  return kRows;
}

}  // namespace wherry::tensorflow
