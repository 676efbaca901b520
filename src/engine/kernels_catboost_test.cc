#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

#include "engine/city_hash.h"
#include "engine/testing.h"

namespace wherry::engine {
namespace {

using namespace testing;
using tensor::Tensor;
using ::testing::ElementsAre;

template <class T>
Tensor list(std::vector<T> values) {
  const auto size = static_cast<std::int64_t>(values.size());
  return Tensor::of({size}, std::move(values));
}

std::uint32_t hash(std::string_view text) {
  return static_cast<std::uint32_t>(city_hash64(text));
}

// The low halves as CatBoost 1.2.10 writes them into a .json ("cat_features_hash").
TEST(CityHash64, IsThatOfCatboostAtEveryLength) {
  EXPECT_EQ(hash(""), 797982799u);
  EXPECT_EQ(hash("a"), 3489901818u);
  EXPECT_EQ(hash("abc"), 978243121u);
  EXPECT_EQ(hash("abcd"), 345588365u);
  EXPECT_EQ(hash("abcdefghi"), 3019552977u);
  EXPECT_EQ(hash("0123456789abcdef"), 2645308183u);
  EXPECT_EQ(hash("0123456789abcdefg"), 3849924666u);
  EXPECT_EQ(hash(std::string(32, 'q')), 2755664187u);
  EXPECT_EQ(hash(std::string(33, 'q')), 3671493603u);
  EXPECT_EQ(hash(std::string(64, 'r')), 619224845u);
  EXPECT_EQ(hash(std::string(65, 's')), 1848133898u);
  EXPECT_EQ(hash(std::string(128, 't')), 3967800960u);
  EXPECT_EQ(hash("Ünïcödé 🐈" + std::string(150, 'u')), 1167311392u);
}

// Column 0 is a category, column 1 a number. One one-hot column ('a'), and one CTR over (category, number >
// 2) which knows 'a' below and above.
struct Ctr {
  std::vector<std::uint8_t> nan_high = {0};
  std::vector<std::int32_t> bucket_entry = {-1, -1, -1, -1};
  std::vector<std::uint64_t> bucket_hash = {0, 0, 0, 0};

  static std::uint64_t key(std::string_view text, std::uint64_t above) {
    constexpr std::uint64_t m = 0x4906ba494954cb65;
    const auto first = static_cast<std::uint64_t>(static_cast<std::int32_t>(hash(text)));
    return m * (m * (m * first) + m * above);
  }
  void put(std::uint64_t key, std::int32_t entry) {
    std::size_t at = key & 3;
    while (bucket_entry[at] >= 0) at = (at + 1) & 3;
    bucket_hash[at] = key;
    bucket_entry[at] = entry;
  }

  program::CatboostFeatures op(Model& model) const {
    program::CatboostFeatures op;
    op.one_hot_column = model.weight(list<std::int32_t>({0}));
    op.one_hot_hash = model.weight(list<std::uint32_t>({hash("a")}));
    op.element_kind = model.weight(list<std::uint8_t>({0, 1}));
    op.element_column = model.weight(list<std::int32_t>({0, 0}));
    op.element_border = model.weight(list<float>({0, 2}));
    op.element_hash = model.weight(list<std::uint32_t>({0, 0}));
    op.projection_end = model.weight(list<std::int64_t>({2}));
    op.table_projection = model.weight(list<std::int32_t>({0}));
    op.table_end = model.weight(list<std::int64_t>({4}));
    op.bucket_hash = model.weight(list(bucket_hash));
    op.bucket_entry = model.weight(list(bucket_entry));
    op.ctr_table = model.weight(list<std::int32_t>({0}));
    op.ctr_start = model.weight(list<std::int64_t>({1}));
    op.ctr_absent = model.weight(list<float>({-1}));
    op.ctr_values = model.weight(list<float>({99, 0.25f, 0.75f}));
    op.nan_high = model.weight(list(nan_high));
    return op;
  }

