// Nearest neighbours: sklearn/neighbors/_classification.py, _regression.py, _graph.py, _nearest_centroid.py,
// _nca.py.
#include <algorithm>
#include <cmath>
#include <limits>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/matrices.h"
#include "import/sklearn/neighbor_data.h"
#include "import/sklearn/predictions.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using program::Function;
using program::NeighborForm;
using program::NeighborWeights;
using program::OutlierVote;
using tensor::Tensor;

Result<NeighborWeights> weights_of(const View& estimator) {
  const auto view = estimator.find("weights");
  if (!view || view->is_none()) return NeighborWeights::kUniform;
  if (!view->is(pickle::Kind::kStr))
    return unsupported_parameter(*view, "a function of one's own as weights");
  TRY_ASSIGN(const std::string name, view->as_string());
  if (name == "uniform") return NeighborWeights::kUniform;
  if (name == "distance") return NeighborWeights::kDistance;
  return unsupported_parameter(*view, cat("weights=", base::quoted(name)));
}

struct Targets {
  std::vector<Labels> labels;   // per output
  std::vector<WeightId> codes;  // int32 [rows] per output
};

Result<Targets> read_targets(Context& context, const View& estimator, std::int64_t rows) {
  Targets out;
  TRY_ASSIGN(const bool several, flag(estimator, "outputs_2d_", false));
  TRY_ASSIGN(const View y, estimator.attr("_y"));
  TRY_ASSIGN(const pickle::NdArray array, y.array());
  const std::int64_t outputs = several && array.shape.size() == 2 ? array.shape[1] : 1;
  if (outputs < 1 || static_cast<std::int64_t>(array.count) != rows * outputs || array.shape[0] != rows)
    return inconsistent(y, cat(array.describe(), " for ", rows, " rows"));
  TRY(context.charge(y, array.count));
  TRY_ASSIGN(const std::vector<std::int64_t> codes, y.int64s());
  TRY_ASSIGN(const View classes, estimator.attr("classes_"));
  TRY_ASSIGN(out.labels, labels_per_output(classes, static_cast<std::size_t>(outputs)));
  for (std::int64_t k = 0; k < outputs; ++k) {
    std::vector<std::int32_t> own;
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int64_t code = codes[static_cast<std::size_t>(i * outputs + k)];
      if (code < 0 || code >= std::ssize(out.labels[static_cast<std::size_t>(k)].names))
        return inconsistent(y, cat("no class ", code));
      own.push_back(static_cast<std::int32_t>(code));
    }
    out.codes.push_back(context.weight("labels", Tensor::of({rows}, std::move(own))));
  }
  return out;
}

// Votes of all outputs, and of one of them what predict and predict_proba answer.
struct Ballots {
  std::vector<ValueId> predicted, probabilities;
};

Fitted answers(const Ballots& ballots, const std::vector<Labels>& labels, ValueId predicted) {
  Fitted fitted;
  fitted.predict = Answer{{predicted}, {}};
  fitted.predict_proba = Answer{ballots.probabilities, {}};
  if (labels.size() == 1) fitted.predict_proba->labels = labels[0].names;
  return fitted;
}

Result<Fitted> finish(Context& context, const View& estimator, const Ballots& ballots,
                      const std::vector<Labels>& labels) {
  TRY_ASSIGN(const bool several, flag(estimator, "outputs_2d_", false));
  if (!several) return answers(ballots, labels, ballots.predicted[0]);
  TRY_ASSIGN(const ValueId stacked, context.add(program::StackLabels{}, ballots.predicted));
  return answers(ballots, labels, stacked);
}

