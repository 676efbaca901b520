#include <algorithm>

#include "base/text.h"
#include "program/rules.h"

namespace wherry::program {

using base::cat;
using base::Result;
using tensor::DType;
using tensor::Tensor;

Result<ValueType> type_of(const Argmax&, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  if (width(type) < 1) return invalid("argmax of no columns");
  return index_type();
}

Result<ValueType> type_of(const Above&, const Operands& in) {
  TRY(in.one_column());
  return index_type();
}

Result<ValueType> type_of(const TakeLabels& op, const Operands& in) {
  if (in.types.size() != 1 || !(in.types[0] == index_type()))
    return invalid("take_labels: input is not an index");
  const Tensor* labels = in.find_weight(op.labels);
  if (labels == nullptr || labels->shape().size() != 1 || labels->size() == 0)
    return invalid("take_labels: labels are not a list");
  const DType dtype = labels->dtype();
  if (dtype != DType::kString && dtype != DType::kInt64 && dtype != DType::kFloat64 && dtype != DType::kBool)
    return invalid("take_labels: labels of an unknown dtype");
  if (in.index_range > static_cast<std::int64_t>(labels->size()))
    return invalid("take_labels: fewer labels than the index can name");
  return ValueType{ValueKind::kTensor, dtype, {-1}};
}

Result<ValueType> type_of(const StackLabels&, const Operands& in) {
  if (in.types.empty()) return invalid("stack_labels of nothing");
  for (const ValueType& type : in.types)
    if (type.kind != ValueKind::kTensor || type.shape != tensor::Shape{-1} || type.dtype != in.types[0].dtype)
      return invalid("stack_labels of different types");
  return ValueType{ValueKind::kTensor, in.types[0].dtype, {-1, static_cast<std::int64_t>(in.types.size())}};
}

Result<ValueType> type_of(const Flatten&, const Operands& in) {
  TRY(in.one_column());
  return ValueType{ValueKind::kTensor, DType::kFloat64, {-1}};
}

}  // namespace wherry::program
