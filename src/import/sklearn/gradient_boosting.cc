// Gradient boosting: sklearn/ensemble/_gb.py, _gradient_boosting.pyx, and what turns raw scores into
// probabilities: sklearn/ensemble/_gb_losses.py up to 1.3, sklearn/_loss since.
#include <algorithm>
#include <cmath>
#include <limits>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/predictions.h"
#include "import/sklearn/tree_data.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using program::Function;

enum class Link { kIdentity, kLogit, kHalfLogit, kMultinomial };

// estimators_: an object array [stages, trees per stage] of regression trees.
struct Stages {
  std::vector<View> trees;  // stage after stage
  std::size_t per_stage = 1;
};

Result<Stages> read_stages(const View& estimator) {
  TRY_ASSIGN(const View view, estimator.attr("estimators_"));
  TRY_ASSIGN(const pickle::NdArray array, view.array());
  if (array.shape.size() != 2 || array.shape[1] < 1 || array.elements.size() != array.count ||
      array.count == 0)
    return view.wrong("an array [stages, trees] of estimators");
  Stages stages;
  stages.per_stage = static_cast<std::size_t>(array.shape[1]);
  for (std::size_t i = 0; i < array.elements.size(); ++i)
    stages.trees.emplace_back(*array.elements[i],
                              cat(view.path(), "[", i / stages.per_stage, "][", i % stages.per_stage, "]"));
  return stages;
}

// predict_stages: raw[:, k] += learning_rate * value, stage after stage.
Result<Forest> read_forest(Context& context, const View& estimator, const Stages& stages) {
  TRY_ASSIGN(const View rate_view, estimator.attr("learning_rate"));
  TRY_ASSIGN(const double rate, rate_view.as_double());
  Forest forest(1);
  for (std::size_t i = 0; i < stages.trees.size(); ++i) {
    TRY_ASSIGN(const Tree tree, read_tree(context, stages.trees[i]));
    if (tree.outputs != 1 || tree.width != 1)
      return inconsistent(stages.trees[i], "a tree with several outputs");
    TRY(forest.append(
        tree, static_cast<std::int32_t>(i % stages.per_stage), stages.trees[i],
        [&](std::size_t node, std::vector<double>& out) { out[0] = rate * tree.values[node]; }));
  }
  return forest;
}

bool is_zero(const View& init) {
  return init.is(pickle::Kind::kStr) && init->text() == "zero";
}

// numpy.finfo(…).eps, which probabilities are kept away from 0 and 1 by.
double probability_margin(Version version) {
  return version.at_least(1, 8) ? std::numeric_limits<double>::epsilon()
                                : static_cast<double>(std::numeric_limits<float>::epsilon());
}

// The init estimator gets X as the trees do: rounded to float32.
Result<Fitted> lower_init(Context& context, const View& init, const Flow& input, ValueId checked) {
  Flow rounded = input;
  TRY_ASSIGN(rounded.value, context.apply(checked, Function::kRoundFloat32));
  rounded.float32 = true;
  return lower_estimator(context, init, rounded);
}

// get_init_raw_predictions of the losses, _init_raw_predictions since 1.4.
Result<ValueId> link_probabilities(Context& context, ValueId proba, Link link) {
  const double eps = probability_margin(context.version());
  const bool scipy_link = context.version().at_least(1, 4);
  if (link == Link::kMultinomial) {
    TRY_ASSIGN(const ValueId clipped, context.add(program::Clip{eps, 1 - eps}, {proba}));
    if (!scipy_link) return context.apply(clipped, Function::kLog);
    return context.add(program::MultinomialLogit{}, {clipped});
  }
  TRY_ASSIGN(const ValueId positive, context.select(proba, {1}));
  TRY_ASSIGN(const ValueId clipped, context.add(program::Clip{eps, 1 - eps}, {positive}));
  TRY_ASSIGN(const ValueId raw, context.apply(clipped, scipy_link ? Function::kLogit : Function::kLogOdds));
  if (link == Link::kLogit) return raw;
  return context.arithmetic(raw, program::Arithmetic::kMultiply, {0.5}, "half");
}

Result<ValueId> initial(Context& context, const View& init, const Flow& input, ValueId checked, Link link,
                        std::size_t outputs) {
  TRY_ASSIGN(const Fitted fitted, lower_init(context, init, input, checked));
  if (link == Link::kIdentity) {
    if (!fitted.numbers || context.width(Flow{.value = *fitted.numbers}) != 1)
      return inconsistent(init, "does not predict one number per row");
    return *fitted.numbers;
  }
  const std::int64_t classes = link == Link::kMultinomial ? static_cast<std::int64_t>(outputs) : 2;
  if (!fitted.predict_proba || fitted.predict_proba->values.size() != 1 ||
      context.width(Flow{.value = fitted.predict_proba->values[0]}) != classes)
    return inconsistent(init, cat("does not give probabilities of ", classes, " classes"));
  return link_probabilities(context, fitted.predict_proba->values[0], link);
}

