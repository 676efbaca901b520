#include "verify/describe.h"

#include "program/fidelity.h"
#include "verify/missing.h"
#include "verify/sample.h"

namespace wherry::verify {

tensor::Table answered_sample(const engine::Plan& plan) {
  for (const std::int64_t length : {1, 4, 16, 64}) {
    tensor::Table table = sample_request(plan.signature(), {.batch = 1, .length = length});
    if (answers(plan, table)) return table;
  }
  return {};
}

protocol::ModelCard begin_card(const program::Program& program, const protocol::Schema& schema,
                               const protocol::Golden& golden, const program::Provenance& provenance,
                               std::string_view digest) {
  return {.framework = provenance.framework,
          .framework_version = provenance.framework_version,
          .digest = std::string(digest),
          .fidelity = std::string(program::describe(program::fidelity(program))),
          .notes = provenance.notes,
          .golden_count = golden.examples.size(),
          .golden_source = std::string(golden.examples.empty() ? "none" : protocol::name(golden.source)),
          .golden_summary = {},
          .columns = protocol::column_facts(program, schema, golden),
          .rows = {},
          .tensors = {}};
}

void complete_card(const engine::Plan& plan, const protocol::Schema& schema, const protocol::Golden& golden,
                   std::string_view golden_summary, protocol::ModelCard& card) {
  card.golden_summary = golden_summary;
  if (schema.takes_tensors()) {
    card.tensors = answered_sample(plan);
    return;
  }
  card.rows = protocol::example_rows(schema, golden, card.columns);
  const auto first = protocol::card_table(schema, card, 1);
  if (!first || (golden.examples.empty() && !answers(plan, first->table))) {
    card.rows.clear();
    return;
  }
  const std::vector<bool> may = may_be_missing(plan, first->table);
  for (std::size_t c = 0; c < card.columns.size(); ++c) card.columns[c].may_be_missing = may[c];
}

}  // namespace wherry::verify
