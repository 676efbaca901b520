// Outliers: sklearn/ensemble/_iforest.py, sklearn/neighbors/_lof.py,
// sklearn/covariance/_elliptic_envelope.py.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "import/pickle/array.h"
#include "import/sklearn/lowerings.h"
#include "import/sklearn/neighbor_data.h"
#include "import/sklearn/tree_data.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using program::Function;
using tensor::Tensor;

// score_samples, decision_function (less offset_) and predict (1, or -1 where that is negative) of
// OutlierMixin.
Result<Fitted> outlier_answers(Context& context, const View& estimator, ValueId scores) {
  TRY_ASSIGN(const View offset_view, estimator.attr("offset_"));
  TRY_ASSIGN(const double offset, offset_view.as_double());
  TRY_ASSIGN(const ValueId decision,
             context.arithmetic(scores, program::Arithmetic::kSubtract, {offset}, "offset"));
  TRY_ASSIGN(const ValueId index, context.add(program::Above{.threshold = 0, .inclusive = true}, {decision}));
  const WeightId labels = context.weight("labels", Tensor::of({2}, std::vector<std::int64_t>{-1, 1}));
  TRY_ASSIGN(const ValueId predicted, context.add(program::TakeLabels{labels}, {index}));
  TRY_ASSIGN(const ValueId score_vector, context.flatten(scores));
  TRY_ASSIGN(const ValueId decision_vector, context.flatten(decision));
  Fitted fitted;
  fitted.predict = Answer{{predicted}, {}};
  fitted.decision_function = Answer{{decision_vector}, {}};
  fitted.score_samples = Answer{{score_vector}, {}};
  return fitted;
}

// _average_path_length
double average_path_length(double samples) {
  if (samples <= 1) return 0;
  if (samples == 2) return 1;
  return 2.0 * (std::log(samples - 1.0) + std::numbers::egamma) - 2.0 * (samples - 1.0) / samples;
}

// How many nodes there are from the root to each node, both included. Children come after their parents in
// scikit-learn's trees; what does not is left for Forest::append to refuse.
std::vector<double> path_lengths(const Tree& tree) {
  std::vector<double> out(tree.size(), 1);
  const auto size = static_cast<std::int64_t>(tree.size());
  for (std::int64_t i = 0; i < size; ++i)
    for (const std::int64_t child :
         {tree.left[static_cast<std::size_t>(i)], tree.right[static_cast<std::size_t>(i)]})
      if (child > i && child < size)
        out[static_cast<std::size_t>(child)] = out[static_cast<std::size_t>(i)] + 1;
  return out;
}

Result<std::vector<double>> node_samples(const View& member) {
  TRY_ASSIGN(const View tree, member.attr("tree_"));
  TRY_ASSIGN(const View nodes_view, tree.attr("nodes"));
  TRY_ASSIGN(const pickle::NdArray nodes, nodes_view.array());
  TRY_ASSIGN(const pickle::NdArray column, pickle::field(nodes, "n_node_samples", nodes_view.where()));
  return pickle::to_doubles(column, nodes_view.where());
}

// The list `attribute` of arrays per tree, if this version has it.
Result<std::vector<double>> stored_lengths(const View& estimator, std::string_view attribute,
                                           std::size_t tree, std::vector<double> otherwise) {
  const auto list = estimator.find(attribute);
  if (!list) return otherwise;
  TRY_ASSIGN(const View view, list->item(tree));
  TRY_ASSIGN(std::vector<double> values, view.doubles());
  if (values.size() != otherwise.size())
    return inconsistent(view, cat(values.size(), " numbers for ", otherwise.size(), " nodes"));
  return values;
}

Status append_tree(Context& context, const View& estimator, const View& member, std::size_t index,
                   const std::vector<std::int64_t>& features, Forest& forest) {
  TRY_ASSIGN(Tree tree, read_tree(context, member));
  for (std::int64_t& feature : tree.feature) {
    if (feature < 0) continue;
    if (feature >= std::ssize(features)) return inconsistent(member, cat("a split on feature ", feature));
    feature = features[static_cast<std::size_t>(feature)];
  }
  TRY_ASSIGN(const std::vector<double> samples, node_samples(member));
  if (samples.size() != tree.size()) return inconsistent(member, "node arrays of different lengths");
  std::vector<double> averages;
  for (const double count : samples) averages.push_back(average_path_length(count));
  TRY_ASSIGN(averages,
             stored_lengths(estimator, "_average_path_length_per_tree", index, std::move(averages)));
  TRY_ASSIGN(const std::vector<double> paths,
             stored_lengths(estimator, "_decision_path_lengths", index, path_lengths(tree)));
  return forest.append(tree, 0, member, [&](std::size_t node, std::vector<double>& out) {
    out[0] = paths[node] + averages[node] - 1.0;
  });
}

