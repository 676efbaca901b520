#include <algorithm>

#include "base/text.h"
#include "program/rules.h"

namespace wherry::program {

using base::cat;
using base::Result;
using tensor::DType;
using tensor::Tensor;

Result<ValueType> type_of(const SelectColumns& op, const Operands& in) {
  if (in.types.size() != 1 || !(is_columns(in.types[0]) || is_sparse(in.types[0])))
    return invalid("needs one table, matrix or sparse value");
  TRY(in.check_positions(op.columns, width(in.types[0])));
  ValueType type = in.types[0];
  type.shape[1] = static_cast<std::int64_t>(op.columns.size());
  return type;
}

Result<ValueType> type_of(const Concat&, const Operands& in) {
  if (in.types.empty()) return invalid("concat of nothing");
  std::int64_t total = 0;
  bool all_matrices = true;
  bool any_table = false;
  for (const ValueType& type : in.types) {
    if (!is_columns(type) && !is_sparse(type)) return invalid(cat("concat of ", to_string(type)));
    total += width(type);
    all_matrices &= is_matrix(type);
    any_table |= type.kind == ValueKind::kTable;
  }
  if (all_matrices) return matrix_type(total);
  if (std::ranges::none_of(in.types, is_sparse)) return table_type(total);
  if (any_table) return invalid("concat of a table and sparse rows");
  return sparse_type(total);
}

Result<ValueType> type_of(const ToMatrix&, const Operands& in) {
  TRY(in.columns());
  return matrix_type(width(in.types[0]));
}

Result<ValueType> type_of(const CheckFinite&, const Operands& in) {
  return in.same_rows();
}

Result<ValueType> type_of(const Impute& op, const Operands& in) {
  TRY_ASSIGN(ValueType type, in.same_matrix());
  TRY(in.check_positions(op.kept, width(type)));
  TRY(in.check_weight(op.statistics, DType::kFloat64, {static_cast<std::int64_t>(op.kept.size())},
                      "impute: statistics"));
  return matrix_type(static_cast<std::int64_t>(op.kept.size()));
}

Result<ValueType> type_of(const ImputeCells& op, const Operands& in) {
  TRY(in.columns());
  TRY(in.check_positions(op.kept, width(in.types[0])));
  if (op.statistics.size() != op.kept.size())
    return invalid("impute_cells: statistics and columns differ in number");
  return table_type(static_cast<std::int64_t>(op.kept.size()));
}

Result<ValueType> type_of(const MissingMask& op, const Operands& in) {
  TRY(in.columns());
  TRY(in.check_positions(op.columns, width(in.types[0])));
  return matrix_type(static_cast<std::int64_t>(op.columns.size()));
}

Result<ValueType> type_of(const Constant& op, const Operands& in) {
  if (in.types.size() != 1 || !(is_columns(in.types[0]) || is_sparse(in.types[0])))
    return invalid("needs one table, matrix or sparse value");
  const Tensor* row = in.find_weight(op.row);
  if (row == nullptr || row->dtype() != DType::kFloat64 || row->shape().size() != 1)
    return invalid("constant: row is not a float64 list");
  return matrix_type(row->shape()[0]);
}

}  // namespace wherry::program
