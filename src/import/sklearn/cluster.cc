// Clusters: sklearn/cluster/_kmeans.py, _bisect_k_means.py, _mean_shift.py, _affinity_propagation.py,
// _birch.py, _feature_agglomeration.py.
#include <algorithm>
#include <limits>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/matrices.h"
#include "import/sklearn/neighbor_data.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using tensor::Tensor;

Result<StoredMatrix> read_centers(Context& context, const View& estimator, std::string_view attribute,
                                  const Flow& input) {
  TRY_ASSIGN(const View view, estimator.attr(attribute));
  TRY_ASSIGN(StoredMatrix centers, read_matrix(context, view));
  if (centers.columns != context.width(input))
    return inconsistent(view, cat(centers.columns, " columns where the input has ", context.width(input)));
  return centers;
}

Result<ValueId> distances(Context& context, ValueId x, const StoredMatrix& centers, bool squared) {
  context.note("distances come from a matrix product, whose last bits depend on the BLAS under numpy");
  const WeightId rows = context.matrix("centers", centers.rows, centers.columns, centers.values);
  return context.add(program::Distances{.metric = {.expanded = true}, .squared = squared, .rows = rows}, {x});
}

// Index of the nearest centre, the first of equals: pairwise_distances_argmin.
Result<ValueId> nearest_center(Context& context, ValueId x, const StoredMatrix& centers) {
  TRY_ASSIGN(ValueId value, distances(context, x, centers, true));
  TRY_ASSIGN(value, context.apply(value, program::Function::kNegate));
  return context.add(program::Argmax{}, {value});
}

Result<Flow> distance_transform(Context& context, const View& estimator, ValueId x,
                                const StoredMatrix& centers) {
  TRY_ASSIGN(const ValueId value, distances(context, x, centers, false));
  return transformed(context, estimator, value).transform.value();
}

// argmin of |c|² - 2xc, as lloyd_iter_chunked_dense: the argmax of 2xc - |c|², which is the same negated.
Result<ValueId> lloyd(Context& context, ValueId x, const StoredMatrix& centers) {
  std::vector<double> coefficients = centers.values;
  std::vector<double> intercept;
  const auto width = static_cast<std::size_t>(centers.columns);
  for (std::size_t i = 0; i < coefficients.size(); i += width) {
    double norm = 0;
    for (std::size_t j = 0; j < width; ++j) norm += coefficients[i + j] * coefficients[i + j];
    intercept.push_back(-norm);
  }
  for (double& value : coefficients) value *= 2;
  program::Linear op;
  op.coefficients = context.matrix("centers", centers.rows, centers.columns, std::move(coefficients));
  op.intercept = context.vector("norms", std::move(intercept));
  TRY_ASSIGN(const ValueId scores, context.add(op, {x}));
  return context.add(program::Argmax{}, {scores});
}

constexpr std::string_view kFloat32Centers =
    "fitted on float32, it labels float32 rows only, in float32; predict is left out";

// An estimator with cluster_centers_: transform gives the distances to them, predict what `label` makes of
// them.
Result<Fitted> with_centers(Context& context, const View& estimator, const Flow& input,
                            Result<ValueId> (*label)(Context& context, const View& estimator, ValueId x,
                                                     const StoredMatrix& centers)) {
  TRY(refuse_float32(estimator, input));
  TRY_ASSIGN(const StoredMatrix centers, read_centers(context, estimator, "cluster_centers_", input));
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false));
  Fitted fitted;
  if (centers.float32) {
    context.note(cat(short_class(estimator), ": ", kFloat32Centers));
  } else {
    TRY_ASSIGN(const ValueId labels, label(context, estimator, x, centers));
    fitted.predict = Answer{{labels}, {}};
  }
  TRY_ASSIGN(fitted.transform, distance_transform(context, estimator, x, centers));
  return fitted;
}

Result<Fitted> lower_k_means(Context& context, const View& estimator, const Flow& input) {
  return with_centers(
      context, estimator, input,
      [](Context& c, const View&, ValueId x, const StoredMatrix& centers) { return lloyd(c, x, centers); });
}

