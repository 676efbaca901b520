// AdaBoost and Bagging: sklearn/ensemble/_weight_boosting.py, _bagging.py. Where all estimators are trees,
// they become one operation.
#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/members.h"
#include "import/sklearn/predictions.h"
#include "import/sklearn/tree_data.h"

namespace wherry::sklearn {
namespace {

// --- trees as members --------------------------------------------------------------------------------------

using Leaf = std::function<void(const Tree& tree, std::size_t node, std::vector<double>& out)>;

// `features`: the columns of X that the tree's columns are; empty: the same.
Status append_tree(Context& context, Forest& forest, const View& member,
                   const std::vector<std::int64_t>& features, std::int32_t target, const Leaf& leaf) {
  TRY_ASSIGN(Tree tree, read_tree(context, member));
  for (std::int64_t& feature : tree.feature) {
    if (features.empty() || feature < 0) continue;
    if (feature >= static_cast<std::int64_t>(features.size()))
      return inconsistent(member, cat("column ", feature, " of ", features.size()));
    feature = features[static_cast<std::size_t>(feature)];
  }
  return forest.append(tree, target, member,
                       [&](std::size_t node, std::vector<double>& out) { leaf(tree, node, out); });
}

// The classes of a tree among those of its ensemble; the tree must have one output.
Result<std::vector<std::int64_t>> tree_classes(const View& member, std::span<const std::string> classes) {
  TRY_ASSIGN(const View view, member.attr("classes_"));
  TRY_ASSIGN(const Labels own, labels(view));
  return class_positions(member, own.names, classes);
}

Status check_leaves(const Tree& tree, const std::vector<std::int64_t>& positions, const View& member) {
  if (tree.outputs == 1 && tree.width == static_cast<std::int64_t>(positions.size())) return {};
  return inconsistent(member, cat("leaves of ", tree.outputs, " × ", tree.width, " values for ",
                                  positions.size(), " classes"));
}

// Adds a tree classifier; `scores` gives the probabilities of a leaf, and which class the tree itself decides
// for, to make what is added to the outputs.
template <class Scores>
Status append_classifier(Context& context, Forest& forest, const View& member,
                         const std::vector<std::int64_t>& features, std::span<const std::string> classes,
                         const Scores& scores) {
  TRY_ASSIGN(const std::vector<std::int64_t> positions, tree_classes(member, classes));
  Status status;
  std::vector<double> proba(positions.size());
  TRY(append_tree(context, forest, member, features, 0,
                  [&](const Tree& tree, std::size_t node, std::vector<double>& out) {
                    if (status) status = check_leaves(tree, positions, member);
                    if (!status) return;
                    const auto values = tree.value(node);
                    leaf_probabilities(context.version(), values, proba);
                    const auto best = std::ranges::max_element(values) - values.begin();
                    scores(proba, positions,
                           static_cast<std::size_t>(positions[static_cast<std::size_t>(best)]), out);
                  }));
  return status;
}

Result<ValueId> finish(Context& context, Forest& forest, ValueId x, std::size_t outputs, double divisor) {
  return forest.finish(context, x, program::TreeInput::kFloat32, static_cast<std::int64_t>(outputs), divisor,
                       std::vector<double>(outputs));
}

// --- AdaBoost ----------------------------------------------------------------------------------------------

struct Boosted {
  std::vector<View> members;
  std::vector<double> weights;  // of each member
  double weight_sum = 0;        // of all that were planned
};

Result<Boosted> read_boosted(const View& estimator) {
  Boosted out;
  TRY_ASSIGN(out.members, members_of(estimator, "estimators_"));
  TRY_ASSIGN(const View view, estimator.attr("estimator_weights_"));
  TRY_ASSIGN(out.weights, view.doubles());
  if (out.weights.size() < out.members.size())
    return inconsistent(view, cat(out.weights.size(), " weights for ", out.members.size(), " estimators"));
  out.weight_sum = pairwise_sum(out.weights);
  if (!(out.weight_sum > 0) || !std::isfinite(out.weight_sum))
    return inconsistent(view, cat("weights which add up to ", out.weight_sum));
  out.weights.resize(out.members.size());
  return out;
}

// What a member adds to the score of the class it decides for, and to those of the others.
struct Vote {
  double hit = 0;
  double miss = 0;
};

Vote samme_vote(Version version, double weight, std::size_t classes) {
  if (!version.at_least(1, 3)) return {weight, 0 * weight};
  return {weight, -1 / (static_cast<double>(classes) - 1) * weight};
}

// SammeScores of one leaf.
void samme_r_leaf(std::span<const double> proba, std::vector<double>& out) {
  const auto classes = static_cast<double>(out.size());
  for (std::size_t k = 0; k < out.size(); ++k)
    out[k] = std::log(std::max(proba[k], std::numeric_limits<double>::epsilon()));
  const double mean = 1.0 / classes * pairwise_sum(out);
  for (double& value : out) value = (classes - 1) * (value - mean);
}

Result<ValueId> boosted_trees(Context& context, const Boosted& boosted, const Flow& input,
                              const Labels& classes, bool real) {
  TRY_ASSIGN(const ValueId x, tree_input(context, boosted.members[0], boosted.members[0], input, 3));
  Forest forest(static_cast<std::int64_t>(classes.size()));
  for (std::size_t i = 0; i < boosted.members.size(); ++i) {
    const Vote vote = samme_vote(context.version(), boosted.weights[i], classes.size());
    TRY(append_classifier(context, forest, boosted.members[i], {}, classes.names,
                          [&](std::span<const double> proba, const std::vector<std::int64_t>& positions,
                              std::size_t decided, std::vector<double>& out) {
                            if (real) {
                              std::vector<double> placed(out.size());
                              for (std::size_t k = 0; k < positions.size(); ++k)
                                placed[static_cast<std::size_t>(positions[k])] = proba[k];
                              return samme_r_leaf(placed, out);
                            }
                            std::ranges::fill(out, vote.miss);
                            out[decided] = vote.hit;
                          }));
  }
  return finish(context, forest, x, classes.size(), boosted.weight_sum);
}

Result<ValueId> boosted_members(Context& context, const Boosted& boosted, const Flow& input,
                                const Labels& classes, bool real) {
  std::vector<ValueId> scores;
  for (std::size_t i = 0; i < boosted.members.size(); ++i) {
    const View& member = boosted.members[i];
    TRY_ASSIGN(const Fitted fitted, lower_estimator(context, member, input));
    if (real) {
      TRY_ASSIGN(const ValueId proba, probabilities_of(fitted, member));
      if (context.width(Flow{.value = proba}) != static_cast<std::int64_t>(classes.size()))
        return inconsistent(member, cat("not the probabilities of ", classes.size(), " classes"));
      TRY_ASSIGN(const ValueId score, context.add(program::SammeScores{}, {proba}));
      scores.push_back(score);
      continue;
    }
    if (!fitted.predict || fitted.predict->values.size() != 1)
      return inconsistent(member, "has no class to predict");
    const Vote vote = samme_vote(context.version(), boosted.weights[i], classes.size());
    const program::MatchLabels match{context.weight("classes", classes.values), vote.hit, vote.miss};
    TRY_ASSIGN(const ValueId score, context.add(match, {fitted.predict->values[0]}));
    scores.push_back(score);
  }
  return weighted_sum(context, std::move(scores), {}, boosted.weight_sum);
}

// An AdaBoostClassifier fitted on one class only, since 1.6.
Result<Fitted> lower_one_class(Context& context, const View& estimator, ValueId x, const Labels& classes) {
  if (!context.version().at_least(1, 6)) return unsupported_parameter(estimator, "fitted on one class only");
  Fitted fitted;
  TRY_ASSIGN(const ValueId zero, context.add(program::Constant{context.vector("zero", {0})}, {x}));
  TRY_ASSIGN(const ValueId one, context.add(program::Constant{context.vector("one", {1})}, {x}));
  fitted.decision_function = Answer{{zero}, classes.names};
  fitted.predict_proba = Answer{{one}, classes.names};
  TRY_ASSIGN(fitted.predict, predict_argmax(context, zero, classes, estimator));
  return fitted;
}

Result<Fitted> lower_adaboost_classifier(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View classes_view, estimator.attr("classes_"));
  TRY_ASSIGN(const Labels classes, labels(classes_view));
  TRY_ASSIGN(const std::string algorithm, word(estimator, "algorithm", "SAMME"));
  const bool real = algorithm == "SAMME.R" && !context.version().at_least(1, 6);
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false, false, Layout::kAny));
  if (classes.size() == 1) return lower_one_class(context, estimator, x, classes);
  TRY_ASSIGN(const Boosted boosted, read_boosted(estimator));
  const Flow checked = with_value(input, x);
  TRY_ASSIGN(const ValueId scores, are_trees(boosted.members, "Classifier")
                                       ? boosted_trees(context, boosted, checked, classes, real)
                                       : boosted_members(context, boosted, checked, classes, real));
  Fitted fitted;
  ValueId decisions = 0;
  if (classes.size() == 2) {
    // pred[:, 0] *= -1; pred.sum(axis=1)
    const program::Linear difference{context.matrix("difference", 1, 2, {-1, 1}),
                                     context.vector("zero", {0})};
    TRY_ASSIGN(const ValueId d, context.add(difference, {scores}));
    TRY_ASSIGN(fitted.decision_function, decision(context, d, classes));
    TRY_ASSIGN(fitted.predict, predict_sign(context, d, classes, estimator));
    TRY_ASSIGN(const ValueId negative, context.apply(d, program::Function::kNegate));
    TRY_ASSIGN(const ValueId both, context.add(program::Concat{}, {negative, d}));
    TRY_ASSIGN(decisions, context.arithmetic(both, program::Arithmetic::kDivide, {2}, "two"));
  } else {
    fitted.decision_function = Answer{{scores}, classes.names};
    TRY_ASSIGN(fitted.predict, predict_argmax(context, scores, classes, estimator));
    const double others = static_cast<double>(classes.size()) - 1;
    TRY_ASSIGN(decisions, context.arithmetic(scores, program::Arithmetic::kDivide, {others}, "others"));
  }
  // The votes are a matrix of the other orientation, which numpy sums along its rows one by one.
  const auto order = real ? program::RowSum::kPairwise : program::RowSum::kSequential;
  TRY_ASSIGN(const ValueId proba, context.add(program::Softmax{.row_sum = order}, {decisions}));
  fitted.predict_proba = Answer{{proba}, classes.names};
  return fitted;
}

