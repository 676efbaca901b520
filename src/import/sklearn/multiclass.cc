// One against the rest, one against one, output codes: sklearn/multiclass.py.
#include <algorithm>
#include <limits>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/members.h"
#include "import/sklearn/predictions.h"

namespace wherry::sklearn {
namespace {

constexpr std::string_view kModule = "sklearn.multiclass";

// The prediction where every row of a target was of one class.
Result<Fitted> lower_constant(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View view, estimator.attr("y_"));
  TRY_ASSIGN(const std::vector<double> y, view.doubles());
  if (y.size() != 1) return inconsistent(view, cat(y.size(), " constants"));
  Fitted fitted;
  TRY_ASSIGN(const ValueId value, context.add(program::Constant{context.vector("y", y)}, {input.value}));
  TRY_ASSIGN(const ValueId vector, context.flatten(value));
  fitted.predict = fitted.decision_function = Answer{{vector}, {}};
  TRY_ASSIGN(const ValueId proba,
             context.add(program::Constant{context.vector("y", {1 - y[0], y[0]})}, {input.value}));
  fitted.predict_proba = Answer{{proba}, {}};
  return fitted;
}

struct Members {
  std::vector<View> views;
  std::vector<Fitted> fitted;

  Result<ValueId> scores(Context& context) const {
    std::vector<ValueId> out;
    for (std::size_t i = 0; i < fitted.size(); ++i) {
      TRY_ASSIGN(const ValueId score, binary_score(context, fitted[i], views[i]));
      if (context.width(Flow{.value = score}) != 1)
        return inconsistent(views[i], "several scores for two classes");
      out.push_back(score);
    }
    return concat(context, std::move(out));
  }

