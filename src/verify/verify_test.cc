#include "verify/verify.h"

#include <cmath>
#include <gtest/gtest.h>

#include "base/text.h"
#include "engine/results.h"
#include "verify/missing.h"

namespace wherry::verify {
namespace {

using program::ColumnType;
using program::ProgramBuilder;

// predict = 2 × amount, transform = [amount, one column per known country], labels by the sign of amount.
program::Program test_program() {
  ProgramBuilder builder({{{"amount", ColumnType::kNumber}, {"country", ColumnType::kText}}, true, false});
  const auto must = [](auto result) {
    EXPECT_TRUE(result) << (result ? "" : result.error().message);
    return *result;
  };
  const auto amount = must(builder.add(program::SelectColumns{.columns = {0}}, {ProgramBuilder::kInput}));
  const auto numbers = must(builder.add(program::ToMatrix{}, {amount}));
  const auto finite = must(builder.add(program::CheckFinite{.estimator = "Test"}, {numbers}));
  const auto two = builder.weight("two", tensor::Tensor::of<double>({1}, {2}));
  const auto doubled = must(builder.add(
      program::Columnwise{.operation = program::Arithmetic::kMultiply, .operand = two}, {finite}));
  const auto flat = must(builder.add(program::Flatten{}, {doubled}));
  const auto country = must(builder.add(program::SelectColumns{.columns = {1}}, {ProgramBuilder::kInput}));
  const program::OneHotColumn known{
      .categories = {std::string("DE"), std::string("FR")}, .targets = {0, 1}, .width = 2};
  const auto one_hot = must(builder.add(program::OneHot{.columns = {known}}, {country}));
  const auto side_by_side = must(builder.add(program::Concat{}, {finite, one_hot}));
  const auto above = must(builder.add(program::Above{}, {finite}));
  const auto names = builder.weight("names", tensor::Tensor::of_strings({2}, {"low", "high"}));
  const auto labels = must(builder.add(program::TakeLabels{.labels = names}, {above}));
  EXPECT_TRUE(builder.output({"predict", {flat}, {}}));
  EXPECT_TRUE(builder.output({"transform", {side_by_side}, {}}));
  EXPECT_TRUE(builder.output({"label", {labels}, {}}));
  EXPECT_TRUE(builder.output({"several", {finite, one_hot}, {}}));
  return must(std::move(builder).build());
}

struct Model {
  program::Program program = test_program();
  engine::Plan plan = *engine::Plan::compile(program);
  protocol::Schema schema{program};

  base::Result<Report> replay(std::string_view lines, std::string_view source = "framework") const {
    const auto golden = protocol::read_golden(
        base::cat(R"({"golden": 1, "framework": "scikit-learn", "version": "1.9.1", "source": ")", source,
                  "\"}\n", lines),
        "golden.jsonl");
    EXPECT_TRUE(golden) << (golden ? "" : golden.error().message);
    return verify::replay(plan, schema, *golden);
  }
};

TEST(Replay, AgreesWithWhatTheModelAnswers) {
  const auto report = Model().replay(
      R"({"columns": ["country", "amount"], "row": ["FR", 1.5], "outputs": {"predict": 3, "transform": [1.5, 0, 1], "label": "high", "several": [[1.5], [0, 1]]}})"
      "\n"
      R"({"columns": ["amount", "country"], "row": [-0.25, null], "outputs": {"predict": -0.5, "label": "low"}})");
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->passed());
  EXPECT_EQ(report->examples, 2U);
  ASSERT_EQ(report->outputs.size(), 4U);
  EXPECT_EQ(report->outputs[0].name, "predict");
  EXPECT_EQ(report->outputs[0].values, 2U);
  EXPECT_EQ(report->outputs[0].identical, 2U);
  EXPECT_EQ(report->outputs[3].values, 3U);
  EXPECT_EQ(summary(*report),
            "2 golden predictions recorded by scikit-learn 1.9.1 agree, all values identical");
}

TEST(Replay, SmallDeviationsPassAndAreReported) {
  const auto report = Model().replay(
      R"({"columns": ["amount", "country"], "row": [1.5, "DE"], "outputs": {"predict": 3.0000000003}})",
      "wherry");
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->passed());
  EXPECT_EQ(report->outputs[0].identical, 0U);
  EXPECT_NEAR(report->outputs[0].max_relative, 1e-10, 1e-12);
  EXPECT_EQ(summary(*report),
            "1 golden prediction recorded by wherry itself agrees, largest relative deviation 1.0e-10");
}

TEST(Replay, DifferencesAreShownWithTheirLine) {
  const auto report = Model().replay(
      R"({"columns": ["amount", "country"], "row": [1.5, "DE"], "outputs": {"predict": 3.001, "transform": [1.5, 0, 1], "label": "low"}})"
      "\n"
      R"({"columns": ["amount", "country"], "row": [1.5, "DE"], "outputs": {"several": [[1.5, 1], [0]]}})");
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->passed());
  EXPECT_EQ(report->failed, 2U);
  ASSERT_EQ(report->mismatches.size(), 4U);
  EXPECT_EQ(report->mismatches[0].line, 2U);
  EXPECT_EQ(report->mismatches[1].expected, "[1.5, 0, 1]");
  EXPECT_EQ(report->mismatches[1].got, "[1.5, 1.0, 0.0]");
  EXPECT_EQ(report->mismatches[2].expected, "\"low\"");
  EXPECT_EQ(report->mismatches[3].output, "several");
  EXPECT_EQ(report->mismatches[3].line, 3U);
  EXPECT_EQ(summary(*report), "2 of 2 golden predictions recorded by scikit-learn 1.9.1 differ");
}