// The prediction of each member in a column of its own.
Result<ValueId> each_prediction(Context& context, const std::vector<View>& members, const Flow& input) {
  if (are_trees(members, "Regressor")) {
    TRY_ASSIGN(const ValueId x, tree_input(context, members[0], members[0], input, 3));
    Forest forest(1);
    for (std::size_t i = 0; i < members.size(); ++i)
      TRY(append_tree(context, forest, members[i], {}, static_cast<std::int32_t>(i),
                      [](const Tree& tree, std::size_t node, std::vector<double>& out) {
                        out[0] = tree.value(node)[0];
                      }));
    return finish(context, forest, x, members.size(), 1);
  }
  std::vector<ValueId> predictions;
  for (const View& member : members) {
    TRY_ASSIGN(const Fitted fitted, lower_estimator(context, member, input));
    TRY_ASSIGN(const ValueId value, predicted_numbers(context, fitted, member));
    if (context.width(Flow{.value = value}) != 1) return inconsistent(member, "predicts several numbers");
    predictions.push_back(value);
  }
  return concat(context, std::move(predictions));
}

Result<Fitted> lower_adaboost_regressor(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(Boosted boosted, read_boosted(estimator));
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false, false, Layout::kAny));
  TRY_ASSIGN(const ValueId predictions, each_prediction(context, boosted.members, with_value(input, x)));
  const program::WeightedMedian median{context.vector("weights", std::move(boosted.weights))};
  TRY_ASSIGN(const ValueId value, context.add(median, {predictions}));
  return regression(context, value, true);
}

