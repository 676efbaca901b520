// Linear models beside those of linear.cc: sklearn/linear_model/_least_angle.py, _omp.py, _bayes.py,
// _huber.py, _theil_sen.py, _ransac.py, _quantile.py, _glm/glm.py, _perceptron.py, _passive_aggressive.py and
// SGDOneClassSVM of _stochastic_gradient.py.
#include "import/sklearn/linear.h"
#include "import/sklearn/lowerings.h"
#include "import/sklearn/predictions.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

Result<Fitted> lower_regressor(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Coefficients coefficients, read_coefficients(context, estimator, context.width(input)));
  TRY_ASSIGN(const ValueId value, linear_scores(context, estimator, input, coefficients));
  return regression(context, value,
                    coefficients.is_vector || short_class(estimator) == "PassiveAggressiveRegressor");
}

Result<Fitted> lower_classifier(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View classes, estimator.attr("classes_"));
  TRY_ASSIGN(const Scored scored, classify_linear(context, estimator, classes, input));
  return with_scores(context, estimator, scored);
}

Result<Fitted> lower_ransac(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View inner, estimator.attr("estimator_"));
  TRY_ASSIGN(Fitted fitted, lower_estimator(context, inner, input));
  if (!fitted.predict) return inconsistent(inner, "an estimator without predict");
  return Fitted{.predict = std::move(fitted.predict), .numbers = fitted.numbers};
}

// Whether predictions are exp of the linear ones. Only TweedieRegressor has a choice: link='auto' is the
// identity for a power of 0 or below, else the logarithm.
Result<bool> has_log_link(const View& estimator) {
  if (short_class(estimator) != "TweedieRegressor") return true;
  TRY_ASSIGN(const std::string link, word(estimator, "link", "auto"));
  if (link == "identity" || link == "log") return link == "log";
  if (link != "auto") return unsupported_parameter(estimator, cat("link=", base::quoted(link)));
  TRY_ASSIGN(const View view, estimator.attr("power"));
  TRY_ASSIGN(const double power, view.as_double());
  return power > 0;
}

Result<Fitted> lower_generalized(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Coefficients coefficients, read_coefficients(context, estimator, context.width(input)));
  TRY_ASSIGN(ValueId value, linear_scores(context, estimator, input, coefficients));
  TRY_ASSIGN(const bool log_link, has_log_link(estimator));
  if (log_link) {
    TRY_ASSIGN(value, context.apply(value, program::Function::kExp));
    if (input.float32 && coefficients.float32) {
      TRY_ASSIGN(value, context.apply(value, program::Function::kRoundFloat32));
    }
  }
  return regression(context, value, coefficients.is_vector);
}

Result<Fitted> lower_one_class(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const std::vector<double> offset, doubles_of(estimator, "offset_", 1));
  Coefficients coefficients;
  coefficients.outputs = 1;
  coefficients.columns = context.width(input);
  TRY_ASSIGN(coefficients.values,
             doubles_of(estimator, "coef_", static_cast<std::size_t>(coefficients.columns)));
  coefficients.intercept = {-offset[0]};
  TRY_ASSIGN(const ValueId decision_value, linear_scores(context, estimator, input, coefficients));
  Fitted fitted;
  TRY_ASSIGN(fitted.predict, predict_inlier(context, decision_value, estimator, true));
  TRY_ASSIGN(const ValueId scores,
             context.arithmetic(decision_value, program::Arithmetic::kAdd, offset, "offset"));
  TRY_ASSIGN(const ValueId decisions, context.flatten(decision_value));
  TRY_ASSIGN(const ValueId samples, context.flatten(scores));
  fitted.decision_function = Answer{{decisions}, {}};
  fitted.score_samples = Answer{{samples}, {}};
  return fitted;
}

constexpr std::string_view kLeastAngle = "sklearn.linear_model._least_angle sklearn.linear_model.least_angle";
constexpr std::string_view kOmp = "sklearn.linear_model._omp sklearn.linear_model.omp";
constexpr std::string_view kBayes = "sklearn.linear_model._bayes sklearn.linear_model.bayes";
constexpr std::string_view kGlm = "sklearn.linear_model._glm.glm";
constexpr std::string_view kPassive =
    "sklearn.linear_model._passive_aggressive sklearn.linear_model.passive_aggressive";

constexpr EstimatorRow kRows[] = {
    {"Lars", kLeastAngle, "coef_", lower_regressor},
    {"LarsCV", kLeastAngle, "coef_", lower_regressor},
    {"LassoLars", kLeastAngle, "coef_", lower_regressor},
    {"LassoLarsCV", kLeastAngle, "coef_", lower_regressor},
    {"LassoLarsIC", kLeastAngle, "coef_", lower_regressor},
    {"OrthogonalMatchingPursuit", kOmp, "coef_", lower_regressor},
    {"OrthogonalMatchingPursuitCV", kOmp, "coef_", lower_regressor},
    {"BayesianRidge", kBayes, "coef_", lower_regressor},
    {"ARDRegression", kBayes, "coef_", lower_regressor},
    {"HuberRegressor", "sklearn.linear_model._huber sklearn.linear_model.huber", "coef_", lower_regressor},
    {"TheilSenRegressor", "sklearn.linear_model._theil_sen sklearn.linear_model.theil_sen", "coef_",
     lower_regressor},
    {"QuantileRegressor", "sklearn.linear_model._quantile", "coef_", lower_regressor},
    {"RANSACRegressor", "sklearn.linear_model._ransac sklearn.linear_model.ransac", "estimator_",
     lower_ransac, "estimator_"},
    {"PoissonRegressor", kGlm, "coef_", lower_generalized},
    {"GammaRegressor", kGlm, "coef_", lower_generalized},
    {"TweedieRegressor", kGlm, "coef_", lower_generalized},
    {"Perceptron", "sklearn.linear_model._perceptron sklearn.linear_model.perceptron", "coef_",
     lower_classifier},
    {"PassiveAggressiveClassifier", kPassive, "coef_", lower_classifier},
    {"PassiveAggressiveRegressor", kPassive, "coef_", lower_regressor},
    {"SGDOneClassSVM", "sklearn.linear_model._stochastic_gradient", "coef_", lower_one_class},
};

}  // namespace

std::span<const EstimatorRow> linear_more_rows() {
  return kRows;
}

}  // namespace wherry::sklearn
