#include "engine/cells.h"

#include <cmath>
#include <gtest/gtest.h>
#include <string>

#include "engine/testing.h"

namespace wherry::engine {
namespace {

using tensor::CellValue;
using testing::kNone;

std::int32_t find(const std::vector<CellValue>& values, const CellValue& cell) {
  const CellIndex index(values);
  const testing::Rows rows{{cell}};
  const tensor::Table table = testing::table_of(rows, 1);
  const bool is_numeric = table.is_numeric();
  return index.find({1, 1, table.numbers.data(), is_numeric ? nullptr : table.kinds.data(),
                     is_numeric ? nullptr : table.texts.data()},
                    0);
}

TEST(CellIndex, MatchesTextByBytes) {
  const std::vector<CellValue> values{std::string("a"), std::string("b"), std::string(""), std::string("Ä")};
  EXPECT_EQ(find(values, std::string("b")), 1);
  EXPECT_EQ(find(values, std::string("")), 2);
  EXPECT_EQ(find(values, std::string("Ä")), 3);
  EXPECT_EQ(find(values, std::string("A")), -1);
}

TEST(CellIndex, MatchesNumbersByEqualityWithBothZerosTheSame) {
  const std::vector<CellValue> values{1.0, 0.0, -2.5, INFINITY, 5e-324};
  EXPECT_EQ(find(values, 1.0), 0);
  EXPECT_EQ(find(values, -0.0), 1);
  EXPECT_EQ(find(values, -2.5), 2);
  EXPECT_EQ(find(values, INFINITY), 3);
  EXPECT_EQ(find(values, 5e-324), 4);
  EXPECT_EQ(find(values, -INFINITY), -1);
}

TEST(CellIndex, NeverMatchesANumberWithAText) {
  EXPECT_EQ(find({std::string("1")}, 1.0), -1);
  EXPECT_EQ(find({1.0}, std::string("1")), -1);
}

TEST(CellIndex, KeepsNoneAndNanApartWhereBothAreValues) {
  const std::vector<CellValue> values{1.0, kNone, NAN};
  EXPECT_EQ(find(values, kNone), 1);
  EXPECT_EQ(find(values, NAN), 2);
}

TEST(CellIndex, LetsMissingAndNanStandForEachOtherWhereOnlyOneIsAValue) {
  EXPECT_EQ(find({1.0, kNone}, NAN), 1);
  EXPECT_EQ(find({1.0, NAN}, kNone), 1);
  EXPECT_EQ(find({1.0}, kNone), -1);
  EXPECT_EQ(find({1.0}, NAN), -1);
}

TEST(CellIndex, FindsEachOfManyValues) {
  std::vector<CellValue> values;
  for (int i = 0; i < 2000; ++i) values.push_back(static_cast<double>(i));
  for (int i = 0; i < 2000; ++i) values.push_back("category " + std::to_string(i));
  const CellIndex index(values);
  for (int i = 0; i < 2000; ++i) {
    ASSERT_EQ(index.find_number(i), i);
    ASSERT_EQ(index.find_text("category " + std::to_string(i)), 2000 + i);
  }
  EXPECT_EQ(index.find_number(2000), -1);
}

TEST(CellIndex, OfNothingFindsNothing) {
  EXPECT_EQ(find({}, 1.0), -1);
  EXPECT_EQ(find({}, std::string("a")), -1);
  EXPECT_EQ(find({}, kNone), -1);
}

}  // namespace
}  // namespace wherry::engine
