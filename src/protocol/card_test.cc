#include "protocol/card.h"

#include <cmath>
#include <gtest/gtest.h>

#include "protocol/test_schema.h"

namespace wherry::protocol {
namespace {

using program::ProgramBuilder;
using tensor::CellValue;

// amount (number) goes through an imputer, country (text) through a filler, into a one-hot and an ordinal
// encoder.
program::Program encoding_program() {
  ProgramBuilder builder({{{"amount"}, {"country", program::ColumnType::kText}}, true, false});
  const auto country = builder.add(program::SelectColumns{.columns = {1}}, {ProgramBuilder::kInput});
  const auto filled = builder.add(
      program::ImputeCells{.missing = {}, .kept = {0}, .statistics = {std::string("DE")}}, {*country});
  const auto one_hot = builder.add(program::OneHot{{{.categories = {std::string("DE"), std::string("FR")},
                                                     .targets = {0, 1},
                                                     .width = 2,
                                                     .refuse_unknown = true}}},
                                   {*filled});
  const auto amount = builder.add(program::SelectColumns{.columns = {0}}, {ProgramBuilder::kInput});
  const auto ordinal =
      builder.add(program::Ordinal{{{.categories = {1.0, 2.0}, .codes = {0, 1}}}}, {*amount});
  const auto matrix = builder.add(program::Concat{}, {*one_hot, *ordinal});
  EXPECT_TRUE(builder.output({"transform", {*matrix}, {}}));
  auto program = std::move(builder).build();
  EXPECT_TRUE(program);
  return std::move(*program);
}

Golden golden_rows() {
  Golden golden;
  golden.source = GoldenSource::kFramework;
  golden.examples.push_back({{"country", "amount"}, {std::string("FR"), 2.5}, {}, 2});
  golden.examples.push_back({{"country", "amount"}, {std::string("DE"), -1.0}, {}, 3});
  return golden;
}

TEST(ColumnFactsOfAProgram, FollowColumnsThroughFillersToTheirEncoders) {
  const program::Program program = encoding_program();
  const auto facts = column_facts(program, Schema(program), {});
  ASSERT_EQ(facts.size(), 2u);
  EXPECT_EQ(facts[1].categories, (std::vector<CellValue>{std::string("DE"), std::string("FR")}));
  EXPECT_TRUE(facts[1].refuses_others);
  EXPECT_EQ(facts[0].categories, (std::vector<CellValue>{1.0, 2.0}));
  EXPECT_FALSE(facts[0].refuses_others);
}

TEST(ColumnFactsOfAProgram, HaveTheRangesOfTheGoldenRows) {
  const program::Program program = encoding_program();
  const auto facts = column_facts(program, Schema(program), golden_rows());
  EXPECT_EQ(facts[0].low, -1);
  EXPECT_EQ(facts[0].high, 2.5);
  EXPECT_TRUE(std::isnan(facts[1].low));
}

TEST(ExampleRows, AreTheGoldenOnesInTheOrderOfTheSignature) {
  const program::Program program = encoding_program();
  const auto rows = example_rows(Schema(program), golden_rows(), {});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0], (std::vector<CellValue>{2.5, std::string("FR")}));
}

TEST(ExampleRows, AreMadeUpWhereThereAreNoGoldenOnes) {
  const program::Program program = encoding_program();
  const Schema schema(program);
  const auto rows = example_rows(schema, {}, column_facts(program, schema, {}));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0], (std::vector<CellValue>{1.0, std::string("DE")}));
}

TEST(CardTable, HoldsItsFirstRows) {
  const program::Program program = encoding_program();
  const Schema schema(program);
  ModelCard card;
  card.rows = example_rows(schema, golden_rows(), {});
  const auto request = card_table(schema, card, 5);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->table.rows, 2u);
  EXPECT_EQ(request->table.texts[1], "FR");
}

}  // namespace
}  // namespace wherry::protocol