  // _threshold_for_binary_predict
  double threshold() const {
    const bool decides = fitted[0].decision_function && !fitted[0].numbers;
    return decides && short_class(views[0]) != "_ConstantPredictor" ? 0 : 0.5;
  }
};

Result<Members> lower_members(Context& context, const View& estimator, const Flow& input) {
  Members out;
  TRY_ASSIGN(out.views, members_of(estimator, "estimators_"));
  for (const View& view : out.views) {
    TRY_ASSIGN(Fitted fitted, lower_estimator(context, view, input));
    out.fitted.push_back(std::move(fitted));
  }
  return out;
}

// --- one against the rest ----------------------------------------------------------------------------------

// The class of the highest score; of equal ones the last up to 1.7, the first since.
Result<Answer> highest(Context& context, ValueId scores, const Labels& classes, const View& estimator) {
  if (context.version().at_least(1, 8)) return predict_argmax(context, scores, classes, estimator);
  std::vector<std::int64_t> backwards;
  for (std::size_t i = classes.size(); i-- > 0;) backwards.push_back(static_cast<std::int64_t>(i));
  TRY_ASSIGN(const ValueId reversed, context.select(scores, backwards));
  TRY_ASSIGN(const ValueId back, context.add(program::Argmax{}, {reversed}));
  // The labels in the same order: positions among them first, then the labels themselves.
  std::vector<double> positions(backwards.begin(), backwards.end());
  const auto size = static_cast<std::int64_t>(positions.size());
  TRY_ASSIGN(const ValueId position,
             context.add(program::TakeLabels{context.weight(
                             "positions", tensor::Tensor::of({size}, std::move(positions)))},
                         {back}));
  return decoded(context, Answer{{position}, {}}, classes, estimator);
}

// 1 where the score of a class is above the threshold: several labels for a row.
Result<Answer> indicator(Context& context, ValueId scores, std::size_t classes, double threshold) {
  std::vector<ValueId> columns;
  for (std::size_t k = 0; k < classes; ++k) {
    TRY_ASSIGN(const ValueId score, context.select(scores, {static_cast<std::int64_t>(k)}));
    TRY_ASSIGN(const ValueId index, context.add(program::Above{.threshold = threshold}, {score}));
    TRY_ASSIGN(const ValueId label,
               context.add(program::TakeLabels{context.weight("codes", codes(2).values)}, {index}));
    columns.push_back(label);
  }
  TRY_ASSIGN(const ValueId value, context.add(program::StackLabels{}, std::move(columns)));
  return Answer{{value}, {}};
}

Result<Answer> predict_two(Context& context, ValueId score, const Labels& classes, double threshold,
                           const View& estimator) {
  if (classes.size() == 1) {
    TRY_ASSIGN(const ValueId first, context.select(score, {0}));
    return predict_argmax(context, first, classes, estimator);
  }
  if (classes.size() != 2)
    return inconsistent(estimator, cat("one estimator for ", classes.size(), " classes"));
  TRY_ASSIGN(const ValueId index, context.add(program::Above{.threshold = threshold}, {score}));
  TRY_ASSIGN(const ValueId value,
             context.add(program::TakeLabels{context.weight("classes", classes.values)}, {index}));
  return Answer{{value}, {}};
}

// Columns divided by their sum, all in float32. `divides_by_zero`: a row of zeros becomes NaN, else it stays.
Result<ValueId> normalized_float32(Context& context, const std::vector<ValueId>& columns,
                                   bool divides_by_zero) {
  TRY_ASSIGN(ValueId sum, sum_float32(context, columns));
  if (!divides_by_zero) {
    constexpr double kLeast = std::numeric_limits<float>::denorm_min();
    TRY_ASSIGN(sum, context.add(program::Clip{kLeast, std::numeric_limits<double>::infinity()}, {sum}));
  }
  TRY_ASSIGN(const ValueId proba, concat(context, columns));
  TRY_ASSIGN(const ValueId parts,
             context.add(program::Elementwise{program::Arithmetic::kDivide}, {proba, sum}));
  return context.apply(parts, program::Function::kRoundFloat32);
}

Result<Answer> rest_probabilities(Context& context, const Members& members, bool multilabel,
                                  const Labels& classes) {
  std::vector<ValueId> parts;
  for (std::size_t i = 0; i < members.fitted.size(); ++i) {
    TRY_ASSIGN(const ValueId proba, probabilities_of(members.fitted[i], members.views[i]));
    TRY_ASSIGN(const ValueId positive, context.select(proba, {1}));
    parts.push_back(positive);
  }
  const bool single = parts.size() == 1;
  const bool float32 =
      std::ranges::all_of(parts, [&](ValueId part) { return is_float32_value(context, part); });
  TRY_ASSIGN(ValueId proba, concat(context, parts));
  if (single) {
    TRY_ASSIGN(proba, context.add(program::Complement{}, {proba}));
  }
  if (!multilabel) {
    // A row of zeros is divided by zero up to 1.6.
    const auto zero = context.version().at_least(1, 7) ? program::ZeroSum::kKeep : program::ZeroSum::kDivide;
    if (float32 && !single) {
      TRY_ASSIGN(proba, normalized_float32(context, parts, zero == program::ZeroSum::kDivide));
    } else {
      TRY_ASSIGN(proba, context.add(program::NormalizeRows{zero}, {proba}));
    }
  }
  const bool named = context.width(Flow{.value = proba}) == static_cast<std::int64_t>(classes.size());
  return Answer{{proba}, named ? classes.names : std::vector<std::string>()};
}

Result<Fitted> lower_one_vs_rest(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View binarizer, estimator.attr("label_binarizer_"));
  TRY_ASSIGN(const View classes_view, binarizer.attr("classes_"));
  TRY_ASSIGN(const Labels classes, labels(classes_view));
  TRY_ASSIGN(const std::string kind, word(binarizer, "y_type_", "multiclass"));
  const bool multilabel = kind.starts_with("multilabel");
  TRY_ASSIGN(const Members members, lower_members(context, estimator, input));
  const std::size_t count = members.fitted.size();
  TRY_ASSIGN(const ValueId scores, members.scores(context));
  if (count != classes.size() && (count != 1 || kind != "binary"))
    return inconsistent(estimator, cat(count, " estimators for ", classes.size(), " classes"));
  Fitted fitted;
  if (multilabel) {
    TRY_ASSIGN(fitted.predict, indicator(context, scores, count, members.threshold()));
  } else if (kind == "multiclass") {
    TRY_ASSIGN(fitted.predict, highest(context, scores, classes, estimator));
  } else {
    TRY_ASSIGN(fitted.predict, predict_two(context, scores, classes, members.threshold(), estimator));
  }
  const bool probable = std::ranges::all_of(
      members.fitted, [](const Fitted& member) { return member.predict_proba.has_value(); });
  if (probable) {
    TRY_ASSIGN(fitted.predict_proba, rest_probabilities(context, members, multilabel, classes));
  }
  const bool decides = std::ranges::all_of(
      members.fitted, [](const Fitted& member) { return member.decision_function.has_value(); });
  if (!decides) return fitted;
  if (count == 1) {
    fitted.decision_function = members.fitted[0].decision_function;
  } else {
    fitted.decision_function = Answer{{scores}, classes.names};
  }
  return fitted;
}

// --- one against one ---------------------------------------------------------------------------------------

