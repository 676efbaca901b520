#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

#include "engine/testing.h"

namespace wherry::engine {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double kInf = std::numeric_limits<double>::infinity();

program::OneHotColumn colours() {
  return {.categories = {std::string("blue"), std::string("red"), kNone}, .targets = {0, 1, 2}, .width = 3};
}

TEST(OneHot, SetsOneColumnOfEachBlock) {
  Model model(2);
  const program::OneHotColumn sizes{.categories = {1.0, 2.0, NAN}, .targets = {0, -1, 1}, .width = 2};
  const Answer answer(model, model.add(program::OneHot{{colours(), sizes}}, {Model::kInput}),
                      {{std::string("red"), 1.0}, {kNone, 2.0}, {NAN, NAN}, {std::string("blue"), kNone}});
  EXPECT_THAT(answer.numbers(), ElementsAre(0, 1, 0, 1, 0,  //
                                            0, 0, 1, 0, 0,  //
                                            0, 0, 1, 0, 1,  //
                                            1, 0, 0, 0, 1));
}

TEST(OneHot, LeavesUnknownCategoriesZeroOrPutsThemWhereTold) {
  Model model(2);
  program::OneHotColumn told = colours();
  told.unknown_target = 1;
  const Answer answer(model, model.add(program::OneHot{{colours(), told}}, {Model::kInput}),
                      {{std::string("green"), std::string("green")}});
  EXPECT_THAT(answer.numbers(), ElementsAre(0, 0, 0, 0, 1, 0));
}

TEST(OneHot, RefusesUnknownCategoriesNamingValueAndColumn) {
  Model model({"size", "colour"});
  program::OneHotColumn strict = colours();
  strict.refuse_unknown = true;
  const ValueId colour = model.add(program::SelectColumns{{1}}, {Model::kInput});
  const Answer answer(model, model.add(program::OneHot{{strict}}, {colour}),
                      {{1.0, std::string("red")}, {1.0, std::string("XX")}});
  EXPECT_EQ(answer.error().id, "engine.unknown_category");
  EXPECT_EQ(answer.error().message,
            "column 'colour' of row 1: unknown category 'XX' (encoder knows 3 categories)");
}

TEST(OneHot, RefusesInfinityWhereAskedTo) {
  Model model({"size"});
  const program::OneHotColumn sizes{
      .categories = {1.0, kInf}, .targets = {0, 1}, .width = 2, .refuse_infinite = true};
  const Answer answer(model, model.add(program::OneHot{{sizes}}, {Model::kInput}), {{1.0}, {kInf}});
  EXPECT_EQ(answer.error().id, "engine.not_finite");
  EXPECT_THAT(answer.error().message, HasSubstr("column 'size' of row 1"));
}

TEST(OneHot, OfAMatrixMatchesNumbers) {
  Model model(1);
  const program::OneHotColumn sizes{.categories = {1.0, 2.0}, .targets = {0, 1}, .width = 2};
  const Answer answer(model, model.add(program::OneHot{{sizes}}, {model.matrix()}), {{2.0}, {3.0}});
  EXPECT_THAT(answer.numbers(), ElementsAre(0, 1, 0, 0));
}

TEST(Ordinal, GivesEachCategoryItsCode) {
  Model model(2);
  const program::OrdinalColumn letters{
      .categories = {std::string("a"), std::string("b"), kNone}, .codes = {0, 1, NAN}, .unknown_code = -1};
  const program::OrdinalColumn numbers{.categories = {10.0, 20.0}, .codes = {1, 0}, .unknown_code = NAN};
  const Answer answer(model, model.add(program::Ordinal{{letters, numbers}}, {Model::kInput}),
                      {{std::string("b"), 20.0}, {std::string("z"), 10.0}, {kNone, 30.0}});
  using ::testing::IsNan;
  EXPECT_THAT(answer.numbers(), ElementsAre(1, 0, -1, 1, IsNan(), IsNan()));
}

TEST(Ordinal, RefusesUnknownCategoriesOfEveryKind) {
  const auto message = [](tensor::CellValue value) {
    Model model({"k"});
    const program::OrdinalColumn column{.categories = {10.0}, .codes = {0}, .refuse_unknown = true};
    return Answer(model, model.add(program::Ordinal{{column}}, {Model::kInput}), {{std::move(value)}})
        .error()
        .message;
  };
  EXPECT_EQ(message(2.5), "column 'k' of row 0: unknown category 2.5 (encoder knows 1 category)");
  EXPECT_EQ(message(NAN), "column 'k' of row 0: unknown category NaN (encoder knows 1 category)");
  EXPECT_EQ(message(kNone),
            "column 'k' of row 0: unknown category a missing value (encoder knows 1 category)");
  EXPECT_EQ(message(std::string("10")),
            "column 'k' of row 0: unknown category '10' (encoder knows 1 category)");
}

TEST(Ordinal, RefusesInfinityWhereAskedTo) {
  Model model({"size"});
  const program::OrdinalColumn column{.categories = {1.0}, .codes = {0}, .refuse_infinite = true};
  const Answer answer(model, model.add(program::Ordinal{{column}}, {Model::kInput}), {{-kInf}});
  EXPECT_EQ(answer.error().id, "engine.not_finite");
}

}  // namespace
}  // namespace wherry::engine