Result<Fitted> lower_k_classifier(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Neighborhood hood, read_neighborhood(context, estimator, input, short_class(estimator)));
  TRY_ASSIGN(const std::int64_t count, count_of(estimator, "n_neighbors"));
  TRY_ASSIGN(const NeighborWeights weights, weights_of(estimator));
  TRY_ASSIGN(const Targets targets, read_targets(context, estimator, hood.rows));
  TRY_ASSIGN(const ValueId near, nearest_rows(context, estimator, hood, count));
  Ballots ballots;
  for (std::size_t k = 0; k < targets.labels.size(); ++k) {
    program::NeighborVotes op{.weights = weights,
                              .classes = static_cast<std::int64_t>(targets.labels[k].size()),
                              .labels = targets.codes[k]};
    if (context.version().at_least(1, 4)) op.outliers = OutlierVote::kRefuse;
    TRY_ASSIGN(const ValueId proba, context.add(op, {near}));
    op.normalize = false;
    TRY_ASSIGN(const ValueId votes,
               weights == NeighborWeights::kUniform ? Result<ValueId>(proba) : context.add(op, {near}));
    TRY_ASSIGN(const Answer predicted, predict_argmax(context, votes, targets.labels[k], estimator));
    ballots.predicted.push_back(predicted.values[0]);
    ballots.probabilities.push_back(proba);
  }
  return finish(context, estimator, ballots, targets.labels);
}

// The labels of an output, and after them that of outliers.
Result<Labels> with_outlier(const View& estimator, const Labels& own, const View& outlier) {
  Labels out = own;
  const auto size = static_cast<std::int64_t>(own.size()) + 1;
  const auto append = [&](auto values, auto value) {
    std::vector<decltype(value)> all(values.begin(), values.end());
    all.push_back(std::move(value));
    return all;
  };
  switch (own.values.dtype()) {
    case tensor::DType::kInt64: {
      TRY_ASSIGN(const std::int64_t label, outlier.as_int());
      out.values = Tensor::of({size}, append(own.values.as<std::int64_t>(), label));
      break;
    }
    case tensor::DType::kFloat64: {
      TRY_ASSIGN(const double label, outlier.as_double());
      out.values = Tensor::of({size}, append(own.values.as<double>(), label));
      break;
    }
    case tensor::DType::kString: {
      TRY_ASSIGN(std::string label, outlier.as_string());
      std::vector<std::string> all = own.names;
      all.push_back(std::move(label));
      out.values = Tensor::of_strings({size}, all);
      break;
    }
    default:
      return unsupported_parameter(estimator, "a label for outliers among classes of this type");
  }
  out.names.emplace_back("outlier");
  return out;
}

// How RadiusNeighborsClassifier takes rows without neighbours in one output.
struct Outliers {
  OutlierVote vote = OutlierVote::kRefuse;
  std::int64_t label = 0;  // index among the classes
  std::optional<View> value;
};

// Equality of an outlier label with a class, as text.
Result<std::string> text_of(const View& value) {
  TRY_ASSIGN(const tensor::CellValue cell_value, cell(value));
  if (const auto* text = std::get_if<std::string>(&cell_value)) return *text;
  if (const auto* number = std::get_if<double>(&cell_value)) return cat(*number);
  return std::string("None");
}

Result<Outliers> read_outliers(const View& estimator, const Labels& labels, std::size_t k, bool reduction,
                               bool at_least_1_9) {
  Outliers out;
  TRY_ASSIGN(const View list, estimator.attr("outlier_label_"));
  if (list.is_none()) return out;
  TRY_ASSIGN(const View value, list.item(k));
  out.value = value;
  out.vote = OutlierVote::kNone;
  TRY_ASSIGN(const View parameter, estimator.attr("outlier_label"));
  const auto number = parameter.as_int();
  if (reduction && !number) return out;  // RadiusNeighborsClassMode knows integers only
  if (reduction && at_least_1_9) {       // and compares them with the numbers of the classes
    if (*number < 0 || *number >= static_cast<std::int64_t>(labels.size())) return out;
    out.vote = OutlierVote::kClass;
    out.label = *number;
    return out;
  }
  TRY_ASSIGN(const std::string wanted, text_of(value));
  const bool numeric = labels.values.dtype() == tensor::DType::kFloat64;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const bool same = numeric ? cat(labels.values.as<double>()[i]) == wanted : labels.names[i] == wanted;
    if (!same) continue;
    out.vote = OutlierVote::kClass;
    out.label = static_cast<std::int64_t>(i);
  }
  return out;
}

