#include "import/sklearn/neighbor_data.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "import/sklearn/matrices.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {

using program::Metric;
using program::MetricKind;
using program::NeighborChoice;
using tensor::Tensor;

namespace {

// `reduction`: sklearn/metrics/_pairwise_distances_reduction takes it, so that ties are those of its heap.
struct MetricRow {
  std::string_view name;  // of the parameter, without "Distance" and lower case that of the class
  MetricKind kind;
  bool reduction;
};

constexpr MetricRow kMetrics[] = {
    {"euclidean", MetricKind::kEuclidean, true},      {"l2", MetricKind::kEuclidean, true},
    {"sqeuclidean", MetricKind::kSqeuclidean, true},  {"manhattan", MetricKind::kManhattan, true},
    {"cityblock", MetricKind::kManhattan, true},      {"l1", MetricKind::kManhattan, true},
    {"chebyshev", MetricKind::kChebyshev, true},      {"infinity", MetricKind::kChebyshev, true},
    {"minkowski", MetricKind::kMinkowski, true},      {"p", MetricKind::kMinkowski, true},
    {"seuclidean", MetricKind::kSeuclidean, true},    {"mahalanobis", MetricKind::kMahalanobis, false},
    {"hamming", MetricKind::kHamming, false},         {"canberra", MetricKind::kCanberra, true},
    {"braycurtis", MetricKind::kBraycurtis, true},    {"matching", MetricKind::kMatching, false},
    {"jaccard", MetricKind::kJaccard, false},         {"dice", MetricKind::kDice, false},
    {"kulsinski", MetricKind::kKulsinski, false},     {"rogerstanimoto", MetricKind::kRogerstanimoto, false},
    {"russellrao", MetricKind::kRussellrao, false},   {"sokalmichener", MetricKind::kSokalmichener, false},
    {"sokalsneath", MetricKind::kSokalsneath, false}, {"yule", MetricKind::kYule, false},
    {"haversine", MetricKind::kHaversine, true},      {"cosine", MetricKind::kCosine, false},
    {"correlation", MetricKind::kCorrelation, false}, {"nan_euclidean", MetricKind::kNanEuclidean, false},
    {"precomputed", MetricKind::kPrecomputed, false},
};

const MetricRow* find_metric(std::string_view name) {
  const auto found = std::ranges::find(kMetrics, name, &MetricRow::name);
  return found == std::end(kMetrics) ? nullptr : found;
}

std::optional<View> parameter(const View* params, std::string_view key) {
  if (params == nullptr || !params->is(pickle::Kind::kDict)) return std::nullopt;
  auto found = params->find_key(key);
  if (!found || found->is_none()) return std::nullopt;
  return found;
}

// Minkowski's special cases, as DistanceMetric.get_metric.
void simplify(Metric& metric) {
  if (metric.kind != MetricKind::kMinkowski || metric.has_values) return;
  if (metric.p == 1)
    metric.kind = MetricKind::kManhattan;
  else if (metric.p == 2)
    metric.kind = MetricKind::kEuclidean;
  else if (std::isinf(metric.p))
    metric.kind = MetricKind::kChebyshev;
}

Result<StoredMatrix> densified(Context& context, const View& view) {
  TRY_ASSIGN(const pickle::Csr sparse, view.sparse());
  constexpr std::int64_t kMostElements = std::int64_t{1} << 28;
  if (sparse.rows > 0 && sparse.columns > kMostElements / sparse.rows)
    return base::fail(base::Code::kLimit, "sklearn.too_large",
                      cat(view.where(), ": the sparse matrix has more than ", kMostElements, " elements"),
                      "fit the model on fewer rows or columns");
  TRY(context.charge(view, static_cast<std::uint64_t>(sparse.rows * sparse.columns)));
  return StoredMatrix{
      .rows = sparse.rows, .columns = sparse.columns, .sparse = true, .values = dense_values(sparse)};
}

Result<Tensor> integers(const pickle::NdArray& nodes, std::string_view name, const std::string& where) {
  TRY_ASSIGN(const pickle::NdArray column, pickle::field(nodes, name, where));
  TRY_ASSIGN(auto values, pickle::to_int64s(column, where));
  const auto size = static_cast<std::int64_t>(values.size());
  return Tensor::of({size}, std::move(values));
}

// The class of a tree's dist_metric, and its parameters (p, vec, mat).
Result<Metric> tree_metric(Context& context, const View& view, std::int64_t columns) {
  std::string name = short_class(view);
  for (const std::string_view suffix : {"64", "Distance"})
    if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
  name = base::to_lower(name);
  const MetricRow* row = find_metric(name);
  if (row == nullptr) return unsupported_parameter(view, cat("distances of the class ", view.class_name()));
  Metric metric{.kind = row->kind};
  const auto state = view.state();
  if (!state) return inconsistent(view, "a metric without parameters");
  TRY_ASSIGN(const View p, state->item(0));
  TRY_ASSIGN(metric.p, p.as_double());
  TRY_ASSIGN(const View vec, state->item(1));
  TRY_ASSIGN(const View mat, state->item(2));
  TRY_ASSIGN(std::vector<double> values, (row->kind == MetricKind::kMahalanobis ? mat : vec).doubles());
  const auto size = static_cast<std::int64_t>(values.size());
  const bool placeholder = size == 0 || (size == 1 && values[0] == 0);
  if (row->kind == MetricKind::kMahalanobis || row->kind == MetricKind::kSeuclidean ||
      (row->kind == MetricKind::kMinkowski && !placeholder)) {
    metric.has_values = true;
    metric.values = row->kind == MetricKind::kMahalanobis && size == columns * columns
                        ? context.matrix("metric", columns, columns, std::move(values))
                        : context.vector("metric", std::move(values));
  }
  simplify(metric);
  return metric;
}

}  // namespace

