#include <algorithm>

#include "base/text.h"
#include "program/rules.h"

namespace wherry::program {

using base::cat;
using base::Result;
using tensor::DType;
using tensor::Tensor;

Result<ValueType> type_of(const SelectColumns& op, const Operands& in) {
  TRY(in.columns());
  TRY(in.check_positions(op.columns, width(in.types[0])));
  ValueType type = in.types[0];
  type.shape[1] = static_cast<std::int64_t>(op.columns.size());
  return type;
}

Result<ValueType> type_of(const Concat&, const Operands& in) {
  if (in.types.empty()) return invalid("concat of nothing");
  std::int64_t total = 0;
  bool all_matrices = true;
  for (const ValueType& type : in.types) {
    if (!is_columns(type)) return invalid(cat("concat of ", to_string(type)));
    total += width(type);
    all_matrices &= is_matrix(type);
  }
  return all_matrices ? matrix_type(total) : table_type(total);
}

Result<ValueType> type_of(const ToMatrix&, const Operands& in) {
  TRY(in.columns());
  return matrix_type(width(in.types[0]));
}

Result<ValueType> type_of(const CheckFinite&, const Operands& in) {
  return in.same_matrix();
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
  TRY(in.columns());
  const Tensor* row = in.find_weight(op.row);
  if (row == nullptr || row->dtype() != DType::kFloat64 || row->shape().size() != 1)
    return invalid("constant: row is not a float64 list");
  return matrix_type(row->shape()[0]);
}

}  // namespace wherry::program