Result<Fitted> lower_radius_classifier(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Neighborhood hood, read_neighborhood(context, estimator, input, short_class(estimator)));
  TRY_ASSIGN(const NeighborWeights weights, weights_of(estimator));
  TRY_ASSIGN(const Targets targets, read_targets(context, estimator, hood.rows));
  TRY_ASSIGN(const ValueId near, rows_within(context, estimator, hood));
  TRY_ASSIGN(const bool several, flag(estimator, "outputs_2d_", false));
  const bool reduction = weights == NeighborWeights::kUniform && !several &&
                         hood.choice == program::NeighborChoice::kHeap && !hood.metric.expanded &&
                         context.version().at_least(1, 4);
  Ballots ballots;
  for (std::size_t k = 0; k < targets.labels.size(); ++k) {
    TRY_ASSIGN(const Outliers outliers,
               read_outliers(estimator, targets.labels[k], k, reduction, context.version().at_least(1, 9)));
    program::NeighborVotes op{.form = NeighborForm::kTable,
                              .weights = weights,
                              .outliers = outliers.vote,
                              .outlier = outliers.label,
                              .classes = static_cast<std::int64_t>(targets.labels[k].size()),
                              .labels = targets.codes[k]};
    TRY_ASSIGN(const ValueId proba, context.add(op, {near}));
    ballots.probabilities.push_back(proba);
    Labels labels = targets.labels[k];
    ValueId votes = proba;
    if (outliers.vote == OutlierVote::kNone) {
      TRY_ASSIGN(labels, with_outlier(estimator, labels, *outliers.value));
      op.outlier_column = true;
      TRY_ASSIGN(votes, context.add(op, {near}));
    }
    TRY_ASSIGN(const Answer predicted, predict_argmax(context, votes, labels, estimator));
    ballots.predicted.push_back(predicted.values[0]);
  }
  return finish(context, estimator, ballots, targets.labels);
}

struct RegressionTargets {
  WeightId weight;
  bool is_vector = false;
  bool integers = false;
};

Result<RegressionTargets> read_regression(Context& context, const View& estimator, std::int64_t rows) {
  TRY_ASSIGN(const View y, estimator.attr("_y"));
  TRY_ASSIGN(const pickle::NdArray array, y.array());
  if (array.shape.empty() || array.shape.size() > 2 || array.shape[0] != rows || array.count == 0)
    return inconsistent(y, cat(array.describe(), " for ", rows, " rows"));
  TRY(context.charge(y, array.count));
  if (array.dtype->kind == 'f' && array.dtype->itemsize == 4)
    return unsupported_parameter(y, "targets of float32, whose mean numpy computes in float32");
  TRY_ASSIGN(std::vector<double> values, y.doubles());
  RegressionTargets out{.is_vector = array.shape.size() == 1, .integers = array.dtype->kind != 'f'};
  out.weight =
      context.matrix("targets", rows, static_cast<std::int64_t>(array.count) / rows, std::move(values));
  return out;
}

Result<Fitted> lower_k_regressor(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Neighborhood hood, read_neighborhood(context, estimator, input, short_class(estimator)));
  TRY_ASSIGN(const std::int64_t count, count_of(estimator, "n_neighbors"));
  TRY_ASSIGN(const NeighborWeights weights, weights_of(estimator));
  TRY_ASSIGN(const RegressionTargets targets, read_regression(context, estimator, hood.rows));
  TRY_ASSIGN(const ValueId near, nearest_rows(context, estimator, hood, count));
  TRY_ASSIGN(const ValueId mean,
             context.add(program::NeighborMean{.weights = weights, .targets = targets.weight}, {near}));
  return regression(context, mean, targets.is_vector);
}

Result<Fitted> lower_radius_regressor(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Neighborhood hood, read_neighborhood(context, estimator, input, short_class(estimator)));
  TRY_ASSIGN(const NeighborWeights weights, weights_of(estimator));
  TRY_ASSIGN(const RegressionTargets targets, read_regression(context, estimator, hood.rows));
  TRY_ASSIGN(const ValueId near, rows_within(context, estimator, hood));
  // numpy.full_like(_y[0], nan)
  const double empty = targets.integers ? -0x1p63 : std::numeric_limits<double>::quiet_NaN();
  TRY_ASSIGN(const ValueId mean, context.add(program::NeighborMean{.form = NeighborForm::kTable,
                                                                   .weights = weights,
                                                                   .empty = empty,
                                                                   .targets = targets.weight},
                                             {near}));
  return regression(context, mean, targets.is_vector);
}

