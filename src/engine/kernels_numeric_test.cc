#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>
#include <random>

#include "engine/testing.h"

namespace wherry::engine {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsNan;

constexpr double kInf = std::numeric_limits<double>::infinity();

std::vector<double> columnwise(program::Arithmetic operation, std::vector<double> operand, Rows rows) {
  Model model(rows[0].size());
  const ValueId value =
      model.add(program::Columnwise{operation, model.numbers(std::move(operand))}, {model.matrix()});
  return Answer(model, value, std::move(rows)).numbers();
}

TEST(Columnwise, AppliesEachColumnsOwnOperand) {
  EXPECT_THAT(columnwise(program::Arithmetic::kAdd, {1, 2}, {{1.0, 1.0}, {0.5, NAN}}),
              ElementsAre(2, 3, 1.5, IsNan()));
  EXPECT_THAT(columnwise(program::Arithmetic::kSubtract, {1, 2}, {{1.0, 1.0}}), ElementsAre(0, -1));
  EXPECT_THAT(columnwise(program::Arithmetic::kMultiply, {2, 0}, {{1.5, kInf}}), ElementsAre(3, IsNan()));
}

TEST(Columnwise, DividesRatherThanMultipliesByTheReciprocal) {
  EXPECT_EQ(columnwise(program::Arithmetic::kDivide, {49}, {{49.0}})[0], 1.0);
  EXPECT_NE(49.0 * (1.0 / 49.0), 1.0);
}

TEST(Columnwise, SpreadsASingleOperandOverAllColumns) {
  EXPECT_THAT(columnwise(program::Arithmetic::kMultiply, {10}, {{1.0, 2.0, 3.0}}), ElementsAre(10, 20, 30));
}

TEST(Clip, BoundsValuesAndKeepsNan) {
  Model model(5);
  const Answer answer(model, model.add(program::Clip{0, 1}, {model.matrix()}),
                      {{-kInf, -0.5, 0.25, kInf, NAN}});
  EXPECT_THAT(answer.numbers(), ElementsAre(0, 0, 0.25, 1, IsNan()));
}

double apply(program::Function function, double x) {
  Model model(1);
  return Answer(model, model.add(program::Apply{function}, {model.matrix()}), {{x}}).numbers().at(0);
}

// Recorded with scipy 1.17.1: scipy.special.expit.
TEST(Apply, ExpitIsScipys) {
  constexpr std::pair<double, double> kRecorded[] = {
      {-745.5, 0.0},
      {-40.0, 0x1.39792499b1a24p-58},
      {-5.25, 0x1.561b2d22850c0p-8},
      {-1.0, 0x1.136561454ba86p-2},
      {-0.1, 0x1.e66bdb1aca090p-2},
      {0.0, 0x1.0000000000000p-1},
      {1e-09, 0x1.0000000225c18p-1},
      {0.3, 0x1.261d545e46a8bp-1},
      {2.5, 0x1.d9291ddb596f8p-1},
      {37.0, 1.0},
      {710.0, 1.0},
  };
  for (const auto& [x, expected] : kRecorded) EXPECT_EQ(apply(program::Function::kExpit, x), expected) << x;
}

// Recorded with scipy 1.17.1: scipy.special.logit.
TEST(Apply, LogitIsScipys) {
  constexpr std::pair<double, double> kRecorded[] = {
      {0.01, -0x1.2616719161d2bp+2},
      {0.29, -0x1.ca6fc71eebdccp-1},
      {0.3, -0x1.b1d10670aae9ap-1},
      {0.45, -0x1.9af93cd234410p-3},
      {0.5, 0.0},
      {0.6, 0x1.9f323ecbf984ap-2},
      {0.65, 0x1.3cf2b50617c96p-1},
      {0.66, 0x1.539b4cb6ce55ep-1},
      {0.999, 0x1.ba084531f2626p+2},
  };
  for (const auto& [x, expected] : kRecorded)
    EXPECT_DOUBLE_EQ(apply(program::Function::kLogit, x), expected) << x;
}

TEST(Apply, EachFunctionIsItsName) {
  using enum program::Function;
  EXPECT_EQ(apply(kExp, 1.5), std::exp(1.5));
  EXPECT_EQ(apply(kNegate, 1.5), -1.5);
  EXPECT_EQ(apply(kReciprocal, 3), 1.0 / 3.0);
  EXPECT_EQ(apply(kSquare, -1.1), -1.1 * -1.1);
  EXPECT_EQ(apply(kSqrt, 2), std::sqrt(2.0));
  EXPECT_EQ(apply(kLog, 2), std::log(2.0));
  EXPECT_EQ(apply(kLog1p, 1e-10), std::log1p(1e-10));
  EXPECT_EQ(apply(kExpm1, 1e-10), std::expm1(1e-10));
  EXPECT_EQ(apply(kAbs, -2), 2);
  EXPECT_EQ(apply(kTanh, 0.5), std::tanh(0.5));
  EXPECT_EQ(apply(kRelu, -0.5), 0);
  EXPECT_EQ(apply(kRelu, 0.5), 0.5);
  EXPECT_EQ(apply(kLogOdds, 0.25), std::log(0.25 / 0.75));
  EXPECT_EQ(apply(kRoundFloat32, 0.1), static_cast<double>(0.1F));
  EXPECT_THAT(apply(kRelu, NAN), IsNan());
  EXPECT_THAT(apply(kLog, -1), IsNan());
}

// The contract, read literally.
std::vector<double> literal_linear(const std::vector<double>& x, std::size_t width,
                                   const std::vector<double>& c, const std::vector<double>& intercept) {
  std::vector<double> out;
  for (std::size_t row = 0; row < x.size() / width; ++row) {
    for (std::size_t k = 0; k < intercept.size(); ++k) {
      double sum = 0;
      for (std::size_t j = 0; j < width; ++j) sum += x[row * width + j] * c[k * width + j];
      out.push_back(sum + intercept[k]);
    }
  }
  return out;
}

TEST(Linear, AddsInAscendingOrderForEveryNumberOfRowsAndOutputs) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal(0, 1e3);
  constexpr std::size_t kWidth = 13;
  for (const std::size_t outputs : {1, 2, 3, 7, 8, 9, 16, 19}) {
    for (const std::size_t rows : {1, 2, 3, 4, 5, 11}) {
      std::vector<double> x(rows * kWidth), c(outputs * kWidth), intercept(outputs);
      for (auto* values : {&x, &c, &intercept})
        for (double& value : *values) value = normal(random);
      Rows cells(rows);
      for (std::size_t i = 0; i < x.size(); ++i) cells[i / kWidth].push_back(x[i]);
      Model model(kWidth);
      const auto shape = tensor::Shape{static_cast<std::int64_t>(outputs), static_cast<std::int64_t>(kWidth)};
      const program::Linear op{model.weight(tensor::Tensor::of(shape, c)), model.numbers(intercept)};
      const Answer answer(model, model.add(op, {model.matrix()}), cells);
      ASSERT_THAT(answer.numbers(), ElementsAreArray(literal_linear(x, kWidth, c, intercept)))
          << outputs << " outputs, " << rows << " rows";
    }
  }
}

