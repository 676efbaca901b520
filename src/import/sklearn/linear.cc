// Linear models: sklearn/linear_model/_base.py, _logistic.py, _stochastic_gradient.py, _ridge.py and
// sklearn/svm/_classes.py.
#include "import/sklearn/linear.h"

#include <algorithm>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/matrices.h"
#include "import/sklearn/predictions.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

Status read_coef(Context& context, const View& coef, Coefficients& out, std::int64_t columns) {
  if (coef.is_sparse()) {  // after sparsify()
    TRY_ASSIGN(pickle::Matrix matrix, dense_matrix(context, coef));
    if (matrix.columns != columns || matrix.rows < 1)
      return inconsistent(coef, "its size does not match the number of columns");
    out.outputs = matrix.rows;
    out.values = std::move(matrix.values);
    return {};
  }
  TRY_ASSIGN(const pickle::NdArray array, coef.array());
  if (array.shape.empty() || array.shape.size() > 2) return coef.wrong("an array of one or two dimensions");
  out.is_vector = array.shape.size() == 1;
  out.outputs = out.is_vector ? 1 : array.shape[0];
  out.float32 = array.dtype->kind == 'f' && array.dtype->itemsize == 4;
  if (array.shape.back() != columns || out.outputs < 1)
    return inconsistent(coef, cat(array.describe(), " for ", columns, " columns"));
  TRY_ASSIGN(out.values, coef.doubles());
  return {};
}

}  // namespace

Result<Coefficients> read_coefficients(Context& context, const View& estimator, std::int64_t columns) {
  Coefficients out;
  out.columns = columns;
  TRY_ASSIGN(const View coef, estimator.attr("coef_"));
  TRY(read_coef(context, coef, out, columns));
  TRY(context.charge(coef, out.values.size()));
  TRY_ASSIGN(const View intercept, estimator.attr("intercept_"));
  const auto outputs = static_cast<std::size_t>(out.outputs);
  if (const auto single = intercept.as_double()) {
    out.intercept.assign(outputs, *single);
  } else {
    TRY_ASSIGN(out.intercept, intercept.doubles());
    if (out.intercept.size() == 1) out.intercept.assign(outputs, out.intercept[0]);
    if (out.intercept.size() != outputs)
      return inconsistent(intercept, cat(out.intercept.size(), " numbers for ", outputs, " outputs"));
  }
  return out;
}

// X @ coef_.T + intercept_
Result<ValueId> linear_scores(Context& context, const View& estimator, const Flow& input,
                              const Coefficients& coefficients) {
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false, false, Layout::kAny));
  if (!input.sparse) context.note_products();
  program::Linear op;
  op.coefficients = context.matrix("coef", coefficients.outputs, coefficients.columns, coefficients.values);
  op.intercept = context.vector("intercept", coefficients.intercept);
  TRY_ASSIGN(const ValueId value, context.add(op, {x}));
  if (!input.float32 || !coefficients.float32) return value;
  context.note(
      cat(short_class(estimator),
          " is computed in float32 by scikit-learn, with rounding that depends on the machine; here it is "
          "rounded once"));
  return context.apply(value, program::Function::kRoundFloat32);
}

Result<Scored> classify_linear(Context& context, const View& estimator, const View& classes,
                               const Flow& input) {
  Scored out;
  TRY_ASSIGN(const Coefficients coefficients, read_coefficients(context, estimator, context.width(input)));
  TRY_ASSIGN(out.labels, labels(classes));
  const auto size = static_cast<std::int64_t>(out.labels.size());
  if (coefficients.outputs != (size == 2 ? 1 : size))
    return inconsistent(estimator, cat(coefficients.outputs, " rows of coefficients for ", size, " classes"));
  out.float32 = input.float32 && coefficients.float32;
  TRY_ASSIGN(out.scores, linear_scores(context, estimator, input, coefficients));
  return out;
}

// LinearClassifierMixin
Result<Fitted> with_scores(Context& context, const View& estimator, const Scored& scored) {
  Fitted fitted;
  if (scored.labels.size() == 2) {
    TRY_ASSIGN(fitted.predict, predict_sign(context, scored.scores, scored.labels, estimator));
  } else {
    TRY_ASSIGN(fitted.predict, predict_argmax(context, scored.scores, scored.labels, estimator));
  }
  TRY_ASSIGN(fitted.decision_function, decision(context, scored.scores, scored.labels));
  return fitted;
}