Result<Fitted> graph(Context& context, const View& estimator, const Neighborhood& hood, ValueId near,
                     NeighborForm form) {
  TRY_ASSIGN(const std::string mode, word(estimator, "mode", "distance"));
  TRY_ASSIGN(const ValueId value, context.add(program::NeighborGraph{.form = form,
                                                                     .connectivity = mode == "connectivity",
                                                                     .rows = hood.rows},
                                              {near}));
  return transformed(context, estimator, value, true);
}

Result<Fitted> lower_k_transformer(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Neighborhood hood, read_neighborhood(context, estimator, input, short_class(estimator)));
  TRY_ASSIGN(const std::int64_t count, count_of(estimator, "n_neighbors"));
  TRY_ASSIGN(const std::string mode, word(estimator, "mode", "distance"));
  TRY_ASSIGN(const ValueId near,
             nearest_rows(context, estimator, hood, count + (mode == "distance" ? 1 : 0)));
  return graph(context, estimator, hood, near, NeighborForm::kList);
}

Result<Fitted> lower_radius_transformer(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Neighborhood hood, read_neighborhood(context, estimator, input, short_class(estimator)));
  TRY_ASSIGN(const ValueId near, rows_within(context, estimator, hood));
  return graph(context, estimator, hood, near, NeighborForm::kTable);
}

// NearestCentroid._decision_function
Result<ValueId> discriminants(Context& context, const View& estimator, ValueId x, StoredMatrix centroids,
                              program::Metric metric) {
  TRY_ASSIGN(std::vector<double> scale,
             doubles_of(estimator, "within_class_std_dev_", static_cast<std::size_t>(centroids.columns)));
  for (double& value : scale)
    if (value == 0) value = 1;
  TRY_ASSIGN(std::vector<double> priors,
             doubles_of(estimator, "class_prior_", static_cast<std::size_t>(centroids.rows)));
  for (double& prior : priors) prior = 2.0 * std::log(prior);
  for (std::size_t i = 0; i < centroids.values.size(); ++i) centroids.values[i] /= scale[i % scale.size()];
  TRY_ASSIGN(const ValueId scaled,
             context.arithmetic(x, program::Arithmetic::kDivide, std::move(scale), "scale"));
  const WeightId rows =
      context.matrix("centroids", centroids.rows, centroids.columns, std::move(centroids.values));
  TRY_ASSIGN(ValueId value, context.add(program::Distances{.metric = metric, .rows = rows}, {scaled}));
  TRY_ASSIGN(value, context.apply(value, Function::kSquare));
  TRY_ASSIGN(value, context.apply(value, Function::kNegate));
  return context.arithmetic(value, program::Arithmetic::kAdd, std::move(priors), "priors");
}

