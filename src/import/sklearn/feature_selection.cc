// Feature selection: sklearn/feature_selection/_base.py, _variance_threshold.py, _univariate_selection.py,
// _from_model.py, _rfe.py, _sequential.py.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/numbers.h"
#include "import/sklearn/importances.h"
#include "import/sklearn/lowerings.h"
#include "import/sklearn/tree_data.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using Mask = std::vector<bool>;
using Numbers = std::vector<double>;

// SelectorMixin.transform
Result<Flow> selected(Context& context, const View& estimator, const Flow& input, const Mask& mask,
                      bool allow_nan) {
  if (static_cast<std::int64_t>(mask.size()) != context.width(input))
    return inconsistent(
        estimator, cat("a choice among ", mask.size(), " columns where ", context.width(input), " belong"));
  // force_all_finite=not allow_nan: infinities pass with NaN.
  TRY_ASSIGN(const ValueId x,
             allow_nan ? context.numbers(input, Layout::kAny)
                       : context.checked(input, short_class(estimator), false, false, Layout::kAny));
  std::vector<std::int64_t> kept;
  Flow out{.sparse = input.sparse, .float32 = input.float32};
  for (std::size_t j = 0; j < mask.size(); ++j) {
    if (!mask[j]) continue;
    kept.push_back(static_cast<std::int64_t>(j));
    out.sources.push_back(j < input.sources.size() ? input.sources[j] : -1);
    if (!input.names.empty()) out.names.push_back(input.names[j]);
  }
  TRY_ASSIGN(out.value, context.select(x, std::move(kept)));
  return out;
}

Result<Fitted> selector(Context& context, const View& estimator, const Flow& input, const Mask& mask,
                        bool allow_nan) {
  Fitted fitted;
  TRY_ASSIGN(fitted.transform, selected(context, estimator, input, mask, allow_nan));
  return fitted;
}

Result<Fitted> lower_variance_threshold(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Numbers variances,
             doubles_of(estimator, "variances_", static_cast<std::size_t>(context.width(input))));
  TRY_ASSIGN(const double threshold, number(estimator, "threshold"));
  Mask mask;
  for (const double variance : variances) mask.push_back(variance > threshold);
  return selector(context, estimator, input, mask, true);
}

// --- univariate --------------------------------------------------------------------------------------------

// numpy.argsort(kind='mergesort'): stable, NaN last.
std::vector<std::size_t> sorted_positions(const Numbers& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return values[a] < values[b] || (std::isnan(values[b]) && !std::isnan(values[a]));
  });
  return order;
}

Result<Numbers> clean_scores(const View& estimator, std::size_t width) {
  TRY_ASSIGN(Numbers scores, doubles_of(estimator, "scores_", width));
  for (double& score : scores)
    if (std::isnan(score)) score = std::numeric_limits<double>::lowest();
  return scores;
}

Result<Mask> best_k(const View& estimator, const View& parameter, std::size_t width) {
  if (parameter.is(pickle::Kind::kStr)) return Mask(width, true);  // "all"
  TRY_ASSIGN(const std::int64_t k, parameter.as_int());
  TRY_ASSIGN(const Numbers scores, clean_scores(estimator, width));
  Mask mask(width, false);
  const std::vector<std::size_t> order = sorted_positions(scores);
  const auto count =
      static_cast<std::size_t>(std::clamp<std::int64_t>(k, 0, static_cast<std::int64_t>(width)));
  for (std::size_t i = width - count; i < width; ++i) mask[order[i]] = true;
  return mask;
}

// numpy.percentile with linear interpolation.
double percentile_of(Numbers values, double percent) {
  std::ranges::sort(values);
  const double at = static_cast<double>(values.size() - 1) * (percent / 100);
  const double below = std::floor(at);
  const auto i = static_cast<std::size_t>(below);
  if (i + 1 >= values.size()) return values.back();
  const double t = at - below;
  const double difference = values[i + 1] - values[i];
  return t >= 0.5 ? values[i + 1] - difference * (1 - t) : values[i] + difference * t;
}

