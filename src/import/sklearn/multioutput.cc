// Several targets by one estimator each, and chains of them: sklearn/multioutput.py.
#include <algorithm>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/members.h"
#include "import/sklearn/predictions.h"

namespace wherry::sklearn {
namespace {

// check_array(X, force_all_finite=False), which only 0.24 has.
Result<Flow> multioutput_input(Context& context, const Flow& input) {
  if (context.version().at_least(1, 0)) return input;
  TRY_ASSIGN(const ValueId numbers, context.numbers(input, Layout::kAny));
  return with_value(input, numbers);
}

Result<Fitted> lower_multi_regressor(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const std::vector<View> members, members_of(estimator, "estimators_"));
  TRY_ASSIGN(const Flow flow, multioutput_input(context, input));
  std::vector<ValueId> parts;
  for (const View& member : members) {
    TRY_ASSIGN(const Fitted fitted, lower_estimator(context, member, flow));
    TRY_ASSIGN(const ValueId part, predicted_numbers(context, fitted, member));
    if (context.width(Flow{.value = part}) != 1) return inconsistent(member, "predicts several targets");
    parts.push_back(part);
  }
  TRY_ASSIGN(const ValueId value, concat(context, std::move(parts)));
  return regression(context, value, false);
}

Result<Fitted> lower_multi_classifier(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const std::vector<View> members, members_of(estimator, "estimators_"));
  TRY_ASSIGN(const Flow flow, multioutput_input(context, input));
  std::vector<ValueId> predictions;
  std::optional<Answer> probabilities = Answer{};
  for (const View& member : members) {
    TRY_ASSIGN(const Fitted fitted, lower_estimator(context, member, flow));
    if (!fitted.predict || fitted.predict->values.size() != 1)
      return inconsistent(member, "has no class to predict");
    predictions.push_back(fitted.predict->values[0]);
    if (!fitted.predict_proba) probabilities.reset();
    if (!probabilities) continue;
    TRY_ASSIGN(const ValueId proba, probabilities_of(fitted, member));
    probabilities->values.push_back(proba);
  }
  auto stacked = context.add(program::StackLabels{}, std::move(predictions));
  if (!stacked) return unsupported_parameter(estimator, "outputs with class labels of different types");
  Fitted fitted;
  fitted.predict = Answer{{*stacked}, {}};
  fitted.predict_proba = std::move(probabilities);
  return fitted;
}

// --- chains ------------------------------------------------------------------------------------------------

// Where the targets stand in the chain.
Result<std::vector<std::int64_t>> places_in_chain(const View& estimator, std::size_t targets) {
  TRY_ASSIGN(const View view, estimator.attr("order_"));
  TRY_ASSIGN(const std::vector<std::int64_t> order, view.int64s());
  if (order.size() != targets)
    return inconsistent(view, cat(order.size(), " places for ", targets, " estimators"));
  std::vector<std::int64_t> places(targets, -1);
  for (std::size_t i = 0; i < targets; ++i) {
    if (order[i] < 0 || order[i] >= static_cast<std::int64_t>(targets) ||
        places[static_cast<std::size_t>(order[i])] >= 0)
      return inconsistent(view, "is no order of the targets");
    places[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  }
  return places;
}

// One method of one estimator of a chain, as _get_response_values has it: the second class where there are
// two.
Result<ValueId> response(Context& context, const Fitted& fitted, const View& member,
                         const std::string& method) {
  if (fitted.numbers || method == "predict") return predicted_numbers(context, fitted, member);
  if (method == "decision_function") return decisions_of(context, fitted, member);
  if (method != "predict_proba" && method != "predict_log_proba")
    return unsupported_parameter(member, cat("chain_method ", base::quoted(method)));
  TRY_ASSIGN(const ValueId proba, probabilities_of(fitted, member));
  TRY_ASSIGN(const ValueId second, context.select(proba, {1}));
  return method == "predict_proba" ? Result<ValueId>(second) : context.apply(second, program::Function::kLog);
}

struct Links {
  std::vector<View> views;
  std::vector<Fitted> fitted;
  std::vector<std::int64_t> places;

  // The answers of every estimator, in the order of the targets.
  Result<ValueId> answers(Context& context, const std::string& method) const {
    std::vector<ValueId> out;
    for (const std::int64_t place : places) {
      const auto i = static_cast<std::size_t>(place);
      TRY_ASSIGN(const ValueId value, response(context, fitted[i], views[i], method));
      if (context.width(Flow{.value = value}) != 1)
        return inconsistent(views[i], "not one answer for a target");
      out.push_back(value);
    }
    return concat(context, std::move(out));
  }
};

Result<Links> lower_links(Context& context, const View& estimator, const Flow& input) {
  Links out;
  TRY_ASSIGN(out.views, members_of(estimator, "estimators_"));
  TRY_ASSIGN(out.places, places_in_chain(estimator, out.views.size()));
  TRY_ASSIGN(const std::string method, word(estimator, "chain_method_", "predict"));
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false, false, Layout::kAny));
  // hstack with the float64 predictions so far: float64, even for the first estimator, which has none.
  Flow flow = with_value(input, x);
  flow.float32 = false;
  std::vector<ValueId> parts{x};
  for (const View& view : out.views) {
    TRY_ASSIGN(Fitted fitted, lower_estimator(context, view, flow));
    TRY_ASSIGN(const ValueId handed_on, response(context, fitted, view, method));
    parts.push_back(handed_on);
    out.fitted.push_back(std::move(fitted));
    TRY_ASSIGN(flow.value, concat(context, parts));
    flow.sources.push_back(-1);
    flow.names.clear();
  }
  return out;
}

Result<Fitted> lower_regressor_chain(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Links links, lower_links(context, estimator, input));
  TRY_ASSIGN(const ValueId value, links.answers(context, "predict"));
  return regression(context, value, false);
}

Result<Fitted> lower_classifier_chain(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Links links, lower_links(context, estimator, input));
  Fitted fitted;
  TRY_ASSIGN(const ValueId predictions, links.answers(context, "predict"));
  fitted.predict = Answer{{predictions}, {}};
  const auto all_have = [&](std::optional<Answer> Fitted::* method) {
    return std::ranges::all_of(links.fitted,
                               [&](const Fitted& member) { return (member.*method).has_value(); });
  };
  if (all_have(&Fitted::predict_proba)) {
    TRY_ASSIGN(const ValueId value, links.answers(context, "predict_proba"));
    fitted.predict_proba = Answer{{value}, {}};
  }
  if (all_have(&Fitted::decision_function)) {
    TRY_ASSIGN(const ValueId value, links.answers(context, "decision_function"));
    fitted.decision_function = Answer{{value}, {}};
  }
  return fitted;
}

constexpr std::string_view kModule = "sklearn.multioutput";

constexpr EstimatorRow kMultioutputRows[] = {
    {"MultiOutputRegressor", kModule, "estimators_", lower_multi_regressor, "estimators_", nullptr,
     "estimators_"},
    {"MultiOutputClassifier", kModule, "estimators_", lower_multi_classifier, "estimators_", nullptr,
     "estimators_"},
    {"RegressorChain", kModule, "estimators_", lower_regressor_chain, "estimators_"},
    {"ClassifierChain", kModule, "estimators_", lower_classifier_chain, "estimators_"},
};

}  // namespace

std::span<const EstimatorRow> multioutput_rows() {
  return kMultioutputRows;
}

}  // namespace wherry::sklearn