// LinearClassifierMixin._predict_proba_lr; before 1.9 a row of zeros is divided by zero.
Result<ValueId> one_vs_rest(Context& context, const Scored& scored) {
  TRY_ASSIGN(ValueId p, context.apply(scored.scores, program::Function::kExpit));
  if (scored.float32) {
    TRY_ASSIGN(p, context.apply(p, program::Function::kRoundFloat32));
  }
  if (scored.labels.size() == 2) return context.add(program::Complement{}, {p});
  const bool uniform = context.version().at_least(1, 9);
  return context.add(program::NormalizeRows{uniform ? program::ZeroSum::kUniform : program::ZeroSum::kDivide},
                     {p});
}

Result<ValueId> softmax_of_scores(Context& context, const Scored& scored) {
  if (scored.labels.size() != 2) return context.add(program::Softmax{}, {scored.scores});
  TRY_ASSIGN(const ValueId negative, context.apply(scored.scores, program::Function::kNegate));
  TRY_ASSIGN(const ValueId both, context.add(program::Concat{}, {negative, scored.scores}));
  return context.add(program::Softmax{}, {both});
}

namespace {

// SGDClassifier with loss='modified_huber' (Zadrozny and Elkan's probabilities).
Result<ValueId> modified_huber(Context& context, const Scored& scored) {
  TRY_ASSIGN(ValueId p, context.add(program::Clip{-1, 1}, {scored.scores}));
  TRY_ASSIGN(p, context.arithmetic(p, program::Arithmetic::kAdd, {1}, "one"));
  TRY_ASSIGN(p, context.arithmetic(p, program::Arithmetic::kDivide, {2}, "two"));
  if (scored.labels.size() == 2) return context.add(program::Complement{}, {p});
  return context.add(program::NormalizeRows{program::ZeroSum::kUniform}, {p});
}

Result<Fitted> lower_linear_regressor(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Coefficients coefficients, read_coefficients(context, estimator, context.width(input)));
  TRY_ASSIGN(const ValueId value, linear_scores(context, estimator, input, coefficients));
  return regression(context, value, coefficients.is_vector || short_class(estimator) == "SGDRegressor");
}

Result<Fitted> lower_linear_classifier(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View classes, estimator.attr("classes_"));
  TRY_ASSIGN(const Scored scored, classify_linear(context, estimator, classes, input));
  return with_scores(context, estimator, scored);
}

// np.where(scores > 0, 1, -1) through the label binarizer: 1 and 0 for each label.
Result<Fitted> lower_multilabel_ridge(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Coefficients coefficients, read_coefficients(context, estimator, context.width(input)));
  TRY_ASSIGN(const ValueId value, linear_scores(context, estimator, input, coefficients));
  Fitted fitted;
  TRY_ASSIGN(fitted.predict, predict_indicators(context, value, 0));
  fitted.decision_function = Answer{{value}, {}};
  return fitted;
}

Result<Fitted> lower_ridge_classifier(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View binarizer, estimator.attr("_label_binarizer"));
  TRY_ASSIGN(const std::string kind, word(binarizer, "y_type_", "multiclass"));
  if (kind.starts_with("multilabel")) return lower_multilabel_ridge(context, estimator, input);
  TRY_ASSIGN(const View classes, binarizer.attr("classes_"));
  TRY_ASSIGN(const Scored scored, classify_linear(context, estimator, classes, input));
  return with_scores(context, estimator, scored);
}

