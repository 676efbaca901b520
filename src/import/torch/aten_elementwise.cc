// Arithmetic, element by element.
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "import/torch/operators.h"
#include "import/torch/scalar_type.h"

namespace wherry::torch {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

ValueId compute(Builder& b, std::string_view op, ValueId x, ValueId y) {
  const DType dtype = b.dtype(x);
  const DType wide = computing_type(dtype);
  return graph::cast(b, graph::binary(b, op, graph::cast(b, x, wide), graph::cast(b, y, wide)), dtype);
}

bool is_one(const Argument& alpha) {
  const auto* const integer = alpha.get<std::int64_t>();
  const auto* const real = alpha.get<double>();
  return alpha.is_none() || (integer != nullptr && *integer == 1) || (real != nullptr && *real == 1);
}

// op(self, alpha * other), or op(other, alpha * self).
Outputs sum(Call& c, std::string_view op, std::string_view left, std::string_view right) {
  const DType dtype = result_type(c.b, operands(c, {"self", "other"}));
  const ValueId x = as_dtype(c.b, c[left], dtype);
  ValueId y = as_dtype(c.b, c[right], dtype);
  if (!is_one(c["alpha"])) y = compute(c.b, "Mul", y, as_dtype(c.b, c["alpha"], dtype));
  if (dtype == DType::kBool) return graph::binary(c.b, "Or", x, y);
  return compute(c.b, op, x, y);
}

Outputs add(Call& c) {
  return sum(c, "Add", "self", "other");
}
Outputs sub(Call& c) {
  return sum(c, "Sub", "self", "other");
}
Outputs rsub(Call& c) {
  return sum(c, "Sub", "other", "self");
}

Outputs mul(Call& c) {
  const DType dtype = result_type(c.b, operands(c, {"self", "other"}));
  const ValueId x = as_dtype(c.b, c["self"], dtype);
  const ValueId y = as_dtype(c.b, c["other"], dtype);
  if (dtype == DType::kBool) return graph::binary(c.b, "And", x, y);
  return compute(c.b, "Mul", x, y);
}

ValueId truncated(Builder& b, ValueId x) {
  return graph::binary(b, "Mul", graph::unary(b, "Sign", x),
                       graph::unary(b, "Floor", graph::unary(b, "Abs", x)));
}

ValueId fmod(Builder& b, ValueId x, ValueId y) {
  const DType dtype = b.dtype(x);
  const DType wide = computing_type(dtype);
  return graph::cast(
      b, b.add("Mod", {graph::cast(b, x, wide), graph::cast(b, y, wide)}, {{"fmod", std::int64_t{1}}}),
      dtype);
}

ValueId differ_in_sign(Builder& b, ValueId x, ValueId y) {
  return graph::binary(b, "Xor", graph::binary(b, "Less", x, 0.0), graph::binary(b, "Less", y, 0.0));
}

// Whether the remainder r of C must move by one divisor to become Python's.
ValueId needs_step(Builder& b, ValueId r, ValueId y) {
  return graph::binary(b, "And", graph::unary(b, "Not", graph::binary(b, "Equal", r, 0.0)),
                       differ_in_sign(b, r, y));
}

ValueId remainder_of(Builder& b, ValueId x, ValueId y) {
  const DType dtype = b.dtype(x);
  if (!is_floating(dtype)) return compute(b, "Mod", x, y);
  const ValueId r = fmod(b, x, y);
  return graph::where(b, needs_step(b, r, y), graph::binary(b, "Add", r, y), r);
}

// c10::div_floor_floating, and Python's // for integers.
ValueId floor_divided(Builder& b, ValueId x, ValueId y) {
  if (!is_floating(b.dtype(x))) return compute(b, "Div", compute(b, "Sub", x, compute(b, "Mod", x, y)), y);
  const ValueId r = fmod(b, x, y);
  const ValueId whole = graph::binary(b, "Div", graph::binary(b, "Sub", x, r), y);
  const ValueId stepped = graph::where(b, needs_step(b, r, y), graph::binary(b, "Sub", whole, 1.0), whole);
  const ValueId floor = graph::unary(b, "Floor", stepped);
  const ValueId rounded =
      graph::where(b, graph::binary(b, "Greater", graph::binary(b, "Sub", stepped, floor), 0.5),
                   graph::binary(b, "Add", floor, 1.0), floor);
  return graph::where(b, graph::binary(b, "Equal", y, 0.0), graph::binary(b, "Div", x, y), rounded);
}

Outputs div(Call& c) {
  const DType common = result_type(c.b, operands(c, {"self", "other"}));
  const std::string mode = c.text("rounding_mode");
  const DType dtype = mode.empty() ? float_type(common) : common;
  const ValueId x = as_dtype(c.b, c["self"], dtype);
  const ValueId y = as_dtype(c.b, c["other"], dtype);
  if (mode == "floor") return floor_divided(c.b, x, y);
  const ValueId quotient = compute(c.b, "Div", x, y);
  return mode == "trunc" && is_floating(dtype) ? truncated(c.b, quotient) : quotient;
}

Outputs floor_divide(Call& c) {
  const DType dtype = result_type(c.b, operands(c, {"self", "other"}));
  return floor_divided(c.b, as_dtype(c.b, c["self"], dtype), as_dtype(c.b, c["other"], dtype));
}

Outputs remainder(Call& c) {
  const DType dtype = result_type(c.b, operands(c, {"self", "other"}));
  return remainder_of(c.b, as_dtype(c.b, c["self"], dtype), as_dtype(c.b, c["other"], dtype));
}

Outputs fmod(Call& c) {
  const DType dtype = result_type(c.b, operands(c, {"self", "other"}));
  return fmod(c.b, as_dtype(c.b, c["self"], dtype), as_dtype(c.b, c["other"], dtype));
}

Outputs pow(Call& c) {
  Builder& b = c.b;
  const DType dtype = result_type(b, operands(c, {"self", "exponent"}));
  const ValueId x = as_dtype(b, c["self"], dtype);
  const bool known = c["exponent"].get<double>() != nullptr || c["exponent"].get<std::int64_t>() != nullptr;
  const double exponent = known ? c.number("exponent") : 0;
  if (known && exponent == 1) return x;
  if (known && exponent == 2) return compute(b, "Mul", x, x);
  if (known && exponent == 3) return compute(b, "Mul", compute(b, "Mul", x, x), x);
  if (known && exponent == 0.5) return graph::unary(b, "Sqrt", x);
  if (known && exponent == -0.5) return graph::unary(b, "Reciprocal", graph::unary(b, "Sqrt", x));
  if (known && exponent == -1 && is_floating(dtype)) return graph::unary(b, "Reciprocal", x);
  return compute(b, "Pow", x, as_dtype(b, c["exponent"], dtype));
}

template <const char* Op>
Outputs larger_or_smaller(Call& c) {
  const DType dtype = result_type(c.b, operands(c, {"self", "other"}));
  const ValueId x = as_dtype(c.b, c["self"], dtype);
  const ValueId y = as_dtype(c.b, c["other"], dtype);
  if (dtype == DType::kBool) return graph::binary(c.b, std::string_view(Op) == "Max" ? "Or" : "And", x, y);
  return compute(c.b, Op, x, y);
}
constexpr char kMax[] = "Max";
constexpr char kMin[] = "Min";

Outputs addcmul(Call& c) {
  const DType dtype = result_type(c.b, operands(c, {"self", "tensor1", "tensor2"}));
  ValueId product =
      compute(c.b, "Mul", as_dtype(c.b, c["tensor1"], dtype), as_dtype(c.b, c["tensor2"], dtype));
  if (!is_one(c["value"])) product = compute(c.b, "Mul", product, as_dtype(c.b, c["value"], dtype));
  return compute(c.b, "Add", as_dtype(c.b, c["self"], dtype), product);
}

Outputs addcdiv(Call& c) {
  const DType dtype = float_type(result_type(c.b, operands(c, {"self", "tensor1", "tensor2"})));
  ValueId quotient =
      graph::binary(c.b, "Div", as_dtype(c.b, c["tensor1"], dtype), as_dtype(c.b, c["tensor2"], dtype));
  if (!is_one(c["value"])) quotient = graph::binary(c.b, "Mul", quotient, as_dtype(c.b, c["value"], dtype));
  return graph::binary(c.b, "Add", as_dtype(c.b, c["self"], dtype), quotient);
}

Outputs lerp(Call& c) {
  Builder& b = c.b;
  const DType dtype = result_type(b, operands(c, {"self", "end"}));
  const ValueId x = as_dtype(b, c["self"], dtype);
  const ValueId end = as_dtype(b, c["end"], dtype);
  const ValueId weight = as_dtype(b, c["weight"], dtype);
  const ValueId way = graph::binary(b, "Sub", end, x);
  const ValueId from_start = graph::binary(b, "Add", x, graph::binary(b, "Mul", weight, way));
  const ValueId from_end = graph::binary(
      b, "Sub", end,
      graph::binary(b, "Mul", way, graph::binary(b, "Sub", graph::scalar(b, dtype, 1), weight)));
  return graph::where(b, graph::binary(b, "Less", graph::unary(b, "Abs", weight), 0.5), from_start, from_end);
}

ValueId clamped(Call& c, std::string_view low, std::string_view high) {
  Builder& b = c.b;
  const DType dtype = result_type(b, operands(c, {"self", low, high}));
  const DType wide = computing_type(dtype);
  ValueId x = graph::cast(b, as_dtype(b, c["self"], dtype), wide);
  if (c.has(low)) x = graph::binary(b, "Max", x, as_dtype(b, c[low], wide));
  if (c.has(high)) x = graph::binary(b, "Min", x, as_dtype(b, c[high], wide));
  return graph::cast(b, x, dtype);
}

Outputs clamp(Call& c) {
  return clamped(c, "min", "max");
}

// --- one operand -------------------------------------------------------------------------------------------

template <const char* Op>
Outputs float_unary(Call& c) {
  return graph::unary(c.b, Op, to_float(c.b, c.tensor("self")));
}
constexpr char kExp[] = "Exp";
constexpr char kLog[] = "Log";
constexpr char kSqrt[] = "Sqrt";
constexpr char kReciprocal[] = "Reciprocal";
constexpr char kSin[] = "Sin";
constexpr char kCos[] = "Cos";
constexpr char kTan[] = "Tan";
constexpr char kAsin[] = "Asin";
constexpr char kAcos[] = "Acos";
constexpr char kAtan[] = "Atan";
constexpr char kSinh[] = "Sinh";
constexpr char kCosh[] = "Cosh";
constexpr char kAsinh[] = "Asinh";
constexpr char kAcosh[] = "Acosh";
constexpr char kAtanh[] = "Atanh";
constexpr char kErf[] = "Erf";

template <const char* Op>
Outputs rounding(Call& c) {
  const ValueId x = c.tensor("self");
  return is_floating(c.b.dtype(x)) ? graph::unary(c.b, Op, x) : x;
}
constexpr char kFloor[] = "Floor";
constexpr char kCeil[] = "Ceil";

template <const char* Op>
Outputs wide_unary(Call& c) {
  const ValueId x = c.tensor("self");
  const DType dtype = c.b.dtype(x);
  return graph::cast(c.b, graph::unary(c.b, Op, graph::cast(c.b, x, computing_type(dtype))), dtype);
}
constexpr char kAbs[] = "Abs";
constexpr char kNeg[] = "Neg";
constexpr char kSign[] = "Sign";

Outputs round(Call& c) {
  const ValueId x = c.tensor("self");
  if (!is_floating(c.b.dtype(x))) return x;
  const std::int64_t decimals = c.integer("decimals");
  if (decimals == 0) return graph::unary(c.b, "Round", x);
  const double scale = std::pow(10.0, static_cast<double>(std::abs(decimals)));
  const auto [up, down] = decimals > 0 ? std::pair("Mul", "Div") : std::pair("Div", "Mul");
  return graph::binary(c.b, down, graph::unary(c.b, "Round", graph::binary(c.b, up, x, scale)), scale);
}

Outputs trunc(Call& c) {
  const ValueId x = c.tensor("self");
  return is_floating(c.b.dtype(x)) ? truncated(c.b, x) : x;
}

Outputs frac(Call& c) {
  const ValueId x = c.tensor("self");
  return graph::binary(c.b, "Sub", x, truncated(c.b, x));
}

Outputs square(Call& c) {
  const ValueId x = c.tensor("self");
  return compute(c.b, "Mul", x, x);
}

Outputs rsqrt(Call& c) {
  return graph::unary(c.b, "Reciprocal", graph::unary(c.b, "Sqrt", to_float(c.b, c.tensor("self"))));
}

Outputs erfc(Call& c) {
  const ValueId erf = graph::unary(c.b, "Erf", to_float(c.b, c.tensor("self")));
  return graph::binary(c.b, "Sub", graph::scalar_like(c.b, erf, 1), erf);
}

Outputs exp2(Call& c) {
  const ValueId x = to_float(c.b, c.tensor("self"));
  return graph::binary(c.b, "Pow", graph::scalar_like(c.b, x, 2), x);
}

// exp(x) - 1 loses its digits near 0; there x + x²/2 + x³/6 has them.
Outputs expm1(Call& c) {
  Builder& b = c.b;
  const ValueId x = to_float(b, c.tensor("self"));
  const ValueId cubic = graph::binary(b, "Add", graph::binary(b, "Mul", x, 1.0 / 6), 0.5);
  const ValueId series =
      graph::binary(b, "Add", x, graph::binary(b, "Mul", graph::binary(b, "Mul", x, x), cubic));
  const ValueId plain = graph::binary(b, "Sub", graph::unary(b, "Exp", x), 1.0);
  return graph::where(b, graph::binary(b, "Less", graph::unary(b, "Abs", x), 1e-2), series, plain);
}

ValueId log1p_of(Builder& b, ValueId x) {
  const ValueId u = graph::binary(b, "Add", x, 1.0);
  const ValueId rounded = graph::binary(b, "Sub", u, 1.0);
  const ValueId corrected =
      graph::binary(b, "Mul", graph::unary(b, "Log", u), graph::binary(b, "Div", x, rounded));
  const ValueId small = graph::binary(b, "Less", graph::unary(b, "Abs", x), 0.5);
  const ValueId result = graph::where(b, small, corrected, graph::unary(b, "Log", u));
  return graph::where(b, graph::binary(b, "Equal", rounded, 0.0), x, result);
}

Outputs log1p(Call& c) {
  return log1p_of(c.b, to_float(c.b, c.tensor("self")));
}

Outputs log_to(Call& c, double base) {
  return graph::binary(c.b, "Mul", graph::unary(c.b, "Log", to_float(c.b, c.tensor("self"))),
                       1 / std::log(base));
}
Outputs log2(Call& c) {
  return log_to(c, 2);
}
Outputs log10(Call& c) {
  return log_to(c, 10);
}

Outputs deg2rad(Call& c) {
  return graph::binary(c.b, "Mul", to_float(c.b, c.tensor("self")), std::numbers::pi / 180);
}
Outputs rad2deg(Call& c) {
  return graph::binary(c.b, "Mul", to_float(c.b, c.tensor("self")), 180 / std::numbers::pi);
}

Outputs logit(Call& c) {
  Builder& b = c.b;
  ValueId x = to_float(b, c.tensor("self"));
  if (c.has("eps")) x = graph::clip(b, x, c.number("eps"), 1 - c.number("eps"));
  return graph::unary(b, "Log",
                      graph::binary(b, "Div", x, graph::binary(b, "Sub", graph::scalar_like(b, x, 1), x)));
}

Outputs atan2(Call& c) {
  Builder& b = c.b;
  const DType dtype = float_type(result_type(b, operands(c, {"self", "other"})));
  const ValueId y = as_dtype(b, c["self"], dtype);
  const ValueId x = as_dtype(b, c["other"], dtype);
  const ValueId zero = graph::scalar(b, dtype, 0);
  const ValueId pi = graph::scalar(b, dtype, std::numbers::pi);
  const ValueId half = graph::scalar(b, dtype, std::numbers::pi / 2);
  const ValueId y_negative = graph::binary(b, "Less", y, zero);
  const ValueId on_axis = graph::where(b, graph::binary(b, "Greater", y, zero), half,
                                       graph::where(b, y_negative, graph::unary(b, "Neg", half), zero));
  const ValueId x_zero = graph::binary(b, "Equal", x, zero);
  const ValueId safe = graph::where(b, x_zero, graph::scalar(b, dtype, 1), x);
  const ValueId angle = graph::unary(b, "Atan", graph::binary(b, "Div", y, safe));
  const ValueId turned =
      graph::where(b, y_negative, graph::binary(b, "Sub", angle, pi), graph::binary(b, "Add", angle, pi));
  return graph::where(b, x_zero, on_axis, graph::where(b, graph::binary(b, "Less", x, zero), turned, angle));
}

Outputs hypot(Call& c) {
  Builder& b = c.b;
  const DType dtype = result_type(b, operands(c, {"self", "other"}));
  const ValueId x = as_dtype(b, c["self"], dtype);
  const ValueId y = as_dtype(b, c["other"], dtype);
  return graph::unary(b, "Sqrt",
                      graph::binary(b, "Add", graph::binary(b, "Mul", x, x), graph::binary(b, "Mul", y, y)));
}

Outputs xlogy(Call& c) {
  Builder& b = c.b;
  const DType dtype = float_type(result_type(b, operands(c, {"self", "other"})));
  const ValueId x = as_dtype(b, c["self"], dtype);
  const ValueId product = graph::binary(b, "Mul", x, graph::unary(b, "Log", as_dtype(b, c["other"], dtype)));
  return graph::where(b, graph::binary(b, "Equal", x, 0.0), graph::scalar(b, dtype, 0), product);
}

Outputs logaddexp(Call& c) {
  Builder& b = c.b;
  const DType dtype = float_type(result_type(b, operands(c, {"self", "other"})));
  const ValueId x = as_dtype(b, c["self"], dtype);
  const ValueId y = as_dtype(b, c["other"], dtype);
  const ValueId gap = graph::unary(b, "Neg", graph::unary(b, "Abs", graph::binary(b, "Sub", x, y)));
  return graph::binary(b, "Add", graph::binary(b, "Max", x, y), log1p_of(b, graph::unary(b, "Exp", gap)));
}

Outputs nan_to_num(Call& c) {
  Builder& b = c.b;
  const ValueId x = c.tensor("self");
  const DType dtype = b.dtype(x);
  if (!is_floating(dtype)) return x;
  const double most = dtype == DType::kFloat64    ? std::numeric_limits<double>::max()
                      : dtype == DType::kFloat16  ? 65'504.0
                      : dtype == DType::kBfloat16 ? 3.3895313892515355e38
                                                  : std::numeric_limits<float>::max();
  const auto replaced = [&](ValueId from, ValueId when, std::string_view by, double otherwise) {
    return graph::where(b, when, graph::scalar(b, dtype, c.number(by, otherwise)), from);
  };
  ValueId y = replaced(x, graph::unary(b, "IsNaN", x), "nan", 0);
  y = replaced(y, graph::binary(b, "Equal", x, kInfinity), "posinf", c.has("posinf") ? 0 : most);
  return replaced(y, graph::binary(b, "Equal", x, -kInfinity), "neginf", c.has("neginf") ? 0 : -most);
}

// Makes a copy, changes only where numbers are kept, or is for training.
Outputs itself(Call& c) {
  return c.tensor(c.schema().parameters.front().name);
}

constexpr auto kRows = std::to_array<Operator>({
    {"aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", add},
    {"aten::add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", add},
    {"aten::sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", sub},
    {"aten::sub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", sub},
    {"aten::subtract.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", sub},
    {"aten::subtract.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", sub},
    {"aten::rsub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", rsub},
    {"aten::rsub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor", rsub},
    {"aten::mul.Tensor(Tensor self, Tensor other) -> Tensor", mul},
    {"aten::mul.Scalar(Tensor self, Scalar other) -> Tensor", mul},
    {"aten::multiply.Tensor(Tensor self, Tensor other) -> Tensor", mul},
    {"aten::multiply.Scalar(Tensor self, Scalar other) -> Tensor", mul},
    {"aten::div.Tensor(Tensor self, Tensor other) -> Tensor", div},
    {"aten::div.Scalar(Tensor self, Scalar other) -> Tensor", div},
    {"aten::div.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor", div},
    {"aten::div.Scalar_mode(Tensor self, Scalar other, *, str? rounding_mode) -> Tensor", div},
    {"aten::divide.Tensor(Tensor self, Tensor other) -> Tensor", div},
    {"aten::divide.Scalar(Tensor self, Scalar other) -> Tensor", div},
    {"aten::true_divide.Tensor(Tensor self, Tensor other) -> Tensor", div},
    {"aten::true_divide.Scalar(Tensor self, Scalar other) -> Tensor", div},
    {"aten::floor_divide(Tensor self, Tensor other) -> Tensor", floor_divide},
    {"aten::floor_divide.Scalar(Tensor self, Scalar other) -> Tensor", floor_divide},
    {"aten::remainder.Tensor(Tensor self, Tensor other) -> Tensor", remainder},
    {"aten::remainder.Scalar(Tensor self, Scalar other) -> Tensor", remainder},
    {"aten::remainder.Scalar_Tensor(Scalar self, Tensor other) -> Tensor", remainder},
    {"aten::fmod.Tensor(Tensor self, Tensor other) -> Tensor", fmod},
    {"aten::fmod.Scalar(Tensor self, Scalar other) -> Tensor", fmod},
    {"aten::pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor", pow},
    {"aten::pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor", pow},
    {"aten::pow.Scalar(Scalar self, Tensor exponent) -> Tensor", pow},
    {"aten::maximum(Tensor self, Tensor other) -> Tensor", larger_or_smaller<kMax>},
    {"aten::minimum(Tensor self, Tensor other) -> Tensor", larger_or_smaller<kMin>},
    {"aten::max.other(Tensor self, Tensor other) -> Tensor", larger_or_smaller<kMax>},
    {"aten::min.other(Tensor self, Tensor other) -> Tensor", larger_or_smaller<kMin>},
    {"aten::addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor", addcmul},
    {"aten::addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor", addcdiv},
    {"aten::lerp.Scalar(Tensor self, Tensor end, Scalar weight) -> Tensor", lerp},
    {"aten::lerp.Tensor(Tensor self, Tensor end, Tensor weight) -> Tensor", lerp},
    {"aten::clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor", clamp},
    {"aten::clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor", clamp},
    {"aten::clip(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor", clamp},
    {"aten::clip.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor", clamp},
    {"aten::clamp_min(Tensor self, Scalar min) -> Tensor", clamp},
    {"aten::clamp_min.Tensor(Tensor self, Tensor min) -> Tensor", clamp},
    {"aten::clamp_max(Tensor self, Scalar max) -> Tensor", clamp},
    {"aten::clamp_max.Tensor(Tensor self, Tensor max) -> Tensor", clamp},
    {"aten::exp(Tensor self) -> Tensor", float_unary<kExp>},
    {"aten::exp2(Tensor self) -> Tensor", exp2},
    {"aten::special_exp2(Tensor self) -> Tensor", exp2},
    {"aten::expm1(Tensor self) -> Tensor", expm1},
    {"aten::special_expm1(Tensor self) -> Tensor", expm1},
    {"aten::log(Tensor self) -> Tensor", float_unary<kLog>},
    {"aten::log2(Tensor self) -> Tensor", log2},
    {"aten::log10(Tensor self) -> Tensor", log10},
    {"aten::log1p(Tensor self) -> Tensor", log1p},
    {"aten::special_log1p(Tensor self) -> Tensor", log1p},
    {"aten::sqrt(Tensor self) -> Tensor", float_unary<kSqrt>},
    {"aten::rsqrt(Tensor self) -> Tensor", rsqrt},
    {"aten::reciprocal(Tensor self) -> Tensor", float_unary<kReciprocal>},
    {"aten::square(Tensor self) -> Tensor", square},
    {"aten::sin(Tensor self) -> Tensor", float_unary<kSin>},
    {"aten::cos(Tensor self) -> Tensor", float_unary<kCos>},
    {"aten::tan(Tensor self) -> Tensor", float_unary<kTan>},
    {"aten::asin(Tensor self) -> Tensor", float_unary<kAsin>},
    {"aten::acos(Tensor self) -> Tensor", float_unary<kAcos>},
    {"aten::atan(Tensor self) -> Tensor", float_unary<kAtan>},
    {"aten::arctan(Tensor self) -> Tensor", float_unary<kAtan>},
    {"aten::sinh(Tensor self) -> Tensor", float_unary<kSinh>},
    {"aten::cosh(Tensor self) -> Tensor", float_unary<kCosh>},
    {"aten::asinh(Tensor self) -> Tensor", float_unary<kAsinh>},
    {"aten::acosh(Tensor self) -> Tensor", float_unary<kAcosh>},
    {"aten::atanh(Tensor self) -> Tensor", float_unary<kAtanh>},
    {"aten::atan2(Tensor self, Tensor other) -> Tensor", atan2},
    {"aten::arctan2(Tensor self, Tensor other) -> Tensor", atan2},
    {"aten::hypot(Tensor self, Tensor other) -> Tensor", hypot},
    {"aten::erf(Tensor self) -> Tensor", float_unary<kErf>},
    {"aten::special_erf(Tensor self) -> Tensor", float_unary<kErf>},
    {"aten::erfc(Tensor self) -> Tensor", erfc},
    {"aten::special_erfc(Tensor self) -> Tensor", erfc},
    {"aten::floor(Tensor self) -> Tensor", rounding<kFloor>},
    {"aten::ceil(Tensor self) -> Tensor", rounding<kCeil>},
    {"aten::round(Tensor self) -> Tensor", round},
    {"aten::round.decimals(Tensor self, *, int decimals) -> Tensor", round},
    {"aten::trunc(Tensor self) -> Tensor", trunc},
    {"aten::fix(Tensor self) -> Tensor", trunc},
    {"aten::frac(Tensor self) -> Tensor", frac},
    {"aten::abs(Tensor self) -> Tensor", wide_unary<kAbs>},
    {"aten::absolute(Tensor self) -> Tensor", wide_unary<kAbs>},
    {"aten::neg(Tensor self) -> Tensor", wide_unary<kNeg>},
    {"aten::negative(Tensor self) -> Tensor", wide_unary<kNeg>},
    {"aten::sign(Tensor self) -> Tensor", wide_unary<kSign>},
    {"aten::sgn(Tensor self) -> Tensor", wide_unary<kSign>},
    {"aten::deg2rad(Tensor self) -> Tensor", deg2rad},
    {"aten::rad2deg(Tensor self) -> Tensor", rad2deg},
    {"aten::logit(Tensor self, float? eps=None) -> Tensor", logit},
    {"aten::special_logit(Tensor self, float? eps=None) -> Tensor", logit},
    {"aten::xlogy.Tensor(Tensor self, Tensor other) -> Tensor", xlogy},
    {"aten::xlogy.Scalar_Other(Tensor self, Scalar other) -> Tensor", xlogy},
    {"aten::logaddexp(Tensor self, Tensor other) -> Tensor", logaddexp},
    {"aten::nan_to_num(Tensor self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor",
     nan_to_num},
    {"aten::alias(Tensor(a) self) -> Tensor(a)", itself},
    {"aten::detach(Tensor(a) self) -> Tensor(a)", itself},
    {"aten::requires_grad(Tensor(a) self, bool requires_grad=True) -> Tensor(a)", itself},
    {"aten::contiguous(Tensor(a) self, *, MemoryFormat memory_format=contiguous_format) -> Tensor(a)",
     itself},
    {"aten::clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor", itself},
    {"aten::lift_fresh(Tensor(a) self) -> Tensor(a)", itself},
    {"aten::lift_fresh_copy(Tensor self) -> Tensor", itself},
    {"aten::detach_copy(Tensor self) -> Tensor", itself},
    {"aten::alias_copy(Tensor self) -> Tensor", itself},
    {"aten::cpu(Tensor(a) self) -> Tensor(a)", itself},
    {"aten::cuda(Tensor(a) self) -> Tensor(a)", itself},
    {"aten::resolve_conj(Tensor(a) self) -> Tensor(a)", itself},
    {"aten::resolve_neg(Tensor(a) self) -> Tensor(a)", itself},
    {"aten::real(Tensor(a) self) -> Tensor(a)", itself},
});

}  // namespace

std::span<const Operator> elementwise_operators() {
  return kRows;
}

}  // namespace wherry::torch