  Answer ask(Rows rows) const {
    Model model(2);
    const ValueId cells = model.add(program::SelectColumns{{0}}, {Model::kInput});
    const ValueId column = model.add(program::SelectColumns{{1}}, {Model::kInput});
    const ValueId numbers = model.add(program::ToMatrix{}, {column});
    return Answer(model, model.add(op(model), {cells, numbers}), std::move(rows));
  }
};

Ctr ctr_of_a() {
  Ctr ctr;
  ctr.put(Ctr::key("a", 0), 0);
  ctr.put(Ctr::key("a", 1), 1);
  return ctr;
}

TEST(CatboostFeatures, GivesNumbersOneHotsAndStatistics) {
  EXPECT_THAT(ctr_of_a().ask({{"a", 2.0}, {"a", 2.5}, {"b", 2.5}}).numbers(),
              ElementsAre(2.0, 1.0, 0.25, 2.5, 1.0, 0.75, 2.5, 0.0, -1.0));
}
TEST(CatboostFeatures, TakesNanAsHighOnlyWhereToldSo) {
  Ctr ctr = ctr_of_a();
  EXPECT_EQ(ctr.ask({{"a", NAN}}).numbers()[2], 0.25);
  ctr.nan_high = {1};
  EXPECT_EQ(ctr.ask({{"a", NAN}}).numbers()[2], 0.75);
}
TEST(CatboostFeatures, ReadsIntegersAsTheirText) {
  Ctr ctr;
  ctr.put(Ctr::key("-7", 0), 0);
  EXPECT_THAT(ctr.ask({{-7.0, 0.0}, {"-7", 0.0}, {7.0, 0.0}}).numbers(),
              ElementsAre(0, 0, 0.25, 0, 0, 0.25, 0, 0, -1));
}
TEST(CatboostFeatures, RefusesWhatIsNoCategory) {
  for (const tensor::CellValue& cell :
       {tensor::CellValue(kNone), tensor::CellValue(NAN), tensor::CellValue(1.5), tensor::CellValue(INFINITY),
        tensor::CellValue(1e19)}) {
    const Answer answer = ctr_of_a().ask({{"a", 0.0}, {cell, 0.0}});
    EXPECT_EQ(answer.error().id, "engine.category");
    EXPECT_THAT(answer.error().message, ::testing::HasSubstr("column 'x0' of row 1"));
  }
}
TEST(CatboostFeatures, EndsTheSearchInAFullTable) {
  Ctr ctr;
  ctr.bucket_entry = {0, 0, 0, 0};
  EXPECT_EQ(ctr.ask({{"nowhere", 0.0}}).numbers()[2], -1.0);
}
TEST(CatboostFeatures, IsRefusedWhenATableNamesValuesThereAreNot) {
  Ctr ctr;
  ctr.put(1, 2);
  Model model(2);
  const program::CatboostFeatures op = ctr.op(model);
  program::ProgramBuilder builder(program::Signature{.columns = {{"a"}, {"b"}}});
  EXPECT_FALSE(builder.add(op, {0, 0}));
}

// Random trees, and the sum of their leaves by the definition.
struct Forest {
  std::vector<std::uint8_t> depth;
  std::vector<std::int32_t> feature;
  std::vector<float> border;
  std::vector<double> values;
  std::vector<std::uint8_t> nan_high;
  std::size_t outputs;

  Forest(std::vector<std::uint8_t> depths, std::size_t width, std::size_t output_count)
      : depth(std::move(depths)), nan_high(width), outputs(output_count) {
    std::mt19937 random(7);
    for (const std::uint8_t d : depth) {
      for (std::size_t s = 0; s < d; ++s) {
        feature.push_back(static_cast<std::int32_t>(random() % width));
        border.push_back(static_cast<float>(random() % 16) / 4);
      }
      for (std::size_t l = 0; l < (outputs << d); ++l) values.push_back(static_cast<double>(random()) / 1e9);
    }
    nan_high[1] = 1;
  }

