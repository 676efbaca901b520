#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

#include "engine/testing.h"

namespace wherry::engine {
namespace {

using namespace testing;
using program::KernelFunction;
using ::testing::DoubleNear;
using ::testing::ElementsAre;

constexpr double kInf = std::numeric_limits<double>::infinity();

// k((3, 0), (1, 2)) and k((3, 0), (0, 0)).
std::vector<double> similarity(program::KernelMatrix op) {
  Model model(2);
  op.rows = model.weight(tensor::Tensor::of({2, 2}, std::vector<double>{1, 2, 0, 0}));
  return Answer(model, model.add(op, {model.matrix()}), {{3.0, 0.0}}).numbers();
}

TEST(KernelMatrix, TakesFunctionsOfTheDotProduct) {
  EXPECT_THAT(similarity({.function = KernelFunction::kLinear}), ElementsAre(3, 0));
  EXPECT_THAT(similarity({.function = KernelFunction::kPolynomial, .gamma = 2, .coef0 = 1, .degree = 2}),
              ElementsAre(49, 1));
  EXPECT_THAT(
      similarity({.function = KernelFunction::kIntegerPolynomial, .gamma = 2, .coef0 = 1, .degree = 3}),
      ElementsAre(343, 1));
  EXPECT_THAT(similarity({.function = KernelFunction::kIntegerPolynomial, .degree = 0}), ElementsAre(1, 1));
  EXPECT_THAT(similarity({.function = KernelFunction::kSigmoid, .gamma = 0.5}),
              ElementsAre(std::tanh(1.5), 0));
}

TEST(KernelMatrix, TakesFunctionsOfTheDistance) {
  EXPECT_THAT(similarity({.function = KernelFunction::kRbf, .gamma = 0.5}),
              ElementsAre(std::exp(-4.0), std::exp(-4.5)));
  EXPECT_THAT(similarity({.function = KernelFunction::kRbfOfDifferences, .gamma = 0.5}),
              ElementsAre(std::exp(-4.0), std::exp(-4.5)));
  EXPECT_THAT(similarity({.function = KernelFunction::kLaplacian, .gamma = 0.5}),
              ElementsAre(std::exp(-2.0), std::exp(-1.5)));
  EXPECT_THAT(similarity({.function = KernelFunction::kRationalQuadratic, .gamma = 1, .coef0 = 2}),
              ElementsAre(0.2, 1 / 5.5));
  EXPECT_THAT(similarity({.function = KernelFunction::kExpSineSquared, .gamma = 0.5, .coef0 = 2})[1],
              std::exp(-2 * std::pow(std::sin(1.5) / 2, 2)));
}

TEST(KernelMatrix, LeavesColumnsOutOfChi2WhichAreZero) {
  EXPECT_THAT(similarity({.function = KernelFunction::kAdditiveChi2}), ElementsAre(-3, -3));
  EXPECT_THAT(similarity({.function = KernelFunction::kChi2, .gamma = 2}),
              ElementsAre(std::exp(-6.0), std::exp(-6.0)));
}

TEST(KernelMatrix, DividesByTheNormForTheCosine) {
  EXPECT_THAT(similarity({.function = KernelFunction::kCosine}), ElementsAre(1, 0));
  EXPECT_THAT(similarity({.function = KernelFunction::kCosine, .coef0 = 4}), ElementsAre(3, 0));
}

// General nu goes through Bessel functions and must agree with the closed forms.
TEST(KernelMatrix, MaternOfGeneralNuMeetsTheClosedForms) {
  for (const double nu : {0.5, 1.5, 2.5}) {
    const auto closed = similarity({.function = KernelFunction::kMatern, .degree = nu});
    const auto general = similarity({.function = KernelFunction::kMatern, .degree = nu + 1e-13});
    EXPECT_THAT(general, ElementsAre(DoubleNear(closed[0], 1e-12), DoubleNear(closed[1], 1e-12))) << nu;
  }
  EXPECT_EQ(similarity({.function = KernelFunction::kMatern, .degree = kInf})[1], std::exp(-4.5));
}

TEST(KernelMatrix, MaternFarAwayIsZero) {
  Model model(1);
  const auto rows = model.weight(tensor::Tensor::of({1, 1}, std::vector<double>{0}));
  const ValueId value =
      model.add(program::KernelMatrix{.function = KernelFunction::kMatern, .degree = 0.9, .rows = rows},
                {model.matrix()});
  EXPECT_THAT(Answer(model, value, {{1e5}, {1e300}}).numbers(), ElementsAre(0, ::testing::IsNan()));
}

}  // namespace
}  // namespace wherry::engine
