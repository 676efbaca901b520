#include "program/rules.h"

namespace wherry::program {

using base::Result;
using tensor::DType;

Result<ValueType> type_of(const ApplyFloat32&, const Operands& in) {
  return in.same_matrix();
}

Result<ValueType> type_of(const SoftmaxFloat32&, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  if (width(type) < 1) return invalid("softmax_float32: needs a column");
  return type;
}

Result<ValueType> type_of(const ComplementFloat32&, const Operands& in) {
  TRY(in.one_column());
  return matrix_type(2);
}

Result<ValueType> type_of(const LinearFloat32& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  const tensor::Tensor* start = in.find_weight(op.start);
  if (start == nullptr) return invalid("linear_float32: a weight is missing");
  const auto outputs = static_cast<std::int64_t>(start->size());
  if (outputs < 1 || outputs > kMostWidth) return invalid("linear_float32: number of outputs");
  TRY(in.check_weight(op.start, DType::kFloat64, {outputs}, "linear_float32: start"));
  TRY(in.check_weight(op.coefficients, DType::kFloat64, {width(type), outputs},
                      "linear_float32: coefficients"));
  return matrix_type(outputs);
}

}  // namespace wherry::program
