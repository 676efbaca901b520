// StackingClassifier and StackingRegressor: sklearn/ensemble/_stacking.py.
#include <algorithm>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/members.h"
#include "import/sklearn/predictions.h"

namespace wherry::sklearn {
namespace {

struct Stack {
  std::vector<ValueId> parts;
  std::vector<std::string> names;
};

Result<std::vector<std::string>> stack_methods(const View& estimator) {
  TRY_ASSIGN(const View view, estimator.attr("stack_method_"));
  TRY_ASSIGN(const std::vector<View> items, view.items());
  std::vector<std::string> out;
  for (const View& item : items) {
    if (item.is_none()) continue;  // of a dropped estimator
    TRY_ASSIGN(std::string method, item.as_string());
    out.push_back(std::move(method));
  }
  return out;
}

Result<std::vector<std::string>> member_names(const View& estimator) {
  TRY_ASSIGN(const View list, estimator.attr("estimators"));
  TRY_ASSIGN(const std::vector<View> given, list.items());
  std::vector<std::string> out;
  for (const View& item : given) {
    TRY_ASSIGN(const View name, item.item(0));
    TRY_ASSIGN(const View member, item.item(1));
    if (member.is_none() || member.is(pickle::Kind::kStr)) continue;  // 'drop'
    TRY_ASSIGN(std::string text, name.as_string());
    out.push_back(std::move(text));
  }
  return out;
}

// What one estimator hands on; `classes`: len(self.classes_).
Result<std::vector<ValueId>> handed_on(Context& context, const View& view, const Fitted& fitted,
                                       const std::string& method, std::size_t classes) {
  if (method == "decision_function") {
    TRY_ASSIGN(const ValueId value, decisions_of(context, fitted, view));
    return std::vector{value};
  }
  if (method != "predict_proba") {
    if (method != "predict") return unsupported_parameter(view, cat("stack_method ", base::quoted(method)));
    TRY_ASSIGN(const ValueId value, predicted_numbers(context, fitted, view));
    return std::vector{value};
  }
  if (!fitted.predict_proba) return inconsistent(view, cat("a ", short_class(view), " has no predict_proba"));
  const std::vector<ValueId>& probas = fitted.predict_proba->values;
  if (probas.size() == 1 && classes != 2) return probas;
  std::vector<ValueId> out;
  for (const ValueId proba : probas) {
    std::vector<std::int64_t> columns;
    for (std::int64_t k = 1; k < context.width(Flow{.value = proba}); ++k) columns.push_back(k);
    TRY_ASSIGN(const ValueId value, context.select(proba, std::move(columns)));
    out.push_back(value);
  }
  return out;
}

Result<Stack> stack_up(Context& context, const View& estimator, const Flow& input, std::size_t classes,
                       std::string_view prefix) {
  Stack out;
  TRY_ASSIGN(const std::vector<View> members, members_of(estimator, "estimators_"));
  TRY_ASSIGN(const std::vector<std::string> methods, stack_methods(estimator));
  TRY_ASSIGN(const std::vector<std::string> names, member_names(estimator));
  if (methods.size() != members.size() || names.size() != members.size())
    return inconsistent(estimator, cat(methods.size(), " methods and ", names.size(), " names for ",
                                       members.size(), " estimators"));
  // _n_feature_outs, which the names follow, counts what was handed on, output by output.
  std::vector<std::int64_t> widths;
  for (std::size_t i = 0; i < members.size(); ++i) {
    TRY_ASSIGN(const Fitted fitted, lower_estimator(context, members[i], input));
    TRY_ASSIGN(const std::vector<ValueId> parts, handed_on(context, members[i], fitted, methods[i], classes));
    for (const ValueId part : parts) {
      widths.push_back(context.width(Flow{.value = part}));
      out.parts.push_back(part);
    }
  }
  for (std::size_t i = 0; i < std::min(names.size(), widths.size()); ++i)
    for (std::int64_t k = 0; k < widths[i]; ++k)
      out.names.push_back(widths[i] == 1 ? cat(prefix, "_", names[i]) : cat(prefix, "_", names[i], k));
  if (widths.size() != names.size()) out.names.clear();
  return out;
}

// _transform: the predictions, then X when it is passed through.
Result<Flow> meta_features(Context& context, const View& estimator, const Flow& input, std::size_t classes,
                           std::string_view prefix) {
  TRY_ASSIGN(Stack stack, stack_up(context, estimator, input, classes, prefix));
  TRY_ASSIGN(const bool passthrough, flag(estimator, "passthrough", false));
  std::int64_t width = 0;
  for (const ValueId part : stack.parts) width += context.width(Flow{.value = part});
  Flow out = made(0, static_cast<std::size_t>(width), std::move(stack.names), false);
  if (passthrough) {
    ValueId x = input.value;
    if (input.sparse) {
      TRY_ASSIGN(x, context.numbers(input, Layout::kAny));
    }
    stack.parts.push_back(x);
    out.sparse = input.sparse;
    out.sources.insert(out.sources.end(), input.sources.begin(), input.sources.end());
    if (!out.names.empty() && input.names.size() == input.sources.size())
      out.names.insert(out.names.end(), input.names.begin(), input.names.end());
    else
      out.names.clear();
  }
  TRY_ASSIGN(out.value, concat(context, std::move(stack.parts)));
  return out;
}

// predict of several binary targets: each column of 0 and 1 as the classes of its target.
Result<Answer> decoded_targets(Context& context, const Fitted& final, const View& view,
                               std::span<const Labels> targets) {
  TRY_ASSIGN(const ValueId numbers, predicted_numbers(context, final, view));
  if (context.width(Flow{.value = numbers}) != static_cast<std::int64_t>(targets.size()))
    return inconsistent(view, cat("does not predict ", targets.size(), " targets"));
  std::vector<ValueId> columns;
  for (std::size_t k = 0; k < targets.size(); ++k) {
    TRY_ASSIGN(const ValueId column, context.select(numbers, {static_cast<std::int64_t>(k)}));
    program::MatchLabels match;
    match.labels = context.weight("codes", codes(targets[k].size()).values);
    TRY_ASSIGN(const ValueId code, context.flatten(column));
    TRY_ASSIGN(const ValueId hits, context.add(match, {code}));
    TRY_ASSIGN(const Answer answer, predict_argmax(context, hits, targets[k], view));
    columns.push_back(answer.values[0]);
  }
  TRY_ASSIGN(const ValueId value, context.add(program::StackLabels{}, std::move(columns)));
  return Answer{{value}, {}};
}

// np.array([preds[:, 0] for preds in y_pred]).T
Result<Answer> first_probabilities(Context& context, const Answer& proba) {
  std::vector<ValueId> columns;
  for (const ValueId output : proba.values) {
    TRY_ASSIGN(const ValueId first, context.select(output, {0}));
    columns.push_back(first);
  }
  TRY_ASSIGN(const ValueId value, concat(context, std::move(columns)));
  return Answer{{value}, {}};
}

Result<Fitted> lower_stacking_classifier(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View classes, estimator.attr("classes_"));
  TRY_ASSIGN(const std::size_t count, classes.size());
  const bool several = classes.is(pickle::Kind::kList);
  TRY_ASSIGN(const std::vector<Labels> targets, labels_per_output(classes, several ? count : 1));
  TRY_ASSIGN(const View view, estimator.attr("final_estimator_"));
  Fitted fitted;
  TRY_ASSIGN(fitted.transform, meta_features(context, estimator, input, count, "stackingclassifier"));
  TRY_ASSIGN(Fitted final, lower_estimator(context, view, *fitted.transform));
  fitted.decision_function = std::move(final.decision_function);
  if (!final.predict) return inconsistent(view, "the final estimator does not predict");
  if (several) {
    TRY_ASSIGN(fitted.predict, decoded_targets(context, final, view, targets));
    if (final.predict_proba && final.predict_proba->values.size() > 1) {
      TRY_ASSIGN(fitted.predict_proba, first_probabilities(context, *final.predict_proba));
    }
    return fitted;
  }
  TRY_ASSIGN(fitted.predict, decoded(context, *final.predict, targets[0], view));
  fitted.predict_proba = std::move(final.predict_proba);
  if (fitted.predict_proba) fitted.predict_proba->labels = targets[0].names;
  if (fitted.decision_function && targets[0].size() > 2) fitted.decision_function->labels = targets[0].names;
  return fitted;
}

Result<Fitted> lower_stacking_regressor(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View view, estimator.attr("final_estimator_"));
  TRY_ASSIGN(Flow features, meta_features(context, estimator, input, 0, "stackingregressor"));
  TRY_ASSIGN(Fitted final, lower_estimator(context, view, features));
  if (!final.predict) return inconsistent(view, "the final estimator does not predict");
  Fitted fitted;
  fitted.predict = std::move(final.predict);
  fitted.numbers = final.numbers;
  fitted.transform = std::move(features);
  return fitted;
}

constexpr std::string_view kStacking = "sklearn.ensemble._stacking";
constexpr std::string_view kChildren = "estimators_ final_estimator_";

constexpr EstimatorRow kStackingRows[] = {
    {"StackingClassifier", kStacking, "final_estimator_", lower_stacking_classifier, kChildren, nullptr,
     "estimators_"},
    {"StackingRegressor", kStacking, "final_estimator_", lower_stacking_regressor, kChildren, nullptr,
     "estimators_"},
};

}  // namespace

std::span<const EstimatorRow> stacking_rows() {
  return kStackingRows;
}

}  // namespace wherry::sklearn
