// sklearn/naive_bayes.py
#include <cmath>
#include <numbers>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/matrices.h"
#include "import/sklearn/predictions.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using pickle::Matrix;

Result<Labels> classes_of(const View& estimator) {
  TRY_ASSIGN(const View classes, estimator.attr("classes_"));
  return labels(classes);
}

// _BaseNB: predict is the largest joint log likelihood, predict_proba exp(jll - logsumexp(jll)).
Result<Fitted> from_likelihood(Context& context, const View& estimator, ValueId likelihood,
                               const Labels& classes) {
  Fitted fitted;
  TRY_ASSIGN(fitted.predict, predict_argmax(context, likelihood, classes, estimator));
  TRY_ASSIGN(const ValueId proba, context.add(program::Softmax{.via_log = true}, {likelihood}));
  fitted.predict_proba = Answer{{proba}, classes.names};
  return fitted;
}

// -0.5 * Σ log(2 π variance) in the type the variances have, and log(class_prior_) in that of the priors.
template <class T>
double gaussian_constant(const double* variance, std::size_t width) {
  T sum = 0;
  for (std::size_t j = 0; j < width; ++j)
    sum += std::log(static_cast<T>(2.0 * std::numbers::pi) * static_cast<T>(variance[j]));
  return static_cast<T>(-0.5) * sum;
}

Result<Fitted> lower_gaussian(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Labels classes, classes_of(estimator));
  TRY_ASSIGN(const ValueId x, checked_float64(context, estimator, input));
  const auto count = static_cast<std::int64_t>(classes.size());
  const std::int64_t width = context.width(input);
  TRY_ASSIGN(Matrix mean, matrix_of(context, estimator, "theta_", count, width));
  const std::string_view variances = estimator.has("var_") ? "var_" : "sigma_";  // renamed in 1.0
  TRY_ASSIGN(Matrix variance, matrix_of(context, estimator, variances, count, width));
  TRY_ASSIGN(std::vector<double> prior, doubles_of(estimator, "class_prior_", classes.size()));
  TRY_ASSIGN(const View variance_view, estimator.attr(variances));
  TRY_ASSIGN(const View prior_view, estimator.attr("class_prior_"));
  const bool float32 = is_float32_array(variance_view);
  const bool float32_prior = is_float32_array(prior_view);
  std::vector<double> constants;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const double* row = variance.values.data() + c * static_cast<std::size_t>(width);
    constants.push_back(float32 ? gaussian_constant<float>(row, static_cast<std::size_t>(width))
                                : gaussian_constant<double>(row, static_cast<std::size_t>(width)));
    prior[c] =
        float32_prior ? static_cast<double>(std::log(static_cast<float>(prior[c]))) : std::log(prior[c]);
  }
  if (float32)
    context.note(
        "GaussianNB takes logarithms of float32 variances, which depend on the machine in the last bits");
  program::GaussianLikelihood op;
  op.mean = context.matrix("theta", count, width, std::move(mean.values));
  op.variance = context.matrix("var", count, width, std::move(variance.values));
  op.constant = context.vector("constant", std::move(constants));
  op.log_prior = context.vector("log_prior", std::move(prior));
  TRY_ASSIGN(const ValueId likelihood, context.add(op, {x}));
  return from_likelihood(context, estimator, likelihood, classes);
}

struct Discrete {
  Labels classes;
  Matrix log_probability;         // feature_log_prob_ [classes, columns]
  std::vector<double> log_prior;  // class_log_prior_
};

Result<Discrete> read(Context& context, const View& estimator, const Flow& input) {
  Discrete out;
  TRY_ASSIGN(out.classes, classes_of(estimator));
  TRY_ASSIGN(out.log_probability,
             matrix_of(context, estimator, "feature_log_prob_", static_cast<std::int64_t>(out.classes.size()),
                       context.width(input)));
  TRY_ASSIGN(out.log_prior, doubles_of(estimator, "class_log_prior_", out.classes.size()));
  return out;
}