// --- Bagging -----------------------------------------------------------------------------------------------

struct Bag {
  std::vector<View> members;
  std::vector<std::vector<std::int64_t>> features;  // the columns of X each gets
  double divisor = 1;                               // n_estimators
};

Result<Bag> read_bag(Context& context, const View& estimator, std::int64_t width) {
  Bag bag;
  TRY_ASSIGN(bag.members, members_of(estimator, "estimators_"));
  TRY_ASSIGN(const View view, estimator.attr("estimators_features_"));
  TRY_ASSIGN(const std::vector<View> lists, view.items());
  if (lists.size() != bag.members.size())
    return inconsistent(view, cat(lists.size(), " lists of columns for ", bag.members.size(), " estimators"));
  for (const View& list : lists) {
    TRY_ASSIGN(std::vector<std::int64_t> features, list.int64s());
    TRY(context.charge(list, features.size()));
    for (const std::int64_t feature : features)
      if (feature < 0 || feature >= width) return inconsistent(list, cat("column ", feature, " of ", width));
    bag.features.push_back(std::move(features));
  }
  TRY_ASSIGN(const View count, estimator.attr("n_estimators"));
  TRY_ASSIGN(const std::int64_t planned, count.as_int());
  if (planned < 1) return inconsistent(count, cat(planned, " estimators"));
  bag.divisor = static_cast<double>(planned);
  return bag;
}