Result<Mask> best_percentile(const View& estimator, const View& parameter, std::size_t width) {
  TRY_ASSIGN(const double percentile, parameter.as_double());
  if (!(percentile >= 0 && percentile <= 100)) return inconsistent(parameter, "not between 0 and 100");
  if (percentile == 100) return Mask(width, true);
  Mask mask(width, false);
  if (percentile == 0 || width == 0) return mask;
  TRY_ASSIGN(const Numbers scores, clean_scores(estimator, width));
  const double threshold = percentile_of(scores, 100 - percentile);
  std::int64_t left = static_cast<std::int64_t>(static_cast<double>(width) * percentile / 100);
  for (std::size_t j = 0; j < width; ++j) {
    mask[j] = scores[j] > threshold;
    left -= mask[j] ? 1 : 0;
  }
  // ties[:left] of Python: a negative number leaves that many out.
  std::vector<std::size_t> ties;
  for (std::size_t j = 0; j < width; ++j)
    if (scores[j] == threshold) ties.push_back(j);
  const auto count = static_cast<std::int64_t>(ties.size());
  const std::int64_t kept = left >= 0 ? std::min(left, count) : std::max<std::int64_t>(count + left, 0);
  for (std::int64_t i = 0; i < kept; ++i) mask[ties[static_cast<std::size_t>(i)]] = true;
  return mask;
}

enum class PValues { kFpr, kFdr, kFwe };

Result<Mask> below_alpha(const View& estimator, const View& parameter, std::size_t width, PValues method) {
  TRY_ASSIGN(const double alpha, parameter.as_double());
  TRY_ASSIGN(const Numbers p, doubles_of(estimator, "pvalues_", width));
  Mask mask;
  if (method != PValues::kFdr) {
    const double bound = method == PValues::kFwe ? alpha / static_cast<double>(width) : alpha;
    for (const double value : p) mask.push_back(value < bound);
    return mask;
  }
  Numbers sorted = p;
  std::ranges::sort(sorted, [](double a, double b) { return a < b || (std::isnan(b) && !std::isnan(a)); });
  double largest = -INFINITY;
  const double step = alpha / static_cast<double>(width);
  for (std::size_t i = 0; i < sorted.size(); ++i)
    if (sorted[i] <= step * static_cast<double>(i + 1)) largest = sorted[i];
  for (const double value : p) mask.push_back(value <= largest);
  return mask;
}

Result<Mask> univariate_mask(const View& estimator, std::string_view mode, const View& parameter,
                             std::size_t width) {
  if (mode == "k_best") return best_k(estimator, parameter, width);
  if (mode == "percentile") return best_percentile(estimator, parameter, width);
  if (mode == "fpr") return below_alpha(estimator, parameter, width, PValues::kFpr);
  if (mode == "fdr") return below_alpha(estimator, parameter, width, PValues::kFdr);
  if (mode == "fwe") return below_alpha(estimator, parameter, width, PValues::kFwe);
  return unsupported_parameter(estimator, cat("mode=", base::quoted(mode)));
}

Result<Fitted> lower_univariate(Context& context, const View& estimator, const Flow& input) {
  struct Mode {
    std::string_view name, mode, parameter;
  };
  constexpr Mode kModes[] = {{"SelectKBest", "k_best", "k"}, {"SelectPercentile", "percentile", "percentile"},
                             {"SelectFpr", "fpr", "alpha"},  {"SelectFdr", "fdr", "alpha"},
                             {"SelectFwe", "fwe", "alpha"},  {"GenericUnivariateSelect", "", "param"}};
  const auto row = std::ranges::find(kModes, short_class(estimator), &Mode::name);
  if (row == std::end(kModes)) return inconsistent(estimator, "another class");
  std::string mode(row->mode);
  if (mode.empty()) {
    TRY_ASSIGN(mode, word(estimator, "mode", "percentile"));
  }
  TRY_ASSIGN(const View parameter, estimator.attr(row->parameter));
  TRY_ASSIGN(const Mask mask,
             univariate_mask(estimator, mode, parameter, static_cast<std::size_t>(context.width(input))));
  return selector(context, estimator, input, mask, false);
}

