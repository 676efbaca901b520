#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/testing.h"

namespace wherry::engine {
namespace {

using namespace testing;
using tensor::Tensor;
using ::testing::ElementsAre;

Tensor integers(std::vector<std::int64_t> values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return Tensor::of({count}, std::move(values));
}

// The label of x > 0.
ValueId label_of_sign(Model& model, Tensor labels) {
  const ValueId index = model.add(program::Above{0}, {model.matrix()});
  return model.add(program::TakeLabels{model.weight(std::move(labels))}, {index});
}

TEST(AsMatrix, HoldsIntegerAndBooleanLabelsAsNumbers) {
  for (const Tensor& labels : {integers({7, -2}), Tensor::of({2}, std::vector<double>{7, -2})}) {
    Model model(1);
    const ValueId label = label_of_sign(model, labels);
    const Answer answer(model, model.add(program::AsMatrix{}, {label}), {{-1.0}, {1.0}, {0.0}});
    EXPECT_THAT(answer.numbers(), ElementsAre(7, -2, 7));
    EXPECT_FALSE(answer.view().is_vector);
  }
}

TEST(AsMatrix, RefusesText) {
  program::ProgramBuilder builder({.columns = {{.name = "x"}}});
  const auto matrix = builder.add(program::ToMatrix{}, {0});
  const auto index = builder.add(program::Above{0}, {*matrix});
  const auto texts = builder.weight("texts", Tensor::of_strings({2}, {"a", "b"}));
  const auto label = builder.add(program::TakeLabels{texts}, {*index});
  ASSERT_TRUE(label);
  EXPECT_FALSE(builder.add(program::AsMatrix{}, {*label}));
}

TEST(MatchLabels, ComparesTextByBytesAndNumbersByValue) {
  Model texts(1);
  const auto words = texts.weight(Tensor::of_strings({3}, {"yes", "maybe", "no"}));
  const ValueId word = label_of_sign(texts, Tensor::of_strings({2}, {"no", "yes"}));
  EXPECT_THAT(Answer(texts, texts.add(program::MatchLabels{words, 2, -1}, {word}), {{-1.0}, {1.0}}).numbers(),
              ElementsAre(-1, -1, 2, 2, -1, -1));
  Model numbers(1);
  const auto codes = numbers.weight(Tensor::of({2}, std::vector<double>{3, 5}));
  const ValueId number = label_of_sign(numbers, integers({5, 4}));
  EXPECT_THAT(Answer(numbers, numbers.add(program::MatchLabels{codes}, {number}), {{-1.0}, {1.0}}).numbers(),
              ElementsAre(0, 1, 0, 0));
}

TEST(WeightedSum, AddsInOrderAndDividesAtLast) {
  Model model(1);
  const ValueId x = model.matrix();
  const program::WeightedSum op{model.numbers({1e16, -1e16, 1}), 4};
  EXPECT_THAT(Answer(model, model.add(op, {x, x, x}), {{1.0}, {4.0}}).numbers(), ElementsAre(0.25, 1));
}

TEST(WeightedMedian, TakesTheFirstValueWithHalfOfTheWeight) {
  Model model(3);
  const program::WeightedMedian op{model.numbers({1, 2, 1})};
  EXPECT_THAT(Answer(model, model.add(op, {model.matrix()}),
                     {{3.0, 1.0, 2.0}, {1.0, 3.0, 2.0}, {NAN, 5.0, NAN}, {2.0, 2.0, 2.0}})
                  .numbers(),
              ElementsAre(1, 2, 5, 2));
}

TEST(WeightedMedian, TakesTheFirstOfAllWhereNoSumReachesHalf) {
  Model model(2);
  const program::WeightedMedian op{model.numbers({NAN, 1})};
  EXPECT_THAT(Answer(model, model.add(op, {model.matrix()}), {{3.0, 1.0}}).numbers(), ElementsAre(1));
}

TEST(SammeScores, CentresTheLogarithmsOfClippedProbabilities) {
  Model model(2);
  const auto scores =
      Answer(model, model.add(program::SammeScores{}, {model.matrix()}), {{0.0, 1.0}}).numbers();
  const double low = std::log(std::ldexp(1.0, -52));
  ASSERT_EQ(scores.size(), 2U);
  EXPECT_EQ(scores[0], low - 0.5 * low);
  EXPECT_EQ(scores[1], 0 - 0.5 * low);
}

TEST(PairVotes, CountsVotesAndAddsSquashedConfidences) {
  Model model(3);
  const ValueId predictions = model.matrix();
  const ValueId confidences =
      model.add(program::Columnwise{program::Arithmetic::kSubtract, model.numbers({0.5})}, {predictions});
  // Pairs (0,1), (0,2), (1,2): class 0 beats both, 2 beats 1.
  const auto votes =
      Answer(model, model.add(program::PairVotes{3}, {predictions, confidences}), {{0.0, 0.0, 1.0}})
          .numbers();
  EXPECT_THAT(votes, ElementsAre(2 + 1.0 / 6, 0 - 1.0 / 6, 1 + 0.0));
}

TEST(PairVotes, IsRefusedForOtherThanAllPairs) {
  program::ProgramBuilder builder({.columns = {{.name = "x"}, {.name = "y"}}});
  const auto matrix = builder.add(program::ToMatrix{}, {0});
  EXPECT_FALSE(builder.add(program::PairVotes{3}, {*matrix, *matrix}));
  EXPECT_FALSE(builder.add(program::PairVotes{-1}, {*matrix, *matrix}));
}

TEST(NearestCode, TakesTheFirstOfEquallyNearCodes) {
  Model model(2);
  const program::NearestCode op{model.weight(Tensor::of({3, 2}, std::vector<double>{1, 1, -1, 1, 1, 1}))};
  const ValueId index = model.add(op, {model.matrix()});
  const ValueId label = model.add(program::TakeLabels{model.weight(integers({10, 20, 30}))}, {index});
  const Answer answer(model, label, {{0.9, 1.0}, {-0.1, 0.0}, {0.0, 5.0}});
  const auto labels = answer.view().integers;
  EXPECT_THAT(std::vector<std::int64_t>(labels.begin(), labels.end()), ElementsAre(10, 20, 10));
}

TEST(NearestCode, NamesNoMoreLabelsThanItHasCodes) {
  program::ProgramBuilder builder({.columns = {{.name = "x"}}});
  const auto matrix = builder.add(program::ToMatrix{}, {0});
  const auto codes = builder.weight("codes", Tensor::of({2, 1}, std::vector<double>{0, 1}));
  const auto index = builder.add(program::NearestCode{codes}, {*matrix});
  ASSERT_TRUE(index);
  const auto labels = builder.weight("labels", integers({4}));
  EXPECT_FALSE(builder.add(program::TakeLabels{labels}, {*index}));
}

}  // namespace
}  // namespace wherry::engine
