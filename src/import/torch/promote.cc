#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "import/torch/call.h"
#include "import/torch/scalar_type.h"

namespace wherry::torch {
namespace {

// The weight classes of torch.result_type.
struct Classes {
  std::optional<DType> tensors;  // with axes
  std::optional<DType> scalars;  // tensors without
  std::optional<DType> numbers;
};

void join(std::optional<DType>& all, DType dtype) {
  all = all ? promote(*all, dtype) : dtype;
}

// aten/src/ATen/native/TypeProperties.cpp, combine_categories.
std::optional<DType> combine(std::optional<DType> higher, std::optional<DType> lower) {
  if (!higher || !lower) return higher ? higher : lower;
  if (is_floating(*higher)) return higher;
  if (*higher == DType::kBool || is_floating(*lower)) return promote(*higher, *lower);
  return higher;
}

DType number_type(Builder& b, const Argument& argument) {
  if (argument.get<bool>() != nullptr) return DType::kBool;
  if (argument.get<double>() != nullptr) return DType::kFloat32;
  if (const auto* const symbol = argument.get<Symbol>()) {
    const DType dtype = b.dtype(symbol->value);
    return is_floating(dtype) ? DType::kFloat32 : dtype;
  }
  return DType::kInt64;
}

struct Width {
  DType dtype;
  int bits;
  bool is_signed;
};
constexpr auto kWidths = std::to_array<Width>({
    {DType::kBool, 1, false},
    {DType::kUint8, 8, false},
    {DType::kInt8, 8, true},
    {DType::kInt16, 16, true},
    {DType::kInt32, 32, true},
    {DType::kInt64, 64, true},
    {DType::kUint16, 16, false},
    {DType::kUint32, 32, false},
    {DType::kUint64, 64, false},
    {DType::kFloat16, 16, true},
    {DType::kBfloat16, 16, true},
    {DType::kFloat32, 32, true},
    {DType::kFloat64, 64, true},
});

const Width& width(DType dtype) {
  const auto found = std::ranges::find(kWidths, dtype, &Width::dtype);
  return found != kWidths.end() ? *found : kWidths.front();
}

double clipped_to(DType dtype, double number) {
  const double most = dtype == DType::kFloat16 ? 65'504.0 : std::numeric_limits<float>::max();
  if (dtype == DType::kFloat64 || std::isnan(number) || std::abs(number) <= most) return number;
  return std::copysign(std::numeric_limits<double>::infinity(), number);
}

}  // namespace

DType promote(DType one, DType other) {
  if (one == other) return one;
  const Width& a = width(one);
  const Width& b = width(other);
  const bool a_float = is_floating(one);
  const bool b_float = is_floating(other);
  if (a_float != b_float) return a_float ? one : other;
  if (a.bits == b.bits) {  // float16 with bfloat16, uint8 with int8
    if (a_float) return DType::kFloat32;
    if (a.bits == 8) return DType::kInt16;
    return a.is_signed ? one : other;
  }
  return a.bits > b.bits ? one : other;
}

DType result_type(Builder& b, std::span<const Argument> operands) {
  Classes classes;
  for (const Argument& operand : operands) {
    if (const auto* const tensor = operand.get<Tensor>())
      join(b.rank(tensor->value) == 0 ? classes.scalars : classes.tensors, b.dtype(tensor->value));
    else if (operand.is_number())
      join(classes.numbers, number_type(b, operand));
  }
  return combine(classes.tensors, combine(classes.scalars, classes.numbers)).value_or(DType::kFloat32);
}

ValueId as_dtype(Builder& b, const Argument& argument, DType dtype) {
  if (const auto* const tensor = argument.get<Tensor>()) return graph::cast(b, tensor->value, dtype);
  if (const auto* const symbol = argument.get<Symbol>()) return graph::cast(b, symbol->value, dtype);
  if (const auto* const integer = argument.get<std::int64_t>()) {
    if (is_floating(dtype)) return graph::scalar(b, dtype, clipped_to(dtype, static_cast<double>(*integer)));
    return graph::cast(b, graph::int_scalar(b, *integer), dtype);
  }
  if (const auto* const real = argument.get<double>()) {
    if (is_floating(dtype)) return graph::scalar(b, dtype, clipped_to(dtype, *real));
    if (dtype == DType::kBool) return graph::bool_scalar(b, *real != 0);
    return graph::scalar(b, dtype, std::trunc(*real));
  }
  if (const auto* const flag = argument.get<bool>()) return graph::scalar(b, dtype, *flag ? 1 : 0);
  b.fail("a tensor or number is needed");
  return kNone;
}

DType float_type(DType dtype) {
  return is_floating(dtype) ? dtype : DType::kFloat32;
}

ValueId to_float(Builder& b, ValueId x) {
  return graph::cast(b, x, float_type(b.dtype(x)));
}

DType computing_type(DType dtype) {
  const bool narrow =
      dtype == DType::kInt8 || dtype == DType::kUint8 || dtype == DType::kInt16 || dtype == DType::kUint16;
  return narrow ? DType::kInt32 : dtype;
}

Argument::List operands(const Call& call, std::initializer_list<std::string_view> parameters) {
  Argument::List out;
  for (const std::string_view parameter : parameters)
    if (call.has(parameter)) out.push_back(call[parameter]);
  return out;
}

}  // namespace wherry::torch
