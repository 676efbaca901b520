#include "graph/builder.h"

#include <gtest/gtest.h>

#include "graph/verbs.h"

namespace wherry::graph {
namespace {

using tensor::DType;
using tensor::Tensor;

std::vector<std::int64_t> numbers(const Builder& b, ValueId id) {
  const Tensor* tensor = b.constant(id);
  if (tensor == nullptr || tensor->dtype() != DType::kInt64) return {-999};
  const auto span = tensor->as<std::int64_t>();
  return {span.begin(), span.end()};
}

Graph must(base::Result<Graph> graph) {
  if (!graph) ADD_FAILURE() << base::describe(graph.error());
  return graph ? std::move(*graph) : Graph{};
}

TEST(Builder, AFlattenWithADynamicBatchIsAReshapeToAConstant) {
  Builder b;
  const ValueId x = b.input("x", DType::kFloat32, {b.symbol("n"), {7, 0}, {7, 0}, {64, 0}});
  const ValueId shape = shape_of(b, x);
  const ValueId batch = slice(b, shape, 0, 0, 1);
  const ValueId rest = b.add("ReduceProd", {slice(b, shape, 0, 1, kToEnd)}, {{"keepdims", std::int64_t{1}}});
  const ValueId y = reshape(b, x, concat(b, {batch, rest}, 0));
  b.output("y", y);
  EXPECT_EQ(to_string(b.type(y)), "float32[?, 3136]");
  EXPECT_EQ(b.dim(y, 0), b.symbol("n"));
  const Graph graph = must(std::move(b).build());
  ASSERT_EQ(graph.body.nodes.size(), 1U);  // all the arithmetic on shapes is gone
  EXPECT_EQ(graph.body.nodes[0].op, "Reshape");
  const Tensor& target = *graph.values[graph.body.nodes[0].inputs[1]].constant;
  EXPECT_EQ(target.as<std::int64_t>()[0], 0);
  EXPECT_EQ(target.as<std::int64_t>()[1], 3136);
}

TEST(Builder, TwoDynamicLengthsAreKeptAndOneIsComputed) {
  Builder b;
  const ValueId x = b.input("x", DType::kFloat32, {b.symbol("n"), b.symbol("s"), {768, 0}});
  const std::vector<Length> parts{dim_of(b, x, 0), dim_of(b, x, 1), 12, 64};
  const ValueId heads = reshape(b, x, lengths(b, parts));
  const ValueId turned = transpose(b, heads, {0, 2, 1, 3});
  EXPECT_EQ(b.dim(turned, 2), b.symbol("s"));
  b.output("y", turned);
  const Graph graph = must(std::move(b).build());
  ASSERT_EQ(graph.body.nodes.size(), 2U);
}

TEST(Builder, ALengthThatDependsOnTwoOthersIsComputedWhenTheGraphRuns) {
  Builder b;
  const ValueId x = b.input("x", DType::kFloat32, {b.symbol("n"), b.symbol("s")});
  const ValueId product = binary(b, "Mul", dim_of(b, x, 0), dim_of(b, x, 1));
  EXPECT_EQ(b.constant(product), nullptr);
  b.output("y", full(b, DType::kFloat32, product, 1.0));
  EXPECT_GT(must(std::move(b).build()).body.nodes.size(), 3U);
}

TEST(Builder, TransposeAndBackIsNothing) {
  Builder b;
  const ValueId x = b.input("x", DType::kFloat32, {b.symbol("n"), {5, 0}, {6, 0}, {3, 0}});
  EXPECT_EQ(channels_last(b, channels_first(b, x)), x);
  const ValueId once = transpose(b, transpose(b, x, {0, 3, 1, 2}), {1, 0, 2, 3});
  EXPECT_EQ(to_string(b.type(once)), "float32[3, ?, 5, 6]");
}

TEST(Builder, AnIfWithAKnownConditionIsItsBranch) {
  Builder b;
  const ValueId x = b.input("x", DType::kFloat32, {{2, 0}});
  b.begin_block();
  const auto yes = b.end_block({unary(b, "Relu", x)});
  b.begin_block();
  const auto no = b.end_block({unary(b, "Neg", x)});
  b.output("y", b.add("If", {bool_scalar(b, false)}, {{"then_branch", yes}, {"else_branch", no}}));
  const Graph graph = must(std::move(b).build());
  ASSERT_EQ(graph.body.nodes.size(), 1U);
  EXPECT_EQ(graph.body.nodes[0].op, "Neg");
}

TEST(Builder, WhatABlockMadeCannotBeUsedOutsideOfIt) {
  Builder b;
  const ValueId x = b.input("x", DType::kFloat32, {{2, 0}});
  b.begin_block();
  const ValueId inner = unary(b, "Relu", x);
  b.end_block({inner});
  unary(b, "Neg", inner);
  ASSERT_FALSE(b.status());
  EXPECT_EQ(b.status().error().id, "graph.invalid");
}

TEST(Builder, TheFirstErrorIsKeptAndNamesItsSource) {
  Builder b;
  const ValueId x = b.input("x", DType::kFloat32, {{2, 0}, {3, 0}});
  b.source("dense_1/MatMul");
  const ValueId bad = matmul(b, x, x);
  b.source("later");
  unary(b, "NoSuchOperator", bad);
  b.output("y", bad);
  const auto graph = std::move(b).build();
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().id, "graph.invalid");
  EXPECT_EQ(graph.error().message,
            "MatMul: inputs of the types float32[2, 3] and float32[2, 3] (dense_1/MatMul)");
}

TEST(Builder, OperatorsOfTwoElementTypesAreRefused) {
  Builder b;
  const ValueId x = b.input("x", DType::kFloat32, {{2, 0}});
  const ValueId y = b.input("y", DType::kInt64, {{2, 0}});
  binary(b, "Add", x, y);
  EXPECT_FALSE(b.status());
}

TEST(Builder, NodesNobodyNeedsAreDropped) {
  Builder b;
  const ValueId x = b.input("x", DType::kFloat32, {{2, 0}});
  unary(b, "Exp", x);
  b.output("y", unary(b, "Relu", x));
  EXPECT_EQ(must(std::move(b).build()).body.nodes.size(), 1U);
}

TEST(Builder, AGraphWithoutOutputsOrWithOneNameTwiceIsRefused) {
  Builder none;
  none.input("x", DType::kFloat32, {{2, 0}});
  EXPECT_FALSE(std::move(none).build());
  Builder twice;
  const ValueId x = twice.input("x", DType::kFloat32, {{2, 0}});
  twice.output("y", x);
  twice.output("y", x);
  EXPECT_FALSE(std::move(twice).build());
}

TEST(Builder, MoreOperatorsThanAllowedAreRefused) {
  Builder b({.nodes = 10});
  ValueId x = b.input("x", DType::kFloat32, {{2, 0}});
  for (int k = 0; k < 11; ++k) x = unary(b, "Exp", x);
  ASSERT_FALSE(b.status());
  EXPECT_EQ(b.status().error().id, "graph.limit_nodes");
}

TEST(Builder, AHugeShapeIsNotFoldedIntoMemory) {
  Builder b;
  const ValueId x = full(b, DType::kFloat32, tensor::Shape{1 << 20, 1 << 20}, 1.0);
  EXPECT_EQ(b.constant(x), nullptr);
  EXPECT_EQ(to_string(b.type(x)), "float32[1048576, 1048576]");
  EXPECT_TRUE(b.status());
}

TEST(Builder, LengthsTooLargeForANumberAreUnknown) {
  Builder b;
  const ValueId x = b.input("x", DType::kFloat32, {{INT64_MAX - 1, 0}, {2, 0}});
  const ValueId padded = b.add("Pad", {x, ints(b, {INT64_MAX, 0, INT64_MAX, 0})});
  EXPECT_EQ(to_string(b.type(padded)), "float32[?, 2]");
  EXPECT_EQ(to_string(b.type(concat(b, {x, x}, 0))), "float32[?, 2]");
  const ValueId far = b.add("Range", {int_scalar(b, INT64_MIN), int_scalar(b, INT64_MAX), int_scalar(b, 1)});
  EXPECT_EQ(to_string(b.type(far)), "int64[?]");
  EXPECT_TRUE(b.status());
}

TEST(Builder, LoopsGiveCarriedValuesAndStackedOnes) {
  Builder b;
  const ValueId x = b.input("x", DType::kFloat32, {b.symbol("n"), {3, 0}});
  b.begin_block();
  b.block_input({DType::kInt64, true, {}});
  const ValueId going = b.block_input({DType::kBool, true, {}});
  const ValueId state = b.block_input(b.type(x));
  const ValueId next = unary(b, "Exp", state);
  const auto body = b.end_block({going, next, next});
  const auto out = b.add_many("Loop", {int_scalar(b, 3), kNone, x}, 2, {{"body", body}});
  EXPECT_EQ(b.dim(out[0], 0), b.symbol("n"));
  EXPECT_EQ(to_string(b.type(out[1])), "float32[?, ?, 3]");
}

TEST(Builder, ConvolutionsAndPoolsKnowTheirSizes) {
  Builder b;
  const ValueId x = b.input("x", DType::kFloat32, {b.symbol("n"), {3, 0}, {15, 0}, {17, 0}});
  const ValueId w = b.constant(Tensor::of<float>({8, 3, 3, 3}, std::vector<float>(216)));
  const ValueId y = b.add("Conv", {x, w}, {{"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}});
  EXPECT_EQ(to_string(b.type(y)), "float32[?, 8, 8, 9]");
  const ValueId p =
      b.add("MaxPool", {y},
            {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}, {"ceil_mode", std::int64_t{1}}});
  EXPECT_EQ(to_string(b.type(p)), "float32[?, 8, 4, 5]");
  const ValueId same = b.add("Conv", {x, w}, {{"strides", Ints{2, 2}}, {"auto_pad", "SAME_UPPER"}});
  EXPECT_EQ(to_string(b.type(same)), "float32[?, 8, 8, 9]");
}

struct FoldCase {
  const char* name;
  std::vector<std::int64_t> (*run)(Builder&);
  std::vector<std::int64_t> expected;
};

class Folds : public testing::TestWithParam<FoldCase> {};
TEST_P(Folds, AsNumpy) {
  Builder b;
  EXPECT_EQ(GetParam().run(b), GetParam().expected);
  EXPECT_TRUE(b.status());
}
ValueId matrix(Builder& b) {  // [[0, 1, 2], [3, 4, 5]]
  return b.constant(Tensor::of<std::int64_t>({2, 3}, {0, 1, 2, 3, 4, 5}));
}
INSTANTIATE_TEST_SUITE_P(
    All, Folds,
    testing::Values(
        FoldCase{"transpose",
                 [](Builder& b) { return numbers(b, transpose(b, matrix(b), {1, 0})); },
                 {0, 3, 1, 4, 2, 5}},
        FoldCase{"slice_backwards",
                 [](Builder& b) { return numbers(b, slice(b, matrix(b), 1, -1, -kToEnd, -2)); },
                 {2, 0, 5, 3}},
        FoldCase{"slice_empty", [](Builder& b) { return numbers(b, slice(b, matrix(b), 0, 2, 1)); }, {}},
        FoldCase{"gather_negative",
                 [](Builder& b) { return numbers(b, gather(b, matrix(b), ints(b, {-1, 0}), 1)); },
                 {2, 0, 5, 3}},
        FoldCase{"concat",
                 [](Builder& b) { return numbers(b, concat(b, {matrix(b), matrix(b)}, 1)); },
                 {0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5}},
        FoldCase{
            "split", [](Builder& b) { return numbers(b, split(b, matrix(b), {1, 2}, 1)[1]); }, {1, 2, 4, 5}},
        FoldCase{"expand",
                 [](Builder& b) { return numbers(b, expand(b, ints(b, {7, 8}), ints(b, {2, 2}))); },
                 {7, 8, 7, 8}},
        FoldCase{"broadcast",
                 [](Builder& b) { return numbers(b, binary(b, "Add", matrix(b), ints(b, {10, 20, 30}))); },
                 {10, 21, 32, 13, 24, 35}},
        FoldCase{"mod_takes_the_divisors_sign",
                 [](Builder& b) { return numbers(b, binary(b, "Mod", ints(b, {-7, 7}), ints(b, {3, -3}))); },
                 {2, -2}},
        FoldCase{"division_truncates",
                 [](Builder& b) { return numbers(b, binary(b, "Div", ints(b, {-7, 7}), ints(b, {2, 2}))); },
                 {-3, 3}},
        FoldCase{"cast_truncates",
                 [](Builder& b) { return numbers(b, cast(b, floats(b, {-1.9F, 2.9F}), DType::kInt64)); },
                 {-1, 2}},
        FoldCase{"range",
                 [](Builder& b) {
                   return numbers(b,
                                  b.add("Range", {int_scalar(b, 5), int_scalar(b, -2), int_scalar(b, -3)}));
                 },
                 {5, 2, -1}},
        FoldCase{"reduce",
                 [](Builder& b) { return numbers(b, reduce(b, "ReduceMax", matrix(b), {0, 1}, false)); },
                 {5}}),
    [](const auto& which) { return std::string(which.param.name); });

TEST(Folding, WhatIsNotDefinedIsLeftToTheRuntime) {
  Builder b;
  EXPECT_EQ(b.constant(binary(b, "Div", ints(b, {1}), ints(b, {0}))), nullptr);
  EXPECT_EQ(b.constant(cast(b, floats(b, {1e30F}), DType::kInt32)), nullptr);
  EXPECT_EQ(b.constant(binary(b, "Add", ints(b, {INT64_MAX}), ints(b, {1}))), nullptr);
  EXPECT_EQ(b.constant(gather(b, ints(b, {1, 2}), ints(b, {2}), 0)), nullptr);
  EXPECT_TRUE(b.status());
}

TEST(Scalars, HalfAndBrainFloatsRoundToNearestEven) {
  Builder b;
  const auto bits = [&](DType dtype, double number) {
    std::uint16_t pattern = 0;
    std::memcpy(&pattern, b.constant(scalar(b, dtype, number))->bytes().data(), 2);
    return pattern;
  };
  EXPECT_EQ(bits(DType::kFloat16, 1.0), 0x3c00);
  EXPECT_EQ(bits(DType::kFloat16, 1 + 0x1p-11), 0x3c00);      // a tie: to even
  EXPECT_EQ(bits(DType::kFloat16, 1 + 3 * 0x1p-11), 0x3c02);  // a tie: to even
  EXPECT_EQ(bits(DType::kFloat16, 2047.9), 0x6800);
  EXPECT_EQ(bits(DType::kFloat16, -0x1p-24), 0x8001);
  EXPECT_EQ(bits(DType::kFloat16, 1e6), 0x7c00);
  EXPECT_EQ(bits(DType::kBfloat16, 1 + 0x1p-8), 0x3f80);
  EXPECT_EQ(bits(DType::kBfloat16, -1e-40), 0x8001);
}

TEST(Scalars, NumbersOutsideOfTheTypeAreErrors) {
  for (const auto& [dtype, number] :
       {std::pair{DType::kInt8, 128.0}, {DType::kUint8, -1.0}, {DType::kInt64, 0.5}}) {
    Builder b;
    scalar(b, dtype, number);
    EXPECT_FALSE(b.status()) << number;
  }
}

}  // namespace
}  // namespace wherry::graph