// --- from a model ------------------------------------------------------------------------------------------

bool is_one(const View& estimator, std::string_view attribute) {
  const auto view = estimator.find(attribute);
  if (!view || view->is_none()) return false;
  const auto values = view->doubles();
  const auto single = view->as_double();
  const auto close = [](double x) { return std::abs(x - 1.0) <= 1e-8 + 1e-5; };
  if (single) return close(*single);
  return values && !values->empty() && std::ranges::all_of(*values, close);
}

// Whether the estimator's default threshold is 1e-5.
bool is_sparse_model(const Context& context, const View& estimator) {
  const std::string name = short_class(estimator);
  const auto penalty = estimator.find("penalty");
  if (penalty && penalty->is(pickle::Kind::kStr) && (*penalty)->text() == "l1") return true;
  if (name.find("Lasso") != std::string::npos) return true;
  const Version version = context.version();
  if (!version.at_least(1, 1)) return false;
  if (!version.at_least(1, 7))
    return name.find("ElasticNet") != std::string::npos &&
           (is_one(estimator, "l1_ratio_") || is_one(estimator, "l1_ratio"));
  if (name == "ElasticNet") return is_one(estimator, "l1_ratio");
  if (name == "ElasticNetCV") return is_one(estimator, "l1_ratio_");
  if (!version.at_least(1, 8)) return false;
  if (name == "LogisticRegression") return is_one(estimator, "l1_ratio");
  return name == "LogisticRegressionCV" && is_one(estimator, "l1_ratio_");
}

double median_of(Numbers values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double mean_of(const Numbers& values) {
  return pairwise_sum(values) / static_cast<double>(values.size());
}

// _calculate_threshold
Result<double> threshold_of(const Context& context, const View& selector_view, const View& estimator,
                            const Numbers& importances) {
  const auto view = selector_view.find("threshold");
  std::string text;
  if (!view || view->is_none()) {
    if (is_sparse_model(context, estimator)) return 1e-5;
    text = "mean";
  } else if (!view->is(pickle::Kind::kStr)) {
    return view->as_double();
  } else {
    text = (*view)->text();
  }
  double scale = 1;
  const bool scaled = text.find('*') != std::string::npos;
  if (scaled) {
    const auto star = text.find('*');
    const auto number = base::parse_python_float(text.substr(0, star));
    if (!number) return inconsistent(*view, "a factor that is no number");
    scale = *number;
    text = text.substr(star + 1);
    std::erase(text, ' ');
  }
  if (text != "mean" && text != "median")
    return unsupported_parameter(selector_view, cat("threshold=", base::quoted(text)));
  const double reference = text == "mean" ? mean_of(importances) : median_of(importances);
  return scaled ? scale * reference : reference;
}

Result<std::optional<std::int64_t>> most_features(const View& estimator) {
  if (is_none_or_absent(estimator, "max_features")) return std::optional<std::int64_t>();
  auto view = estimator.find("max_features_");  // what a function said when fitted
  if (!view) view = estimator.find("max_features");
  TRY_ASSIGN(const std::int64_t most, view->as_int());
  return std::optional(most);
}

Result<Fitted> lower_select_from_model(Context& context, const View& estimator, const Flow& input) {
  const auto fitted_estimator = estimator.find("estimator_");
  TRY_ASSIGN(const View given, estimator.attr("estimator"));
  const View& model = fitted_estimator ? *fitted_estimator : given;
  const auto getter = estimator.find("importance_getter");
  if (getter && !getter->is(pickle::Kind::kStr))
    return unsupported_parameter(*getter, "a function of one's own");
  TRY_ASSIGN(const std::string attribute, word(estimator, "importance_getter", "auto"));
  TRY_ASSIGN(const double order, number(estimator, "norm_order"));
  TRY_ASSIGN(const Numbers scores,
             feature_importances(context, model, attribute, order, context.width(input)));
  if (scores.empty()) return inconsistent(estimator, "no columns to choose from");
  TRY_ASSIGN(const double threshold, threshold_of(context, estimator, model, scores));
  TRY_ASSIGN(const auto most, most_features(estimator));
  Mask mask(scores.size(), !most.has_value());
  if (most) {
    Numbers negated;
    for (const double score : scores) negated.push_back(-score);
    const std::vector<std::size_t> order_of = sorted_positions(negated);
    const auto size = static_cast<std::int64_t>(scores.size());
    const std::int64_t count = *most >= 0 ? std::min(*most, size) : std::max<std::int64_t>(size + *most, 0);
    for (std::int64_t i = 0; i < count; ++i) mask[order_of[static_cast<std::size_t>(i)]] = true;
  }
  for (std::size_t j = 0; j < scores.size(); ++j)
    if (scores[j] < threshold) mask[j] = false;
  return selector(context, estimator, input, mask, allows_nan(context, given));
}

// --- by elimination ----------------------------------------------------------------------------------------

Result<Mask> support_of(const View& estimator) {
  TRY_ASSIGN(const View view, estimator.attr("support_"));
  return view.bools();
}

Result<Fitted> lower_sequential(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Mask mask, support_of(estimator));
  const auto inner = estimator.find("estimator");
  return selector(context, estimator, input, mask, inner && allows_nan(context, *inner));
}

