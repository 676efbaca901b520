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
using ::testing::IsEmpty;
using ::testing::IsNan;

constexpr double kInf = std::numeric_limits<double>::infinity();

// Cells of a table result, written out.
std::vector<std::string> cells(const tensor::Table& table) {
  std::vector<std::string> result;
  for (std::size_t i = 0; i < table.rows * table.columns; ++i) {
    switch (table.kind(i)) {
      case tensor::CellKind::kNumber:
        result.push_back(std::to_string(static_cast<int>(table.numbers[i])));
        break;
      case tensor::CellKind::kText:
        result.push_back("'" + std::string(table.texts[i]) + "'");
        break;
      case tensor::CellKind::kMissing:
        result.push_back("None");
        break;
    }
  }
  return result;
}

TEST(SelectColumns, TakesCellsOfATableInTheGivenOrderWithRepetitions) {
  Model model(3);
  const Answer answer(model, model.add(program::SelectColumns{{2, 0, 2}}, {Model::kInput}),
                      {{1.0, 2.0, std::string("a")}, {kNone, 4.0, std::string("b")}});
  EXPECT_THAT(cells(*answer.view().table), ElementsAre("'a'", "1", "'a'", "'b'", "None", "'b'"));
}

TEST(SelectColumns, OfAMatrixIsAMatrix) {
  Model model(3);
  const Answer answer(model, model.add(program::SelectColumns{{2, 1}}, {model.matrix()}),
                      {{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}});
  EXPECT_THAT(answer.numbers(), ElementsAre(3, 2, 6, 5));
}

TEST(SelectColumns, OfNoColumnsIsEmpty) {
  Model model(2);
  const Answer answer(model, model.add(program::SelectColumns{}, {model.matrix()}), {{1.0, 2.0}});
  EXPECT_THAT(answer.numbers(), IsEmpty());
  EXPECT_EQ(answer.view().rows, 1U);
  EXPECT_EQ(answer.view().columns, 0U);
}

TEST(SelectColumns, OfAllColumnsInOrderIsTheSameMatrix) {
  Model model(2);
  const Answer answer(model, model.add(program::SelectColumns{{0, 1}}, {model.matrix()}), {{1.0, 2.0}});
  EXPECT_THAT(answer.numbers(), ElementsAre(1, 2));
}

TEST(Concat, OfMatricesStandsSideBySide) {
  Model model(3);
  const ValueId matrix = model.matrix();
  const ValueId last = model.add(program::SelectColumns{{2}}, {matrix});
  const Answer answer(model, model.add(program::Concat{}, {last, matrix, last}),
                      {{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}});
  EXPECT_THAT(answer.numbers(), ElementsAre(3, 1, 2, 3, 3, 6, 4, 5, 6, 6));
}

TEST(Concat, OfAMatrixAndATableIsATable) {
  Model model(2);
  const ValueId text = model.add(program::SelectColumns{{1}}, {Model::kInput});
  const ValueId number = model.add(program::SelectColumns{{0}}, {Model::kInput});
  const ValueId matrix = model.add(program::ToMatrix{}, {number});
  const Answer answer(model, model.add(program::Concat{}, {text, matrix}),
                      {{7.0, std::string("a")}, {8.0, kNone}});
  EXPECT_THAT(cells(*answer.view().table), ElementsAre("'a'", "7", "None", "8"));
}

TEST(ToMatrix, MakesMissingCellsNanAndReadsTextAsPythonDoes) {
  Model model(4);
  const Answer answer(model, model.matrix(), {{kNone, std::string(" 1_0.5 "), -0.0, std::string("-inf")}});
  EXPECT_THAT(answer.numbers(), ElementsAre(IsNan(), 10.5, 0.0, -kInf));
  EXPECT_TRUE(std::signbit(answer.numbers()[2]));
}