// X with the columns any tree looks at, and where each tree's columns are there.
struct SharedColumns {
  Flow flow;
  std::vector<std::vector<std::int64_t>> features;
};

Result<SharedColumns> share_columns(Context& context, const Bag& bag, const Flow& input) {
  std::set<std::int64_t> used;
  for (const auto& features : bag.features) used.insert(features.begin(), features.end());
  const std::vector<std::int64_t> columns(used.begin(), used.end());
  SharedColumns out;
  TRY_ASSIGN(out.flow, take_columns(context, input, columns));
  for (std::vector<std::int64_t> features : bag.features) {
    for (std::int64_t& feature : features)
      feature = std::ranges::lower_bound(columns, feature) - columns.begin();
    out.features.push_back(std::move(features));
  }
  return out;
}

Result<ValueId> bagged_trees(Context& context, const Bag& bag, const Flow& input, const Labels& classes) {
  TRY_ASSIGN(const SharedColumns shared, share_columns(context, bag, input));
  TRY_ASSIGN(const ValueId x, tree_input(context, bag.members[0], bag.members[0], shared.flow, 3));
  Forest forest(static_cast<std::int64_t>(classes.size()));
  for (std::size_t i = 0; i < bag.members.size(); ++i)
    TRY(append_classifier(context, forest, bag.members[i], shared.features[i], classes.names,
                          [](std::span<const double> proba, const std::vector<std::int64_t>& positions,
                             std::size_t, std::vector<double>& out) {
                            std::ranges::fill(out, 0);
                            for (std::size_t k = 0; k < positions.size(); ++k)
                              out[static_cast<std::size_t>(positions[k])] = proba[k];
                          }));
  return finish(context, forest, x, classes.size(), bag.divisor);
}

Result<std::vector<Fitted>> lower_bag(Context& context, const Bag& bag, const Flow& input) {
  std::vector<Fitted> out;
  for (std::size_t i = 0; i < bag.members.size(); ++i) {
    TRY_ASSIGN(const Flow part, take_columns(context, input, bag.features[i]));
    TRY_ASSIGN(Fitted fitted, lower_estimator(context, bag.members[i], part));
    out.push_back(std::move(fitted));
  }
  return out;
}

// _parallel_predict_proba of one member: its probabilities, or a vote.
Result<ValueId> bagged_probabilities(Context& context, const Fitted& fitted, const View& member,
                                     const Labels& classes) {
  const Labels own = codes(classes.size());
  if (!fitted.predict_proba) {
    if (!fitted.predict || fitted.predict->values.size() != 1)
      return inconsistent(member, "has no class to predict");
    return context.add(program::MatchLabels{context.weight("codes", own.values)},
                       {fitted.predict->values[0]});
  }
  TRY_ASSIGN(const ValueId proba, probabilities_of(fitted, member));
  if (context.width(Flow{.value = proba}) == static_cast<std::int64_t>(classes.size())) return proba;
  const std::vector<std::string> names = class_names(member, fitted);
  TRY_ASSIGN(const std::vector<std::int64_t> positions, class_positions(member, names, own.names));
  if (context.width(Flow{.value = proba}) != static_cast<std::int64_t>(positions.size()))
    return inconsistent(member, "as many probabilities as it has no classes");
  return spread(context, proba, positions, classes.size());
}

// None where the members know different classes, so that their scores do not add up.
Result<std::optional<Answer>> bagged_decisions(Context& context, const Bag& bag,
                                               const std::vector<Fitted>& members, const Labels& classes) {
  std::vector<ValueId> parts;
  for (std::size_t i = 0; i < members.size(); ++i) {
    TRY_ASSIGN(const ValueId part, decisions_of(context, members[i], bag.members[i]));
    if (!parts.empty() && context.width(Flow{.value = part}) != context.width(Flow{.value = parts[0]})) {
      context.note("BaggingClassifier.decision_function is left out: its estimators know different classes");
      return std::nullopt;
    }
    parts.push_back(part);
  }
  TRY_ASSIGN(const ValueId sum, weighted_sum(context, std::move(parts), {}, bag.divisor));
  TRY_ASSIGN(Answer answer, decision(context, sum, classes));
  return std::optional(std::move(answer));
}

