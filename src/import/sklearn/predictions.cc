#include "import/sklearn/predictions.h"

namespace wherry::sklearn {

namespace {

Result<ValueId> take(Context& context, ValueId index, const Labels& labels) {
  return context.add(program::TakeLabels{context.weight("classes", labels.values)}, {index});
}

}  // namespace

Result<Answer> predict_argmax(Context& context, ValueId scores, const Labels& labels, const View& estimator) {
  if (context.width(Flow{.value = scores}) != static_cast<std::int64_t>(labels.size()))
    return inconsistent(estimator,
                        cat(context.width(Flow{.value = scores}), " scores for ", labels.size(), " classes"));
  TRY_ASSIGN(const ValueId index, context.add(program::Argmax{}, {scores}));
  TRY_ASSIGN(const ValueId value, take(context, index, labels));
  return Answer{{value}, {}};
}

Result<Answer> predict_sign(Context& context, ValueId score, const Labels& labels, const View& estimator,
                            bool inclusive) {
  if (labels.size() != 2) return inconsistent(estimator, cat("one score for ", labels.size(), " classes"));
  TRY_ASSIGN(const ValueId index,
             context.add(program::Above{.threshold = 0, .inclusive = inclusive}, {score}));
  TRY_ASSIGN(const ValueId value, take(context, index, labels));
  return Answer{{value}, {}};
}

Result<Answer> predict_inlier(Context& context, ValueId score, const View& estimator, bool inclusive) {
  const Labels sides{tensor::Tensor::of({2}, std::vector<std::int64_t>{-1, 1}), {"-1", "1"}};
  return predict_sign(context, score, sides, estimator, inclusive);
}

Result<Answer> predict_indicators(Context& context, ValueId scores, double threshold) {
  const std::int64_t columns = context.width(Flow{.value = scores});
  const Labels indicators{tensor::Tensor::of({2}, std::vector<std::int64_t>{0, 1}), {"0", "1"}};
  std::vector<ValueId> taken;
  for (std::int64_t j = 0; j < columns; ++j) {
    TRY_ASSIGN(const ValueId column, context.select(scores, {j}));
    TRY_ASSIGN(const ValueId index, context.add(program::Above{.threshold = threshold}, {column}));
    TRY_ASSIGN(const ValueId label, take(context, index, indicators));
    taken.push_back(label);
  }
  TRY_ASSIGN(const ValueId stacked, context.add(program::StackLabels{}, taken));
  return Answer{{stacked}, {}};
}

Result<Answer> decision(Context& context, ValueId scores, const Labels& labels) {
  if (context.width(Flow{.value = scores}) != 1) return Answer{{scores}, labels.names};
  TRY_ASSIGN(const ValueId vector, context.flatten(scores));
  return Answer{{vector}, {}};
}

Result<Fitted> regression(Context& context, ValueId predictions, bool vector) {
  Fitted fitted;
  fitted.numbers = predictions;
  if (vector) {
    TRY_ASSIGN(predictions, context.flatten(predictions));
  }
  fitted.predict = Answer{{predictions}, {}};
  return fitted;
}

Result<Fitted> classification(Context& context, ValueId probabilities, ValueId scores,
                              std::span<const Labels> labels, const View& estimator) {
  Fitted fitted;
  if (labels.size() == 1) {
    TRY_ASSIGN(fitted.predict, predict_argmax(context, scores, labels[0], estimator));
    fitted.predict_proba = Answer{{probabilities}, labels[0].names};
    return fitted;
  }
  std::vector<ValueId> predicted;
  fitted.predict_proba.emplace();
  std::int64_t next = 0;
  for (const Labels& output : labels) {
    std::vector<std::int64_t> columns;
    for (std::size_t i = 0; i < output.size(); ++i) columns.push_back(next++);
    TRY_ASSIGN(const ValueId proba, context.select(probabilities, columns));
    TRY_ASSIGN(const ValueId own_scores,
               scores == probabilities ? Result<ValueId>(proba) : context.select(scores, columns));
    TRY_ASSIGN(const Answer answer, predict_argmax(context, own_scores, output, estimator));
    predicted.push_back(answer.values[0]);
    fitted.predict_proba->values.push_back(proba);
  }
  TRY_ASSIGN(const ValueId stacked, context.add(program::StackLabels{}, predicted));
  fitted.predict = Answer{{stacked}, {}};
  return fitted;
}

}  // namespace wherry::sklearn