TEST(ToMatrix, RefusesTextNamingRowAndColumn) {
  Model model({"age", "income"});
  const ValueId income = model.add(program::SelectColumns{{1}}, {Model::kInput});
  const Answer answer(model, model.add(program::ToMatrix{}, {income}),
                      {{1.0, 2.0}, {std::string("x"), 1.0}, {1.0, std::string("lots")}});
  EXPECT_EQ(answer.error().id, "engine.not_a_number");
  EXPECT_EQ(answer.error().code, base::Code::kInvalidInput);
  EXPECT_EQ(answer.error().message, "column 'income' of row 2: 'lots' is not a number");
}

Answer check(program::CheckFinite op, Rows rows) {
  op.estimator = "Ridge";
  Model model({"a", "b"});
  return Answer(model, model.add(op, {model.matrix()}), std::move(rows));
}

TEST(CheckFinite, LetsFiniteNumbersPass) {
  EXPECT_THAT(check({}, {{1.0, -1e308}, {5e-324, -0.0}}).numbers(), ElementsAre(1.0, -1e308, 5e-324, -0.0));
}

TEST(CheckFinite, RefusesNanInTheWordsOfScikitLearn) {
  const base::Error error = check({}, {{1.0, 2.0}, {1.0, NAN}}).error();
  EXPECT_EQ(error.id, "engine.not_finite");
  EXPECT_EQ(error.message,
            "Input X contains NaN: column 'b' of row 1; Ridge does not accept missing values encoded as NaN");
  EXPECT_THAT(error.hint, HasSubstr("imputer"));
}

TEST(CheckFinite, ReportsNanBeforeAnEarlierInfinity) {
  EXPECT_THAT(check({}, {{kInf, NAN}}).error().message, HasSubstr("contains NaN: column 'b'"));
}

TEST(CheckFinite, RefusesInfinityEvenWhereNanIsAllowed) {
  const base::Error error = check({.allow_nan = true}, {{NAN, 1.0}, {-kInf, 1.0}}).error();
  EXPECT_EQ(error.message,
            "Input X contains infinity or a value too large for dtype('float64'): column 'a' of row 1; Ridge "
            "refuses it");
}

TEST(CheckFinite, LetsNanPassWhereAllowed) {
  EXPECT_THAT(check({.allow_nan = true}, {{NAN, 1.0}}).numbers(), ElementsAre(IsNan(), 1.0));
}

TEST(CheckFinite, RefusesWhatRoundsToInfinityAsFloat32) {
  constexpr double kLargestFine = 0x1.fffffefffffffp127;
  EXPECT_THAT(check({.as_float32 = true}, {{kLargestFine, -kLargestFine}}).numbers(),
              ElementsAre(kLargestFine, -kLargestFine));
  EXPECT_THAT(check({.as_float32 = true}, {{1.0, 0x1.ffffffp127}}).error().message,
              HasSubstr("dtype('float32')"));
  EXPECT_THAT(check({.as_float32 = true}, {{1.0, -1e39}}).error().message, HasSubstr("column 'b' of row 0"));
}

TEST(CheckFinite, NamesTheColumnThroughWhatCameBefore) {
  Model model({"a", "b", "c"});
  const ValueId matrix = model.matrix();
  const ValueId right = model.add(program::SelectColumns{{2, 1}}, {matrix});
  const ValueId left = model.add(program::SelectColumns{{0}}, {matrix});
  const ValueId both = model.add(program::Concat{}, {left, right});
  const ValueId shifted =
      model.add(program::Columnwise{program::Arithmetic::kAdd, model.numbers({1})}, {both});
  const Answer answer(model, model.add(program::CheckFinite{.estimator = "Lasso"}, {shifted}),
                      {{1.0, NAN, 1.0}});
  EXPECT_THAT(answer.error().message, HasSubstr("column 'b' of row 0"));
}

TEST(CheckFinite, SaysWhenAFeatureIsComputedFromOthers) {
  Model model({"a", "b"});
  const ValueId product = model.add(
      program::Linear{model.weight(tensor::Tensor::of({1, 2}, std::vector{1.0, 1.0})), model.numbers({0})},
      {model.matrix()});
  const Answer answer(model, model.add(program::CheckFinite{.estimator = "Lasso"}, {product}), {{1.0, NAN}});
  EXPECT_THAT(answer.error().message, HasSubstr("derived feature 0 of row 0"));
}

