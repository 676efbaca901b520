#include "program/rules.h"

#include "base/text.h"

namespace wherry::program {

using base::cat;
using base::Result;
using tensor::DType;
using tensor::Tensor;

std::unexpected<base::Error> invalid(std::string message) {
  return base::fail(base::Code::kInvalidInput, "program.invalid", std::move(message),
                    "the model is inconsistent in itself; train or save it again");
}

ValueType matrix_type(std::int64_t columns) {
  return {ValueKind::kTensor, DType::kFloat64, {-1, columns}};
}
ValueType table_type(std::int64_t columns) {
  return {ValueKind::kTable, DType::kFloat64, {-1, columns}};
}
ValueType index_type() {
  return {ValueKind::kTensor, DType::kInt64, {-1}};
}

ValueType sparse_type(std::int64_t columns) {
  return {ValueKind::kSparse, DType::kFloat64, {-1, columns}};
}

bool is_columns(const ValueType& type) {
  return type.kind == ValueKind::kTable || is_matrix(type);
}

base::Status Operands::columns() const {
  if (types.size() != 1 || !is_columns(types[0])) return invalid("needs one table or matrix");
  return {};
}

Result<ValueType> Operands::same_matrix() const {
  if (types.size() != 1 || !is_matrix(types[0])) return invalid("needs one matrix");
  return types[0];
}

Result<ValueType> Operands::same_rows() const {
  if (types.size() != 1 || !(is_matrix(types[0]) || is_sparse(types[0])))
    return invalid("needs one matrix or sparse value");
  return types[0];
}

base::Status Operands::one_column() const {
  TRY_ASSIGN(const ValueType type, same_matrix());
  if (width(type) != 1) return invalid(cat("needs one column, not ", width(type)));
  return {};
}

base::Status Operands::check_positions(std::span<const std::int64_t> positions, std::int64_t count) const {
  for (std::int64_t position : positions)
    if (position < 0 || position >= count) return invalid(cat("column ", position, " of ", count));
  return {};
}

const Tensor* Operands::find_weight(WeightId id) const {
  return id.index < program.weights().size() ? &program.weight(id) : nullptr;
}

base::Status Operands::check_weight(WeightId id, DType dtype, const tensor::Shape& shape,
                                    std::string_view what) const {
  const Tensor* weight = find_weight(id);
  if (weight == nullptr || weight->dtype() != dtype || weight->shape() != shape)
    return invalid(cat(what, " is not ", tensor::info(dtype).numpy_name, " ", tensor::to_string(shape)));
  return {};
}

}  // namespace wherry::program
