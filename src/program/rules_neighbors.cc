#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "program/rules.h"

namespace wherry::program {

using base::cat;
using base::Result;
using base::Status;
using tensor::DType;
using tensor::Tensor;

namespace {

constexpr std::int64_t kMostNeighbors = 1'000'000;

// Rows of a float64 matrix with `columns` columns, at least one.
Result<std::int64_t> stored_rows(const Operands& in, WeightId id, std::int64_t columns) {
  const Tensor* rows = in.find_weight(id);
  if (rows == nullptr || rows->dtype() != DType::kFloat64 || rows->shape().size() != 2 ||
      rows->shape()[0] < 1 || rows->shape()[1] != columns)
    return invalid(cat("stored rows are not float64 [rows, ", columns, "]"));
  return rows->shape()[0];
}

Status check_metric(const Operands& in, const Metric& metric, std::int64_t columns) {
  const bool weighted = metric.kind == MetricKind::kMinkowski;
  const bool needs = metric.kind == MetricKind::kSeuclidean || metric.kind == MetricKind::kMahalanobis;
  if (metric.has_values != needs && !weighted) return invalid("parameters of a metric which has none");
  if (metric.has_values) {
    const tensor::Shape shape =
        metric.kind == MetricKind::kMahalanobis ? tensor::Shape{columns, columns} : tensor::Shape{columns};
    TRY(in.check_weight(metric.values, DType::kFloat64, shape, "metric"));
  }
  if (weighted && !(metric.p > 0 && std::isfinite(metric.p))) return invalid("minkowski with this p");
  if (metric.kind == MetricKind::kHaversine && columns != 2)
    return invalid("haversine of other than 2 columns");
  const bool euclidean = metric.kind == MetricKind::kEuclidean || metric.kind == MetricKind::kSqeuclidean;
  if (metric.expanded && !euclidean) return invalid("expanded distances of another metric than euclidean");
  return {};
}

bool fits_kd_tree(MetricKind kind) {
  return kind == MetricKind::kEuclidean || kind == MetricKind::kManhattan || kind == MetricKind::kChebyshev ||
         kind == MetricKind::kMinkowski;
}

Status check_nodes(const Operands& in, const SpatialTree& tree, std::int64_t rows) {
  const auto first = in.program.weight(tree.first).as<std::int64_t>();
  const auto last = in.program.weight(tree.last).as<std::int64_t>();
  const auto leaf = in.program.weight(tree.leaf).as<std::int64_t>();
  if (first[0] != 0 || last[0] != rows) return invalid("tree: the root does not have all rows");
  std::vector<bool> reached(first.size());
  reached[0] = true;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (!reached[i]) continue;
    if (leaf[i] != 0) {
      if (first[i] > last[i]) return invalid(cat("tree: rows of node ", i));
      continue;
    }
    const std::size_t left = 2 * i + 1;
    if (left + 1 >= first.size()) return invalid(cat("tree: node ", i, " has no children"));
    if (first[left] != first[i] || last[left] != first[left + 1] || last[left + 1] != last[i] ||
        first[left] > last[left] || first[left + 1] > last[left + 1])
      return invalid(cat("tree: rows of node ", i, " are not those of its children"));
    reached[left] = reached[left + 1] = true;
  }
  return {};
}

Status check_tree(const Operands& in, const SpatialTree& tree, MetricKind kind, std::int64_t rows,
                  std::int64_t columns) {
  const Tensor* first = in.find_weight(tree.first);
  if (first == nullptr || first->size() == 0) return invalid("tree without nodes");
  if (tree.shape == TreeShape::kKd && !fits_kd_tree(kind)) return invalid("kd tree of this metric");
  const auto nodes = static_cast<std::int64_t>(first->size());
  TRY(in.check_weight(tree.first, DType::kInt64, {nodes}, "tree: first"));
  TRY(in.check_weight(tree.last, DType::kInt64, {nodes}, "tree: last"));
  TRY(in.check_weight(tree.leaf, DType::kInt64, {nodes}, "tree: leaf"));
  TRY(in.check_weight(tree.radius, DType::kFloat64, {nodes}, "tree: radius"));
  TRY(in.check_weight(tree.order, DType::kInt64, {rows}, "tree: order"));
  const std::int64_t sides = tree.shape == TreeShape::kKd ? 2 : 1;
  TRY(in.check_weight(tree.bounds, DType::kFloat64, {sides, nodes, columns}, "tree: bounds"));
  for (const std::int64_t position : in.program.weight(tree.order).as<std::int64_t>())
    if (position < 0 || position >= rows) return invalid("tree: order names a row that does not exist");
  return check_nodes(in, tree, rows);
}

// How many rows a search finds its neighbours among.
template <class Op>
Result<std::int64_t> check_search(const Op& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  const std::int64_t columns = width(type);
  if (op.width != columns || columns < 1)
    return invalid(cat("search of ", op.width, " columns in ", columns));
  TRY(check_metric(in, op.metric, columns));
  const bool tree = op.choice == NeighborChoice::kTree;
  if (op.metric.kind == MetricKind::kPrecomputed) {
    if (tree) return invalid("a tree of precomputed distances");
    return columns;
  }
  TRY_ASSIGN(const std::int64_t rows, stored_rows(in, op.rows, columns));
  if (tree) TRY(check_tree(in, op.tree, op.metric.kind, rows, columns));
  return rows;
}

// Neighbours as an operation's first input.
Status check_neighbors(const Operands& in, NeighborForm form, std::int64_t rows, std::size_t at = 0) {
  if (at >= in.types.size() || !is_matrix(in.types[at])) return invalid("needs a matrix of neighbours");
  const std::int64_t columns = width(in.types[at]);
  if (form == NeighborForm::kTable ? columns != rows : columns % 2 != 0 || columns < 2)
    return invalid(cat("neighbours of ", columns, " columns among ", rows, " rows"));
  return {};
}

// Number of elements of a float64 list.
Result<std::int64_t> list_size(const Operands& in, WeightId id, std::string_view what) {
  const Tensor* list = in.find_weight(id);
  if (list == nullptr || list->dtype() != DType::kFloat64 || list->shape().size() != 1 || list->size() == 0)
    return invalid(cat(what, " is not a float64 list"));
  return static_cast<std::int64_t>(list->size());
}

}  // namespace

