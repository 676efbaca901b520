#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/testing.h"

namespace wherry::engine {
namespace {

using namespace testing;
using tensor::Tensor;
using ::testing::ElementsAre;

std::vector<std::int64_t> integers(const Answer& answer) {
  const auto values = answer.view().integers;
  return {values.begin(), values.end()};
}

TEST(Argmax, TakesTheFirstMaximumAndTheFirstNanBeforeEverything) {
  Model model(3);
  const Answer answer(model, model.add(program::Argmax{}, {model.matrix()}),
                      {{1.0, 3.0, 3.0},
                       {9.0, NAN, NAN},
                       {-INFINITY, -INFINITY, -INFINITY},
                       {-0.0, 0.0, 0.0},
                       {1.0, INFINITY, NAN}});
  EXPECT_THAT(integers(answer), ElementsAre(1, 1, 0, 0, 2));
}

TEST(Above, IsStrictUnlessInclusive) {
  const auto above = [](bool inclusive) {
    Model model(1);
    return integers(Answer(model, model.add(program::Above{0.5, inclusive}, {model.matrix()}),
                           {{0.5}, {0.5000000000000001}, {0.49999999999999994}, {NAN}, {INFINITY}}));
  };
  EXPECT_THAT(above(false), ElementsAre(0, 1, 0, 0, 1));
  EXPECT_THAT(above(true), ElementsAre(1, 1, 0, 0, 1));
}

// The labels [a, b] taken by x > 0, for rows -1 and 1.
template <class Check>
void with_labels(Tensor labels, Check check) {
  Model model(1);
  const ValueId index = model.add(program::Above{0}, {model.matrix()});
  const ValueId taken = model.add(program::TakeLabels{model.weight(std::move(labels))}, {index});
  const Answer answer(model, taken, {{-1.0}, {1.0}});
  ASSERT_TRUE(answer.status());
  EXPECT_TRUE(answer.view().is_vector);
  check(answer.view());
}

TEST(TakeLabels, GivesStrings) {
  with_labels(Tensor::of_strings({2}, {"no", "yes"}),
              [](const ResultView& view) { EXPECT_THAT(view.strings, ElementsAre("no", "yes")); });
}
TEST(TakeLabels, GivesBools) {
  with_labels(Tensor::of_bools({2}, {1, 0}),
              [](const ResultView& view) { EXPECT_THAT(view.bools, ElementsAre(1, 0)); });
}
TEST(TakeLabels, GivesIntegers) {
  with_labels(Tensor::of({2}, std::vector<std::int64_t>{-5, INT64_MAX}),
              [](const ResultView& view) { EXPECT_THAT(view.integers, ElementsAre(-5, INT64_MAX)); });
}
TEST(TakeLabels, GivesNumbers) {
  with_labels(Tensor::of({2}, std::vector<double>{0.1, 2}),
              [](const ResultView& view) { EXPECT_THAT(view.doubles, ElementsAre(0.1, 2)); });
}

// The two label columns (x0 > 0, x1 > 0), stacked.
template <class Check>
void with_stacked(const Tensor& labels, Check check) {
  Model model(2);
  const ValueId matrix = model.matrix();
  std::vector<ValueId> columns;
  for (std::int64_t j = 0; j < 2; ++j) {
    const ValueId column = model.add(program::SelectColumns{{j}}, {matrix});
    const ValueId index = model.add(program::Above{0}, {column});
    columns.push_back(model.add(program::TakeLabels{model.weight(labels)}, {index}));
  }
  const Answer answer(model, model.add(program::StackLabels{}, columns), {{-1.0, 1.0}, {1.0, 1.0}});
  ASSERT_TRUE(answer.status());
  EXPECT_EQ(answer.view().columns, 2U);
  EXPECT_FALSE(answer.view().is_vector);
  check(answer.view());
}

TEST(StackLabels, PutsLabelsOfEveryDtypeSideBySide) {
  with_stacked(Tensor::of_strings({2}, {"n", "y"}),
               [](const ResultView& view) { EXPECT_THAT(view.strings, ElementsAre("n", "y", "y", "y")); });
  with_stacked(Tensor::of_bools({2}, {0, 1}),
               [](const ResultView& view) { EXPECT_THAT(view.bools, ElementsAre(0, 1, 1, 1)); });
  with_stacked(Tensor::of({2}, std::vector<std::int64_t>{3, 4}),
               [](const ResultView& view) { EXPECT_THAT(view.integers, ElementsAre(3, 4, 4, 4)); });
  with_stacked(Tensor::of({2}, std::vector<double>{3, 4}),
               [](const ResultView& view) { EXPECT_THAT(view.doubles, ElementsAre(3, 4, 4, 4)); });
}

TEST(Flatten, MakesAColumnAVector) {
  Model model(1);
  const Answer answer(model, model.add(program::Flatten{}, {model.matrix()}), {{1.5}, {2.5}});
  EXPECT_THAT(answer.numbers(), ElementsAre(1.5, 2.5));
  EXPECT_TRUE(answer.view().is_vector);
}

}  // namespace
}  // namespace wherry::engine