Result<Fitted> lower_isolation_forest(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View list, estimator.attr("estimators_"));
  TRY_ASSIGN(const std::vector<View> members, list.items());
  TRY_ASSIGN(const View subsets, estimator.attr("estimators_features_"));
  TRY_ASSIGN(const std::size_t subset_count, subsets.size());
  if (members.empty() || subset_count != members.size())
    return inconsistent(list, cat(members.size(), " trees on ", subset_count, " sets of features"));
  // Since 1.6 it takes any number.
  TRY_ASSIGN(const ValueId x, context.version().at_least(1, 6)
                                  ? context.numbers(input)
                                  : context.checked(input, short_class(estimator), false, true));
  Forest forest(1);
  for (std::size_t i = 0; i < members.size(); ++i) {
    TRY_ASSIGN(const View subset, subsets.item(i));
    TRY_ASSIGN(const std::vector<std::int64_t> features, subset.int64s());
    TRY(append_tree(context, estimator, members[i], i, features, forest));
  }
  TRY_ASSIGN(const View samples_view,
             estimator.attr(estimator.has("_max_samples") ? "_max_samples" : "max_samples_"));
  TRY_ASSIGN(const double samples, samples_view.as_double());
  const double divisor = static_cast<double>(members.size()) * average_path_length(samples);
  ValueId depth = 0;
  if (divisor > 0) {
    TRY_ASSIGN(depth, forest.finish(context, x, program::TreeInput::kFloat32, 1, divisor, {0}));
  } else {
    if (!context.version().at_least(1, 0))
      return unsupported_parameter(estimator, "max_samples=1, with which its scores are not numbers");
    TRY_ASSIGN(depth, context.add(program::Constant{context.vector("depth", {1})}, {x}));
  }
  TRY_ASSIGN(ValueId score, context.apply(depth, Function::kNegate));
  TRY_ASSIGN(score, context.apply(score, Function::kExp2));
  TRY_ASSIGN(score, context.apply(score, Function::kNegate));
  return outlier_answers(context, estimator, score);
}

Result<Fitted> lower_local_outlier_factor(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const bool novelty, flag(estimator, "novelty", false));
  if (!novelty)
    return base::fail(
        base::Code::kUnsupported, "sklearn.no_inference",
        cat(estimator.where(),
            " is a LocalOutlierFactor with novelty=False: it labels the rows it was fitted on and "
            "has no predict for new ones"),
        "fit it with novelty=True");
  TRY(refuse_float32(estimator, input));
  TRY_ASSIGN(const Neighborhood hood, read_neighborhood(context, estimator, input, short_class(estimator)));
  TRY_ASSIGN(const std::int64_t count, count_of(estimator, "n_neighbors_"));
  const auto rows = static_cast<std::size_t>(hood.rows);
  TRY_ASSIGN(std::vector<double> density, doubles_of(estimator, "_lrd", rows));
  TRY_ASSIGN(const View fitted_view, estimator.attr("_distances_fit_X_"));
  TRY_ASSIGN(const StoredMatrix fitted_distances, read_matrix(context, fitted_view));
  if (fitted_distances.rows != hood.rows || fitted_distances.columns < count)
    return inconsistent(fitted_view, cat("not the distances of ", rows, " rows to ", count, " neighbours"));
  std::vector<double> reach;
  for (std::size_t i = 0; i < rows; ++i)
    reach.push_back(fitted_distances.values[i * static_cast<std::size_t>(fitted_distances.columns) +
                                            static_cast<std::size_t>(count) - 1]);
  TRY_ASSIGN(const ValueId near, nearest_rows(context, estimator, hood, count));
  program::LocalOutliers op;
  op.reach = context.vector("reach", std::move(reach));
  op.density = context.vector("density", std::move(density));
  TRY_ASSIGN(const ValueId score, context.add(op, {near}));
  return outlier_answers(context, estimator, score);
}

// The square of the Mahalanobis distance to location_.
Result<Fitted> lower_elliptic_envelope(Context& context, const View& estimator, const Flow& input) {
  TRY(refuse_float32(estimator, input));
  const std::int64_t columns = context.width(input);
  TRY_ASSIGN(const bool stored, flag(estimator, "store_precision", true));
  if (!stored) return unsupported_parameter(estimator, "store_precision=False");
  TRY_ASSIGN(const View precision_view, estimator.attr("precision_"));
  TRY_ASSIGN(StoredMatrix precision, read_matrix(context, precision_view));
  if (precision.rows != columns || precision.columns != columns)
    return inconsistent(precision_view, cat("not a square matrix of ", columns, " columns"));
  TRY_ASSIGN(std::vector<double> location,
             doubles_of(estimator, "location_", static_cast<std::size_t>(columns)));
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false));
  program::Distances op;
  op.metric.kind = program::MetricKind::kMahalanobis;
  op.metric.has_values = true;
  op.metric.values = context.matrix("precision", columns, columns, std::move(precision.values));
  op.rows = context.matrix("location", 1, columns, std::move(location));
  TRY_ASSIGN(ValueId score, context.add(op, {x}));
  TRY_ASSIGN(score, context.apply(score, Function::kSquare));
  TRY_ASSIGN(score, context.apply(score, Function::kNegate));
  return outlier_answers(context, estimator, score);
}

constexpr EstimatorRow kOutliersRows[] = {
    {"IsolationForest", "sklearn.ensemble._iforest sklearn.ensemble.iforest", "estimators_",
     lower_isolation_forest},
    {"LocalOutlierFactor", "sklearn.neighbors._lof sklearn.neighbors.lof", "_fit_method",
     lower_local_outlier_factor},
    {"EllipticEnvelope", "sklearn.covariance._elliptic_envelope sklearn.covariance.elliptic_envelope",
     "location_", lower_elliptic_envelope},
};

}  // namespace

std::span<const EstimatorRow> outliers_rows() {
  return kOutliersRows;
}

}  // namespace wherry::sklearn