Result<ValueType> type_of(const NearestRows& op, const Operands& in) {
  TRY_ASSIGN(const std::int64_t rows, check_search(op, in));
  if (op.count < 1 || op.count > rows || op.count > kMostNeighbors)
    return invalid(cat(op.count, " neighbours among ", rows, " rows"));
  return matrix_type(2 * op.count);
}

Result<ValueType> type_of(const RowsWithin& op, const Operands& in) {
  TRY_ASSIGN(const std::int64_t rows, check_search(op, in));
  if (!(op.radius >= 0)) return invalid("radius");
  return matrix_type(rows);
}

Result<ValueType> type_of(const Distances& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  if (op.metric.kind == MetricKind::kPrecomputed || width(type) < 1)
    return invalid("distances of this metric");
  TRY(check_metric(in, op.metric, width(type)));
  TRY_ASSIGN(const std::int64_t rows, stored_rows(in, op.rows, width(type)));
  return matrix_type(rows);
}

Result<ValueType> type_of(const NeighborVotes& op, const Operands& in) {
  const Tensor* labels = in.find_weight(op.labels);
  if (labels == nullptr || labels->dtype() != DType::kInt32 || labels->shape().size() != 1)
    return invalid("labels are not an int32 list");
  if (op.classes < 1 || op.classes > kMostWidth - 1) return invalid("number of classes");
  for (const std::int32_t label : labels->as<std::int32_t>())
    if (label < 0 || label >= op.classes) return invalid("a label is no class");
  if (op.outliers == OutlierVote::kClass && (op.outlier < 0 || op.outlier >= op.classes))
    return invalid("the class of outliers does not exist");
  if (in.types.size() != 1) return invalid("needs one matrix");
  TRY(check_neighbors(in, op.form, static_cast<std::int64_t>(labels->size())));
  return matrix_type(op.classes + (op.outlier_column ? 1 : 0));
}

Result<ValueType> type_of(const NeighborMean& op, const Operands& in) {
  const Tensor* targets = in.find_weight(op.targets);
  if (targets == nullptr || targets->dtype() != DType::kFloat64 || targets->shape().size() != 2 ||
      targets->shape()[1] < 1)
    return invalid("targets are not a float64 matrix");
  if (in.types.size() != 1) return invalid("needs one matrix");
  TRY(check_neighbors(in, op.form, targets->shape()[0]));
  return matrix_type(targets->shape()[1]);
}

Result<ValueType> type_of(const NeighborGraph& op, const Operands& in) {
  if (op.rows < 1 || op.rows > kMostWidth) return invalid("number of rows");
  if (in.types.size() != 1) return invalid("needs one matrix");
  TRY(check_neighbors(in, op.form, op.rows));
  return matrix_type(op.rows);
}

Result<ValueType> type_of(const LocalOutliers& op, const Operands& in) {
  TRY_ASSIGN(const std::int64_t rows, list_size(in, op.reach, "reach"));
  TRY(in.check_weight(op.density, DType::kFloat64, {rows}, "density"));
  if (in.types.size() != 1) return invalid("needs one matrix");
  TRY(check_neighbors(in, NeighborForm::kList, rows));
  return matrix_type(1);
}

Result<ValueType> type_of(const KernelDensities& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  if (width(type) < 1 || op.metric.kind == MetricKind::kPrecomputed) return invalid("density of this metric");
  TRY(check_metric(in, op.metric, width(type)));
  TRY_ASSIGN(const std::int64_t rows, stored_rows(in, op.rows, width(type)));
  TRY(check_tree(in, op.tree, op.metric.kind, rows, width(type)));
  if (!(op.bandwidth > 0) || !std::isfinite(op.bandwidth)) return invalid("bandwidth");
  if (!(op.absolute_tolerance >= 0) || !(op.relative_tolerance >= 0) || !(op.total > 0))
    return invalid("tolerances");
  if (op.has_weights) TRY(in.check_weight(op.weights, DType::kFloat64, {rows}, "weights"));
  return matrix_type(1);
}