Result<StoredMatrix> read_matrix(Context& context, const View& view) {
  if (view.is_sparse()) return densified(context, view);
  TRY_ASSIGN(const pickle::NdArray array, view.array());
  TRY(context.charge(view, array.count));
  TRY_ASSIGN(pickle::Matrix matrix, view.matrix());
  if (matrix.rows < 1 || matrix.columns < 1) return inconsistent(view, "no rows");
  const bool is_float = array.dtype->kind == 'f';
  return StoredMatrix{.rows = matrix.rows,
                      .columns = matrix.columns,
                      .float64 = is_float && array.dtype->itemsize == 8,
                      .float32 = is_float && array.dtype->itemsize == 4,
                      .values = std::move(matrix.values)};
}

Result<Metric> read_metric(Context& context, const View& where, std::string_view name, const View* params,
                           std::int64_t columns) {
  const MetricRow* row = find_metric(name);
  if (row == nullptr) return unsupported_parameter(where, cat("metric=", base::quoted(name)));
  Metric metric{.kind = row->kind};
  if (const auto p = parameter(params, "p")) {
    TRY_ASSIGN(metric.p, p->as_double());
  }
  const bool mahalanobis = row->kind == MetricKind::kMahalanobis;
  const std::string_view key = mahalanobis ? "VI" : row->kind == MetricKind::kSeuclidean ? "V" : "w";
  if (const auto values = parameter(params, key)) {
    if (key == "w" && row->kind != MetricKind::kMinkowski)
      return unsupported_parameter(where, cat("weights of columns for metric=", base::quoted(name)));
    TRY_ASSIGN(std::vector<double> numbers, values->doubles());
    if (mahalanobis && static_cast<std::int64_t>(numbers.size()) != columns * columns)
      return inconsistent(*values, "not a square matrix of the columns");
    metric.has_values = true;
    metric.values = mahalanobis ? context.matrix("metric", columns, columns, std::move(numbers))
                                : context.vector("metric", std::move(numbers));
  } else if (key != "w") {
    return unsupported_parameter(where,
                                 cat("metric=", base::quoted(name), " without ", key,
                                     ", which scikit-learn then computes from the rows it is asked with"));
  }
  simplify(metric);
  return metric;
}

