#include "engine/results.h"

#include <algorithm>

namespace wherry::engine {
namespace {

tensor::Table copy_rows(const tensor::Table& table, RowRange rows) {
  const auto part = [&](const auto& cells) {
    using Cells = std::remove_cvref_t<decltype(cells)>;
    if (cells.empty()) return Cells();
    const auto begin = cells.begin() + static_cast<std::ptrdiff_t>(rows.first * table.columns);
    return Cells(begin, begin + static_cast<std::ptrdiff_t>(rows.count * table.columns));
  };
  tensor::Table copy;
  copy.rows = rows.count;
  copy.columns = table.columns;
  copy.numbers = part(table.numbers);
  copy.kinds = part(table.kinds);
  copy.texts = part(table.texts);
  return copy;
}

tensor::ResultView view_of(const ResultView& result, RowRange rows, std::vector<tensor::Table>& tables) {
  rows.first = std::min(rows.first, result.rows);
  rows.count = std::min(rows.count, result.rows - rows.first);
  tensor::ResultView view;
  view.dtype = result.dtype;
  view.axes = result.axes;
  view.lengths = result.lengths;
  if (rows.count != result.rows) view.lengths[0] = static_cast<std::int64_t>(rows.count);
  if (result.kind == program::ValueKind::kTable) {
    view.table = result.table;
    if (rows.count != result.rows) view.table = &tables.emplace_back(copy_rows(*result.table, rows));
    return view;
  }
  if (result.dtype == tensor::DType::kString)
    view.texts = result.strings.subspan(rows.first * result.columns, rows.count * result.columns);
  else
    view.data = static_cast<const std::byte*>(result.data) +
                rows.first * result.columns * tensor::info(result.dtype).size;
  return view;
}

}  // namespace

std::span<const tensor::NamedResult> Results::collect(const Plan& plan, const Workspace& workspace,
                                                      OutputSet wanted, RowRange rows) {
  views_.clear();
  results_.clear();
  tables_.clear();
  const std::span<const program::Output> outputs = plan.outputs();
  std::size_t count = 0, tables = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if ((wanted & only(i)) == 0) continue;
    count += outputs[i].values.size();
    for (const program::ValueId value : outputs[i].values)
      tables += plan.type(value).kind == program::ValueKind::kTable ? 1 : 0;
  }
  views_.reserve(count);  // pointers into both are kept
  tables_.reserve(tables);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if ((wanted & only(i)) == 0) continue;
    const std::size_t first = views_.size();
    for (std::size_t k = 0; k < outputs[i].values.size(); ++k)
      views_.push_back(view_of(workspace.result(i, k), rows, tables_));
    results_.push_back({outputs[i].name, std::span(views_).subspan(first), outputs[i].labels});
  }
  return results_;
}

}  // namespace wherry::engine