Result<Fitted> lower_multinomial(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(Discrete model, read(context, estimator, input));
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false, false, Layout::kAny));
  // ComplementNB adds the prior only where there is nothing else to compare.
  if (short_class(estimator) == "ComplementNB" && model.classes.size() > 1)
    model.log_prior.assign(model.classes.size(), 0.0);
  TRY_ASSIGN(const ValueId likelihood,
             affine(context, x, std::move(model.log_probability.values), std::move(model.log_prior)));
  return from_likelihood(context, estimator, likelihood, model.classes);
}

Result<Fitted> lower_bernoulli(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(Discrete model, read(context, estimator, input));
  TRY_ASSIGN(ValueId x, context.checked(input, short_class(estimator), false));
  if (const auto binarize = estimator.find("binarize"); binarize && !binarize->is_none()) {
    TRY_ASSIGN(const double threshold, binarize->as_double());
    TRY_ASSIGN(x, context.add(program::Threshold{.threshold = threshold}, {x}));
  }
  const auto width = static_cast<std::size_t>(model.log_probability.columns);
  for (std::size_t c = 0; c < model.classes.size(); ++c) {
    double absent = 0;
    for (std::size_t j = 0; j < width; ++j) {
      double& present = model.log_probability.values[c * width + j];
      const double negative = std::log(1 - std::exp(present));
      present -= negative;
      absent += negative;
    }
    model.log_prior[c] += absent;
  }
  TRY_ASSIGN(const ValueId likelihood,
             affine(context, x, std::move(model.log_probability.values), std::move(model.log_prior)));
  return from_likelihood(context, estimator, likelihood, model.classes);
}

Result<Fitted> lower_categorical(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Labels classes, classes_of(estimator));
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false));
  TRY_ASSIGN(const View list, estimator.attr("feature_log_prob_"));
  TRY_ASSIGN(const std::vector<View> features, list.items());
  if (static_cast<std::int64_t>(features.size()) != context.width(input))
    return inconsistent(list, cat(features.size(), " tables for ", context.width(input), " columns"));
  program::CategoricalLikelihood op;
  std::vector<double> table;
  for (const View& feature : features) {
    TRY_ASSIGN(const Matrix matrix, dense_matrix(context, feature));
    if (matrix.rows != static_cast<std::int64_t>(classes.size()))
      return inconsistent(feature, cat(matrix.rows, " rows for ", classes.size(), " classes"));
    const std::vector<double> by_category = transposed(matrix);
    table.insert(table.end(), by_category.begin(), by_category.end());
    op.counts.push_back(matrix.columns);
  }
  TRY_ASSIGN(std::vector<double> prior, doubles_of(estimator, "class_log_prior_", classes.size()));
  const auto count = static_cast<std::int64_t>(classes.size());
  const auto categories = static_cast<std::int64_t>(table.size()) / count;
  op.log_probability = context.matrix("feature_log_prob", categories, count, std::move(table));
  op.log_prior = context.vector("log_prior", std::move(prior));
  TRY_ASSIGN(const ValueId likelihood, context.add(std::move(op), {x}));
  return from_likelihood(context, estimator, likelihood, classes);
}

constexpr std::string_view kModule = "sklearn.naive_bayes";

constexpr EstimatorRow kRows[] = {
    {"GaussianNB", kModule, "theta_", lower_gaussian},
    {"MultinomialNB", kModule, "feature_log_prob_", lower_multinomial},
    {"ComplementNB", kModule, "feature_log_prob_", lower_multinomial},
    {"BernoulliNB", kModule, "feature_log_prob_", lower_bernoulli},
    {"CategoricalNB", kModule, "feature_log_prob_", lower_categorical},
};

}  // namespace

std::span<const EstimatorRow> naive_bayes_rows() {
  return kRows;
}

}  // namespace wherry::sklearn