  std::vector<double> sum(const std::vector<tensor::CellValue>& row) const {
    std::vector<double> out(outputs, 0.0);
    std::size_t split = 0;
    std::size_t first = 0;
    for (const std::uint8_t d : depth) {
      std::size_t leaf = 0;
      for (std::size_t s = 0; s < d; ++s, ++split) {
        auto x = static_cast<float>(std::get<double>(row[static_cast<std::size_t>(feature[split])]));
        if (std::isnan(x) && nan_high[static_cast<std::size_t>(feature[split])] != 0) x = INFINITY;
        if (x > border[split]) leaf |= std::size_t{1} << s;
      }
      for (std::size_t c = 0; c < outputs; ++c) out[c] += values[(first + leaf) * outputs + c];
      first += std::size_t{1} << d;
    }
    return out;
  }

  void check(std::size_t rows) const {
    std::mt19937 random(11);
    Rows asked(rows);
    std::vector<double> expected;
    for (auto& row : asked) {
      for (std::size_t j = 0; j < nan_high.size(); ++j)
        row.emplace_back(random() % 9 == 0 ? NAN : static_cast<double>(random() % 17) / 4);
      const auto sums = sum(row);
      expected.insert(expected.end(), sums.begin(), sums.end());
    }
    Model model(nan_high.size());
    program::ObliviousTrees op;
    op.depth = model.weight(list(depth));
    op.feature = model.weight(list(feature));
    op.border = model.weight(list(border));
    op.values = model.weight(Tensor::of(
        {static_cast<std::int64_t>(values.size() / outputs), static_cast<std::int64_t>(outputs)}, values));
    op.nan_high = model.weight(list(nan_high));
    EXPECT_EQ(Answer(model, model.add(op, {model.matrix()}), asked).numbers(), expected);
  }
};

TEST(ObliviousTrees, SumsTheLeavesOfOneRow) {
  Forest({6, 6, 3, 0, 1, 9}, 5, 1).check(1);
}
TEST(ObliviousTrees, SumsTheLeavesOfManyRows) {
  Forest({6, 6, 3, 0, 1, 2, 4, 4, 5, 8, 9, 6}, 5, 1).check(150);
}
TEST(ObliviousTrees, SumsLeavesOfSeveralOutputs) {
  Forest({3, 6, 2, 2}, 4, 3).check(71);
  Forest({3, 6, 2, 2}, 4, 3).check(5);
}

std::vector<double> exps(std::vector<double> x, double scale = 1) {
  Model model(1);
  Rows rows;
  for (const double value : x) rows.push_back({value});
  return Answer(model, model.add(program::CatboostExp{scale}, {model.matrix()}), rows).numbers();
}

TEST(CatboostExp, IsCloseToExpAndEndsWhereCatboostsDoes) {
  EXPECT_THAT(exps({0.0, -708.4, 709.8, -INFINITY, INFINITY}),
              ElementsAre(1.0, 0.0, INFINITY, 0.0, INFINITY));
  for (double x = -700; x < 700; x += 0.37)
    ASSERT_NEAR(exps({x})[0] / std::exp(x), 1, 3e-16 * (2 + std::abs(x)));
  EXPECT_EQ(exps({1.5}, 2), exps({3.0}));
}
// CatBoostClassifier of CatBoost 1.2.10 with these raw values.
TEST(CatboostSoftmax, GivesCatboostsProbabilities) {
  Model model(4);
  const Answer answer(model, model.add(program::CatboostSoftmax{}, {model.matrix()}),
                      {{0.0, 0.0, 0.0, 0.0}, {0.0, -INFINITY, -1e4, 0.0}});
  EXPECT_THAT(answer.numbers(),
              ElementsAre(0.25, 0.25, 0.25, 0.25, 0.5, ::testing::Gt(0.0), ::testing::Gt(0.0), 0.5));
}
TEST(CatboostSoftmax, LeavesImpossibleClassesBeyondTheLastFourWithNothing) {
  Model model(3);
  const Answer answer(model, model.add(program::CatboostSoftmax{}, {model.matrix()}),
                      {{0.0, -INFINITY, -1e4}});
  EXPECT_THAT(answer.numbers(), ElementsAre(1.0, 0.0, 0.0));
}

}  // namespace
}  // namespace wherry::engine
