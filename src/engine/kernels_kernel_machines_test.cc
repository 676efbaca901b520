#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/testing.h"

namespace wherry::engine {
namespace {

using namespace testing;
using ::testing::DoubleEq;
using ::testing::DoubleNear;
using ::testing::ElementsAre;

program::WeightId matrix(Model& model, std::int64_t rows, std::int64_t columns, std::vector<double> values) {
  return model.weight(tensor::Tensor::of({rows, columns}, std::move(values)));
}

TEST(PairDecisions, AddsTheVectorsOfBothClasses) {
  Model model(4);  // classes with 2, 1 and 1 vectors
  program::PairDecisions op{.counts = {2, 1, 1}};
  op.coefficients = matrix(model, 2, 4, {1, 2, 3, 4, 10, 20, 30, 40});
  op.intercept = model.numbers({0.5, 0, -1});
  const ValueId value = model.add(op, {model.matrix()});
  // (0,1): 1a + 2b + 3c; (0,2): 10a + 20b + 4d; (1,2): 30c + 40d
  EXPECT_THAT(Answer(model, value, {{1.0, 1.0, 1.0, 1.0}}).numbers(), ElementsAre(6.5, 34, 69));
}

TEST(PairWinner, TheFirstOfEqualClassesWins) {
  Model model(3);
  model.output("out", {model.add(program::PairWinner{3}, {model.matrix()})});
  auto plan = model.compile();
  ASSERT_TRUE(plan);
  const Rows rows{{1.0, -1.0, 1.0}, {-1.0, -1.0, -1.0}, {0.0, 0.0, 0.0}};
  const tensor::Table table = table_of(rows, 3);
  Workspace workspace;
  ASSERT_TRUE(plan->run(table, plan->all_outputs(), workspace));
  EXPECT_THAT(workspace.result(0, 0).integers, ElementsAre(0, 2, 2));
}

TEST(PairProbabilities, OfTwoClassesIsPlattsSigmoid) {
  Model model(1);
  const auto a = model.numbers({-1});
  const auto b = model.numbers({0});
  const ValueId value = model.add(program::PairProbabilities{2, a, b}, {model.matrix()});
  const auto numbers = Answer(model, value, {{1.0}, {100.0}}).numbers();
  EXPECT_THAT(numbers[0], DoubleNear(1 / (1 + std::exp(-1.0)), 1e-3));
  EXPECT_THAT(numbers[0] + numbers[1], DoubleEq(1));
  EXPECT_THAT(numbers[2], DoubleNear(1 - 1e-7, 1e-12));
}

TEST(PairProbabilities, OfADecisionThatIsNaNAreThoseOfTheLeastLikely) {
  Model model(1);
  const auto a = model.numbers({-1});
  const auto b = model.numbers({0});
  const ValueId value = model.add(program::PairProbabilities{2, a, b}, {model.matrix()});
  EXPECT_LT(Answer(model, value, {{std::nan("")}}).numbers()[0], 1e-6);
}

TEST(SolvedSquares, SolvesTheLowerTriangle) {
  Model model(2);
  const auto lower = matrix(model, 2, 2, {2, 99, 1, 4});
  const auto scale = model.numbers({1, 2});
  const ValueId value = model.add(program::SolvedSquares{lower, scale}, {model.matrix()});
  EXPECT_THAT(Answer(model, value, {{4.0, 5.0}}).numbers(), ElementsAre(8));  // v = (2, 2)
}

TEST(LaplaceProbability, IsOneHalfForAMeanOfZero) {
  Model model(2);
  const ValueId both = model.matrix();
  const ValueId mean = model.add(program::SelectColumns{{0}}, {both});
  const ValueId variance = model.add(program::SelectColumns{{1}}, {both});
  const ValueId value = model.add(program::LaplaceProbability{}, {mean, variance});
  const auto numbers = Answer(model, value, {{0.0, 1.0}, {2.0, 0.5}}).numbers();
  EXPECT_THAT(numbers[0], DoubleNear(0.5, 1e-3));
  EXPECT_GT(numbers[1], 0.8);
}

TEST(CategoricalLikelihood, RefusesWhatTrainingDidNotHave) {
  const auto likelihood = [](tensor::CellValue category) {
    Model model(2);
    program::CategoricalLikelihood op{.counts = {2, 1}};
    op.log_probability = matrix(model, 3, 2, {1, 2, 3, 4, 5, 6});
    op.log_prior = model.numbers({0.5, 0.25});
    return Answer(model, model.add(op, {model.matrix()}), {{category, 0.0}});
  };
  EXPECT_THAT(likelihood(1.9).numbers(), ElementsAre(8.5, 10.25));
  EXPECT_THAT(likelihood(-0.5).numbers(), ElementsAre(6.5, 8.25));
  EXPECT_EQ(likelihood(2.0).error().id, "engine.out_of_range");
  EXPECT_EQ(likelihood(-1.0).error().id, "engine.out_of_range");
  EXPECT_EQ(likelihood(NAN).error().id, "engine.out_of_range");
}

TEST(GaussianLikelihood, IsTheLogarithmOfTheDensity) {
  Model model(2);
  program::GaussianLikelihood op;
  op.mean = matrix(model, 1, 2, {1, 2});
  op.variance = matrix(model, 1, 2, {1, 4});
  op.constant = model.numbers({-3});
  op.log_prior = model.numbers({0.5});
  EXPECT_THAT(Answer(model, model.add(op, {model.matrix()}), {{2.0, 6.0}}).numbers(),
              ElementsAre(0.5 + (-3 - 0.5 * 5)));
}

TEST(CountSketch, ConvolvesItsSketches) {
  Model model(2);
  program::CountSketch op{.components = 3};
  op.index = model.weight(tensor::Tensor::of({2, 2}, std::vector<std::int64_t>{0, 2, 2, 1}));
  op.bit = matrix(model, 2, 2, {1, -1, 1, 1});
  // (a, 0, -b) * (0, b, a): positions (0+1)%3, (0+2), (2+1)%3, (2+2)%3
  EXPECT_THAT(Answer(model, model.add(op, {model.matrix()}), {{2.0, 3.0}}).numbers(),
              ElementsAre(-9, 6 - 6, 4));
}

TEST(AdditiveChi2Features, KeepsZeros) {
  Model model(1);
  const ValueId value = model.add(program::AdditiveChi2Features{2, 0.5}, {model.matrix()});
  const auto numbers = Answer(model, value, {{0.0}, {2.0}}).numbers();
  EXPECT_THAT(std::vector(numbers.begin(), numbers.begin() + 4), ElementsAre(0, 0, 0, 1));
}

}  // namespace
}  // namespace wherry::engine