// The nodes of a BisectingKMeans' tree, children after their parents.
struct Bisections {
  std::vector<double> centers;
  std::vector<std::int64_t> left, right, label;
};

Result<Bisections> read_bisections(Context& context, const View& estimator, std::int64_t columns,
                                   std::int64_t labels) {
  const auto width = static_cast<std::size_t>(columns);
  std::vector<double> mean(width);
  if (estimator.has("_X_mean")) {
    TRY_ASSIGN(mean, doubles_of(estimator, "_X_mean", width));
  }
  Bisections out;
  TRY_ASSIGN(const View root, estimator.attr("_bisecting_tree"));
  std::vector<View> waiting{root};
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    const View node = waiting[i];
    TRY(context.charge(node, width + 64));
    if (std::ssize(waiting) > 2 * labels) return inconsistent(node, "more nodes than its clusters have");
    TRY_ASSIGN(std::vector<double> center, doubles_of(node, "center", width));
    for (std::size_t j = 0; j < width; ++j) out.centers.push_back(center[j] + mean[j]);
    out.left.push_back(-1);
    out.right.push_back(-1);
    out.label.push_back(-1);
    const auto left = node.find("left");
    if (!left || left->is_none()) {
      TRY_ASSIGN(const View label, node.attr("label"));
      TRY_ASSIGN(out.label.back(), label.as_int());
      continue;
    }
    TRY_ASSIGN(const View right, node.attr("right"));
    out.left.back() = std::ssize(waiting);
    waiting.push_back(*left);
    out.right.back() = std::ssize(waiting);
    waiting.push_back(right);
  }
  return out;
}

Result<ValueId> label_by_bisection(Context& context, const View& estimator, ValueId x,
                                   const StoredMatrix& centers) {
  TRY_ASSIGN(Bisections tree, read_bisections(context, estimator, centers.columns, centers.rows));
  const auto nodes = static_cast<std::int64_t>(tree.left.size());
  program::CenterTree op{.labels = centers.rows};
  op.centers = context.matrix("tree_centers", nodes, centers.columns, std::move(tree.centers));
  op.left = context.weight("left", Tensor::of({nodes}, std::move(tree.left)));
  op.right = context.weight("right", Tensor::of({nodes}, std::move(tree.right)));
  op.label = context.weight("label", Tensor::of({nodes}, std::move(tree.label)));
  return context.add(op, {x});
}

Result<Fitted> lower_bisecting_k_means(Context& context, const View& estimator, const Flow& input) {
  return with_centers(context, estimator, input, label_by_bisection);
}

// Every row gets the label -1.
Result<ValueId> all_noise(Context& context, ValueId x) {
  TRY_ASSIGN(const ValueId one, context.select(x, {0}));
  TRY_ASSIGN(const ValueId index,
             context.add(program::Above{.threshold = std::numeric_limits<double>::infinity()}, {one}));
  const WeightId labels = context.weight("labels", Tensor::of({2}, std::vector<std::int64_t>{-1, -1}));
  return context.add(program::TakeLabels{labels}, {index});
}

Result<Fitted> lower_affinity_propagation(Context& context, const View& estimator, const Flow& input) {
  TRY(refuse_float32(estimator, input));
  const auto view = estimator.find("cluster_centers_");
  if (!view)
    return unsupported_parameter(estimator,
                                 "affinity='precomputed', with which it has no predict for new rows");
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false));
  TRY_ASSIGN(const pickle::NdArray array, view->array());
  Fitted fitted;
  if (array.count == 0) {  // it did not converge
    TRY_ASSIGN(const ValueId noise, all_noise(context, x));
    fitted.predict = Answer{{noise}, {}};
    return fitted;
  }
  TRY_ASSIGN(const StoredMatrix centers, read_centers(context, estimator, "cluster_centers_", input));
  TRY_ASSIGN(const ValueId label, nearest_center(context, x, centers));
  fitted.predict = Answer{{label}, {}};
  return fitted;
}

Result<Fitted> lower_mean_shift(Context& context, const View& estimator, const Flow& input) {
  TRY(refuse_float32(estimator, input));
  TRY_ASSIGN(const StoredMatrix centers, read_centers(context, estimator, "cluster_centers_", input));
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false));
  TRY_ASSIGN(const ValueId label, nearest_center(context, x, centers));
  Fitted fitted;
  fitted.predict = Answer{{label}, {}};
  return fitted;
}

