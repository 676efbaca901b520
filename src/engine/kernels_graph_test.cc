#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/testing.h"

#include "engine/results.h"
#include "engine/testing.h"

namespace wherry::engine {
namespace {

using tensor::DType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace ort = runtime::testing;

// x float32 [batch, 2] → sum = x + (10, 20), declared to have `shape`.
base::Result<Plan> adder(tensor::Shape shape, bool batched = true, const std::string& proto = ort::adder()) {
  program::Signature signature;
  signature.tensors = {{"x", DType::kFloat32, {-1, 2}, {}}};
  signature.batched = batched;
  program::ProgramBuilder builder(signature);
  program::OnnxGraph graph;
  std::vector<std::uint8_t> bytes(proto.begin(), proto.end());
  const auto size = static_cast<std::int64_t>(bytes.size());
  graph.model = builder.weight("model", tensor::Tensor::of({size}, std::move(bytes)));
  graph.input_names = {"x"};
  graph.results = {{"sum", DType::kFloat32, std::move(shape)}};
  graph.weights = {{"bias", builder.weight("bias", tensor::Tensor::of<float>({1, 2}, {10, 20}))}};
  TRY_ASSIGN(const program::ValueId x, builder.add(program::TensorInput{0}, {}));
  TRY_ASSIGN(const program::ValueId tuple, builder.add(graph, {x}));
  TRY_ASSIGN(const program::ValueId sum, builder.add(program::GraphOutput{0}, {tuple}));
  TRY(builder.output({"sum", {sum}, {}}));
  TRY_ASSIGN(program::Program program, std::move(builder).build());
  return Plan::compile(std::move(program));
}

tensor::Table rows(const std::vector<float>& numbers) {
  tensor::Table table;
  table.reset_tensors(numbers.size() / 2, 1);
  table.tensors[0].shape = {static_cast<std::int64_t>(numbers.size() / 2), 2};
  std::memcpy(table.tensors[0].own(numbers.size() * sizeof(float)).data(), numbers.data(),
              numbers.size() * sizeof(float));
  return table;
}

class OnnxGraphTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!ort::has_library()) GTEST_SKIP() << "libonnxruntime.so.1 is not installed";
  }
};

TEST_F(OnnxGraphTest, RunsAllRowsAtOnceAndAgain) {
  const auto plan = adder({-1, 2});
  ASSERT_TRUE(plan) << base::describe(plan.error());
  Workspace workspace;
  Results results;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(plan->run(rows({1, 2, 3, 4, 5, 6}), 1, workspace));
    EXPECT_THAT(workspace.result(0, 0).shape(), ElementsAre(3, 2));
    const auto last = results.collect(*plan, workspace, 1, {.first = 1});
    EXPECT_THAT(last[0].values[0].as<float>(), ElementsAre(13, 24, 15, 26));
  }
}

// Lengths which the file has wrong do not matter to whoever only passes the answer on.
TEST_F(OnnxGraphTest, AnswersWhatTheGraphDoesWhereTheFileSaysOtherLengths) {
  const auto plan = adder({-1, 3});
  Workspace workspace;
  ASSERT_TRUE(plan->run(rows({1, 2}), 1, workspace));
  EXPECT_THAT(workspace.result(0, 0).shape(), ElementsAre(1, 2));
}

TEST_F(OnnxGraphTest, TellsWhereTheFileSaysOtherThanTheGraphDoes) {
  const auto plan = adder({-1});
  Workspace workspace;
  const auto ran = plan->run(rows({1, 2}), 1, workspace);
  ASSERT_FALSE(ran);
  EXPECT_THAT(ran.error().message, HasSubstr("answers float32 [1, 2], but its file says float32 [-1]"));
}

TEST_F(OnnxGraphTest, AnswersOfWhatNumberOfAxesEverWhereTheFileSaysNone) {
  const auto plan = adder({program::kAnyAxes});
  ASSERT_TRUE(plan) << base::describe(plan.error());
  Workspace workspace;
  ASSERT_TRUE(plan->run(rows({1, 2}), 1, workspace));
  EXPECT_THAT(workspace.result(0, 0).shape(), ElementsAre(1, 2));
}

// The sum over the batch says one row, whatever it is given.
TEST_F(OnnxGraphTest, HoldsABatchedModelToItsRows) {
  const std::string reduced = ort::model(
      ort::field(1, ort::node("ReduceSum", "x", "axes", "sum")) + ort::field(2, "g") +
      ort::field(5, ort::number(1, 1) + ort::number(2, 7) + ort::number(7, 0) + ort::field(8, "axes")) +
      ort::field(11, ort::matrix("x", 1, 2)) + ort::field(12, ort::matrix("sum", 1, 2)));
  program::Signature signature;
  signature.tensors = {{"x", DType::kFloat32, {-1, 2}, {}}};
  for (const bool batched : {true, false}) {
    signature.batched = batched;
    program::ProgramBuilder builder(signature);
    program::OnnxGraph graph;
    std::vector<std::uint8_t> bytes(reduced.begin(), reduced.end());
    const auto size = static_cast<std::int64_t>(bytes.size());
    graph.model = builder.weight("model", tensor::Tensor::of({size}, std::move(bytes)));
    graph.input_names = {"x"};
    graph.results = {{"sum", DType::kFloat32, {-1, 2}}};
    const auto x = builder.add(program::TensorInput{0}, {});
    const auto tuple = builder.add(graph, {*x});
    const auto sum = builder.add(program::GraphOutput{0}, {*tuple});
    ASSERT_TRUE(builder.output({"sum", {*sum}, {}}));
    const auto plan = Plan::compile(*std::move(builder).build());
    ASSERT_TRUE(plan) << base::describe(plan.error());
    tensor::Table table = rows({1, 2, 3, 4});
    if (!batched) table.rows = 1;
    Workspace workspace;
    const auto ran = plan->run(table, 1, workspace);
    EXPECT_EQ(ran.has_value(), !batched);
    if (!ran) {
      EXPECT_THAT(ran.error().message, HasSubstr("answers 1 rows to 2"));
    }
  }
}

}  // namespace
}  // namespace wherry::engine
