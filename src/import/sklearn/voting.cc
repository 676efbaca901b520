// VotingClassifier and VotingRegressor: sklearn/ensemble/_voting.py.
#include <algorithm>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/members.h"
#include "import/sklearn/predictions.h"
#include "import/sklearn/tree_data.h"

namespace wherry::sklearn {
namespace {

struct Ballot {
  std::vector<View> views;
  std::vector<Fitted> members;
  std::vector<std::string> names;
  std::vector<double> weights;  // empty: all alike

  // numpy.average divides by the sum of the weights, or by the number of members.
  double divisor() const {
    return weights.empty() ? static_cast<double>(members.size()) : pairwise_sum(weights);
  }
};

bool is_dropped(const View& estimator) {
  return estimator.is_none() || (estimator.is(pickle::Kind::kStr) && estimator->text() == "drop");
}

Result<Ballot> read_ballot(Context& context, const View& estimator, const Flow& input) {
  Ballot out;
  TRY_ASSIGN(out.views, members_of(estimator, "estimators_"));
  TRY_ASSIGN(const View list, estimator.attr("estimators"));
  TRY_ASSIGN(const std::vector<View> given, list.items());
  std::vector<double> weights;
  const auto weights_view = estimator.find("weights");
  const bool weighted = weights_view && !weights_view->is_none();
  if (weighted) {
    TRY_ASSIGN(weights, weights_view->doubles());
    if (weights.size() != given.size())
      return inconsistent(*weights_view, cat(weights.size(), " weights for ", given.size(), " estimators"));
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    TRY_ASSIGN(const View name, given[i].item(0));
    TRY_ASSIGN(const View member, given[i].item(1));
    if (is_dropped(member)) continue;
    TRY_ASSIGN(std::string text, name.as_string());
    out.names.push_back(std::move(text));
    if (weighted) out.weights.push_back(weights[i]);
  }
  if (out.names.size() != out.views.size())
    return inconsistent(list, cat(out.names.size(), " names for ", out.views.size(), " estimators"));
  for (const View& view : out.views) {
    TRY_ASSIGN(Fitted fitted, lower_estimator(context, view, input));
    out.members.push_back(std::move(fitted));
  }
  return out;
}

// transform(): what the members say, side by side, `width` columns each.
Result<Flow> stacked(Context& context, const Ballot& ballot, std::vector<ValueId> parts,
                     std::string_view prefix, std::size_t width) {
  std::vector<std::string> names;
  for (const std::string& name : ballot.names)
    for (std::size_t k = 0; k < width; ++k)
      names.push_back(width == 1 ? cat(prefix, "_", name) : cat(prefix, "_", name, k));
  TRY_ASSIGN(const ValueId value, concat(context, std::move(parts)));
  return made(value, names.size(), std::move(names), false);
}

Result<std::vector<ValueId>> predictions_of(Context& context, const Ballot& ballot) {
  std::vector<ValueId> out;
  for (std::size_t i = 0; i < ballot.members.size(); ++i) {
    TRY_ASSIGN(const ValueId value, predicted_numbers(context, ballot.members[i], ballot.views[i]));
    if (context.width(Flow{.value = value}) != 1)
      return unsupported_parameter(ballot.views[i], "several outputs in a vote");
    out.push_back(value);
  }
  return out;
}

// numpy.average of the members' probabilities: in float32 where all are and nothing weighs them.
Result<ValueId> average(Context& context, const Ballot& ballot, const std::vector<ValueId>& parts) {
  const bool float32 = ballot.weights.empty() && std::ranges::all_of(parts, [&](ValueId part) {
                         return is_float32_value(context, part);
                       });
  if (!float32) return weighted_sum(context, parts, ballot.weights, ballot.divisor());
  TRY_ASSIGN(ValueId sum, sum_float32(context, parts));
  TRY_ASSIGN(sum, context.arithmetic(sum, program::Arithmetic::kDivide, {ballot.divisor()}, "members"));
  return context.apply(sum, program::Function::kRoundFloat32);
}

Result<Fitted> lower_soft(Context& context, const View& estimator, const Ballot& ballot,
                          const Labels& classes) {
  std::vector<ValueId> parts;
  for (std::size_t i = 0; i < ballot.members.size(); ++i) {
    TRY_ASSIGN(const ValueId proba, probabilities_of(ballot.members[i], ballot.views[i]));
    parts.push_back(proba);
  }
  Fitted fitted;
  TRY_ASSIGN(const ValueId proba, average(context, ballot, parts));
  fitted.predict_proba = Answer{{proba}, classes.names};
  TRY_ASSIGN(fitted.predict, predict_argmax(context, proba, classes, estimator));
  TRY_ASSIGN(const bool flatten, flag(estimator, "flatten_transform", true));
  if (flatten) {
    TRY_ASSIGN(fitted.transform,
               stacked(context, ballot, std::move(parts), "votingclassifier", classes.size()));
    if (classes.size() == 1)
      for (std::string& name : fitted.transform->names) name += "0";
  } else {
    context.note(
        "VotingClassifier.transform is left out: with flatten_transform=False it has three dimensions");
  }
  return fitted;
}

// argmax(bincount(predictions, weights)) of labels 0, 1, …
Result<Fitted> lower_hard(Context& context, const View& estimator, const Ballot& ballot,
                          const Labels& classes) {
  const WeightId own = context.weight("codes", codes(classes.size()).values);
  std::vector<ValueId> votes;
  for (std::size_t i = 0; i < ballot.members.size(); ++i) {
    const auto& predict = ballot.members[i].predict;
    if (!predict || predict->values.size() != 1)
      return inconsistent(ballot.views[i], "has no class to vote for");
    auto vote = context.add(program::MatchLabels{own}, {predict->values[0]});
    if (!vote) return inconsistent(ballot.views[i], "votes for other than the numbers of classes");
    votes.push_back(*vote);
  }
  Fitted fitted;
  TRY_ASSIGN(const ValueId counts, weighted_sum(context, std::move(votes), ballot.weights, 1));
  TRY_ASSIGN(fitted.predict, predict_argmax(context, counts, classes, estimator));
  TRY_ASSIGN(std::vector<ValueId> parts, predictions_of(context, ballot));
  TRY_ASSIGN(fitted.transform, stacked(context, ballot, std::move(parts), "votingclassifier", 1));
  return fitted;
}

Result<Fitted> lower_voting_classifier(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View classes_view, estimator.attr("classes_"));
  TRY_ASSIGN(const Labels classes, labels(classes_view));
  TRY_ASSIGN(const Ballot ballot, read_ballot(context, estimator, input));
  TRY_ASSIGN(const std::string voting, word(estimator, "voting", "hard"));
  if (voting == "soft") return lower_soft(context, estimator, ballot, classes);
  if (voting != "hard") return unsupported_parameter(estimator, cat("voting=", base::quoted(voting)));
  return lower_hard(context, estimator, ballot, classes);
}

Result<Fitted> lower_voting_regressor(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Ballot ballot, read_ballot(context, estimator, input));
  TRY_ASSIGN(std::vector<ValueId> parts, predictions_of(context, ballot));
  TRY_ASSIGN(const ValueId value, weighted_sum(context, parts, ballot.weights, ballot.divisor()));
  TRY_ASSIGN(Fitted fitted, regression(context, value, true));
  TRY_ASSIGN(fitted.transform, stacked(context, ballot, std::move(parts), "votingregressor", 1));
  return fitted;
}

constexpr std::string_view kVoting = "sklearn.ensemble._voting sklearn.ensemble.voting";

constexpr EstimatorRow kVotingRows[] = {
    {"VotingClassifier", kVoting, "estimators_", lower_voting_classifier, "estimators_", nullptr,
     "estimators_"},
    {"VotingRegressor", kVoting, "estimators_", lower_voting_regressor, "estimators_", nullptr,
     "estimators_"},
};

}  // namespace

std::span<const EstimatorRow> voting_rows() {
  return kVotingRows;
}

}  // namespace wherry::sklearn
