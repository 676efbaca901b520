// What is told about a model beside its signature: where it comes from, how close it is to its framework,
// what its columns have held. The page at "/" and the OpenAPI document are made from it.
//
// Thread-safety: a ModelCard is immutable once made; read from any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "program/program.h"
#include "protocol/golden.h"
#include "protocol/request.h"
#include "protocol/schema.h"
#include "tensor/table.h"

namespace wherry::protocol {

// What is known about one input column.
struct ColumnFacts {
  // The values an encoder of the model was fitted with; empty where none looks at this column.
  std::vector<tensor::CellValue> categories;
  bool refuses_others = false;  // a value beyond `categories` is an error
  bool may_be_missing = true;   // a row without it has an answer, as far as anyone has tried
  // The range of the numbers in the golden rows of the framework; NaN where there are none.
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
};

// Categories and ranges of every column: values are followed from the input through whatever only moves or
// fills them to the encoders. Programs of more than kMostFacts columns are not looked through.
inline constexpr std::size_t kMostFacts = 10'000;
std::vector<ColumnFacts> column_facts(const program::Program& program, const Schema& schema,
                                      const Golden& golden);

struct ModelCard {
  std::string framework, framework_version;
  std::string digest;    // "sha256:…" of the bundle
  std::string fidelity;  // a sentence of program/fidelity.h
  std::vector<std::string> notes;
  std::size_t golden_count = 0;
  std::string golden_source;   // "framework", "wherry", or "none"
  std::string golden_summary;  // one sentence on what was replayed
  std::vector<ColumnFacts> columns;
  // Rows with an answer, in the signature's order: golden ones, else one made up.
  std::vector<std::vector<tensor::CellValue>> rows;
  tensor::Table tensors;  // of a tensor model: a request with an answer; none: no tensors
};

// Whether there are rows, or tensors, with an answer.
inline bool has_example(const ModelCard& card) {
  return !card.rows.empty() || !card.tensors.tensors.empty();
}

// The golden rows with their cells in the signature's order, at most `most`; where there are none, one row of
// zeros, first categories and empty texts, which the model may refuse: the caller tries it. A tensor model
// has none.
inline constexpr std::size_t kMostCardRows = 20;
std::vector<std::vector<tensor::CellValue>> example_rows(const Schema& schema, const Golden& golden,
                                                         std::span<const ColumnFacts> facts,
                                                         std::size_t most = kMostCardRows);

// The first `count` rows of a card as a table, or all of its tensors. Texts are borrowed from the card.
base::Result<Request> card_table(const Schema& schema, const ModelCard& card, std::size_t count);

}  // namespace wherry::protocol
