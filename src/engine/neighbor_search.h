// What the kernels of neighbours make of an operation's metric, rows and tree. Private to module engine.
#pragma once

#include <memory>
#include <optional>

#include "engine/kernels.h"
#include "engine/spatial_tree.h"

namespace wherry::engine {

inline StoredRows stored_rows(const program::Metric& metric, StoredRows::Norms norms,
                              std::vector<double> rows, std::size_t width, const Wiring& wiring) {
  std::vector<double> values;
  if (metric.has_values) values = wiring.numbers(metric.values);
  return StoredRows(Distance(metric.kind, metric.p, std::move(values)), metric.expanded, norms,
                    std::move(rows), width);
}

// Stored rows and the tree over them, if there is one.
struct Search {
  StoredRows rows;
  std::optional<TreeWalk> tree;

  explicit Search(StoredRows stored) : rows(std::move(stored)) {}
  Search(const Search&) = delete;
  Search& operator=(const Search&) = delete;
};

template <class Op>
std::shared_ptr<const Search> make_search(const Op& op, const Wiring& wiring) {
  std::vector<double> rows;
  if (op.metric.kind != program::MetricKind::kPrecomputed) rows = wiring.numbers(op.rows);
  const auto norms =
      op.choice == program::NeighborChoice::kHeap ? StoredRows::Norms::kBlas : StoredRows::Norms::kEinsum;
  auto search = std::make_shared<Search>(
      stored_rows(op.metric, norms, std::move(rows), wiring.width_of(wiring.input()), wiring));
  if (op.choice == program::NeighborChoice::kTree)
    search->tree.emplace(op.tree, wiring.program, search->rows);
  return search;
}

}  // namespace wherry::engine