Result<Fitted> lower_logistic_regression(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View classes, estimator.attr("classes_"));
  TRY_ASSIGN(const Scored scored, classify_linear(context, estimator, classes, input));
  TRY_ASSIGN(Fitted fitted, with_scores(context, estimator, scored));
  // multi_class existed up to 1.7; without it two classes mean the sigmoid, more the softmax.
  TRY_ASSIGN(const std::string multi_class, word(estimator, "multi_class", "auto"));
  TRY_ASSIGN(const std::string solver, word(estimator, "solver", "lbfgs"));
  const bool known = estimator.has("multi_class");
  const bool newton_cholesky = solver == "newton-cholesky" && !context.version().at_least(1, 6);
  const bool automatic = multi_class == "auto" || multi_class == "deprecated";
  if (!automatic && multi_class != "ovr" && multi_class != "warn" && multi_class != "multinomial")
    return unsupported_parameter(estimator, cat("multi_class=", base::quoted(multi_class)));
  const bool ovr =
      multi_class == "ovr" || multi_class == "warn" ||
      (automatic && (scored.labels.size() <= 2 || (known && (solver == "liblinear" || newton_cholesky))));
  TRY_ASSIGN(const ValueId proba, ovr ? one_vs_rest(context, scored) : softmax_of_scores(context, scored));
  fitted.predict_proba = Answer{{proba}, scored.labels.names};
  return fitted;
}

Result<Fitted> lower_sgd_classifier(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View classes, estimator.attr("classes_"));
  TRY_ASSIGN(const Scored scored, classify_linear(context, estimator, classes, input));
  TRY_ASSIGN(Fitted fitted, with_scores(context, estimator, scored));
  TRY_ASSIGN(const std::string loss, word(estimator, "loss", "hinge"));
  if (loss == "log_loss" || loss == "log") {
    TRY_ASSIGN(const ValueId proba, one_vs_rest(context, scored));
    fitted.predict_proba = Answer{{proba}, scored.labels.names};
  } else if (loss == "modified_huber") {
    TRY_ASSIGN(const ValueId proba, modified_huber(context, scored));
    fitted.predict_proba = Answer{{proba}, scored.labels.names};
  }
  return fitted;
}

constexpr std::string_view kLinearBase = "sklearn.linear_model._base sklearn.linear_model.base";
constexpr std::string_view kRidge = "sklearn.linear_model._ridge sklearn.linear_model.ridge";
constexpr std::string_view kCoordinate =
    "sklearn.linear_model._coordinate_descent sklearn.linear_model.coordinate_descent";
constexpr std::string_view kLogistic = "sklearn.linear_model._logistic sklearn.linear_model.logistic";
constexpr std::string_view kStochastic =
    "sklearn.linear_model._stochastic_gradient sklearn.linear_model.stochastic_gradient";
constexpr std::string_view kSvm = "sklearn.svm._classes sklearn.svm.classes";

constexpr EstimatorRow kLinearRows[] = {
    {"LinearRegression", kLinearBase, "coef_", lower_linear_regressor},
    {"Ridge", kRidge, "coef_", lower_linear_regressor},
    {"RidgeCV", kRidge, "coef_", lower_linear_regressor},
    {"RidgeClassifier", kRidge, "coef_", lower_ridge_classifier},
    {"RidgeClassifierCV", kRidge, "coef_", lower_ridge_classifier},
    {"Lasso", kCoordinate, "coef_", lower_linear_regressor},
    {"LassoCV", kCoordinate, "coef_", lower_linear_regressor},
    {"ElasticNet", kCoordinate, "coef_", lower_linear_regressor},
    {"ElasticNetCV", kCoordinate, "coef_", lower_linear_regressor},
    {"MultiTaskLasso", kCoordinate, "coef_", lower_linear_regressor},
    {"MultiTaskLassoCV", kCoordinate, "coef_", lower_linear_regressor},
    {"MultiTaskElasticNet", kCoordinate, "coef_", lower_linear_regressor},
    {"MultiTaskElasticNetCV", kCoordinate, "coef_", lower_linear_regressor},
    {"LogisticRegression", kLogistic, "coef_", lower_logistic_regression},
    {"LogisticRegressionCV", kLogistic, "coef_", lower_logistic_regression},
    {"SGDClassifier", kStochastic, "coef_", lower_sgd_classifier},
    {"SGDRegressor", kStochastic, "coef_", lower_linear_regressor},
    {"LinearSVC", kSvm, "coef_", lower_linear_classifier},
    {"LinearSVR", kSvm, "coef_", lower_linear_regressor},
};

}  // namespace

std::span<const EstimatorRow> linear_rows() {
  return kLinearRows;
}

}  // namespace wherry::sklearn
