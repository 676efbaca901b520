#include "base/text.h"
#include "program/rules.h"

namespace wherry::program {

using base::cat;
using base::Result;
using tensor::DType;
using tensor::Tensor;

namespace {

bool is_label_dtype(DType dtype) {
  return dtype == DType::kString || dtype == DType::kInt64 || dtype == DType::kFloat64 ||
         dtype == DType::kBool;
}

base::Status all_alike(const Operands& in) {
  if (in.types.empty()) return invalid("needs at least one matrix");
  for (const ValueType& type : in.types)
    if (!is_matrix(type) || !(type == in.types[0])) return invalid("needs matrices of one width");
  return {};
}

}  // namespace

Result<ValueType> type_of(const AsMatrix&, const Operands& in) {
  if (in.types.size() != 1) return invalid("needs one list of labels");
  const ValueType& type = in.types[0];
  const bool is_list = type.shape.size() == 1 || type.shape.size() == 2;
  if (type.kind != ValueKind::kTensor || !is_list || type.dtype == DType::kString ||
      !is_label_dtype(type.dtype))
    return invalid(cat(to_string(type), " is no list of numbers"));
  return matrix_type(width(type));
}

Result<ValueType> type_of(const MatchLabels& op, const Operands& in) {
  if (in.types.size() != 1 || in.types[0].kind != ValueKind::kTensor ||
      in.types[0].shape != tensor::Shape{-1} || !is_label_dtype(in.types[0].dtype))
    return invalid("needs one list of labels");
  const Tensor* labels = in.find_weight(op.labels);
  if (labels == nullptr || labels->shape().size() != 1 || labels->size() == 0 ||
      !is_label_dtype(labels->dtype()))
    return invalid("labels are not a list");
  if ((labels->dtype() == DType::kString) != (in.types[0].dtype == DType::kString))
    return invalid("text is compared with numbers");
  return matrix_type(static_cast<std::int64_t>(labels->size()));
}

Result<ValueType> type_of(const WeightedSum& op, const Operands& in) {
  TRY(all_alike(in));
  TRY(in.check_weight(op.weights, DType::kFloat64, {static_cast<std::int64_t>(in.types.size())}, "weights"));
  return in.types[0];
}

Result<ValueType> type_of(const WeightedMedian& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  if (width(type) < 1) return invalid("median of no columns");
  TRY(in.check_weight(op.weights, DType::kFloat64, {width(type)}, "weights"));
  return matrix_type(1);
}

Result<ValueType> type_of(const SammeScores&, const Operands& in) {
  return in.same_matrix();
}

Result<ValueType> type_of(const PairVotes& op, const Operands& in) {
  constexpr std::int64_t kMostClasses = 10'000;
  TRY(all_alike(in));
  if (in.types.size() != 2) return invalid("needs predictions and confidences");
  if (op.classes < 2 || op.classes > kMostClasses || width(in.types[0]) != op.classes * (op.classes - 1) / 2)
    return invalid(cat(width(in.types[0]), " pairs of ", op.classes, " classes"));
  return matrix_type(op.classes);
}

Result<ValueType> type_of(const NearestCode& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  const Tensor* codes = in.find_weight(op.codes);
  if (codes == nullptr || codes->dtype() != DType::kFloat64 || codes->shape().size() != 2 ||
      codes->shape()[0] < 1 || codes->shape()[1] != width(type))
    return invalid(cat("codes are no matrix of ", width(type), " columns"));
  return index_type();
}

}  // namespace wherry::program