Result<Fitted> lower_nearest_centroid(Context& context, const View& estimator, const Flow& input) {
  TRY(refuse_float32(estimator, input));
  TRY_ASSIGN(const View centroids_view, estimator.attr("centroids_"));
  TRY_ASSIGN(StoredMatrix centroids, read_matrix(context, centroids_view));
  TRY_ASSIGN(const View classes, estimator.attr("classes_"));
  TRY_ASSIGN(const Labels own, labels(classes));
  if (centroids.columns != context.width(input) || centroids.rows != static_cast<std::int64_t>(own.size()))
    return inconsistent(centroids_view, "not one row of the input's columns per class");
  const auto metric_view = estimator.find("metric");
  if (metric_view && !metric_view->is(pickle::Kind::kStr))
    return unsupported_parameter(*metric_view, "a function of one's own as metric");
  TRY_ASSIGN(const std::string name, word(estimator, "metric", "euclidean"));
  TRY_ASSIGN(program::Metric metric, read_metric(context, estimator, name, nullptr, centroids.columns));
  metric.expanded = metric.kind == program::MetricKind::kEuclidean;
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false));
  Fitted fitted;
  bool uniform = true;
  if (estimator.has("class_prior_")) {
    TRY_ASSIGN(const std::vector<double> priors, doubles_of(estimator, "class_prior_", own.size()));
    const double even = 1.0 / static_cast<double>(own.size());
    uniform = std::ranges::all_of(
        priors, [even](double prior) { return std::abs(prior - even) <= 1e-8 + 1e-5 * even; });
    TRY_ASSIGN(const ValueId scores, discriminants(context, estimator, x, centroids, metric));
    if (!uniform) {
      TRY_ASSIGN(fitted.predict, predict_argmax(context, scores, own, estimator));
    }
    if (metric.kind == program::MetricKind::kEuclidean) {
      TRY_ASSIGN(const ValueId proba, context.add(program::Softmax{.via_log = true}, {scores}));
      fitted.predict_proba = Answer{{proba}, own.names};
      fitted.decision_function = Answer{{scores}, own.names};
      if (own.size() == 2) {
        TRY_ASSIGN(const ValueId second, context.select(scores, {1}));
        TRY_ASSIGN(const ValueId first, context.select(scores, {0}));
        TRY_ASSIGN(ValueId difference,
                   context.add(program::Elementwise{program::Arithmetic::kSubtract}, {second, first}));
        TRY_ASSIGN(difference, context.flatten(difference));
        fitted.decision_function = Answer{{difference}, {}};
      }
    }
  }
  if (uniform) {
    const WeightId rows =
        context.matrix("centroids", centroids.rows, centroids.columns, std::move(centroids.values));
    const bool squared = metric.expanded && context.version().at_least(1, 2);
    TRY_ASSIGN(ValueId value,
               context.add(program::Distances{.metric = metric, .squared = squared, .rows = rows}, {x}));
    TRY_ASSIGN(value, context.apply(value, Function::kNegate));
    TRY_ASSIGN(fitted.predict, predict_argmax(context, value, own, estimator));
  }
  return fitted;
}

Result<Fitted> lower_nca(Context& context, const View& estimator, const Flow& input) {
  TRY(refuse_float32(estimator, input));
  TRY_ASSIGN(const View view, estimator.attr("components_"));
  TRY_ASSIGN(StoredMatrix components, read_matrix(context, view));
  if (components.columns != context.width(input)) return inconsistent(view, "not one column per column");
  const std::int64_t outputs = components.rows;
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false));
  program::Linear op;
  op.coefficients = context.matrix("components", outputs, components.columns, std::move(components.values));
  op.intercept = context.vector("zero", std::vector<double>(static_cast<std::size_t>(outputs)));
  TRY_ASSIGN(const ValueId value, context.add(op, {x}));
  return transformed(context, estimator, value);
}

constexpr std::string_view kClassification =
    "sklearn.neighbors._classification sklearn.neighbors.classification";
constexpr std::string_view kRegression = "sklearn.neighbors._regression sklearn.neighbors.regression";

constexpr EstimatorRow kNeighborsRows[] = {
    {"KNeighborsClassifier", kClassification, "_fit_method", lower_k_classifier},
    {"RadiusNeighborsClassifier", kClassification, "_fit_method", lower_radius_classifier},
    {"KNeighborsRegressor", kRegression, "_fit_method", lower_k_regressor},
    {"RadiusNeighborsRegressor", kRegression, "_fit_method", lower_radius_regressor},
    {"KNeighborsTransformer", "sklearn.neighbors._graph", "_fit_method", lower_k_transformer},
    {"RadiusNeighborsTransformer", "sklearn.neighbors._graph", "_fit_method", lower_radius_transformer},
    {"NearestCentroid", "sklearn.neighbors._nearest_centroid sklearn.neighbors.nearest_centroid",
     "centroids_", lower_nearest_centroid},
    {"NeighborhoodComponentsAnalysis", "sklearn.neighbors._nca sklearn.neighbors.nca", "components_",
     lower_nca},
};

}  // namespace

std::span<const EstimatorRow> neighbors_rows() {
  return kNeighborsRows;
}

}  // namespace wherry::sklearn
