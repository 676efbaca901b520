// sklearn/neural_network/_multilayer_perceptron.py and _rbm.py
#include "import/sklearn/lowerings.h"
#include "import/sklearn/matrices.h"
#include "import/sklearn/predictions.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using pickle::Matrix;
using program::Function;

Result<ValueId> activate(Context& context, const View& estimator, const std::string& activation, ValueId x) {
  if (activation == "identity") return x;
  if (activation == "logistic") return context.apply(x, Function::kExpit);
  if (activation == "tanh") return context.apply(x, Function::kTanh);
  if (activation == "relu") return context.apply(x, Function::kRelu);
  if (activation == "exp") return context.apply(x, Function::kExp);
  if (activation == "softmax") return context.add(program::Softmax{}, {x});
  return unsupported_parameter(estimator, cat("the activation ", base::quoted(activation)));
}

// _forward_pass_fast
Result<ValueId> forward(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(ValueId x, context.checked(input, short_class(estimator), false, false, Layout::kAny));
  TRY_ASSIGN(const std::string hidden, word(estimator, "activation", "relu"));
  TRY_ASSIGN(const std::string last, word(estimator, "out_activation_", "identity"));
  TRY_ASSIGN(const View coef_list, estimator.attr("coefs_"));
  TRY_ASSIGN(const View intercept_list, estimator.attr("intercepts_"));
  TRY_ASSIGN(const std::vector<View> coefs, coef_list.items());
  TRY_ASSIGN(const std::vector<View> intercepts, intercept_list.items());
  if (coefs.empty() || coefs.size() != intercepts.size())
    return inconsistent(coef_list, cat(coefs.size(), " layers with ", intercepts.size(), " intercepts"));
  for (std::size_t i = 0; i < coefs.size(); ++i) {
    if (input.float32 && is_float32_array(coefs[i]))
      return unsupported_parameter(estimator,
                                   "a float32 matrix into float32 layers, which are computed in float32");
    TRY_ASSIGN(const Matrix matrix, dense_matrix(context, coefs[i]));
    TRY_ASSIGN(std::vector<double> intercept, intercepts[i].doubles());
    if (matrix.rows != context.width(Flow{.value = x}) ||
        matrix.columns != static_cast<std::int64_t>(intercept.size()))
      return inconsistent(
          coefs[i], cat("a layer (", matrix.rows, ", ", matrix.columns, ") for ",
                        context.width(Flow{.value = x}), " columns and ", intercept.size(), " intercepts"));
    TRY_ASSIGN(x, affine(context, x, transposed(matrix), std::move(intercept)));
    TRY_ASSIGN(x, activate(context, estimator, i + 1 < coefs.size() ? hidden : last, x));
  }
  return x;
}

Result<Fitted> lower_regressor(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const ValueId value, forward(context, estimator, input));
  return regression(context, value, context.width(Flow{.value = value}) == 1);
}

Result<Fitted> lower_classifier(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const ValueId value, forward(context, estimator, input));
  TRY_ASSIGN(const View binarizer, estimator.attr("_label_binarizer"));
  TRY_ASSIGN(const std::string kind, word(binarizer, "y_type_", "multiclass"));
  TRY_ASSIGN(const View class_view, estimator.attr("classes_"));
  TRY_ASSIGN(const Labels classes, labels(class_view));
  constexpr double kHalf = 0.5;
  const std::int64_t outputs = context.width(Flow{.value = value});
  Fitted fitted;
  if (kind == "multilabel-indicator") {
    if (outputs < 2) return unsupported_parameter(binarizer, "a multi-label target of one label");
    TRY_ASSIGN(fitted.predict, predict_indicators(context, value, kHalf));
    fitted.predict_proba = Answer{{value}, classes.names};
    return fitted;
  }
  if (outputs > 1) {
    TRY_ASSIGN(fitted.predict, predict_argmax(context, value, classes, estimator));
    fitted.predict_proba = Answer{{value}, classes.names};
    return fitted;
  }
  if (classes.size() != 2) return inconsistent(estimator, cat("one output for ", classes.size(), " classes"));
  TRY_ASSIGN(const ValueId index, context.add(program::Above{.threshold = kHalf}, {value}));
  TRY_ASSIGN(const ValueId label,
             context.add(program::TakeLabels{context.weight("classes", classes.values)}, {index}));
  fitted.predict = Answer{{label}, {}};
  TRY_ASSIGN(const ValueId proba, context.add(program::Complement{}, {value}));
  fitted.predict_proba = Answer{{proba}, classes.names};
  return fitted;
}

// score_samples flips one random element of each row, so it has no answer of its own.
Result<Fitted> lower_boltzmann(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const ValueId x, checked_float64(context, estimator, input, Layout::kAny));
  TRY_ASSIGN(Matrix components, matrix_of(context, estimator, "components_", -1, context.width(input)));
  TRY_ASSIGN(std::vector<double> intercept,
             doubles_of(estimator, "intercept_hidden_", static_cast<std::size_t>(components.rows)));
  TRY_ASSIGN(ValueId value, affine(context, x, std::move(components.values), std::move(intercept)));
  TRY_ASSIGN(value, context.apply(value, Function::kExpit));
  context.note("BernoulliRBM.score_samples flips a random element of each row and is left out");
  return transformed(context, estimator, value);
}

constexpr std::string_view kPerceptron =
    "sklearn.neural_network._multilayer_perceptron sklearn.neural_network.multilayer_perceptron";

constexpr EstimatorRow kRows[] = {
    {"MLPClassifier", kPerceptron, "coefs_", lower_classifier},
    {"MLPRegressor", kPerceptron, "coefs_", lower_regressor},
    {"BernoulliRBM", "sklearn.neural_network._rbm sklearn.neural_network.rbm", "components_",
     lower_boltzmann},
};

}  // namespace

std::span<const EstimatorRow> neural_network_rows() {
  return kRows;
}

}  // namespace wherry::sklearn