TEST(Linear, OfNoColumnsIsTheIntercept) {
  Model model(1);
  const ValueId none = model.add(program::SelectColumns{}, {model.matrix()});
  const program::Linear op{model.weight(tensor::Tensor::of({2, 0}, std::vector<double>{})),
                           model.numbers({3, 4})};
  const Answer answer(model, model.add(op, {none}), {{1.0}});
  EXPECT_THAT(answer.numbers(), ElementsAre(3, 4));
}

TEST(Softmax, SumsToOneAndSurvivesLargeValues) {
  Model model(2);
  const Answer answer(model, model.add(program::Softmax{}, {model.matrix()}),
                      {{1000.0, 1000.0}, {0.0, -2000.0}});
  EXPECT_THAT(answer.numbers(), ElementsAre(0.5, 0.5, 1, 0));
}

// Recorded with numpy 2.4.6 (whose exp may differ from libm's in the last bit) for [1, 2, -3.5, 0.25].
TEST(Softmax, IsNumpysWithinTheLastBits) {
  Model model(4);
  const Answer answer(model, model.add(program::Softmax{}, {model.matrix()}), {{1.0, 2.0, -3.5, 0.25}});
  constexpr double kRecorded[] = {0x1.e76a441c86174p-3, 0x1.4b3b9f90e2f64p-1, 0x1.5a8a532913426p-9,
                                  0x1.cc7a28a693860p-4};
  for (std::size_t j = 0; j < 4; ++j) EXPECT_DOUBLE_EQ(answer.numbers()[j], kRecorded[j]);
}

