#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "engine/normal_quantile.h"
#include "engine/testing.h"

namespace wherry::engine {
namespace {

using testing::Answer;
using testing::Model;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(NormalQuantile, IsSymmetricAndInfiniteAtTheEnds) {
  EXPECT_EQ(normal_quantile(0.5), 0.0);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-15);
  EXPECT_NEAR(normal_quantile(1e-20), -9.262340089798408, 1e-14);
  EXPECT_TRUE(std::isinf(normal_quantile(1)));
  EXPECT_TRUE(std::isnan(normal_quantile(1.5)));
}

TEST(Bins, CountsTheEdgesAtOrBelowAValue) {
  Model model(2);
  program::Bins op{.offsets = {0, 2, 3}};
  op.edges = model.numbers({1, 2, 10});
  const auto out = model.add(op, {model.matrix()});
  EXPECT_EQ(Answer(model, out, {{0.5, 9.0}, {1.0, 10.0}, {3.0, 11.0}}).numbers(),
            (std::vector<double>{0, 0, 1, 1, 2, 1}));
}

TEST(Quantiles, MapsTiesToTheMiddleAndEndsToTheEnds) {
  Model model(1);
  program::Quantiles op;
  op.quantiles = model.weight(tensor::Tensor::of({1, 5}, std::vector<double>{0, 1, 1, 1, 4}));
  op.references = model.numbers({0, 0.25, 0.5, 0.75, 1});
  const auto out = model.add(op, {model.matrix()});
  EXPECT_EQ(Answer(model, out, {{1.0}, {-9.0}, {9.0}, {2.5}}).numbers(),
            (std::vector<double>{0.5, 0, 1, 0.875}));
}

TEST(Products, MultipliesAParentWithAFeature) {
  Model model(2);
  const auto out = model.add(program::Products{{-1, -1, -1, 1, 3}, {-1, 0, 1, 1, 0}}, {model.matrix()});
  EXPECT_EQ(Answer(model, out, {{2.0, 5.0}}).numbers(), (std::vector<double>{1, 2, 5, 10, 20}));
}

TEST(Products, RefusesAParentThatComesLater) {
  program::ProgramBuilder builder({.columns = {{.name = "x"}}});
  const auto x = builder.add(program::ToMatrix{}, {0});
  EXPECT_FALSE(builder.add(program::Products{{1, -1}, {0, 0}}, {*x}));
}

TEST(SplineBasis, SumsToOneInsideItsKnots) {
  Model model(1);
  program::SplineBasis op{.degree = 2};
  op.knots = model.weight(tensor::Tensor::of({1, 7}, std::vector<double>{-2, -1, 0, 1, 2, 3, 4}));
  const auto out = model.add(op, {model.matrix()});
  const auto values = Answer(model, out, {{0.25}}).numbers();
  ASSERT_EQ(values.size(), 4u);
  EXPECT_EQ(values[0] + values[1] + values[2] + values[3], 1.0);
}

TEST(SplineBasis, RefusesAValueOutsideItsKnotsWhenTold) {
  Model model(1);
  program::SplineBasis op{.degree = 1, .extrapolation = program::Extrapolation::kError};
  op.knots = model.weight(tensor::Tensor::of({1, 5}, std::vector<double>{-1, 0, 1, 2, 3}));
  const auto out = model.add(op, {model.matrix()});
  EXPECT_EQ(Answer(model, out, {{2.5}}).error().id, "engine.beyond_knots");
}

TEST(SplineBasis, RefusesFewerKnotsThanItsDegreeNeeds) {
  program::ProgramBuilder builder({.columns = {{.name = "x"}}});
  const auto x = builder.add(program::ToMatrix{}, {0});
  program::SplineBasis op{.degree = 3};
  op.knots = builder.weight("knots", tensor::Tensor::of({1, 5}, std::vector<double>{0, 1, 2, 3, 4}));
  EXPECT_FALSE(builder.add(op, {*x}));
}

TEST(NormalizeLengths, LeavesARowOfTinyLength) {
  Model model(2);
  const auto out = model.add(program::NormalizeLengths{.smallest = 1e-10}, {model.matrix()});
  EXPECT_EQ(Answer(model, out, {{3.0, 4.0}, {1e-12, 0.0}}).numbers(),
            (std::vector<double>{0.6, 0.8, 1e-12, 0}));
}

TEST(PowerTransform, RefusesZeroForBoxCox) {
  Model model(1);
  program::PowerTransform op{.method = program::PowerMethod::kBoxCox};
  op.lambdas = model.numbers({0.5});
  const auto out = model.add(op, {model.matrix()});
  EXPECT_EQ(Answer(model, out, {{1.0}, {0.0}}).error().id, "engine.not_positive");
}

TEST(PowerTransform, KeepsNan) {
  Model model(1);
  program::PowerTransform op{.method = program::PowerMethod::kBoxCox};
  op.lambdas = model.numbers({2});
  const auto out = model.add(op, {model.matrix()});
  EXPECT_TRUE(std::isnan(Answer(model, out, {{kNan}}).numbers()[0]));
}

TEST(CenterKernel, SubtractsMeansOfRowsAndColumns) {
  Model model(2);
  program::CenterKernel op{.all = 0.5};
  op.rows = model.numbers({1, 2});
  const auto out = model.add(op, {model.matrix()});
  EXPECT_EQ(Answer(model, out, {{3.0, 5.0}}).numbers(), (std::vector<double>{-1.5, -0.5}));
}

TEST(WithConstant, LetsNanWinOverAMaximum) {
  Model model(1);
  const auto out =
      model.add(program::WithConstant{program::ConstantOperation::kMaximum, 2}, {model.matrix()});
  const auto values = Answer(model, out, {{1.0}, {3.0}, {kNan}}).numbers();
  EXPECT_EQ(values[0], 2);
  EXPECT_EQ(values[1], 3);
  EXPECT_TRUE(std::isnan(values[2]));
}

TEST(ReplaceNonFinite, GivesEachKindItsNumber) {
  Model model(1);
  const auto out = model.add(program::ReplaceNonFinite{1, 2, 3}, {model.matrix()});
  EXPECT_EQ(Answer(model, out, {{kNan}, {INFINITY}, {-INFINITY}, {7.0}}).numbers(),
            (std::vector<double>{1, 2, 3, 7}));
}

}  // namespace
}  // namespace wherry::engine
