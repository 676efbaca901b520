// CalibratedClassifierCV: sklearn/calibration.py.
#include <algorithm>
#include <limits>

#include "import/sklearn/isotonic.h"
#include "import/sklearn/lowerings.h"
#include "import/sklearn/members.h"
#include "import/sklearn/predictions.h"

namespace wherry::sklearn {
namespace {

using program::Arithmetic;
using program::Function;

// What the calibrators get: decision_function if there is one, else predict_proba; of two classes the second.
struct Uncalibrated {
  ValueId values = 0;  // [n, calibrators]
  bool probabilities = false;
};

Result<Uncalibrated> uncalibrated(Context& context, const View& view, const Fitted& fitted,
                                  std::size_t classes) {
  Uncalibrated out;
  out.probabilities = !fitted.decision_function;
  if (!out.probabilities) {
    TRY_ASSIGN(out.values, decisions_of(context, fitted, view));
    return out;
  }
  TRY_ASSIGN(out.values, probabilities_of(fitted, view));
  if (classes == 2) {
    TRY_ASSIGN(out.values, context.select(out.values, {1}));
  }
  return out;
}

// expit(-(a * T + b))
Result<ValueId> sigmoid(Context& context, const View& calibrator, ValueId values) {
  TRY_ASSIGN(const View a_view, calibrator.attr("a_"));
  TRY_ASSIGN(const View b_view, calibrator.attr("b_"));
  TRY_ASSIGN(const double a, a_view.as_double());
  TRY_ASSIGN(const double b, b_view.as_double());
  TRY_ASSIGN(ValueId out, context.arithmetic(values, Arithmetic::kMultiply, {a}, "a"));
  TRY_ASSIGN(out, context.arithmetic(out, Arithmetic::kAdd, {b}, "b"));
  TRY_ASSIGN(out, context.apply(out, Function::kNegate));
  return context.apply(out, Function::kExpit);
}

Result<ValueId> calibrate(Context& context, const View& calibrator, ValueId values) {
  const std::string name = short_class(calibrator);
  if (name == "_SigmoidCalibration") return sigmoid(context, calibrator, values);
  if (name == "IsotonicRegression") {
    TRY_ASSIGN(const ValueId finite, context.add(program::CheckFinite{.estimator = name}, {values}));
    return isotonic(context, calibrator, finite);
  }
  return unsupported_parameter(calibrator, cat("a calibrator of class ", name));
}

// softmax(beta * logits). The logits of probabilities are their logarithms; whether values are probabilities
// is told by their values in scikit-learn, by the method that gave them here.
Result<ValueId> temperature(Context& context, const View& calibrator, const Uncalibrated& from, bool binary) {
  TRY_ASSIGN(const View beta_view, calibrator.attr("beta_"));
  TRY_ASSIGN(const double beta, beta_view.as_double());
  ValueId logits = from.values;
  if (from.probabilities) {
    if (binary) {
      TRY_ASSIGN(logits, context.add(program::Complement{}, {logits}));
    }
    TRY_ASSIGN(logits, context.arithmetic(logits, Arithmetic::kAdd, {1e-12}, "eps"));
    TRY_ASSIGN(logits, context.apply(logits, Function::kLog));
  } else if (context.width(Flow{.value = logits}) == 1) {
    TRY_ASSIGN(const ValueId negative, context.apply(logits, Function::kNegate));
    TRY_ASSIGN(logits, context.add(program::Concat{}, {negative, logits}));
  }
  TRY_ASSIGN(logits, context.arithmetic(logits, Arithmetic::kMultiply, {beta}, "beta"));
  return context.add(program::Softmax{}, {logits});
}

// sigmoid and isotonic: one calibrator per class (one for two classes), then the rows sum to one.
Result<ValueId> per_class(Context& context, const View& estimator, const View& view, const Fitted& fitted,
                          const Uncalibrated& from, const std::vector<View>& calibrators,
                          const Labels& classes) {
  const auto columns = static_cast<std::size_t>(context.width(Flow{.value = from.values}));
  if (columns != calibrators.size())
    return inconsistent(estimator, cat(calibrators.size(), " calibrators for ", columns, " scores"));
  std::vector<ValueId> parts;
  for (std::size_t i = 0; i < columns; ++i) {
    TRY_ASSIGN(const ValueId column, context.select(from.values, {static_cast<std::int64_t>(i)}));
    TRY_ASSIGN(const ValueId part, calibrate(context, calibrators[i], column));
    parts.push_back(part);
  }
  if (classes.size() == 2) {
    if (columns != 1) return inconsistent(estimator, cat(columns, " scores for two classes"));
    return context.add(program::Complement{}, {parts[0]});
  }
  std::vector<std::string> own = class_names(view, fitted);
  if (own.empty()) own = classes.names;
  TRY_ASSIGN(const std::vector<std::int64_t> positions, class_positions(view, own, classes.names));
  if (positions.size() != columns)
    return inconsistent(view, cat(columns, " scores for ", positions.size(), " classes"));
  TRY_ASSIGN(const ValueId joined, concat(context, std::move(parts)));
  TRY_ASSIGN(const ValueId placed, spread(context, joined, positions, classes.size()));
  return context.add(program::NormalizeRows{program::ZeroSum::kUniform}, {placed});
}

// _CalibratedClassifier: an estimator and what calibrates it.
Result<Fitted> lower_calibrated(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View classes_view, estimator.attr("classes"));
  TRY_ASSIGN(const Labels classes, labels(classes_view));
  auto view = estimator.find("estimator");
  if (!view) view = estimator.find("base_estimator");  // before 1.2
  if (!view) return inconsistent(estimator, "no estimator");
  auto list = estimator.find("calibrators");
  if (!list) list = estimator.find("calibrators_");
  if (!list) return inconsistent(estimator, "no calibrators");
  TRY_ASSIGN(const std::vector<View> calibrators, list->items());
  TRY_ASSIGN(const std::string method, word(estimator, "method", "sigmoid"));
  TRY_ASSIGN(const Fitted fitted, lower_estimator(context, *view, input));
  TRY_ASSIGN(const Uncalibrated from, uncalibrated(context, *view, fitted, classes.size()));
  ValueId proba = 0;
  if (method == "temperature") {
    if (calibrators.size() != 1) return inconsistent(*list, cat(calibrators.size(), " temperatures"));
    TRY_ASSIGN(proba, temperature(context, calibrators[0], from, classes.size() == 2));
  } else {
    TRY_ASSIGN(proba, per_class(context, estimator, *view, fitted, from, calibrators, classes));
  }
  // Rounding may make a probability a little more than one.
  TRY_ASSIGN(proba, context.add(program::Clip{-std::numeric_limits<double>::infinity(), 1}, {proba}));
  Fitted out;
  out.predict_proba = Answer{{proba}, classes.names};
  return out;
}

Result<Fitted> lower_calibrated_cv(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View classes_view, estimator.attr("classes_"));
  TRY_ASSIGN(const Labels classes, labels(classes_view));
  TRY_ASSIGN(const std::vector<View> members, members_of(estimator, "calibrated_classifiers_"));
  Flow flow = input;
  if (!context.version().at_least(1, 0)) {
    TRY_ASSIGN(const ValueId numbers, context.numbers(input, Layout::kAny));
    flow = with_value(input, numbers);
  }
  std::vector<ValueId> parts;
  for (const View& member : members) {
    TRY_ASSIGN(const Fitted fitted, lower_estimator(context, member, flow));
    TRY_ASSIGN(const ValueId proba, probabilities_of(fitted, member));
    if (context.width(Flow{.value = proba}) != static_cast<std::int64_t>(classes.size()))
      return inconsistent(member, cat("does not give probabilities of ", classes.size(), " classes"));
    parts.push_back(proba);
  }
  const auto count = static_cast<double>(parts.size());
  TRY_ASSIGN(const ValueId proba, weighted_sum(context, std::move(parts), {}, count));
  Fitted out;
  out.predict_proba = Answer{{proba}, classes.names};
  TRY_ASSIGN(out.predict, predict_argmax(context, proba, classes, estimator));
  return out;
}

constexpr std::string_view kModule = "sklearn.calibration";

constexpr EstimatorRow kCalibrationRows[] = {
    {"CalibratedClassifierCV", kModule, "calibrated_classifiers_", lower_calibrated_cv,
     "calibrated_classifiers_", nullptr, "calibrated_classifiers_"},
    {"_CalibratedClassifier", kModule, "", lower_calibrated, "estimator base_estimator", nullptr,
     "estimator base_estimator"},
};

}  // namespace

std::span<const EstimatorRow> calibration_rows() {
  return kCalibrationRows;
}

}  // namespace wherry::sklearn
