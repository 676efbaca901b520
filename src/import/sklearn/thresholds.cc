// Estimators around one other: sklearn/model_selection/_classification_threshold.py,
// sklearn/semi_supervised/_self_training.py, sklearn/frozen/_frozen.py.
#include <algorithm>

#include "base/numbers.h"
#include "import/sklearn/lowerings.h"
#include "import/sklearn/members.h"
#include "import/sklearn/predictions.h"

namespace wherry::sklearn {
namespace {

constexpr std::string_view kThreshold = "sklearn.model_selection._classification_threshold";

// Score functions of sklearn.metrics whose parameter pos_label is 1 unless given.
constexpr std::string_view kPositiveIsOne[] = {"f1_score",
                                               "fbeta_score",
                                               "precision_score",
                                               "recall_score",
                                               "jaccard_score",
                                               "brier_score_loss",
                                               "precision_recall_fscore_support"};

struct Score {
  ValueId value = 0;  // [n, 1], of the positive class
  bool probability = false;
};

// _get_response_values_binary; `positive`: position of the positive class.
Result<Score> binary_response(Context& context, const View& estimator, const View& inner,
                              const Fitted& fitted, std::size_t positive) {
  TRY_ASSIGN(const std::string method, word(estimator, "response_method", "auto"));
  Score out;
  out.probability = method == "predict_proba" || (method == "auto" && fitted.predict_proba);
  if (out.probability) {
    TRY_ASSIGN(const ValueId proba, probabilities_of(fitted, inner));
    TRY_ASSIGN(out.value, context.select(proba, {static_cast<std::int64_t>(positive)}));
    return out;
  }
  if (method != "auto" && method != "decision_function")
    return unsupported_parameter(estimator, cat("response_method=", base::quoted(method)));
  TRY_ASSIGN(out.value, decisions_of(context, fitted, inner));
  if (context.width(Flow{.value = out.value}) != 1)
    return inconsistent(inner, "not a classifier of two classes");
  if (positive == 0) {
    TRY_ASSIGN(out.value, context.arithmetic(out.value, program::Arithmetic::kMultiply, {-1}, "minus"));
  }
  return out;
}

// Python's str() of a label, as Labels has it.
Result<std::string> name_of(const View& label) {
  TRY_ASSIGN(const tensor::CellValue value, cell(label));
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (label.is(pickle::Kind::kBool)) return std::string(label->boolean() ? "True" : "False");
  if (const auto integer = label.as_int()) return cat(*integer);
  TRY_ASSIGN(const double number, label.as_double());
  return base::python_repr(number);
}

Result<std::size_t> position_of(const View& label, const Labels& classes) {
  TRY_ASSIGN(const std::string name, name_of(label));
  const auto found = std::ranges::find(classes.names, name);
  if (found == classes.names.end()) return inconsistent(label, cat("no class ", base::quoted(name)));
  return static_cast<std::size_t>(found - classes.names.begin());
}

struct Wrapped {
  View view;
  Fitted fitted;
  Labels classes;
};

Result<Wrapped> lower_wrapped(Context& context, const View& estimator, const Flow& input) {
  auto view = estimator.find("estimator_");
  if (!view) view = estimator.find("estimator");
  if (!view) return inconsistent(estimator, "no estimator");
  TRY_ASSIGN(Fitted fitted, lower_estimator(context, *view, input));
  TRY_ASSIGN(Labels classes, classes_of(context, *view, fitted));
  if (classes.size() != 2) return inconsistent(*view, cat(classes.size(), " classes where two belong"));
  return Wrapped{*view, std::move(fitted), std::move(classes)};
}

// The methods of the estimator, with predict by a threshold of the positive class's score.
Result<Fitted> with_threshold(Context& context, Wrapped wrapped, const Score& score, double threshold,
                              std::size_t positive) {
  TRY_ASSIGN(const ValueId index,
             context.add(program::Above{.threshold = threshold, .inclusive = true}, {score.value}));
  std::vector<std::int64_t> order = {1 - static_cast<std::int64_t>(positive),
                                     static_cast<std::int64_t>(positive)};
  const program::TakeLabels take{context.weight("order", tensor::Tensor::of({2}, std::move(order)))};
  TRY_ASSIGN(const ValueId code, context.add(take, {index}));
  TRY_ASSIGN(wrapped.fitted.predict, decoded(context, Answer{{code}, {}}, wrapped.classes, wrapped.view));
  wrapped.fitted.transform.reset();
  wrapped.fitted.score_samples.reset();
  wrapped.fitted.numbers.reset();
  return std::move(wrapped.fitted);
}

Result<Fitted> lower_fixed(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(Wrapped wrapped, lower_wrapped(context, estimator, input));
  std::size_t positive = 1;
  if (const auto label = estimator.find("pos_label"); label && !label->is_none()) {
    TRY_ASSIGN(positive, position_of(*label, wrapped.classes));
  }
  TRY_ASSIGN(const Score score, binary_response(context, estimator, wrapped.view, wrapped.fitted, positive));
  TRY_ASSIGN(const View view, estimator.attr("threshold"));
  double threshold = score.probability ? 0.5 : 0;
  if (!view.is(pickle::Kind::kStr)) {
    TRY_ASSIGN(threshold, view.as_double());
  }
  return with_threshold(context, std::move(wrapped), score, threshold, positive);
}

// _BaseScorer._get_pos_label
Result<std::size_t> scorer_positive(const View& estimator, const Labels& classes) {
  TRY_ASSIGN(const View scorer, estimator.attr("_curve_scorer"));
  TRY_ASSIGN(const View arguments, scorer.attr("_kwargs"));
  if (const auto label = arguments.find_key("pos_label")) {
    if (label->is_none()) return 1;
    return position_of(*label, classes);
  }
  TRY_ASSIGN(const View function, scorer.attr("_score_func"));
  const std::string name = function.global_name();
  const bool own = !name.starts_with("sklearn.metrics.");
  const std::string_view last = std::string_view(name).substr(name.rfind('.') + 1);
  if (!own && std::ranges::find(kPositiveIsOne, last) == std::end(kPositiveIsOne)) return 1;
  // A function of one's own may have pos_label=1 too; which matters only where 1 is the first class.
  if (classes.names[0] != "1") return 1;
  if (own) return unsupported_parameter(function, "a score function whose positive class is unknown");
  return 0;
}

Result<Fitted> lower_tuned(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(Wrapped wrapped, lower_wrapped(context, estimator, input));
  TRY_ASSIGN(const std::size_t positive, scorer_positive(estimator, wrapped.classes));
  TRY_ASSIGN(const Score score, binary_response(context, estimator, wrapped.view, wrapped.fitted, positive));
  TRY_ASSIGN(const View view, estimator.attr("best_threshold_"));
  TRY_ASSIGN(const double threshold, view.as_double());
  return with_threshold(context, std::move(wrapped), score, threshold, positive);
}

Result<Fitted> lower_self_training(Context& context, const View& estimator, const Flow& input) {
  auto view = estimator.find("estimator_");
  if (!view) view = estimator.find("base_estimator_");  // before 1.6
  if (!view) return inconsistent(estimator, "no fitted estimator");
  Flow flow = input;
  if (context.version().at_least(1, 0)) {
    TRY_ASSIGN(const ValueId numbers, context.numbers(input, Layout::kAny));
    flow = with_value(input, numbers);
  }
  TRY_ASSIGN(Fitted fitted, lower_estimator(context, *view, flow));
  fitted.transform.reset();
  fitted.score_samples.reset();
  return fitted;
}

Result<Fitted> lower_frozen(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View view, estimator.attr("estimator"));
  return lower_estimator(context, view, input);
}

constexpr EstimatorRow kThresholdsRows[] = {
    {"FixedThresholdClassifier", kThreshold, "", lower_fixed, "estimator_", nullptr, "estimator_ estimator"},
    {"TunedThresholdClassifierCV", kThreshold, "best_threshold_", lower_tuned, "estimator_", nullptr,
     "estimator_"},
    {"SelfTrainingClassifier", "sklearn.semi_supervised._self_training", "labeled_iter_", lower_self_training,
     "estimator_ base_estimator_"},
    {"FrozenEstimator", "sklearn.frozen._frozen", "estimator", lower_frozen, "estimator", nullptr,
     "estimator"},
};

}  // namespace

std::span<const EstimatorRow> thresholds_rows() {
  return kThresholdsRows;
}

}  // namespace wherry::sklearn
