#include "engine/plan.h"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "engine/testing.h"

namespace wherry::engine {
namespace {

using namespace testing;
using ::testing::ElementsAre;

// Numbers and a text column through encoder, scaler and a linear model: probabilities, labels, the table
// itself and the scaled matrix as outputs.
Plan mixed_plan() {
  Model model({"age", "colour", "income"});
  const ValueId numbers =
      model.add(program::ToMatrix{}, {model.add(program::SelectColumns{{0, 2}}, {Model::kInput})});
  const ValueId scaled =
      model.add(program::Columnwise{program::Arithmetic::kSubtract, model.numbers({40, 1000})}, {numbers});
  const ValueId colour = model.add(program::SelectColumns{{1}}, {Model::kInput});
  const program::OneHotColumn colours{.categories = {std::string("blue"), std::string("red")},
                                      .targets = {0, 1},
                                      .width = 2,
                                      .refuse_unknown = true};
  const ValueId encoded = model.add(program::OneHot{{colours}}, {colour});
  const ValueId features = model.add(program::Concat{}, {scaled, encoded});
  const program::Linear linear{
      model.weight(tensor::Tensor::of({1, 4}, std::vector<double>{0.01, 0.001, -0.5, 0.5})),
      model.numbers({0.1})};
  const ValueId p = model.add(program::Apply{program::Function::kExpit}, {model.add(linear, {features})});
  const ValueId proba = model.add(program::Complement{}, {p});
  const ValueId label = model.add(program::TakeLabels{model.weight(tensor::Tensor::of_strings(
                                      {2}, {"no", "a rather long label, beyond SSO"}))},
                                  {model.add(program::Argmax{}, {proba})});
  model.output("predict", {label}).output("predict_proba", {proba}).output("scaled", {scaled});
  model.output("colour", {colour}).output("input", {Model::kInput}).output("several", {proba, label});
  return std::move(*model.compile());
}

Rows people(std::size_t count) {
  Rows rows;
  for (std::size_t i = 0; i < count; ++i)
    rows.push_back({static_cast<double>(20 + i % 60), std::string(i % 3 == 0 ? "red" : "blue"),
                    static_cast<double>(i % 977) * 3.5});
  return rows;
}

TEST(Plan, DescribesItsModel) {
  const Plan plan = mixed_plan();
  EXPECT_EQ(plan.signature().columns.size(), 3U);
  EXPECT_EQ(plan.outputs().size(), 6U);
  EXPECT_EQ(plan.all_outputs(), 0b111111U);
  EXPECT_EQ(plan.find_output("scaled"), 2U);
  EXPECT_EQ(plan.find_output("transform"), std::nullopt);
  EXPECT_EQ(plan.type(plan.outputs()[1].values[0]).shape, (tensor::Shape{-1, 2}));
}

TEST(Plan, GivesEveryWantedOutputInItsType) {
  const Plan plan = mixed_plan();
  const Rows rows = people(2);
  const tensor::Table table = table_of(rows, 3);
  Workspace workspace;
  ASSERT_TRUE(plan.run(table, plan.all_outputs(), workspace));
  EXPECT_THAT(workspace.result(0, 0).strings, ElementsAre("no", "no"));
  const ResultView proba = workspace.result(1, 0);
  EXPECT_EQ(proba.rows, 2U);
  EXPECT_EQ(proba.columns, 2U);
  const double logit = (-20.0 * 0.01 + -1000.0 * 0.001 + 0 * -0.5 + 1 * 0.5) + 0.1;
  EXPECT_EQ(proba.doubles[1], 1 / (1 + std::exp(-logit)));
  EXPECT_THAT(workspace.result(2, 0).doubles, ElementsAre(-20, -1000, -19, -996.5));
  EXPECT_EQ(workspace.result(3, 0).table->texts[1], "blue");
  EXPECT_EQ(workspace.result(4, 0).table, &table);
  EXPECT_EQ(workspace.result(5, 0).doubles.data(), proba.doubles.data());
  EXPECT_EQ(workspace.result(5, 1).strings[0], "no");
}

TEST(Plan, RunsOnlyWhatTheWantedOutputsNeed) {
  const Plan plan = mixed_plan();
  const Rows rows{{1.0, std::string("green"), 2.0}};
  const tensor::Table table = table_of(rows, 3);
  Workspace workspace;
  EXPECT_TRUE(plan.run(table, only(2), workspace))
      << "the encoder, which would refuse 'green', is not needed";
  EXPECT_THAT(workspace.result(2, 0).doubles, ElementsAre(-39, -998));
  const auto status = plan.run(table, only(0), workspace);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message,
            "column 'colour' of row 0: unknown category 'green' (encoder knows 2 categories)");
}

TEST(Plan, OfNoRowsGivesEmptyResults) {
  const Plan plan = mixed_plan();
  Workspace workspace;
  ASSERT_TRUE(plan.run(table_of({}, 3), plan.all_outputs(), workspace));
  EXPECT_EQ(workspace.result(0, 0).rows, 0U);
  EXPECT_TRUE(workspace.result(0, 0).strings.empty());
  EXPECT_TRUE(workspace.result(1, 0).doubles.empty());
  EXPECT_EQ(workspace.result(1, 0).columns, 2U);
  EXPECT_EQ(workspace.result(3, 0).table->rows, 0U);
}

TEST(Plan, GivesTheSameForManyRowsAsForEachAlone) {
  const Plan plan = mixed_plan();
  const Rows rows = people(2500);  // several blocks
  const tensor::Table table = table_of(rows, 3);
  Workspace together;
  Workspace alone;
  ASSERT_TRUE(plan.run(table, plan.all_outputs(), together));
  for (std::size_t i = 0; i < rows.size(); i += 7) {
    const Rows row{rows[i]};
    ASSERT_TRUE(plan.run(table_of(row, 3), plan.all_outputs(), alone));
    ASSERT_EQ(alone.result(0, 0).strings[0], together.result(0, 0).strings[i]);
    ASSERT_EQ(alone.result(1, 0).doubles[1], together.result(1, 0).doubles[2 * i + 1]);
    ASSERT_EQ(alone.result(3, 0).table->texts[0], together.result(3, 0).table->texts[i]);
  }
}

TEST(Plan, NamesTheRowWithinTheWholeBatch) {
  const Plan plan = mixed_plan();
  Rows rows = people(2500);
  rows[2000][1] = std::string("green");
  Workspace workspace;
  const auto status = plan.run(table_of(rows, 3), only(1), workspace);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, ::testing::HasSubstr("of row 2000:"));
}