TEST(Impute, FillsNanInKeptColumns) {
  Model model(3);
  const Answer answer(model,
                      model.add(program::Impute{NAN, {2, 0}, model.numbers({30, 10})}, {model.matrix()}),
                      {{1.0, 2.0, 3.0}, {NAN, NAN, NAN}, {kInf, 0.0, kNone}});
  EXPECT_THAT(answer.numbers(), ElementsAre(3, 1, 30, 10, 30, kInf));
}

TEST(Impute, FillsAMarkerNumberAndLeavesNan) {
  Model model(2);
  const Answer answer(model, model.add(program::Impute{-1, {0, 1}, model.numbers({7, 8})}, {model.matrix()}),
                      {{-1.0, NAN}, {0.0, -1.0}});
  EXPECT_THAT(answer.numbers(), ElementsAre(7, IsNan(), 0, 8));
}

TEST(ImputeCells, FillsMissingTextAndNumbersByTheirStatistics) {
  Model model(2);
  const Answer answer(
      model, model.add(program::ImputeCells{NAN, {1, 0}, {std::string("most"), 5.0}}, {Model::kInput}),
      {{1.0, std::string("a")}, {NAN, kNone}, {kNone, NAN}});
  EXPECT_THAT(cells(*answer.view().table), ElementsAre("'a'", "1", "'most'", "5", "'most'", "5"));
}

TEST(ImputeCells, FillsAMarkerText) {
  Model model(1);
  const Answer answer(model, model.add(program::ImputeCells{std::string("?"), {0}, {kNone}}, {Model::kInput}),
                      {{std::string("?")}, {std::string("!")}});
  EXPECT_THAT(cells(*answer.view().table), ElementsAre("None", "'!'"));
}

TEST(ImputeCells, OfNumbersOnlyLeavesANumericTable) {
  Model model(1);
  const Answer answer(model, model.add(program::ImputeCells{NAN, {0}, {3.0}}, {Model::kInput}),
                      {{kNone}, {4.0}});
  EXPECT_TRUE(answer.view().table->is_numeric());
  EXPECT_THAT(cells(*answer.view().table), ElementsAre("3", "4"));
}

TEST(ImputeCells, RefusesNanWhereTheMarkerIsAText) {
  Model model(1);
  const Answer answer(model, model.add(program::ImputeCells{std::string("?"), {0}, {kNone}}, {Model::kInput}),
                      {{kNone}, {NAN}});
  EXPECT_EQ(answer.error().id, "engine.not_finite");
}

TEST(MissingMask, RefusesAnInfinityAmongNumbers) {
  Model model(1);
  const Answer answer(model, model.add(program::MissingMask{NAN, {0}}, {Model::kInput}), {{INFINITY}});
  EXPECT_EQ(answer.error().id, "engine.not_finite");
}

TEST(MissingMask, TakesAnInfinityAmongTexts) {
  Model model(2);
  const Answer answer(model, model.add(program::MissingMask{NAN, {0, 1}}, {Model::kInput}),
                      {{INFINITY, std::string("a")}});
  EXPECT_THAT(answer.numbers(), ElementsAre(0, 0));
}

TEST(MissingMask, MarksMissingCellsOfChosenColumns) {
  Model model(2);
  const Answer answer(model, model.add(program::MissingMask{NAN, {1, 0}}, {Model::kInput}),
                      {{1.0, kNone}, {NAN, std::string("a")}});
  EXPECT_THAT(answer.numbers(), ElementsAre(1, 0, 0, 1));
}

TEST(MissingMask, RefusesMissingCellsElsewhereWhenAskedTo) {
  Model model({"a", "b"});
  const Answer answer(
      model,
      model.add(program::MissingMask{.missing = NAN, .columns = {1}, .refuse_others = true}, {Model::kInput}),
      {{1.0, kNone}, {NAN, 1.0}});
  EXPECT_EQ(answer.error().id, "engine.missing_value");
  EXPECT_THAT(answer.error().message, HasSubstr("column 'a' of row 1"));
}

}  // namespace
}  // namespace wherry::engine