TEST(Replay, ARowTheModelRefusesIsADifference) {
  const auto report =
      Model().replay(R"({"columns": ["amount", "country"], "row": [null, "DE"], "outputs": {"predict": 3}})");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->failed, 1U);
  ASSERT_EQ(report->mismatches.size(), 1U);
  EXPECT_NE(report->mismatches[0].got.find("NaN"), std::string::npos) << report->mismatches[0].got;
}

TEST(Replay, ExamplesOfAnotherModelAreAnError) {
  const Model model;
  EXPECT_EQ(model.replay(R"({"columns": ["amount", "land"], "row": [1, "DE"], "outputs": {"predict": 2}})")
                .error()
                .id,
            "verify.not_this_model");
  EXPECT_EQ(
      model
          .replay(
              R"({"columns": ["amount", "country"], "row": [1, "DE"], "outputs": {"predict_proba": [2]}})")
          .error()
          .id,
      "verify.not_this_model");
  EXPECT_EQ(model.replay(R"({"columns": null, "row": [1], "outputs": {"predict": 2}})").error().id,
            "verify.not_this_model");
}

TEST(Record, MakesRowsWhichTheModelTakesAndReplaysThem) {
  const Model model;
  const auto golden = record(model.plan, model.program, 12);
  ASSERT_TRUE(golden) << golden.error().message;
  EXPECT_EQ(golden->source, protocol::GoldenSource::kWherry);
  EXPECT_EQ(golden->examples.size(), 12U);
  const std::string written = protocol::write_golden(*golden);
  EXPECT_NE(written.find("\"DE\""), std::string::npos);
  EXPECT_NE(written.find("never seen before"), std::string::npos);
  const auto read = protocol::read_golden(written, "golden.jsonl");
  ASSERT_TRUE(read) << read.error().message;
  const auto report = replay(model.plan, model.schema, *read);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->passed());
  EXPECT_EQ(report->examples, 12U);
  for (const OutputReport& output : report->outputs)
    EXPECT_EQ(output.identical, output.values) << output.name;
}

TEST(Record, IsTheSameEveryTime) {
  const Model model;
  EXPECT_EQ(protocol::write_golden(*record(model.plan, model.program)),
            protocol::write_golden(*record(model.plan, model.program)));
}

TEST(Record, AModelWhichRefusesEverythingHasNothingToRecord) {
  ProgramBuilder builder({{{"c", ColumnType::kText}}, true, false});
  const auto matrix = builder.add(program::ToMatrix{}, {ProgramBuilder::kInput});
  ASSERT_TRUE(matrix);
  const auto checked = builder.add(program::CheckFinite{}, {*matrix});
  ASSERT_TRUE(checked);
  ASSERT_TRUE(builder.output({"transform", {*checked}, {}}));
  const auto program = std::move(builder).build();
  ASSERT_TRUE(program);
  const auto plan = engine::Plan::compile(*program);
  ASSERT_TRUE(plan);
  EXPECT_EQ(record(*plan, *program).error().id, "verify.no_rows");
}

TEST(Results, ShapesAndLabelsFollowThePlan) {
  const Model model;
  tensor::Table table;
  table.reset(2, 2);
  table.set_number(0, 1.5);
  table.set_text(1, "FR");
  table.set_number(2, -1);
  table.set_text(3, "DE");
  engine::Workspace workspace;
  ASSERT_TRUE(model.plan.run(table, model.plan.all_outputs(), workspace));
  engine::Results results;
  const auto found = results.collect(model.plan, workspace, engine::only(2) | engine::only(1));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name, "transform");
  EXPECT_EQ(found[0].values[0].axes, 2);
  EXPECT_EQ(found[0].values[0].lengths[1], 3);
  EXPECT_EQ(found[1].values[0].axes, 1);
  EXPECT_EQ(found[1].values[0].texts[1], "low");
  EXPECT_EQ(results.collect(model.plan, workspace, model.plan.all_outputs())[3].values.size(), 2U);
}

TEST(MissingCells, AreThoseTheModelAnswersWithout) {
  const Model model;
  tensor::Table row;
  row.reset(1, 2);
  row.set_number(0, 3);
  row.set_text(1, "DE");
  EXPECT_TRUE(answers(model.plan, row));
  EXPECT_EQ(may_be_missing(model.plan, row), (std::vector<bool>{false, true}));  // amount must be finite
}

TEST(MissingCells, AreNotTriedInAModelWithoutRows) {
  tensor::Table none;
  none.reset(0, 2);
  EXPECT_EQ(may_be_missing(Model().plan, none), (std::vector<bool>{true, true}));
}

}  // namespace
}  // namespace wherry::verify
