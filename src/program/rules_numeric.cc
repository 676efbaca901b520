#include <algorithm>

#include "base/text.h"
#include "program/rules.h"

namespace wherry::program {

using base::cat;
using base::Result;
using tensor::DType;
using tensor::Tensor;

Result<ValueType> type_of(const Columnwise& op, const Operands& in) {
  TRY_ASSIGN(ValueType type, in.same_rows());
  if (is_sparse(type) && op.operation != Arithmetic::kMultiply && op.operation != Arithmetic::kDivide)
    return invalid("columnwise: a sparse value is only multiplied and divided");
  const Tensor* operand = in.find_weight(op.operand);
  if (operand == nullptr || operand->dtype() != DType::kFloat64 || operand->shape().size() != 1 ||
      (operand->shape()[0] != width(type) && operand->shape()[0] != 1))
    return invalid(cat("columnwise: operand is not float64 [", width(type), "]"));
  return type;
}

Result<ValueType> type_of(const Clip&, const Operands& in) {
  return in.same_matrix();
}

Result<ValueType> type_of(const Apply&, const Operands& in) {
  return in.same_matrix();
}

Result<ValueType> type_of(const Linear& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_rows());
  const Tensor* coefficients = in.find_weight(op.coefficients);
  if (coefficients == nullptr || coefficients->dtype() != DType::kFloat64 ||
      coefficients->shape().size() != 2 || coefficients->shape()[1] != width(type))
    return invalid(cat("linear: coefficients are not float64 [outputs, ", width(type), "]"));
  const std::int64_t outputs = coefficients->shape()[0];
  TRY(in.check_weight(op.intercept, DType::kFloat64, {outputs}, "linear: intercept"));
  return matrix_type(outputs);
}

Result<ValueType> type_of(const Softmax&, const Operands& in) {
  return in.same_matrix();
}

Result<ValueType> type_of(const NormalizeRows&, const Operands& in) {
  return in.same_matrix();
}

Result<ValueType> type_of(const MultinomialLogit&, const Operands& in) {
  return in.same_matrix();
}

Result<ValueType> type_of(const Complement&, const Operands& in) {
  TRY(in.one_column());
  return matrix_type(2);
}

Result<ValueType> type_of(const Elementwise&, const Operands& in) {
  if (in.types.size() != 2 || !is_matrix(in.types[0]) || !is_matrix(in.types[1]))
    return invalid("needs two matrices");
  if (width(in.types[1]) != width(in.types[0]) && width(in.types[1]) != 1)
    return invalid(cat("matrices of ", width(in.types[0]), " and ", width(in.types[1]), " columns"));
  return in.types[0];
}

Result<ValueType> type_of(const SumRows&, const Operands& in) {
  TRY(in.same_matrix());
  return matrix_type(1);
}

Result<ValueType> type_of(const Power&, const Operands& in) {
  return in.same_matrix();
}

Result<ValueType> type_of(const Threshold&, const Operands& in) {
  return in.same_matrix();
}

Result<ValueType> type_of(const Interpolate& op, const Operands& in) {
  const Tensor* x = in.find_weight(op.x);
  if (x == nullptr || x->dtype() != DType::kFloat64 || x->shape().size() != 1 || x->size() == 0)
    return invalid("the knots are not a list of numbers");
  TRY(in.check_weight(op.y, DType::kFloat64, x->shape(), "the values at the knots"));
  const auto knots = x->as<double>();
  for (std::size_t i = 0; i < knots.size(); ++i)
    if (knots[i] != knots[i] || (i > 0 && knots[i] <= knots[i - 1]))
      return invalid(cat("knot ", i, " is not above the one before it"));
  return in.same_matrix();
}

Result<ValueType> type_of(const CheckLeast&, const Operands& in) {
  return in.same_matrix();
}

}  // namespace wherry::program
