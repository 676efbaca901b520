// Stored rows, metrics and trees of scikit-learn's neighbours: sklearn/neighbors/_base.py. Private to module
// sklearn.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "import/sklearn/context.h"
#include "program/ops_neighbors.h"

namespace wherry::sklearn {

// A matrix of an estimator as rows of float64.
struct StoredMatrix {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  bool float64 = false;
  bool float32 = false;
  bool sparse = false;
  std::vector<double> values;
};
Result<StoredMatrix> read_matrix(Context& context, const View& view);

// The metric `name` with its parameters `params` (a dict or None), for rows of `columns` columns.
Result<program::Metric> read_metric(Context& context, const View& where, std::string_view name,
                                    const View* params, std::int64_t columns);

// A KDTree or BallTree with its rows, metric and sample weights (none: empty).
struct StoredTree {
  StoredMatrix rows;
  program::Metric metric;
  program::SpatialTree tree;
  std::vector<double> weights;
};
Result<StoredTree> read_spatial_tree(Context& context, const View& tree, std::int64_t columns,
                                     std::string_view shape);

// An estimator with _fit_X and _fit_method, and what it is asked with.
struct Neighborhood {
  ValueId x = 0;  // checked
  std::int64_t rows = 0;
  program::Metric metric;
  program::NeighborChoice choice = program::NeighborChoice::kHeap;
  WeightId stored;
  program::SpatialTree tree;
};
// `name`: the estimator that says no to NaN.
Result<Neighborhood> read_neighborhood(Context& context, const View& estimator, const Flow& input,
                                       std::string_view name);

// kneighbors() and radius_neighbors() as operations.
Result<ValueId> nearest_rows(Context& context, const View& estimator, const Neighborhood& hood,
                             std::int64_t count);
Result<ValueId> rows_within(Context& context, const View& estimator, const Neighborhood& hood);

// A positive integer parameter.
Result<std::int64_t> count_of(const View& estimator, std::string_view attribute);

}  // namespace wherry::sklearn
