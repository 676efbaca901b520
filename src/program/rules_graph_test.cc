#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "program/program.h"
#include "program/serialize.h"

namespace wherry::program {
namespace {

using tensor::DType;
using tensor::Tensor;
using testing::HasSubstr;

Signature images(bool batched = true) {
  Signature signature;
  signature.tensors = {{"image", DType::kFloat32, {-1, 3, -1, -1}, {"batch", "", "height", "width"}}};
  signature.batched = batched;
  return signature;
}

struct Graph {
  explicit Graph(Signature signature) : builder(std::move(signature)) {
    op.model = builder.weight("model", Tensor::of<std::uint8_t>({3}, {8, 9, 10}));
    op.input_names = {"image"};
    op.results = {{"scores", DType::kFloat64, {-1, 10}}, {"mask", DType::kBool, {-1, -1, -1}}};
    op.weights = {{"kernel", builder.weight("kernel", Tensor::of<float>({2}, {1, 2}))}};
  }
  base::Result<ValueId> add() {
    TRY_ASSIGN(const ValueId image, builder.add(TensorInput{0}, {}));
    return builder.add(op, {image});
  }
  std::string refusal() {
    const auto added = add();
    return added ? "" : added.error().message;
  }
  ProgramBuilder builder;
  OnnxGraph op;
};

base::Result<Program> small() {
  Graph graph(images());
  TRY_ASSIGN(const ValueId tuple, graph.add());
  TRY_ASSIGN(const ValueId scores, graph.builder.add(GraphOutput{0}, {tuple}));
  TRY_ASSIGN(const ValueId mask, graph.builder.add(GraphOutput{1}, {tuple}));
  TRY_ASSIGN(const ValueId best, graph.builder.add(Argmax{}, {scores}));
  TRY(graph.builder.output({"best", {best}, {}}));
  TRY(graph.builder.output({"mask", {mask}, {}}));
  return std::move(graph.builder).build();
}

TEST(Admits, AsManyAxesOfTheLengthsThatAreDeclared) {
  using Lengths = std::vector<std::int64_t>;
  const Lengths declared{-1, 3};
  EXPECT_TRUE(admits(declared, Lengths{7, 3}));
  EXPECT_FALSE(admits(declared, Lengths{7, 4}));
  EXPECT_FALSE(admits(declared, Lengths{7}));
  EXPECT_FALSE(admits(declared, Lengths{-1, 3}));
}

TEST(Admits, UpToTheMostAxesWhereAnyAreDeclared) {
  const std::vector<std::int64_t> any{kAnyAxes};
  EXPECT_TRUE(admits(any, std::vector<std::int64_t>(kMostAxes, 2)));
  EXPECT_TRUE(admits(any, {}));
  EXPECT_FALSE(admits(any, std::vector<std::int64_t>(kMostAxes + 1, 2)));
}

TEST(OnnxGraph, GivesResultsWhichOperationsOnRowsTake) {
  const auto program = small();
  ASSERT_TRUE(program) << describe(program.error());
  EXPECT_EQ(to_string(program->types()[program->outputs()[0].values[0]]), "int64 [-1]");
  EXPECT_EQ(to_string(program->types()[program->outputs()[1].values[0]]), "bool [-1, -1, -1]");
}

TEST(OnnxGraph, SurvivesBeingWrittenAndRead) {
  const auto program = small();
  const text::Json json = program_to_json(*program);
  const std::vector<Weight> weights(program->weights().begin(), program->weights().end());
  const auto again = program_from_json(json, weights);
  ASSERT_TRUE(again) << describe(again.error());
  EXPECT_EQ(program_to_json(*again), json);
  EXPECT_EQ(again->signature(), images());
}

TEST(OnnxGraph, RefusesWhatDoesNotFit) {
  Graph graph(images());
  graph.op.input_names = {"image", "other"};
  EXPECT_THAT(graph.refusal(), HasSubstr("2 input names for 1 inputs"));
  graph.op.input_names = {"image"};
  graph.op.results.push_back({"mask", DType::kBool, {-1}});
  EXPECT_THAT(graph.refusal(), HasSubstr("result 'mask' has no name of its own"));
  graph.op.results.pop_back();
  graph.op.weights[0].tensor.index = 99;
  EXPECT_THAT(graph.refusal(), HasSubstr("weight 'kernel' is missing"));
  graph.op.weights.clear();
  graph.op.model.index = 1;
  EXPECT_THAT(graph.refusal(), HasSubstr("not a list of bytes"));
}

TEST(OnnxGraph, KeepsOperationsOnRowsFromOtherTensors) {
  Graph graph(images());
  const auto tuple = graph.add();
  const auto mask = graph.builder.add(GraphOutput{1}, {*tuple});
  EXPECT_THAT(graph.builder.add(Argmax{}, {*mask}).error().message, HasSubstr("not made of rows"));
  EXPECT_THAT(graph.builder.add(Argmax{}, {*tuple}).error().message, HasSubstr("not made of rows"));
  EXPECT_THAT(graph.builder.add(GraphOutput{0}, {*mask}).error().message, HasSubstr("not an onnx_graph"));
  EXPECT_THAT(graph.builder.add(GraphOutput{2}, {*tuple}).error().message, HasSubstr("no result 2"));
  EXPECT_THAT(graph.builder.output({"all", {*tuple}, {}}).error().message, HasSubstr("is a tuple"));

  Graph single(images(false));
  const auto its_tuple = single.add();
  const auto scores = single.builder.add(GraphOutput{0}, {*its_tuple});
  EXPECT_THAT(single.builder.add(Argmax{}, {*scores}).error().message, HasSubstr("not batched"));
}

TEST(OnnxGraph, HoldsBatchedModelsToTheirBatch) {
  Signature fixed = images();
  fixed.tensors[0].shape[0] = 1;
  ProgramBuilder builder(fixed);
  EXPECT_THAT(builder.add(TensorInput{0}, {}).error().message, HasSubstr("does not begin with the batch"));
  Graph graph(images());
  graph.op.results[0].shape = {10};
  const auto tuple = graph.add();
  EXPECT_THAT(graph.builder.add(GraphOutput{0}, {*tuple}).error().message,
              HasSubstr("does not begin with the batch"));
  Signature both = images();
  both.columns = {{"x", ColumnType::kNumber, true}};
  Graph mixed(both);
  const auto value = mixed.builder.add(TensorInput{0}, {});
  ASSERT_TRUE(mixed.builder.output({"x", {*value}, {}}));
  EXPECT_THAT(std::move(mixed.builder).build().error().message, HasSubstr("columns and input tensors"));
}

}  // namespace
}  // namespace wherry::program