Result<ValueType> type_of(const GeodesicKernel& op, const Operands& in) {
  TRY_ASSIGN(const std::int64_t rows, list_size(in, op.fit_rows, "fit_rows"));
  TRY(in.check_weight(op.distances, DType::kFloat64, {rows, rows}, "distances"));
  if (in.types.size() != 1) return invalid("needs one matrix");
  TRY(check_neighbors(in, op.form, rows));
  return matrix_type(rows);
}

Result<ValueType> type_of(const Barycenter& op, const Operands& in) {
  if (in.types.size() != 2 || !is_matrix(in.types[0])) return invalid("needs two matrices");
  TRY_ASSIGN(const std::int64_t rows, stored_rows(in, op.rows, width(in.types[0])));
  const Tensor* embedding = in.find_weight(op.embedding);
  if (embedding == nullptr || embedding->dtype() != DType::kFloat64 || embedding->shape().size() != 2 ||
      embedding->shape()[0] != rows || embedding->shape()[1] < 1)
    return invalid("embedding is not a float64 matrix of the stored rows");
  TRY(check_neighbors(in, NeighborForm::kList, rows, 1));
  constexpr std::int64_t kMostForBarycenter = 10'000;
  if (width(in.types[1]) > 2 * kMostForBarycenter) return invalid("too many neighbours");
  return matrix_type(embedding->shape()[1]);
}

Result<ValueType> type_of(const GaussianLogDensity& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  const std::int64_t columns = width(type);
  TRY_ASSIGN(const std::int64_t count, stored_rows(in, op.means, columns));
  const tensor::Shape shapes[] = {{count, columns, columns}, {columns, columns}, {count, columns}, {count}};
  TRY(in.check_weight(op.factors, DType::kFloat64, shapes[static_cast<std::size_t>(op.covariance)],
                      "factors"));
  TRY(in.check_weight(op.log_determinants, DType::kFloat64, {count}, "log_determinants"));
  const Tensor* offsets = in.find_weight(op.offsets);
  if (offsets == nullptr || offsets->dtype() != DType::kFloat64 || offsets->shape().size() != 2 ||
      offsets->shape()[1] != count)
    return invalid("offsets are not float64 [any, components]");
  return matrix_type(count);
}

Result<ValueType> type_of(const LogSumExp&, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  if (width(type) < 1) return invalid("of no columns");
  return matrix_type(1);
}

Result<ValueType> type_of(const PoolColumns& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  if (std::ssize(op.groups) != width(type) || op.groups.empty())
    return invalid(cat(op.groups.size(), " groups for ", width(type), " columns"));
  std::vector<bool> seen(op.groups.size());
  std::int64_t groups = 0;
  for (const std::int64_t group : op.groups) {
    if (group < 0 || group >= std::ssize(op.groups)) return invalid("a group that does not exist");
    seen[static_cast<std::size_t>(group)] = true;
    groups = std::max(groups, group + 1);
  }
  if (std::count(seen.begin(), seen.end(), true) != groups) return invalid("a group without columns");
  return matrix_type(groups);
}

Result<ValueType> type_of(const CenterTree& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  TRY_ASSIGN(const std::int64_t nodes, stored_rows(in, op.centers, width(type)));
  TRY(in.check_weight(op.left, DType::kInt64, {nodes}, "left"));
  TRY(in.check_weight(op.right, DType::kInt64, {nodes}, "right"));
  TRY(in.check_weight(op.label, DType::kInt64, {nodes}, "label"));
  const auto left = in.program.weight(op.left).as<std::int64_t>();
  const auto right = in.program.weight(op.right).as<std::int64_t>();
  const auto label = in.program.weight(op.label).as<std::int64_t>();
  for (std::int64_t i = 0; i < nodes; ++i) {
    if (left[i] < 0 && (label[i] < 0 || label[i] >= op.labels)) return invalid("a leaf without label");
    if (left[i] >= 0 && (left[i] <= i || left[i] >= nodes || right[i] <= i || right[i] >= nodes))
      return invalid(cat("children of node ", i));
  }
  return index_type();
}

Result<ValueType> type_of(const NeighborImpute& op, const Operands& in) {
  TRY_ASSIGN(const ValueType type, in.same_matrix());
  TRY_ASSIGN(const std::int64_t rows, stored_rows(in, op.rows, width(type)));
  TRY(in.check_weight(op.absent, DType::kUint8, {rows, width(type)}, "absent"));
  if (op.count < 1) return invalid("number of neighbours");
  return type;
}

Result<ValueType> type_of(const ReplaceMasked& op, const Operands& in) {
  if (in.types.size() != 3 || !is_matrix(in.types[0]) || !(in.types[1] == in.types[0]) ||
      !(in.types[2] == matrix_type(1)))
    return invalid("needs a matrix, a mask of its shape and a column");
  if (op.column < 0 || op.column >= width(in.types[0])) return invalid("column");
  return in.types[0];
}

}  // namespace wherry::program
