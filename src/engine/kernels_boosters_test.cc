#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/testing.h"

namespace wherry::engine {
namespace {

using namespace testing;
using ::testing::ElementsAre;

TEST(ApplyFloat32, RoundsItsInputAndResultToFloat32) {
  Model model(1);
  const ValueId value = model.add(program::ApplyFloat32{program::Float32Function::kExp}, {model.matrix()});
  EXPECT_THAT(Answer(model, value, {{0.1}, {1e300}}).numbers(),
              ElementsAre(static_cast<double>(std::exp(0.1F)), INFINITY));
}

TEST(ApplyFloat32, SigmoidStaysAboveZeroWhereExpWouldOverflow) {
  Model model(1);
  const ValueId value =
      model.add(program::ApplyFloat32{program::Float32Function::kSigmoid}, {model.matrix()});
  const auto p = Answer(model, value, {{-1e30}, {0.0}, {1e30}}).numbers();
  EXPECT_GT(p[0], 0);
  EXPECT_EQ(p[1], 0.5);
  EXPECT_EQ(p[2], 1.0);
}

TEST(SoftmaxFloat32, DividesByTheSumRoundedToFloat32) {
  Model model(3);
  const ValueId value = model.add(program::SoftmaxFloat32{}, {model.matrix()});
  const float a = std::exp(-1.5F);
  const float b = std::exp(-1.25F);
  const auto sum = static_cast<float>(static_cast<double>(a) + 1.0 + static_cast<double>(b));
  EXPECT_THAT(Answer(model, value, {{0.5, 2.0, 0.75}}).numbers(), ElementsAre(a / sum, 1.0F / sum, b / sum));
}

TEST(ComplementFloat32, SubtractsInFloat32) {
  Model model(1);
  const ValueId value = model.add(program::ComplementFloat32{}, {model.matrix()});
  EXPECT_THAT(Answer(model, value, {{static_cast<double>(0.3F)}}).numbers(), ElementsAre(1.0F - 0.3F, 0.3F));
}

TEST(LinearFloat32, AddsInColumnOrderAndPassesOverMissingValues) {
  Model model(3);
  const ValueId value = model.add(
      program::LinearFloat32{
          model.weight(tensor::Tensor::of({3, 2}, std::vector<double>{1, 2, 0.5, 1, 1e8, 0})),
          model.numbers({1, 10})},
      {model.matrix()});
  EXPECT_THAT(Answer(model, value, {{1.0, 2.0, 1.0}, {1.0, NAN, 0.0}}).numbers(),
              ElementsAre(static_cast<double>(1.0F + 1.0F + 1.0F + 1e8F), 14, 2, 12));
}

}  // namespace
}  // namespace wherry::engine