Result<Fitted> lower_bagging_classifier(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View classes_view, estimator.attr("classes_"));
  TRY_ASSIGN(const Labels classes, labels(classes_view));
  TRY_ASSIGN(const Bag bag, read_bag(context, estimator, context.width(input)));
  Fitted fitted;
  ValueId proba = 0;
  if (are_trees(bag.members, "Classifier")) {
    // The trees are fitted on 0, 1, …
    Labels own = codes(classes.size());
    TRY_ASSIGN(proba, bagged_trees(context, bag, input, own));
  } else {
    TRY_ASSIGN(const std::vector<Fitted> members, lower_bag(context, bag, input));
    std::vector<ValueId> parts;
    for (std::size_t i = 0; i < members.size(); ++i) {
      TRY_ASSIGN(const ValueId part, bagged_probabilities(context, members[i], bag.members[i], classes));
      parts.push_back(part);
    }
    TRY_ASSIGN(proba, weighted_sum(context, std::move(parts), {}, bag.divisor));
    if (members[0].decision_function) {
      TRY_ASSIGN(fitted.decision_function, bagged_decisions(context, bag, members, classes));
    }
  }
  fitted.predict_proba = Answer{{proba}, classes.names};
  TRY_ASSIGN(fitted.predict, predict_argmax(context, proba, classes, estimator));
  return fitted;
}

Result<Fitted> lower_bagging_regressor(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Bag bag, read_bag(context, estimator, context.width(input)));
  if (are_trees(bag.members, "Regressor")) {
    TRY_ASSIGN(const SharedColumns shared, share_columns(context, bag, input));
    TRY_ASSIGN(const ValueId x, tree_input(context, bag.members[0], bag.members[0], shared.flow, 3));
    TRY_ASSIGN(const Tree first, read_tree(context, bag.members[0]));
    if (first.outputs < 1 || first.outputs > 1'000'000)
      return inconsistent(bag.members[0], cat(first.outputs, " outputs"));
    Forest forest(first.outputs);
    Status status;
    for (std::size_t i = 0; i < bag.members.size(); ++i)
      TRY(append_tree(context, forest, bag.members[i], shared.features[i], 0,
                      [&](const Tree& tree, std::size_t node, std::vector<double>& out) {
                        if (tree.outputs != first.outputs || tree.width != 1)
                          status =
                              inconsistent(bag.members[i], "leaves of another shape than the first tree's");
                        if (status) std::ranges::copy(tree.value(node), out.begin());
                      }));
    TRY(std::move(status));
    TRY_ASSIGN(const ValueId value,
               finish(context, forest, x, static_cast<std::size_t>(first.outputs), bag.divisor));
    return regression(context, value, first.outputs == 1);
  }
  TRY_ASSIGN(const std::vector<Fitted> members, lower_bag(context, bag, input));
  std::vector<ValueId> parts;
  for (std::size_t i = 0; i < members.size(); ++i) {
    TRY_ASSIGN(const ValueId part, predicted_numbers(context, members[i], bag.members[i]));
    parts.push_back(part);
  }
  const bool vector = context.width(Flow{.value = parts[0]}) == 1;
  TRY_ASSIGN(const ValueId value, weighted_sum(context, std::move(parts), {}, bag.divisor));
  return regression(context, value, vector);
}

constexpr std::string_view kBoosting = "sklearn.ensemble._weight_boosting sklearn.ensemble.weight_boosting";
constexpr std::string_view kBagging = "sklearn.ensemble._bagging sklearn.ensemble.bagging";
constexpr std::string_view kBase = "estimator_ base_estimator_";

constexpr EstimatorRow kEnsembleRows[] = {
    {"AdaBoostClassifier", kBoosting, "estimators_", lower_adaboost_classifier, kBase},
    {"AdaBoostRegressor", kBoosting, "estimators_", lower_adaboost_regressor, kBase},
    {"BaggingClassifier", kBagging, "estimators_", lower_bagging_classifier, kBase},
    {"BaggingRegressor", kBagging, "estimators_", lower_bagging_regressor, kBase},
};

}  // namespace

std::span<const EstimatorRow> ensemble_rows() {
  return kEnsembleRows;
}

}  // namespace wherry::sklearn