// predict and its relatives are those of estimator_ on the columns that are left.
Result<Fitted> lower_rfe(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Mask mask, support_of(estimator));
  TRY_ASSIGN(const View inner, estimator.attr("estimator_"));
  TRY_ASSIGN(Flow flow, selected(context, estimator, input, mask, allows_nan(context, inner)));
  TRY_ASSIGN(Fitted fitted, lower_estimator(context, inner, flow));
  fitted.transform = std::move(flow);
  fitted.score_samples.reset();
  return fitted;
}

constexpr std::string_view kUnivariate =
    "sklearn.feature_selection._univariate_selection sklearn.feature_selection.univariate_selection";
constexpr std::string_view kRfe = "sklearn.feature_selection._rfe sklearn.feature_selection.rfe";

constexpr EstimatorRow kFeatureSelectionRows[] = {
    {"VarianceThreshold",
     "sklearn.feature_selection._variance_threshold sklearn.feature_selection.variance_threshold",
     "variances_", lower_variance_threshold},
    {"SelectKBest", kUnivariate, "scores_", lower_univariate},
    {"SelectPercentile", kUnivariate, "scores_", lower_univariate},
    {"SelectFpr", kUnivariate, "scores_", lower_univariate},
    {"SelectFdr", kUnivariate, "scores_", lower_univariate},
    {"SelectFwe", kUnivariate, "scores_", lower_univariate},
    {"GenericUnivariateSelect", kUnivariate, "scores_", lower_univariate},
    {"SelectFromModel", "sklearn.feature_selection._from_model sklearn.feature_selection.from_model", "",
     lower_select_from_model, "estimator_", nullptr, "estimator_ estimator"},
    {"RFE", kRfe, "support_", lower_rfe, "estimator_"},
    {"RFECV", kRfe, "support_", lower_rfe, "estimator_"},
    {"SequentialFeatureSelector", "sklearn.feature_selection._sequential", "support_", lower_sequential},
};

}  // namespace

std::span<const EstimatorRow> feature_selection_rows() {
  return kFeatureSelectionRows;
}

}  // namespace wherry::sklearn