TEST(Softmax, ViaLogSubtractsTheLogarithmOfTheSum) {
  Model model(4);
  const Answer answer(model, model.add(program::Softmax{.via_log = true}, {model.matrix()}),
                      {{1.0, 2.0, -3.5, 0.25}});
  double sum = 0;
  for (const double x : {1.0, 2.0, -3.5, 0.25}) sum += std::exp(x - 2.0);
  const double log_sum = std::log(sum) + 2.0;
  EXPECT_THAT(answer.numbers(), ElementsAre(std::exp(1.0 - log_sum), std::exp(2.0 - log_sum),
                                            std::exp(-3.5 - log_sum), std::exp(0.25 - log_sum)));
}

TEST(Softmax, ViaLogOfAnInfiniteScoreIsNanForThatOneOnly) {
  Model model(2);
  const Answer answer(model, model.add(program::Softmax{.via_log = true}, {model.matrix()}),
                      {{1.0, INFINITY}});
  EXPECT_EQ(answer.numbers()[0], 0);
  EXPECT_TRUE(std::isnan(answer.numbers()[1]));
}

TEST(Softmax, SumsRowsInTheOrderAskedFor) {
  std::vector<tensor::CellValue> row;
  double sequential = 0;
  double most = 0;
  for (int j = 0; j < 100; ++j) {
    const double x = std::sin(j);
    most = std::max(most, x);
    row.emplace_back(x);
  }
  for (int j = 0; j < 100; ++j) sequential += std::exp(std::sin(j) - most);
  const auto first = [&](program::RowSum order) {
    Model model(100);
    return Answer(model, model.add(program::Softmax{.row_sum = order}, {model.matrix()}), {row})
        .numbers()
        .at(0);
  };
  EXPECT_EQ(first(program::RowSum::kSequential), std::exp(0 - most) / sequential);
  EXPECT_NE(first(program::RowSum::kSequential), first(program::RowSum::kPairwise));
}

TEST(Softmax, OfANanIsNanThroughout) {
  Model model(2);
  const Answer answer(model, model.add(program::Softmax{}, {model.matrix()}), {{NAN, 1.0}});
  EXPECT_THAT(answer.numbers(), ElementsAre(IsNan(), IsNan()));
}

std::vector<double> normalize(program::ZeroSum zero_sum) {
  Model model(2);
  return Answer(model, model.add(program::NormalizeRows{zero_sum}, {model.matrix()}),
                {{1.0, 3.0}, {0.0, 0.0}, {2.0, -2.0}})
      .numbers();
}

TEST(NormalizeRows, TreatsAZeroSumAsAskedTo) {
  EXPECT_THAT(normalize(program::ZeroSum::kKeep), ElementsAre(0.25, 0.75, 0, 0, 2, -2));
  EXPECT_THAT(normalize(program::ZeroSum::kUniform), ElementsAre(0.25, 0.75, 0.5, 0.5, 0.5, 0.5));
  EXPECT_THAT(normalize(program::ZeroSum::kDivide), ElementsAre(0.25, 0.75, IsNan(), IsNan(), kInf, -kInf));
}

// Recorded with numpy 2.4.6: log(p / exp(mean(log(p)))) for p = [0.2, 0.3, 0.5].
TEST(MultinomialLogit, IsSymmetric) {
  Model model(3);
  const Answer answer(model, model.add(program::MultinomialLogit{}, {model.matrix()}), {{0.2, 0.3, 0.5}});
  constexpr double kRecorded[] = {-0x1.c328c9a2b1dbcp-2, -0x1.1fb456b5c2b89p-5, 0x1.e71f54796a331p-2};
  for (std::size_t j = 0; j < 3; ++j) EXPECT_NEAR(answer.numbers()[j], kRecorded[j], 1e-16);
}

TEST(Constant, RepeatsItsRow) {
  Model model(1);
  const Answer answer(model, model.add(program::Constant{model.numbers({1, 2})}, {Model::kInput}),
                      {{std::string("a")}, {kNone}});
  EXPECT_THAT(answer.numbers(), ElementsAre(1, 2, 1, 2));
}

TEST(Complement, PutsOneMinusPFirst) {
  Model model(1);
  const Answer answer(model, model.add(program::Complement{}, {model.matrix()}), {{0.1}, {1.0}});
  EXPECT_THAT(answer.numbers(), ElementsAre(1 - 0.1, 0.1, 0, 1));
}

}  // namespace
}  // namespace wherry::engine
