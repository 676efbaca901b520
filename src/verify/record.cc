#include <algorithm>

#include "base/text.h"
#include "engine/results.h"
#include "protocol/request.h"
#include "verify/candidates.h"
#include "verify/tensors.h"
#include "verify/values.h"
#include "verify/verify.h"

namespace wherry::verify {
namespace {

using protocol::GoldenExample;
using tensor::CellValue;

constexpr std::size_t kAttemptsPerRow = 4;

// A fixed scramble: the same rows on every machine.
std::size_t scramble(std::size_t attempt, std::size_t column) {
  std::uint64_t x = attempt * 0x9e3779b97f4a7c15U + column * 0xbf58476d1ce4e5b9U;
  x ^= x >> 31;
  x *= 0x94d049bb133111ebU;
  return static_cast<std::size_t>(x >> 33);
}

// Row 0 has every column's most typical value; every fourth has a missing cell, every fourth one the model
// cannot know.
std::vector<CellValue> make_row(const program::Signature& signature,
                                const std::vector<std::vector<CellValue>>& candidates, std::size_t attempt) {
  std::vector<CellValue> row;
  for (std::size_t c = 0; c < candidates.size(); ++c)
    row.push_back(candidates[c][attempt == 0 ? 0 : scramble(attempt, c) % candidates[c].size()]);
  const std::size_t odd = scramble(attempt, candidates.size()) % std::max<std::size_t>(1, row.size());
  if (row.empty() || attempt % 4 < 2) return row;
  const bool is_text = signature.columns[odd].type == program::ColumnType::kText;
  if (attempt % 4 == 2)
    row[odd] = std::monostate();
  else
    row[odd] = signature.columns[odd].type == program::ColumnType::kRecord ? row[odd]
               : is_text ? CellValue(std::string("never seen before"))
                         : CellValue(-987654.5);
  return row;
}

}  // namespace

base::Result<protocol::Golden> record(const engine::Plan& plan, const program::Program& program,
                                      std::size_t rows) {
  if (plan.signature().takes_tensors())
    return protocol::Golden{.source = protocol::GoldenSource::kWherry,
                            .framework = "wherry",
                            .framework_version = {},
                            .examples = record_tensors(plan)};
  const protocol::Schema schema(program);
  const program::Signature& signature = program.signature();
  const auto values = candidates(program);
  protocol::Golden golden{.source = protocol::GoldenSource::kWherry, .framework = "wherry"};
  engine::Workspace workspace;
  engine::Results results;
  protocol::Request request;
  base::Error refusal;
  for (std::size_t attempt = 0; attempt < rows * kAttemptsPerRow && golden.examples.size() < rows;
       ++attempt) {
    GoldenExample example{.row = make_row(signature, values, attempt), .line = golden.examples.size() + 2};
    if (signature.has_names)
      for (const program::InputColumn& column : signature.columns) example.columns.push_back(column.name);
    TRY(protocol::read_cells(example.columns, std::span(&example.row, 1), schema, request));
    if (const auto run = plan.run(request.table, plan.all_outputs(), workspace); !run) {
      refusal = run.error();
      continue;
    }
    for (const tensor::NamedResult& result : results.collect(plan, workspace, plan.all_outputs()))
      example.outputs.push_back(output_of(result));
    golden.examples.push_back(std::move(example));
  }
  if (golden.examples.empty() && rows > 0)
    return base::fail(base::Code::kInvalidInput, "verify.no_rows",
                      base::cat("the model refuses every row wherry made up: ", refusal.message),
                      "record golden examples with the framework, see examples/record_golden.py");
  return golden;
}

}  // namespace wherry::verify