// raw [n, trees per stage]
Result<ValueId> raw_predictions(Context& context, const View& estimator, const Flow& input, Link link,
                                std::size_t outputs) {
  TRY_ASSIGN(const Stages stages, read_stages(estimator));
  if (stages.per_stage != outputs)
    return inconsistent(estimator, cat(stages.per_stage, " trees per stage where ", outputs, " belong"));
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false, true));
  TRY_ASSIGN(const View init, estimator.attr("init_"));
  std::optional<ValueId> start;
  if (!is_zero(init)) {
    TRY_ASSIGN(start, initial(context, init, input, x, link, outputs));
  }
  TRY_ASSIGN(Forest forest, read_forest(context, estimator, stages));
  return forest.finish(context, x, program::TreeInput::kFloat32, static_cast<std::int64_t>(outputs), 1,
                       std::vector<double>(outputs), start);
}

Result<Link> link_of(const View& estimator, std::size_t classes) {
  TRY_ASSIGN(const std::string loss, word(estimator, "loss", "log_loss"));
  if (loss == "exponential") {
    if (classes != 2) return inconsistent(estimator, "loss='exponential' with other than two classes");
    return Link::kHalfLogit;
  }
  if (loss != "log_loss" && loss != "deviance")
    return unsupported_parameter(estimator, cat("loss=", base::quoted(loss)));
  return classes == 2 ? Link::kLogit : Link::kMultinomial;
}

Result<ValueId> probabilities(Context& context, ValueId raw, Link link) {
  if (link == Link::kMultinomial)  // exp(raw - logsumexp(raw)) up to 1.3
    return context.add(program::Softmax{.via_log = !context.version().at_least(1, 4)}, {raw});
  if (link == Link::kHalfLogit) {
    TRY_ASSIGN(raw, context.arithmetic(raw, program::Arithmetic::kMultiply, {2}, "two"));
  }
  TRY_ASSIGN(const ValueId p, context.apply(raw, Function::kExpit));
  return context.add(program::Complement{}, {p});
}

Result<Fitted> lower_gradient_boosting_classifier(Context& context, const View& estimator,
                                                  const Flow& input) {
  TRY_ASSIGN(const View classes, estimator.attr("classes_"));
  TRY_ASSIGN(const Labels labels, sklearn::labels(classes));
  if (labels.size() < 2) return inconsistent(classes, "fewer than two classes");
  TRY_ASSIGN(const Link link, link_of(estimator, labels.size()));
  TRY_ASSIGN(const ValueId raw,
             raw_predictions(context, estimator, input, link, labels.size() == 2 ? 1 : labels.size()));
  Fitted fitted;
  TRY_ASSIGN(fitted.decision_function, decision(context, raw, labels));
  TRY_ASSIGN(const ValueId proba, probabilities(context, raw, link));
  fitted.predict_proba = Answer{{proba}, labels.names};
  // Up to 1.3 log loss decides by the larger probability.
  const bool by_proba = !context.version().at_least(1, 4) && link != Link::kHalfLogit;
  if (by_proba || labels.size() > 2) {
    TRY_ASSIGN(fitted.predict, predict_argmax(context, by_proba ? proba : raw, labels, estimator));
  } else {
    TRY_ASSIGN(fitted.predict, predict_sign(context, raw, labels, estimator, true));
  }
  return fitted;
}

Result<Fitted> lower_gradient_boosting_regressor(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const ValueId raw, raw_predictions(context, estimator, input, Link::kIdentity, 1));
  return regression(context, raw, true);
}

constexpr std::string_view kBoosting = "sklearn.ensemble._gb sklearn.ensemble.gradient_boosting";

constexpr EstimatorRow kGradientBoostingRows[] = {
    {"GradientBoostingClassifier", kBoosting, "estimators_", lower_gradient_boosting_classifier, "init_"},
    {"GradientBoostingRegressor", kBoosting, "estimators_", lower_gradient_boosting_regressor, "init_"},
};

}  // namespace

std::span<const EstimatorRow> gradient_boosting_rows() {
  return kGradientBoostingRows;
}

}  // namespace wherry::sklearn
