#include <algorithm>

#include "base/text.h"
#include "program/rules.h"

namespace wherry::program {

using base::cat;
using base::Result;
using tensor::DType;
using tensor::Tensor;

Result<ValueType> type_of(const OneHot& op, const Operands& in) {
  TRY(in.columns());
  if (static_cast<std::int64_t>(op.columns.size()) != width(in.types[0]))
    return invalid(cat("one_hot: ", op.columns.size(), " encoders for ", width(in.types[0]), " columns"));
  std::int64_t total = 0;
  for (const OneHotColumn& column : op.columns) {
    if (column.width < 0 || column.width > kMostWidth) return invalid("one_hot: width of a block");
    if (column.targets.size() != column.categories.size())
      return invalid("one_hot: targets and categories differ in number");
    const auto outside = [&](std::int64_t target) { return target < -1 || target >= column.width; };
    if (std::ranges::any_of(column.targets, outside) || outside(column.unknown_target))
      return invalid("one_hot: target outside its block");
    total += column.width;
    if (total > kMostWidth) return invalid("one_hot: too many columns");
  }
  return matrix_type(total);
}

Result<ValueType> type_of(const Ordinal& op, const Operands& in) {
  TRY(in.columns());
  if (static_cast<std::int64_t>(op.columns.size()) != width(in.types[0]))
    return invalid(cat("ordinal: ", op.columns.size(), " encoders for ", width(in.types[0]), " columns"));
  for (const OrdinalColumn& column : op.columns)
    if (column.codes.size() != column.categories.size())
      return invalid("ordinal: codes and categories differ in number");
  return matrix_type(width(in.types[0]));
}

}  // namespace wherry::program