Result<StoredTree> read_spatial_tree(Context& context, const View& view, std::int64_t columns,
                                     std::string_view shape) {
  const auto state = view.state();
  if (!state) return view.wrong("a tree");
  const auto part = [&](std::size_t i) { return state->item(i); };
  StoredTree out;
  TRY_ASSIGN(const View data, part(0));
  TRY_ASSIGN(out.rows, read_matrix(context, data));
  if (out.rows.columns != columns) return inconsistent(data, cat("not ", columns, " columns"));
  TRY_ASSIGN(const View order_view, part(1));
  TRY_ASSIGN(std::vector<std::int64_t> order, order_view.int64s());
  TRY_ASSIGN(const View nodes_view, part(2));
  TRY_ASSIGN(const pickle::NdArray nodes, nodes_view.array());
  TRY_ASSIGN(const View bounds_view, part(3));
  TRY_ASSIGN(const pickle::NdArray bounds, bounds_view.array());
  TRY(context.charge(bounds_view, order.size() + nodes.count + bounds.count));
  TRY_ASSIGN(std::vector<double> bound_values, bounds_view.doubles());
  program::SpatialTree& tree = out.tree;
  tree.shape = shape == "kd_tree" ? program::TreeShape::kKd : program::TreeShape::kBall;
  const std::string where = nodes_view.where();
  TRY_ASSIGN(Tensor first, integers(nodes, "idx_start", where));
  TRY_ASSIGN(Tensor last, integers(nodes, "idx_end", where));
  TRY_ASSIGN(Tensor leaf, integers(nodes, "is_leaf", where));
  TRY_ASSIGN(const pickle::NdArray radius_column, pickle::field(nodes, "radius", where));
  TRY_ASSIGN(std::vector<double> radius, pickle::to_doubles(radius_column, where));
  tree.first = context.weight("tree_first", std::move(first));
  tree.last = context.weight("tree_last", std::move(last));
  tree.leaf = context.weight("tree_leaf", std::move(leaf));
  tree.radius = context.vector("tree_radius", std::move(radius));
  const auto rows = static_cast<std::int64_t>(order.size());
  tree.order = context.weight("tree_order", Tensor::of({rows}, std::move(order)));
  tree.bounds = context.weight("tree_bounds", Tensor::of(bounds.shape, std::move(bound_values)));
  TRY_ASSIGN(const View metric, part(11));
  TRY_ASSIGN(out.metric, tree_metric(context, metric, columns));
  TRY_ASSIGN(const View weights, part(12));
  if (!weights.is_none()) {
    TRY_ASSIGN(out.weights, weights.doubles());
  }
  return out;
}