Result<Fitted> lower_one_vs_one(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View classes_view, estimator.attr("classes_"));
  TRY_ASSIGN(const Labels classes, labels(classes_view));
  TRY_ASSIGN(const std::vector<View> views, members_of(estimator, "estimators_"));
  if (views.size() != classes.size() * (classes.size() - 1) / 2)
    return inconsistent(estimator, cat(views.size(), " estimators for ", classes.size(), " classes"));
  Flow flow = input;
  if (context.version().at_least(1, 0)) {
    TRY_ASSIGN(const ValueId numbers, context.numbers(input, Layout::kAny));
    flow = with_value(input, numbers);
  }
  std::vector<View> subsets;
  if (const auto indices = estimator.find("pairwise_indices_"); indices && !indices->is_none()) {
    TRY_ASSIGN(subsets, indices->items());
    if (subsets.size() != views.size())
      return inconsistent(*indices, "not one list of columns per estimator");
  }
  Members members{views, {}};
  std::vector<ValueId> predictions;
  for (std::size_t i = 0; i < views.size(); ++i) {
    Flow part = flow;
    if (!subsets.empty()) {
      TRY_ASSIGN(const std::vector<std::int64_t> columns, subsets[i].int64s());
      TRY_ASSIGN(part, take_columns(context, flow, columns));
    }
    TRY_ASSIGN(Fitted fitted, lower_estimator(context, views[i], part));
    TRY_ASSIGN(const ValueId prediction, predicted_numbers(context, fitted, views[i]));
    predictions.push_back(prediction);
    members.fitted.push_back(std::move(fitted));
  }
  TRY_ASSIGN(const ValueId confidences, members.scores(context));
  TRY_ASSIGN(const ValueId predicted, concat(context, std::move(predictions)));
  const program::PairVotes votes{static_cast<std::int64_t>(classes.size())};
  TRY_ASSIGN(const ValueId scores, context.add(votes, {predicted, confidences}));
  Fitted fitted;
  if (classes.size() > 2) {
    fitted.decision_function = Answer{{scores}, classes.names};
    TRY_ASSIGN(fitted.predict, predict_argmax(context, scores, classes, estimator));
    return fitted;
  }
  TRY_ASSIGN(const ValueId score, context.select(scores, {1}));
  TRY_ASSIGN(fitted.decision_function, decision(context, score, classes));
  const double threshold = context.version().at_least(1, 1) ? members.threshold() : 0;
  TRY_ASSIGN(fitted.predict, predict_two(context, score, classes, threshold, estimator));
  return fitted;
}

// --- output codes ------------------------------------------------------------------------------------------

Result<Fitted> lower_output_code(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View classes_view, estimator.attr("classes_"));
  TRY_ASSIGN(const Labels classes, labels(classes_view));
  TRY_ASSIGN(const View book, estimator.attr("code_book_"));
  TRY_ASSIGN(const pickle::Matrix code, book.matrix());
  Flow flow = input;
  if (!context.version().at_least(1, 0)) {
    TRY_ASSIGN(const ValueId x, context.checked(input, "OutputCodeClassifier", false, false, Layout::kAny));
    flow = with_value(input, x);
  }
  TRY_ASSIGN(const Members members, lower_members(context, estimator, flow));
  if (code.rows != static_cast<std::int64_t>(classes.size()) ||
      code.columns != static_cast<std::int64_t>(members.fitted.size()))
    return inconsistent(book, cat("codes of ", code.rows, " classes and ", code.columns, " estimators, not ",
                                  classes.size(), " and ", members.fitted.size()));
  TRY_ASSIGN(const ValueId scores, members.scores(context));
  const program::NearestCode nearest{context.matrix("codes", code.rows, code.columns, code.values)};
  TRY_ASSIGN(const ValueId index, context.add(nearest, {scores}));
  TRY_ASSIGN(const ValueId value,
             context.add(program::TakeLabels{context.weight("classes", classes.values)}, {index}));
  context.note(
      "the distance to a code is summed in column order: where two are equally near but for rounding, "
      "the BLAS under numpy may take the other");
  Fitted fitted;
  fitted.predict = Answer{{value}, {}};
  return fitted;
}

constexpr EstimatorRow kMulticlassRows[] = {
    {"_ConstantPredictor", kModule, "y_", lower_constant},
    {"OneVsRestClassifier", kModule, "estimators_", lower_one_vs_rest, "estimators_", nullptr, "estimators_"},
    {"OneVsOneClassifier", kModule, "estimators_", lower_one_vs_one, "estimators_"},
    {"OutputCodeClassifier", kModule, "estimators_", lower_output_code, "estimators_", nullptr,
     "estimators_"},
};

}  // namespace

std::span<const EstimatorRow> multiclass_rows() {
  return kMulticlassRows;
}

}  // namespace wherry::sklearn
