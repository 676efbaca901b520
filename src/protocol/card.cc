#include "protocol/card.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <type_traits>

namespace wherry::protocol {
namespace {

using program::ValueId;
using tensor::CellValue;

// Which input column each column of a value is; nothing where the value is computed.
using Origin = std::vector<std::optional<std::uint32_t>>;

Origin select(const Origin& from, std::span<const std::int64_t> columns) {
  Origin out;
  for (const std::int64_t column : columns)
    out.push_back(static_cast<std::size_t>(column) < from.size() ? from[static_cast<std::size_t>(column)]
                                                                 : std::nullopt);
  return out;
}

// Where the columns of a node's output come from.
Origin follow(const program::Node& node, std::span<const Origin> origins) {
  const Origin& first = origins[node.inputs.front()];
  return std::visit(
      [&]<class O>(const O& op) -> Origin {
        if constexpr (std::is_same_v<O, program::SelectColumns>) return select(first, op.columns);
        if constexpr (std::is_same_v<O, program::Impute> || std::is_same_v<O, program::ImputeCells>)
          return select(first, op.kept);
        if constexpr (std::is_same_v<O, program::ToMatrix> || std::is_same_v<O, program::CheckFinite>)
          return first;
        if constexpr (std::is_same_v<O, program::Concat>) {
          Origin out;
          for (const ValueId input : node.inputs)
            out.insert(out.end(), origins[input].begin(), origins[input].end());
          return out;
        }
        return {};
      },
      node.op);
}

template <class Encoder>
void note_categories(const Encoder& encoder, const Origin& origin, std::vector<ColumnFacts>& facts) {
  for (std::size_t i = 0; i < encoder.columns.size() && i < origin.size(); ++i) {
    if (!origin[i] || !facts[*origin[i]].categories.empty()) continue;
    ColumnFacts& column = facts[*origin[i]];
    column.categories = encoder.columns[i].categories;
    column.refuses_others = encoder.columns[i].refuse_unknown;
  }
}

// Rows which wherry made up to guard the model lie far outside of what it was trained with.
void note_ranges(const Schema& schema, const Golden& golden, std::vector<ColumnFacts>& facts) {
  if (golden.source != GoldenSource::kFramework || golden.examples.empty()) return;
  for (const auto& row : example_rows(schema, golden, facts, golden.examples.size()))
    for (std::size_t c = 0; c < row.size() && c < facts.size(); ++c)
      if (const auto* number = std::get_if<double>(&row[c]); number != nullptr && std::isfinite(*number)) {
        facts[c].low = std::isnan(facts[c].low) ? *number : std::min(facts[c].low, *number);
        facts[c].high = std::isnan(facts[c].high) ? *number : std::max(facts[c].high, *number);
      }
}

CellValue made_up(const program::InputColumn& column, const ColumnFacts* facts) {
  using program::ColumnType;
  if (facts != nullptr && !facts->categories.empty()) return facts->categories.front();
  if (column.type == ColumnType::kText) return std::string("text");
  if (column.type == ColumnType::kRecord) return std::string("{}");
  return 0.0;
}

}  // namespace

std::vector<ColumnFacts> column_facts(const program::Program& program, const Schema& schema,
                                      const Golden& golden) {
  std::vector<ColumnFacts> facts(schema.columns().size());
  if (facts.size() > kMostFacts) return facts;
  std::vector<Origin> origins(program.types().size());
  for (std::uint32_t c = 0; c < facts.size(); ++c) origins[0].push_back(c);
  for (const program::Node& node : program.nodes()) {
    if (node.inputs.empty()) continue;
    const Origin& origin = origins[node.inputs.front()];
    if (const auto* one_hot = std::get_if<program::OneHot>(&node.op))
      note_categories(*one_hot, origin, facts);
    if (const auto* ordinal = std::get_if<program::Ordinal>(&node.op))
      note_categories(*ordinal, origin, facts);
    origins[node.output] = follow(node, origins);
  }
  note_ranges(schema, golden, facts);
  return facts;
}

std::vector<std::vector<CellValue>> example_rows(const Schema& schema, const Golden& golden,
                                                 std::span<const ColumnFacts> facts, std::size_t most) {
  std::vector<std::vector<CellValue>> rows;
  if (schema.takes_tensors()) return rows;
  const auto columns = schema.columns();
  for (const GoldenExample& example : golden.examples) {
    if (rows.size() == most) break;
    std::vector<CellValue>& row = rows.emplace_back(columns.size());
    for (std::size_t i = 0; i < example.row.size(); ++i) {
      const auto position = i < example.columns.size() ? schema.column(example.columns[i])
                                                       : std::optional(static_cast<std::uint32_t>(i));
      if (position && *position < columns.size()) row[*position] = example.row[i];
    }
  }
  if (!rows.empty() || most == 0) return rows;
  std::vector<CellValue>& row = rows.emplace_back();
  for (std::size_t c = 0; c < columns.size(); ++c)
    row.push_back(made_up(columns[c], c < facts.size() ? &facts[c] : nullptr));
  return rows;
}

base::Result<Request> card_table(const Schema& schema, const ModelCard& card, std::size_t count) {
  Request request;
  if (schema.takes_tensors()) {
    request.table = card.tensors;
    return request;
  }
  TRY(read_cells({}, std::span(card.rows).first(std::min(count, card.rows.size())), schema, request));
  return request;
}

}  // namespace wherry::protocol