Result<Neighborhood> read_neighborhood(Context& context, const View& estimator, const Flow& input,
                                       std::string_view name) {
  Neighborhood out;
  TRY_ASSIGN(const View method_view, estimator.attr("_fit_method"));
  TRY_ASSIGN(const std::string method, method_view.as_string());
  TRY_ASSIGN(const View metric_view, estimator.attr("effective_metric_"));
  if (!metric_view.is(pickle::Kind::kStr))
    return unsupported_parameter(metric_view, "a function of one's own as metric");
  TRY_ASSIGN(const std::string metric, metric_view.as_string());
  const std::int64_t columns = context.width(input);
  const bool nan = metric == "nan_euclidean" && context.version().at_least(1, 6);
  TRY_ASSIGN(out.x, context.checked(input, name, nan));
  if (method == "kd_tree" || method == "ball_tree") {
    if (input.sparse) return inconsistent(estimator, "a sparse matrix, which its tree does not take");
    TRY_ASSIGN(const View tree_view, estimator.attr("_tree"));
    TRY_ASSIGN(StoredTree tree, read_spatial_tree(context, tree_view, columns, method));
    out.rows = tree.rows.rows;
    out.metric = tree.metric;
    out.tree = tree.tree;
    out.choice = NeighborChoice::kTree;
    out.stored = context.matrix("rows", tree.rows.rows, columns, std::move(tree.rows.values));
    return out;
  }
  if (method != "brute") return unsupported_parameter(method_view, cat("algorithm ", base::quoted(method)));
  TRY_ASSIGN(const View rows_view, estimator.attr("_fit_X"));
  TRY_ASSIGN(StoredMatrix rows, read_matrix(context, rows_view));
  if (rows.columns != columns) return inconsistent(rows_view, cat("not ", columns, " columns"));
  const auto params = estimator.find("effective_metric_params_");
  TRY_ASSIGN(out.metric, read_metric(context, estimator, metric, params ? &*params : nullptr, columns));
  const bool euclidean = out.metric.kind == MetricKind::kEuclidean;
  if (input.float32 && rows.float32 && (!euclidean || !context.version().at_least(1, 1)))
    return unsupported_parameter(estimator, "a float32 matrix from the step before it");
  const bool same_type = rows.float64 ? !input.float32 : rows.float32 && input.float32;
  const bool reduction = find_metric(metric)->reduction && same_type && !rows.sparse && !input.sparse &&
                         context.version().at_least(1, 1);
  out.choice = reduction ? NeighborChoice::kHeap : NeighborChoice::kPartition;
  out.metric.expanded = (euclidean && !(reduction && metric == "l2")) ||
                        (out.metric.kind == MetricKind::kSqeuclidean && reduction);
  out.rows = rows.rows;
  if (out.metric.kind == MetricKind::kPrecomputed) {
    TRY_ASSIGN(out.x, context.add(program::CheckLeast{.estimator = std::string(name)}, {out.x}));
    return out;
  }
  if (out.metric.expanded)
    context.note(
        "euclidean distances of a brute force search come from a matrix product, whose last bits "
        "depend on the BLAS under numpy; they decide between rows that are as near but for those");
  if (!reduction)
    context.note(
        "among equally near rows a brute force search takes those numpy's argpartition leaves in "
        "front; numpy 2 chooses others where the machine has AVX2 or AVX-512");
  out.stored = context.matrix("rows", rows.rows, columns, std::move(rows.values));
  return out;
}

Result<ValueId> nearest_rows(Context& context, const View& estimator, const Neighborhood& hood,
                             std::int64_t count) {
  if (count > hood.rows) return inconsistent(estimator, cat(count, " neighbours among ", hood.rows, " rows"));
  program::NearestRows op{.metric = hood.metric,
                          .choice = hood.choice,
                          .count = count,
                          .width = context.width(Flow{.value = hood.x}),
                          .rows = hood.stored,
                          .tree = hood.tree};
  return context.add(op, {hood.x});
}

Result<ValueId> rows_within(Context& context, const View& estimator, const Neighborhood& hood) {
  TRY_ASSIGN(const View view, estimator.attr("radius"));
  TRY_ASSIGN(const double radius, view.as_double());
  if (!(radius >= 0)) return inconsistent(view, "not a radius");
  program::RowsWithin op{.metric = hood.metric,
                         .choice = hood.choice,
                         .radius = radius,
                         .width = context.width(Flow{.value = hood.x}),
                         .rows = hood.stored,
                         .tree = hood.tree};
  return context.add(op, {hood.x});
}

Result<std::int64_t> count_of(const View& estimator, std::string_view attribute) {
  TRY_ASSIGN(const View view, estimator.attr(attribute));
  TRY_ASSIGN(const std::int64_t count, view.as_int());
  if (count < 1 || count > 1'000'000) return inconsistent(view, cat(count, " is no number of neighbours"));
  return count;
}

}  // namespace wherry::sklearn
