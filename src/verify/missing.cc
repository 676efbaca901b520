#include "verify/missing.h"

namespace wherry::verify {
namespace {

// The first row with the cell of `column` missing; kEvery: all of them.
constexpr std::size_t kEvery = static_cast<std::size_t>(-1);
tensor::Table without(const engine::Plan& plan, const tensor::Table& row, std::size_t column) {
  tensor::Table table;
  table.reset(1, row.columns);
  for (std::size_t c = 0; c < row.columns; ++c) {
    const program::ColumnType type = plan.signature().columns[c].type;
    const bool is_number = type == program::ColumnType::kNumber || type == program::ColumnType::kInteger ||
                           type == program::ColumnType::kBool;
    if (c == column || column == kEvery) {
      if (!is_number) table.set_missing(c);
    } else if (row.kind(c) == tensor::CellKind::kText) {
      table.set_text(c, row.texts[c]);
    } else if (row.kind(c) == tensor::CellKind::kMissing) {
      table.set_missing(c);
    } else {
      table.set_number(c, row.numbers[c]);
    }
  }
  return table;
}

}  // namespace

bool answers(const engine::Plan& plan, const tensor::Table& rows) {
  engine::Workspace workspace;
  return plan.run(rows, plan.all_outputs(), workspace).has_value();
}

std::vector<bool> may_be_missing(const engine::Plan& plan, const tensor::Table& row) {
  std::vector<bool> may(row.columns, true);
  if (row.rows == 0) return may;
  engine::Workspace workspace;
  const auto runs = [&](std::size_t column) {
    return plan.run(without(plan, row, column), plan.all_outputs(), workspace).has_value();
  };
  if (runs(kEvery)) return may;
  for (std::size_t c = 0; c < row.columns; ++c) may[c] = row.columns <= kMostTried && runs(c);
  return may;
}

}  // namespace wherry::verify