Result<Fitted> lower_birch(Context& context, const View& estimator, const Flow& input) {
  TRY(refuse_float32(estimator, input));
  TRY_ASSIGN(const StoredMatrix centers, read_centers(context, estimator, "subcluster_centers_", input));
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false));
  TRY_ASSIGN(const View labels_view, estimator.attr("subcluster_labels_"));
  TRY_ASSIGN(std::vector<std::int64_t> labels, labels_view.int64s());
  if (static_cast<std::int64_t>(labels.size()) != centers.rows)
    return inconsistent(labels_view, cat(labels.size(), " labels of ", centers.rows, " centres"));
  TRY_ASSIGN(const ValueId nearest, nearest_center(context, x, centers));
  const WeightId weight = context.weight("labels", Tensor::of({centers.rows}, std::move(labels)));
  TRY_ASSIGN(const ValueId label, context.add(program::TakeLabels{weight}, {nearest}));
  Fitted fitted;
  fitted.predict = Answer{{label}, {}};
  TRY_ASSIGN(fitted.transform, distance_transform(context, estimator, x, centers));
  return fitted;
}

struct PoolingRow {
  std::string_view name;
  program::Pooling pooling;
};

constexpr PoolingRow kPoolings[] = {
    {"mean", program::Pooling::kMean}, {"max", program::Pooling::kMax},
    {"amax", program::Pooling::kMax},  {"min", program::Pooling::kMin},
    {"amin", program::Pooling::kMin},  {"median", program::Pooling::kMedian},
};

Result<Fitted> lower_feature_agglomeration(Context& context, const View& estimator, const Flow& input) {
  TRY(refuse_float32(estimator, input));
  TRY_ASSIGN(const View function, estimator.attr("pooling_func"));
  const std::string name = function.global_name();
  const auto dot = name.rfind('.');
  const auto found =
      std::ranges::find(kPoolings, dot == std::string::npos ? name : name.substr(dot + 1), &PoolingRow::name);
  if (!name.starts_with("numpy.") || found == std::end(kPoolings))
    return unsupported_parameter(function,
                                 cat("the pooling function ", name.empty() ? function.describe() : name));
  TRY_ASSIGN(const View labels, estimator.attr("labels_"));
  program::PoolColumns op{.pooling = found->pooling};
  TRY_ASSIGN(op.groups, labels.int64s());
  std::int64_t groups = 0;
  for (const std::int64_t group : op.groups) groups = std::max(groups, group + 1);
  if (groups < 1 || groups > std::ssize(op.groups)) return inconsistent(labels, "not groups of columns");
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false));
  TRY_ASSIGN(const ValueId value, context.add(std::move(op), {x}));
  return transformed(context, estimator, value);
}

constexpr std::string_view kKMeans = "sklearn.cluster._kmeans sklearn.cluster.k_means_";

constexpr EstimatorRow kClusterRows[] = {
    {"KMeans", kKMeans, "cluster_centers_", lower_k_means},
    {"MiniBatchKMeans", kKMeans, "cluster_centers_", lower_k_means},
    {"BisectingKMeans", "sklearn.cluster._bisect_k_means", "cluster_centers_", lower_bisecting_k_means},
    {"MeanShift", "sklearn.cluster._mean_shift sklearn.cluster.mean_shift_", "cluster_centers_",
     lower_mean_shift},
    {"AffinityPropagation", "sklearn.cluster._affinity_propagation sklearn.cluster.affinity_propagation_",
     "cluster_centers_indices_", lower_affinity_propagation},
    {"Birch", "sklearn.cluster._birch sklearn.cluster.birch", "subcluster_centers_", lower_birch},
    {"FeatureAgglomeration",
     "sklearn.cluster._agglomerative sklearn.cluster._hierarchical sklearn.cluster.hierarchical", "labels_",
     lower_feature_agglomeration},
};

}  // namespace

std::span<const EstimatorRow> cluster_rows() {
  return kClusterRows;
}

}  // namespace wherry::sklearn
