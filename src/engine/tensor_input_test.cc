#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/results.h"
#include "engine/testing.h"

namespace wherry::engine {
namespace {

using tensor::DType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Adds up three numbers of each row, and hands the ids through.
program::Signature signature(bool batched = true) {
  program::Signature signature;
  signature.tensors = {{"scores", DType::kFloat64, {-1, 3}, {"batch", ""}},
                       {"ids", DType::kInt32, {-1, -1}, {"batch", "length"}}};
  signature.batched = batched;
  return signature;
}

base::Result<Plan> adder() {
  program::ProgramBuilder builder(signature());
  TRY_ASSIGN(const program::ValueId scores, builder.add(program::TensorInput{0}, {}));
  TRY_ASSIGN(const program::ValueId ids, builder.add(program::TensorInput{1}, {}));
  const auto coefficients = builder.weight("c", tensor::Tensor::of<double>({1, 3}, {1, 1, 1}));
  const auto intercept = builder.weight("i", tensor::Tensor::of<double>({1}, {0}));
  TRY_ASSIGN(const program::ValueId sum, builder.add(program::Linear{coefficients, intercept}, {scores}));
  TRY(builder.output({"sum", {sum}, {}}));
  TRY(builder.output({"ids", {ids}, {}}));
  TRY_ASSIGN(program::Program program, std::move(builder).build());
  return Plan::compile(std::move(program));
}

template <class T>
void set(tensor::TensorCells& cells, DType dtype, tensor::Shape shape, const std::vector<T>& elements) {
  cells.dtype = dtype;
  cells.shape = std::move(shape);
  std::memcpy(cells.own(elements.size() * sizeof(T)).data(), elements.data(), elements.size() * sizeof(T));
}

tensor::Table two_rows() {
  tensor::Table table;
  table.reset_tensors(2, 2);
  set<double>(table.tensors[0], DType::kFloat64, {2, 3}, {1, 2, 3, 4, 5, 6});
  set<std::int32_t>(table.tensors[1], DType::kInt32, {2, 2}, {7, 8, 9, 10});
  return table;
}

std::string message_of(const tensor::Table& table) {
  const auto plan = adder();
  Workspace workspace;
  const auto ran = plan->run(table, plan->all_outputs(), workspace);
  if (ran) return "";
  EXPECT_EQ(ran.error().id, "engine.tensor_input");
  return ran.error().message;
}

TEST(TensorInput, IsReadByOperationsOnRowsAndHandedThrough) {
  const auto plan = adder();
  ASSERT_TRUE(plan) << base::describe(plan.error());
  const tensor::Table table = two_rows();
  Workspace workspace;
  ASSERT_TRUE(plan->run(table, plan->all_outputs(), workspace));
  EXPECT_THAT(workspace.result(0, 0).doubles, ElementsAre(6, 15));
  const ResultView ids = workspace.result(1, 0);
  EXPECT_EQ(ids.dtype, DType::kInt32);
  EXPECT_EQ(ids.data, table.tensors[1].bytes.data());
  EXPECT_THAT(ids.shape(), ElementsAre(2, 2));
}

TEST(TensorInput, IsSplitByRowsOfTheResults) {
  const auto plan = adder();
  const tensor::Table table = two_rows();
  Workspace workspace;
  Results results;
  ASSERT_TRUE(plan->run(table, plan->all_outputs(), workspace));
  const auto second = results.collect(*plan, workspace, plan->all_outputs(), {.first = 1, .count = 1});
  EXPECT_THAT(second[0].values[0].as<double>(), ElementsAre(15));
  EXPECT_THAT(second[1].values[0].shape(), ElementsAre(1, 2));
  EXPECT_THAT(second[1].values[0].as<std::int32_t>(), ElementsAre(9, 10));
}

TEST(TensorInput, TakesAnEmptyBatch) {
  tensor::Table table;
  table.reset_tensors(0, 2);
  set<double>(table.tensors[0], DType::kFloat64, {0, 3}, {});
  set<std::int32_t>(table.tensors[1], DType::kInt32, {0, 5}, {});
  const auto plan = adder();
  Workspace workspace;
  ASSERT_TRUE(plan->run(table, plan->all_outputs(), workspace));
  EXPECT_TRUE(workspace.result(0, 0).doubles.empty());
  EXPECT_THAT(workspace.result(1, 0).shape(), ElementsAre(0, 5));
}

TEST(TensorInput, IsRefusedWhereItIsNotWhatTheSignatureSays) {
  tensor::Table table = two_rows();
  table.tensors.pop_back();
  EXPECT_THAT(message_of(table), HasSubstr("1 input tensors, the model takes 2"));
  table = two_rows();
  table.tensors[0].dtype = DType::kInt64;
  EXPECT_THAT(message_of(table), HasSubstr("input 'scores': INT64, the model takes FP64"));
  table = two_rows();
  table.tensors[0].shape = {3, 2};
  EXPECT_THAT(message_of(table), HasSubstr("shape [3, 2], the model takes [-1, 3]"));
  table = two_rows();
  table.tensors[1].bytes = table.tensors[1].bytes.first(8);
  EXPECT_THAT(message_of(table), HasSubstr("8 bytes for a tensor of 16"));
  table = two_rows();
  table.rows = 3;
  EXPECT_THAT(message_of(table), HasSubstr("a batch of 2, not of 3"));
  table = two_rows();
  set<std::int32_t>(table.tensors[1], DType::kInt32, {1, 2}, {7, 8});
  EXPECT_THAT(message_of(table), HasSubstr("input 'ids': a batch of 1, not of 2"));
}

TEST(TensorInput, KeepsToLengthsOfOneName) {
  program::Signature named;
  named.tensors = {{"a", DType::kUint8, {-1, -1}, {"rows", "length"}},
                   {"b", DType::kUint8, {-1}, {"length"}}};
  named.batched = false;
  program::ProgramBuilder builder(named);
  const auto value = builder.add(program::TensorInput{1}, {});
  ASSERT_TRUE(builder.output({"b", {*value}, {}}));
  const auto plan = Plan::compile(*std::move(builder).build());
  tensor::Table table;
  table.reset_tensors(1, 2);
  set<std::uint8_t>(table.tensors[0], DType::kUint8, {2, 3}, {1, 2, 3, 4, 5, 6});
  set<std::uint8_t>(table.tensors[1], DType::kUint8, {2}, {1, 2});
  Workspace workspace;
  const auto ran = plan->run(table, plan->all_outputs(), workspace);
  ASSERT_FALSE(ran);
  EXPECT_THAT(ran.error().message, HasSubstr("input 'b': 'length' is 2, but 3 in input 'a'"));
  set<std::uint8_t>(table.tensors[1], DType::kUint8, {3}, {1, 2, 3});
  ASSERT_TRUE(plan->run(table, plan->all_outputs(), workspace));
  EXPECT_THAT(workspace.result(0, 0).shape(), ElementsAre(3));
}

TEST(TensorInput, CopiesWithWhatItOwns) {
  tensor::Table copy;
  {
    const tensor::Table table = two_rows();
    copy = table;
    EXPECT_NE(copy.tensors[0].bytes.data(), table.tensors[0].bytes.data());
  }
  const tensor::Table moved = std::move(copy);
  EXPECT_EQ(moved.tensors[0].bytes.data(), moved.tensors[0].owned.data());
  EXPECT_EQ(message_of(moved), "");
}

}  // namespace
}  // namespace wherry::engine
