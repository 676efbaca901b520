#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/testing.h"

namespace wherry::engine {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsNan;

TEST(Elementwise, CombinesMatricesAndSpreadsASingleColumn) {
  Model model(2);
  const ValueId x = model.matrix();
  const ValueId sums = model.add(program::SumRows{}, {x});
  const ValueId value = model.add(program::Elementwise{program::Arithmetic::kDivide}, {x, sums});
  EXPECT_THAT(Answer(model, value, {{1.0, 3.0}, {2.0, 2.0}}).numbers(), ElementsAre(0.25, 0.75, 0.5, 0.5));
  Model other(2);
  const ValueId y = other.matrix();
  const ValueId doubled = other.add(program::Elementwise{program::Arithmetic::kAdd}, {y, y});
  EXPECT_THAT(Answer(other, doubled, {{1.0, 3.0}}).numbers(), ElementsAre(2, 6));
}

TEST(SumRows, SumsSquares) {
  Model model(3);
  const ValueId value = model.add(program::SumRows{.squares = true}, {model.matrix()});
  EXPECT_THAT(Answer(model, value, {{1.0, 2.0, 3.0}, {0.0, -1.0, 0.0}}).numbers(), ElementsAre(14, 1));
}

TEST(Power, IsPow) {
  Model model(2);
  const ValueId value = model.add(program::Power{3}, {model.matrix()});
  EXPECT_THAT(Answer(model, value, {{2.0, -2.0}}).numbers(), ElementsAre(8, -8));
}

TEST(Threshold, ComparesStrictlyUnlessInclusive) {
  Model model(3);
  const ValueId value = model.add(program::Threshold{.threshold = 1}, {model.matrix()});
  EXPECT_THAT(Answer(model, value, {{1.0, 1.5, NAN}}).numbers(), ElementsAre(0, 1, 0));
  Model inclusive(1);
  const ValueId other =
      inclusive.add(program::Threshold{.threshold = 1, .inclusive = true}, {inclusive.matrix()});
  EXPECT_THAT(Answer(inclusive, other, {{1.0}}).numbers(), ElementsAre(1));
}

Answer interpolated(program::Outside outside, Rows rows) {
  Model model(1);
  const program::WeightId x = model.numbers({0, 1, 3});
  const program::WeightId y = model.numbers({10, 20, 0});
  const ValueId value = model.add(program::Interpolate{x, y, outside}, {model.matrix()});
  return Answer(model, value, std::move(rows));
}

TEST(Interpolate, IsLinearBetweenKnots) {
  EXPECT_THAT(
      interpolated(program::Outside::kNan, {{0.0}, {0.5}, {1.0}, {2.0}, {3.0}, {4.0}, {NAN}}).numbers(),
      ElementsAre(10, 15, 20, 10, 0, IsNan(), IsNan()));
}

TEST(Interpolate, ClipsOrRefusesOutside) {
  EXPECT_THAT(interpolated(program::Outside::kClip, {{-1.0}, {9.0}}).numbers(), ElementsAre(10, 0));
  EXPECT_EQ(interpolated(program::Outside::kRefuse, {{1.0}, {9.0}}).error().id, "engine.out_of_range");
}

TEST(CheckLeast, NamesTheRowThatIsTooSmall) {
  Model model(2);
  const ValueId value = model.add(program::CheckLeast{.least = 0, .estimator = "Counter"}, {model.matrix()});
  const base::Error error = Answer(model, value, {{0.0, 1.0}, {1.0, -1.0}}).error();
  EXPECT_EQ(error.id, "engine.out_of_range");
  EXPECT_THAT(error.message, HasSubstr("column 'x1' of row 1"));
}

}  // namespace
}  // namespace wherry::engine
