#include "onnx/write.h"

#include <fstream>
#include <gtest/gtest.h>

#include "graph/verbs.h"

namespace wherry::onnx {

namespace {

using graph::Builder;
using graph::ValueId;
using tensor::DType;

graph::Graph must(base::Result<graph::Graph> graph) {
  if (!graph) ADD_FAILURE() << base::describe(graph.error());
  return graph ? std::move(*graph) : graph::Graph{};
}

TEST(OnnxWrite, WeightsOverOneKilobyteStandBesideTheModelAndComeBackWithEmbed) {
  Builder b;
  const ValueId x = b.input("x", DType::kFloat32, {b.symbol("batch"), {300, 0}});
  const ValueId w = b.constant(tensor::Tensor::of<float>({300, 2}, std::vector<float>(600, 0.5F)));
  b.output("y", graph::matmul(b, x, w));
  const Model model = write_model(must(std::move(b).build()));
  ASSERT_EQ(model.weights.size(), 1U);
  EXPECT_LT(model.proto.size(), 500U);
  const auto whole = embed(model);
  ASSERT_TRUE(whole) << base::describe(whole.error());
  EXPECT_GT(whole->size(), 2400U);
  EXPECT_EQ(whole->find(kBeside), std::string::npos);
}

TEST(OnnxWrite, AModelWhoseWeightIsGoneIsNotWritten) {
  Builder b;
  const ValueId x = b.input("x", DType::kFloat32, {b.symbol("batch"), {300, 0}});
  b.output("y",
           graph::binary(b, "Add", x, b.constant(tensor::Tensor::of<float>({300}, std::vector<float>(300)))));
  Model model = write_model(must(std::move(b).build()));
  model.weights.clear();
  const auto whole = embed(model);
  ASSERT_FALSE(whole);
  EXPECT_EQ(whole.error().id, "onnx.no_weight");
}

TEST(OnnxWrite, TwoFilesHoldTheWeightsAtAlignedOffsets) {
  Builder b;
  const ValueId x = b.input("x", DType::kFloat32, {b.symbol("batch"), {301, 0}});
  const auto weight = [&] {
    return b.constant(tensor::Tensor::of<float>({301}, std::vector<float>(301, 2)));
  };
  b.output("y", graph::binary(b, "Mul", graph::binary(b, "Add", x, weight()), weight()));
  const auto files = split(write_model(must(std::move(b).build())), "model.onnx.data");
  ASSERT_TRUE(files);
  ASSERT_EQ(files->data.size(), 3U);  // a weight, a gap, a weight
  EXPECT_EQ((files->data[0].size() + files->data[1].size()) % 64, 0U);
  EXPECT_NE(files->proto.find("model.onnx.data"), std::string::npos);
}

// Every shape a graph may take which ONNX would not: an output that is an input, one value under two names, a
// branch that gives what it was given, a loop. tests/e2e runs the file in ONNX Runtime.
TEST(OnnxWrite, OutputsThatAreInputsOrComeTwiceAndBlocksThatPassThroughAreCopied) {
  Builder b;
  const ValueId x = b.input("x", DType::kFloat32, {b.symbol("batch"), {3, 0}});
  const ValueId flag = b.input("flag", DType::kBool, {});
  b.begin_block();
  const auto yes = b.end_block({x});
  b.begin_block();
  const auto no = b.end_block({graph::unary(b, "Neg", x)});
  const ValueId chosen = b.add("If", {flag}, {{"then_branch", yes}, {"else_branch", no}});
  b.begin_block();
  b.block_input({DType::kInt64, true, {}});
  const ValueId going = b.block_input({DType::kBool, true, {}});
  const ValueId state = b.block_input(b.type(x));
  const ValueId next = graph::binary(b, "Mul", state, 2.0);
  const auto body = b.end_block({going, next, next});
  const auto looped = b.add_many("Loop", {graph::int_scalar(b, 3), graph::kNone, x}, 2, {{"body", body}});
  b.output("same", x);
  b.output("chosen", chosen);
  b.output("again", chosen);
  b.output("doubled", looped[0]);
  b.output("all", looped[1]);
  const auto whole = embed(write_model(must(std::move(b).build())));
  ASSERT_TRUE(whole);
  if (const char* path = std::getenv("WHERRY_WRITE_ONNX")) std::ofstream(path, std::ios::binary) << *whole;
  for (const std::string_view name : {"same", "chosen", "again", "doubled", "all"})
    EXPECT_NE(whole->find(name), std::string::npos) << name;
}

}  // namespace
}  // namespace wherry::onnx
