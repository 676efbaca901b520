// Comparisons, logic, bits, choices.
#include <array>

#include "import/torch/operators.h"
#include "import/torch/scalar_type.h"

namespace wherry::torch {
namespace {

struct Pair {
  ValueId x = kNone;
  ValueId y = kNone;
};

Pair comparable(Call& c, bool ordered) {
  DType dtype = computing_type(result_type(c.b, operands(c, {"self", "other"})));
  if (ordered && dtype == DType::kBool) dtype = DType::kInt32;
  return {as_dtype(c.b, c["self"], dtype), as_dtype(c.b, c["other"], dtype)};
}

Outputs eq(Call& c) {
  const Pair pair = comparable(c, false);
  return graph::binary(c.b, "Equal", pair.x, pair.y);
}

Outputs ne(Call& c) {
  const Pair pair = comparable(c, false);
  return graph::unary(c.b, "Not", graph::binary(c.b, "Equal", pair.x, pair.y));
}

template <const char* Op>
Outputs ordered(Call& c) {
  const Pair pair = comparable(c, true);
  return graph::binary(c.b, Op, pair.x, pair.y);
}
constexpr char kLess[] = "Less";
constexpr char kLessOrEqual[] = "LessOrEqual";
constexpr char kGreater[] = "Greater";
constexpr char kGreaterOrEqual[] = "GreaterOrEqual";

template <const char* Op>
Outputs logical(Call& c) {
  return graph::binary(c.b, Op, as_dtype(c.b, c["self"], DType::kBool),
                       as_dtype(c.b, c["other"], DType::kBool));
}
constexpr char kAnd[] = "And";
constexpr char kOr[] = "Or";
constexpr char kXor[] = "Xor";

Outputs logical_not(Call& c) {
  return graph::unary(c.b, "Not", graph::cast(c.b, c.tensor("self"), DType::kBool));
}

template <const char* Logic, const char* Bits>
Outputs bitwise(Call& c) {
  const DType dtype = result_type(c.b, operands(c, {"self", "other"}));
  const ValueId x = as_dtype(c.b, c["self"], dtype);
  const ValueId y = as_dtype(c.b, c["other"], dtype);
  return graph::binary(c.b, dtype == DType::kBool ? Logic : Bits, x, y);
}
constexpr char kBitwiseAnd[] = "BitwiseAnd";
constexpr char kBitwiseOr[] = "BitwiseOr";
constexpr char kBitwiseXor[] = "BitwiseXor";

Outputs bitwise_not(Call& c) {
  const ValueId x = c.tensor("self");
  return graph::unary(c.b, c.b.dtype(x) == DType::kBool ? "Not" : "BitwiseNot", x);
}

Outputs isnan(Call& c) {
  const ValueId x = c.tensor("self");
  if (is_floating(c.b.dtype(x))) return graph::unary(c.b, "IsNaN", x);
  return graph::expand(c.b, graph::bool_scalar(c.b, false), graph::shape_of(c.b, x));
}

Outputs isinf(Call& c) {
  const ValueId x = c.tensor("self");
  if (is_floating(c.b.dtype(x))) return graph::unary(c.b, "IsInf", x);
  return graph::expand(c.b, graph::bool_scalar(c.b, false), graph::shape_of(c.b, x));
}

Outputs isfinite(Call& c) {
  const ValueId x = c.tensor("self");
  if (!is_floating(c.b.dtype(x)))
    return graph::expand(c.b, graph::bool_scalar(c.b, true), graph::shape_of(c.b, x));
  return graph::unary(c.b, "Not",
                      graph::binary(c.b, "Or", graph::unary(c.b, "IsNaN", x), graph::unary(c.b, "IsInf", x)));
}

Outputs where(Call& c) {
  const DType dtype = result_type(c.b, operands(c, {"self", "other"}));
  const ValueId condition = graph::cast(c.b, c.tensor("condition"), DType::kBool);
  return graph::where(c.b, condition, as_dtype(c.b, c["self"], dtype), as_dtype(c.b, c["other"], dtype));
}

Outputs masked_fill(Call& c) {
  const ValueId x = c.tensor("self");
  const ValueId mask = graph::cast(c.b, c.tensor("mask"), DType::kBool);
  return graph::where(c.b, mask, as_dtype(c.b, c["value"], c.b.dtype(x)), x);
}

// |x - y| <= atol + rtol · |y|
ValueId close(Call& c) {
  Builder& b = c.b;
  const ValueId x = c.tensor("self");
  const ValueId y = graph::cast(b, c.tensor("other"), b.dtype(x));
  const ValueId bound = graph::binary(
      b, "Add", graph::binary(b, "Mul", graph::unary(b, "Abs", y), c.number("rtol")), c.number("atol"));
  const ValueId near =
      graph::binary(b, "LessOrEqual", graph::unary(b, "Abs", graph::binary(b, "Sub", x, y)), bound);
  return graph::binary(b, "Or", near, graph::binary(b, "Equal", x, y));
}

Outputs isclose(Call& c) {
  return close(c);
}

constexpr auto kRows = std::to_array<Operator>({
    {"aten::eq.Tensor(Tensor self, Tensor other) -> Tensor", eq},
    {"aten::eq.Scalar(Tensor self, Scalar other) -> Tensor", eq},
    {"aten::ne.Tensor(Tensor self, Tensor other) -> Tensor", ne},
    {"aten::ne.Scalar(Tensor self, Scalar other) -> Tensor", ne},
    {"aten::lt.Tensor(Tensor self, Tensor other) -> Tensor", ordered<kLess>},
    {"aten::lt.Scalar(Tensor self, Scalar other) -> Tensor", ordered<kLess>},
    {"aten::le.Tensor(Tensor self, Tensor other) -> Tensor", ordered<kLessOrEqual>},
    {"aten::le.Scalar(Tensor self, Scalar other) -> Tensor", ordered<kLessOrEqual>},
    {"aten::gt.Tensor(Tensor self, Tensor other) -> Tensor", ordered<kGreater>},
    {"aten::gt.Scalar(Tensor self, Scalar other) -> Tensor", ordered<kGreater>},
    {"aten::ge.Tensor(Tensor self, Tensor other) -> Tensor", ordered<kGreaterOrEqual>},
    {"aten::ge.Scalar(Tensor self, Scalar other) -> Tensor", ordered<kGreaterOrEqual>},
    {"aten::less.Tensor(Tensor self, Tensor other) -> Tensor", ordered<kLess>},
    {"aten::less.Scalar(Tensor self, Scalar other) -> Tensor", ordered<kLess>},
    {"aten::greater.Tensor(Tensor self, Tensor other) -> Tensor", ordered<kGreater>},
    {"aten::greater.Scalar(Tensor self, Scalar other) -> Tensor", ordered<kGreater>},
    {"aten::less_equal.Tensor(Tensor self, Tensor other) -> Tensor", ordered<kLessOrEqual>},
    {"aten::less_equal.Scalar(Tensor self, Scalar other) -> Tensor", ordered<kLessOrEqual>},
    {"aten::greater_equal.Tensor(Tensor self, Tensor other) -> Tensor", ordered<kGreaterOrEqual>},
    {"aten::greater_equal.Scalar(Tensor self, Scalar other) -> Tensor", ordered<kGreaterOrEqual>},
    {"aten::not_equal.Tensor(Tensor self, Tensor other) -> Tensor", ne},
    {"aten::not_equal.Scalar(Tensor self, Scalar other) -> Tensor", ne},
    {"aten::logical_and(Tensor self, Tensor other) -> Tensor", logical<kAnd>},
    {"aten::logical_or(Tensor self, Tensor other) -> Tensor", logical<kOr>},
    {"aten::logical_xor(Tensor self, Tensor other) -> Tensor", logical<kXor>},
    {"aten::logical_not(Tensor self) -> Tensor", logical_not},
    {"aten::bitwise_and.Tensor(Tensor self, Tensor other) -> Tensor", bitwise<kAnd, kBitwiseAnd>},
    {"aten::bitwise_and.Scalar(Tensor self, Scalar other) -> Tensor", bitwise<kAnd, kBitwiseAnd>},
    {"aten::bitwise_or.Tensor(Tensor self, Tensor other) -> Tensor", bitwise<kOr, kBitwiseOr>},
    {"aten::bitwise_or.Scalar(Tensor self, Scalar other) -> Tensor", bitwise<kOr, kBitwiseOr>},
    {"aten::bitwise_xor.Tensor(Tensor self, Tensor other) -> Tensor", bitwise<kXor, kBitwiseXor>},
    {"aten::bitwise_xor.Scalar(Tensor self, Scalar other) -> Tensor", bitwise<kXor, kBitwiseXor>},
    {"aten::__and__.Tensor(Tensor self, Tensor other) -> Tensor", bitwise<kAnd, kBitwiseAnd>},
    {"aten::__and__.Scalar(Tensor self, Scalar other) -> Tensor", bitwise<kAnd, kBitwiseAnd>},
    {"aten::__or__.Tensor(Tensor self, Tensor other) -> Tensor", bitwise<kOr, kBitwiseOr>},
    {"aten::__or__.Scalar(Tensor self, Scalar other) -> Tensor", bitwise<kOr, kBitwiseOr>},
    {"aten::__xor__.Tensor(Tensor self, Tensor other) -> Tensor", bitwise<kXor, kBitwiseXor>},
    {"aten::__xor__.Scalar(Tensor self, Scalar other) -> Tensor", bitwise<kXor, kBitwiseXor>},
    {"aten::bitwise_not(Tensor self) -> Tensor", bitwise_not},
    {"aten::isnan(Tensor self) -> Tensor", isnan},
    {"aten::isinf(Tensor self) -> Tensor", isinf},
    {"aten::isfinite(Tensor self) -> Tensor", isfinite},
    {"aten::isclose(Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False) -> "
     "Tensor",
     isclose},
    {"aten::where.self(Tensor condition, Tensor self, Tensor other) -> Tensor", where},
    {"aten::where.ScalarSelf(Tensor condition, Scalar self, Tensor other) -> Tensor", where},
    {"aten::where.ScalarOther(Tensor condition, Tensor self, Scalar other) -> Tensor", where},
    {"aten::where.Scalar(Tensor condition, Scalar self, Scalar other) -> Tensor", where},
    {"aten::masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor", masked_fill},
    {"aten::masked_fill.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor", masked_fill},
});

}  // namespace

std::span<const Operator> comparison_operators() {
  return kRows;
}

}  // namespace wherry::torch