TEST(Plan, RefusesRowsOfAnotherWidth) {
  const Plan plan = mixed_plan();
  Workspace workspace;
  const auto status = plan.run(table_of({{1.0, 2.0}}, 2), only(0), workspace);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().id, "engine.column_count");
  EXPECT_EQ(status.error().message, "a row has 2 columns, the model takes 3");
}

TEST(Plan, RefusesBatchesWhoseResultsWouldNotFit) {
  Model model(1);
  const std::vector<double> row(std::size_t{1} << 20);
  const ValueId wide = model.add(program::Constant{model.numbers(row)}, {Model::kInput});
  const Plan plan = std::move(*model.output("wide", {wide}).compile());
  tensor::Table table;
  table.reset((std::size_t{1} << 8) + 1, 1);
  Workspace workspace;
  const auto status = plan.run(table, only(0), workspace);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().id, "engine.limit");
}

TEST(Plan, RefusesMoreOutputsThanASetCanName) {
  Model model(1);
  for (int i = 0; i < 65; ++i) model.output("o" + std::to_string(i), {Model::kInput});
  const auto plan = model.compile();
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().id, "engine.limit");
}

TEST(Plan, ReportsTreesWhichAreNone) {
  Model model(1);
  using tensor::Tensor;
  const auto int32 = [&](std::vector<std::int32_t> v) {
    const auto count = static_cast<std::int64_t>(v.size());
    return model.weight(Tensor::of({count}, std::move(v)));
  };
  program::TreeEnsemble op;
  op.roots = int32({0}), op.target = int32({0}), op.feature = int32({0, -1}), op.left = int32({1, 0});
  op.right = int32({1, 0}), op.threshold = model.numbers({0, 0}), op.base = model.numbers({0});
  op.default_left = model.weight(Tensor::of({2}, std::vector<std::uint8_t>{0, 0}));
  op.values = model.weight(Tensor::of({1, 1}, std::vector<double>{1}));
  const auto plan = model.output("predict", {model.add(op, {model.matrix()})}).compile();
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().id, "engine.tree_shape");
}

TEST(Workspace, ServesOnePlanAfterAnother) {
  const Plan first = mixed_plan();
  Model model(1);
  const Plan second = std::move(*model.output("m", {model.matrix()}).compile());
  const Rows rows = people(1);
  Workspace workspace;
  ASSERT_TRUE(first.run(table_of(rows, 3), only(0), workspace));
  ASSERT_TRUE(second.run(table_of({{5.0}}, 1), only(0), workspace));
  EXPECT_THAT(workspace.result(0, 0).doubles, ElementsAre(5));
  ASSERT_TRUE(first.run(table_of(rows, 3), only(0), workspace));
  EXPECT_THAT(workspace.result(0, 0).strings, ElementsAre("no"));
}

TEST(Workspace, KeepsResultsApartWhenBatchesShrink) {
  const Plan plan = mixed_plan();
  const Rows many = people(1000);
  const Rows few = people(2);
  Workspace workspace;
  ASSERT_TRUE(plan.run(table_of(many, 3), plan.all_outputs(), workspace));
  ASSERT_TRUE(plan.run(table_of(few, 3), only(1) | only(3), workspace));
  EXPECT_EQ(workspace.result(1, 0).doubles.size(), 4U);
  EXPECT_EQ(workspace.result(3, 0).table->rows, 2U);
  EXPECT_EQ(workspace.result(3, 0).table->numbers.size(), 2U);
}

TEST(WorkspaceDeathTest, AbortsWhenAskedForWhatWasNotComputed) {
  const Plan plan = mixed_plan();
  Workspace workspace;
  ASSERT_TRUE(plan.run(table_of({}, 3), only(0), workspace));
  EXPECT_DEATH(static_cast<void>(workspace.result(1, 0)), "not computed");
  EXPECT_DEATH(static_cast<void>(workspace.result(0, 1)), "fewer values");
}

TEST(Plan, RunsInSeveralThreadsAtOnce) {
  const Plan plan = mixed_plan();
  const Rows rows = people(700);
  Workspace expected;
  const tensor::Table table = table_of(rows, 3);
  ASSERT_TRUE(plan.run(table, plan.all_outputs(), expected));
  const auto work = [&](OutputSet wanted, bool& all_same) {
    Workspace workspace;
    for (int i = 0; i < 50; ++i) {
      if (!plan.run(table, wanted, workspace)) return;
      const auto got = workspace.result(1, 0).doubles;
      if (!std::ranges::equal(got, expected.result(1, 0).doubles)) return;
    }
    all_same = true;
  };
  bool first = false;
  bool second = false;
  {
    const std::jthread one([&] { work(only(1), first); });
    const std::jthread two([&] { work(plan.all_outputs(), second); });
  }
  EXPECT_TRUE(first);
  EXPECT_TRUE(second);
}

}  // namespace
}  // namespace wherry::engine
