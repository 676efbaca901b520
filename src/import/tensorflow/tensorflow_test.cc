#include "import/tensorflow/tensorflow.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "base/text.h"
#include "import/tensorflow/lower.h"
#include "import/tensorflow/testing.h"

namespace wherry::tensorflow {
namespace {

using testing::Attr;
using testing::Attrs;
using testing::floats_node;
using testing::ints_node;
using testing::node_def;
using testing::saved_model;
using testing::Signature;

std::string placeholder(std::string_view name, std::int64_t type = 1) {
  return node_def(name, "Placeholder", {}, {{"dtype", Attr::type(type)}});
}

base::Result<graph::Graph> import_bytes(std::string content, const Options& options = {}) {
  TRY_ASSIGN(const auto model, Model::read(std::move(content)));
  return import(*model, options);
}

std::vector<std::string> ops_of(const graph::Graph& graph) {
  std::vector<std::string> ops;
  for (const graph::Node& node : graph.body.nodes) ops.push_back(node.op);
  return ops;
}

std::string error_of(const base::Result<graph::Graph>& result) {
  return result ? "no error" : result.error().id + ": " + base::describe(result.error());
}

// x → call → call → Relu, through Identity nodes and with a control edge.
TEST(SavedModel, FunctionsAreInlinedFromTheOutputs) {
  const std::string inner =
      testing::function_def("inner", {"a"}, {{"r", "relu:activations:0"}},
                            {node_def("relu", "Relu", {"a"}), node_def("bad", "NoSuchOp", {"a"})});
  const std::string outer = testing::function_def(
      "outer", {"a"}, {{"r", "id:output:0"}},
      {node_def("call", "PartitionedCall", {"a"}, {{"f", Attr::function("inner")}}),
       node_def("id", "Identity", {"call:output:0", "^bad"}), node_def("bad", "Assert", {})});
  const auto graph = import_bytes(saved_model(
      {placeholder("x"), node_def("run", "StatefulPartitionedCall", {"x"}, {{"f", Attr::function("outer")}})},
      {inner, outer}, {{"serving_default", {{"in", "x:0", 1, {-1, 3}}}, {{"out", "run:0", 1, {-1, 3}}}}}));
  ASSERT_TRUE(graph.has_value()) << error_of(graph);
  EXPECT_EQ(ops_of(*graph), (std::vector<std::string>{"Relu"}));
  EXPECT_EQ(graph->inputs[0].name, "in");
  EXPECT_EQ(graph->outputs[0].name, "out");
}

TEST(SavedModel, RecursionAndCirclesAreRefused) {
  const std::string self =
      testing::function_def("self", {"a"}, {{"r", "call:output:0"}},
                            {node_def("call", "PartitionedCall", {"a"}, {{"f", Attr::function("self")}})});
  const Signature signature{"serving_default", {{"in", "x:0", 1, {2}}}, {{"out", "run:0", 1, {2}}}};
  EXPECT_TRUE(error_of(import_bytes(saved_model({placeholder("x"), node_def("run", "PartitionedCall", {"x"},
                                                                            {{"f", Attr::function("self")}})},
                                                {self}, {signature})))
                  .starts_with("tensorflow.recursive"));
  EXPECT_TRUE(error_of(import_bytes(saved_model({placeholder("x"), node_def("run", "Add", {"x", "back"}),
                                                 node_def("back", "Relu", {"run"})},
                                                {}, {signature})))
                  .starts_with("tensorflow.cyclic"));
  EXPECT_TRUE(error_of(import_bytes(saved_model({placeholder("x"), node_def("run", "Identity", {"back"}),
                                                 node_def("back", "Identity", {"run"})},
                                                {}, {signature})))
                  .starts_with("tensorflow.cyclic"));
}

TEST(SavedModel, BodiesWhichRunThemselvesAreRefused) {
  const std::string body =
      testing::function_def("body", {"a"}, {{"r", "again:output:0"}},
                            {node_def("again", "StatelessWhile", {"a"},
                                      {{"cond", Attr::function("body")}, {"body", Attr::function("body")}})});
  EXPECT_TRUE(
      error_of(import_bytes(saved_model(
                   {placeholder("x"),
                    node_def("run", "StatelessWhile", {"x"},
                             {{"cond", Attr::function("body")}, {"body", Attr::function("body")}})},
                   {body}, {{"serving_default", {{"in", "x:0", 1, {2}}}, {{"out", "run:0", 1, {2}}}}})))
          .starts_with("tensorflow.recursive"));
}

TEST(SavedModel, MissingOpsAreListedOnce) {
  const std::string text = error_of(import_bytes(
      saved_model({placeholder("x"), node_def("a", "FooOp", {"x"}), node_def("b", "FooOp", {"a"}),
                   node_def("c", "BarOp", {"b"})},
                  {}, {{"serving_default", {{"in", "x:0", 1, {2}}}, {{"out", "c:0", 1, {2}}}}})));
  EXPECT_TRUE(text.starts_with("tensorflow.unsupported_op")) << text;
  EXPECT_NE(text.find("BarOp ('c'), FooOp ('a')"), std::string::npos) << text;
}

TEST(SavedModel, ChoiceOfASignature) {
  const Signature one{"a", {{"in", "x:0", 1, {2}}}, {{"out", "y:0", 1, {2}}}};
  Signature two = one;
  two.name = "b";
  const std::vector<std::string> nodes{placeholder("x"), node_def("y", "Relu", {"x"})};
  EXPECT_TRUE(import_bytes(saved_model(nodes, {}, {one})).has_value());
  const std::string text = error_of(import_bytes(saved_model(nodes, {}, {one, two})));
  EXPECT_TRUE(text.starts_with("tensorflow.no_signature")) << text;
  EXPECT_NE(text.find("a, b"), std::string::npos) << text;
  EXPECT_TRUE(import_bytes(saved_model(nodes, {}, {one, two}), {"b"}).has_value());
  EXPECT_TRUE(error_of(import_bytes(saved_model(nodes, {}, {}))).starts_with("tensorflow.no_signature"));
}

// --- ops: each row of this table is one node on constants, whose value the graph builder folds; what must
// come out is TensorFlow's answer.

struct OpCase {
  std::string op;
  std::vector<std::string> inputs;  // const nodes in order, each named i0, i1 …
  Attrs attributes;
  std::vector<std::int64_t> shape;
  std::vector<double> values;
};

std::string f(int i, const std::vector<std::int64_t>& shape, const std::vector<float>& values) {
  return floats_node(base::cat("i", i), shape, values);
}
std::string n(int i, const std::vector<std::int64_t>& shape, const std::vector<std::int32_t>& values) {
  return ints_node(base::cat("i", i), shape, values);
}

std::vector<double> numbers_of(const tensor::Tensor& tensor) {
  std::vector<double> numbers;
  switch (tensor.dtype()) {
    case DType::kFloat32:
      numbers.assign(tensor.as<float>().begin(), tensor.as<float>().end());
      break;
    case DType::kInt32:
      numbers.assign(tensor.as<std::int32_t>().begin(), tensor.as<std::int32_t>().end());
      break;
    case DType::kInt64:
      numbers.assign(tensor.as<std::int64_t>().begin(), tensor.as<std::int64_t>().end());
      break;
    case DType::kBool:
      numbers.assign(tensor.as_bools().begin(), tensor.as_bools().end());
      break;
    default:
      ADD_FAILURE() << "another dtype";
  }
  return numbers;
}

class FoldedOp : public ::testing::TestWithParam<OpCase> {};

TEST_P(FoldedOp, GivesTensorFlowsValue) {
  const OpCase& c = GetParam();
  std::vector<std::string> nodes = c.inputs, names;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) names.push_back(base::cat("i", i));
  nodes.push_back(node_def("y", c.op, names, c.attributes));
  auto model = Model::read(saved_model(nodes, {}, {}));
  ASSERT_TRUE(model.has_value());
  CallTree tree(**model);
  const auto flat = tree.flatten({"y:0"});
  ASSERT_TRUE(flat.has_value()) << base::describe(flat.error());
  Builder builder;
  Lowering lowering(**model, tree, builder);
  const auto items = lowering.run(*flat, {});
  ASSERT_TRUE(builder.status().has_value()) << base::describe(builder.status().error());
  const ValueId* value = std::get_if<ValueId>(&items.at(0));
  ASSERT_NE(value, nullptr);
  const tensor::Tensor* constant = builder.constant(*value);
  ASSERT_NE(constant, nullptr) << "not folded";
  EXPECT_EQ(constant->shape(), c.shape);
  const auto numbers = numbers_of(*constant);
  ASSERT_EQ(numbers.size(), c.values.size());
  for (std::size_t i = 0; i < numbers.size(); ++i)
    EXPECT_NEAR(numbers[i], c.values[i], 1e-6 * std::max(1.0, std::abs(c.values[i]))) << i;
}

const std::vector<float> kSix{1, 2, 3, 4, 5, 6};

INSTANTIATE_TEST_SUITE_P(
    All, FoldedOp,
    ::testing::Values(
        OpCase{"FloorDiv", {n(0, {4}, {7, -7, 7, -7}), n(1, {4}, {2, 2, -2, -2})}, {}, {4}, {3, -4, -4, 3}},
        OpCase{"FloorMod", {n(0, {4}, {7, -7, 7, -7}), n(1, {4}, {2, 2, -2, -2})}, {}, {4}, {1, 1, -1, -1}},
        OpCase{"StridedSlice",
               {f(0, {2, 3}, kSix), n(1, {2}, {0, 1}), n(2, {2}, {0, 3}), n(3, {2}, {1, 1})},
               {{"begin_mask", Attr::integer(1)}, {"end_mask", Attr::integer(1)}},
               {2, 2},
               {2, 3, 5, 6}},
        OpCase{"StridedSlice",
               {f(0, {2, 3}, kSix), n(1, {2}, {0, -1}), n(2, {2}, {0, 0}), n(3, {2}, {1, 1})},
               {{"ellipsis_mask", Attr::integer(1)}, {"shrink_axis_mask", Attr::integer(2)}},
               {2},
               {3, 6}},
        OpCase{"StridedSlice",
               {f(0, {3}, {1, 2, 3}), n(1, {2}, {0, 0}), n(2, {2}, {0, 0}), n(3, {2}, {1, -1})},
               {{"new_axis_mask", Attr::integer(1)},
                {"begin_mask", Attr::integer(2)},
                {"end_mask", Attr::integer(2)}},
               {1, 3},
               {3, 2, 1}},
        OpCase{"Slice", {f(0, {2, 3}, kSix), n(1, {2}, {1, 0}), n(2, {2}, {-1, 2})}, {}, {1, 2}, {4, 5}},
        OpCase{"Pack",
               {f(0, {2}, {1, 2}), f(1, {2}, {3, 4})},
               {{"axis", Attr::integer(1)}},
               {2, 2},
               {1, 3, 2, 4}},
        OpCase{"ConcatV2", {f(0, {1, 2}, {1, 2}), f(1, {1, 1}, {3}), n(2, {}, {-1})}, {}, {1, 3}, {1, 2, 3}},
        OpCase{"Shape", {f(0, {2, 3}, kSix)}, {}, {2}, {2, 3}},
        OpCase{"Rank", {f(0, {2, 3}, kSix)}, {}, {}, {2}},
        OpCase{"Reshape", {f(0, {2, 3}, kSix), n(1, {2}, {3, -1})}, {}, {3, 2}, {1, 2, 3, 4, 5, 6}},
        OpCase{"Transpose", {f(0, {2, 3}, kSix), n(1, {2}, {1, 0})}, {}, {3, 2}, {1, 4, 2, 5, 3, 6}},
        OpCase{"GatherV2", {f(0, {2, 3}, kSix), n(1, {2}, {2, 0}), n(2, {}, {1})}, {}, {2, 2}, {3, 1, 6, 4}},
        OpCase{"Cast", {f(0, {3}, {1.7f, -1.7f, 2.5f})}, {{"DstT", Attr::type(3)}}, {3}, {1, -1, 2}},
        OpCase{"AddV2", {f(0, {2}, {1, 2}), f(1, {}, {10})}, {}, {2}, {11, 12}},
        OpCase{"SquaredDifference", {f(0, {2}, {1, 2}), f(1, {2}, {4, 0})}, {}, {2}, {9, 4}},
        OpCase{"Maximum", {n(0, {2}, {1, 5}), n(1, {}, {3})}, {}, {2}, {3, 5}},
        OpCase{"ExpandDims", {f(0, {2}, {1, 2}), n(1, {}, {-1})}, {}, {2, 1}, {1, 2}},
        OpCase{"Fill", {n(0, {2}, {2, 1}), f(1, {}, {7})}, {}, {2, 1}, {7, 7}},
        OpCase{"Range", {n(0, {}, {1}), n(1, {}, {8}), n(2, {}, {3})}, {}, {3}, {1, 4, 7}},
        OpCase{"InvertPermutation", {n(0, {3}, {2, 0, 1})}, {}, {3}, {1, 2, 0}}));

// A constant as wide as the signature's batch: shapes are followed, so that one Reshape is left.
TEST(Lowering, ShapesAreFoldedWithADynamicBatch) {
  const auto graph = import_bytes(
      saved_model({placeholder("x"), node_def("shape", "Shape", {"x"}), ints_node("zero", {1}, {0}),
                   ints_node("one", {1}, {1}), ints_node("rest", {}, {6}),
                   node_def("batch", "StridedSlice", {"shape", "zero", "one", "one"},
                            {{"shrink_axis_mask", Attr::integer(1)}}),
                   node_def("to", "Pack", {"batch", "rest"}), node_def("y", "Reshape", {"x", "to"})},
                  {}, {{"serving_default", {{"in", "x:0", 1, {-1, 2, 3}}}, {{"out", "y:0", 1, {-1, 6}}}}}));
  ASSERT_TRUE(graph.has_value()) << error_of(graph);
  EXPECT_EQ(ops_of(*graph), (std::vector<std::string>{"Reshape"}));
}

// Rows on a value known only at run time: that each gives operators of the right shape.
struct LoweredCase {
  std::string op;
  std::vector<std::int64_t> x;
  std::vector<std::string> inputs;  // after x
  Attrs attributes;
  std::string wanted;  // an operator which must be there
  std::string type;    // of the result
};

class LoweredOp : public ::testing::TestWithParam<LoweredCase> {};

TEST_P(LoweredOp, HasTheShapeOfTensorFlow) {
  const LoweredCase& c = GetParam();
  std::vector<std::string> nodes{placeholder("x")}, names{"x"};
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    nodes.push_back(c.inputs[i]);
    names.push_back(base::cat("i", i + 1));
  }
  nodes.push_back(node_def("y", c.op, names, c.attributes));
  const auto graph = import_bytes(saved_model(
      nodes, {}, {{"serving_default", {{"in", "x:0", 1, c.x}}, {{"out", "y:0", 1, testing::kUnknownRank}}}}));
  ASSERT_TRUE(graph.has_value()) << error_of(graph);
  const auto ops = ops_of(*graph);
  EXPECT_NE(std::ranges::find(ops, c.wanted), ops.end()) << c.op;
  EXPECT_EQ(graph::to_string(graph->values[graph->outputs[0].value].type), c.type) << c.op;
}

const std::vector<float> k36(36, 1.0f);

INSTANTIATE_TEST_SUITE_P(
    All, LoweredOp,
    ::testing::Values(
        LoweredCase{"Conv2D",
                    {-1, 9, 8, 2},
                    {f(1, {3, 3, 2, 2}, k36)},
                    {{"strides", Attr::integers({1, 2, 2, 1})}, {"padding", Attr::text("SAME")}},
                    "Conv",
                    "float32[?, 5, 4, 2]"},
        LoweredCase{"Conv2D",
                    {-1, 9, 8, 2},
                    {f(1, {3, 3, 2, 2}, k36)},
                    {{"strides", Attr::integers({1, 1, 1, 1})}, {"padding", Attr::text("VALID")}},
                    "Conv",
                    "float32[?, 7, 6, 2]"},
        LoweredCase{"DepthwiseConv2dNative",
                    {-1, 9, 8, 2},
                    {f(1, {3, 3, 2, 2}, k36)},
                    {{"strides", Attr::integers({1, 1, 1, 1})}, {"padding", Attr::text("SAME")}},
                    "Conv",
                    "float32[?, 9, 8, 4]"},
        LoweredCase{"MaxPool",
                    {-1, 9, 8, 2},
                    {},
                    {{"strides", Attr::integers({1, 2, 2, 1})},
                     {"ksize", Attr::integers({1, 3, 3, 1})},
                     {"padding", Attr::text("SAME")}},
                    "MaxPool",
                    "float32[?, 5, 4, 2]"},
        LoweredCase{"AvgPool",
                    {-1, 9, 8, 2},
                    {},
                    {{"strides", Attr::integers({1, 3, 3, 1})},
                     {"ksize", Attr::integers({1, 3, 3, 1})},
                     {"padding", Attr::text("VALID")}},
                    "AveragePool",
                    "float32[?, 3, 2, 2]"},
        LoweredCase{"MatMul",
                    {-1, 3},
                    {f(1, {2, 3}, kSix)},
                    {{"transpose_b", Attr::boolean(true)}},
                    "MatMul",
                    "float32[?, 2]"},
        LoweredCase{"Softmax", {-1, 3}, {}, {}, "Softmax", "float32[?, 3]"},
        LoweredCase{"Mean",
                    {-1, 4, 3},
                    {n(1, {1}, {1})},
                    {{"keep_dims", Attr::boolean(true)}},
                    "ReduceMean",
                    "float32[?, 1, 3]"},
        LoweredCase{"ArgMax", {-1, 4, 3}, {n(1, {}, {1})}, {}, "ArgMax", "int64[?, 3]"},
        LoweredCase{"TopKV2", {-1, 4}, {n(1, {}, {2})}, {}, "TopK", "float32[?, 2]"},
        LoweredCase{"LeakyRelu", {-1, 4}, {}, {{"alpha", Attr::real(0.3f)}}, "LeakyRelu", "float32[?, 4]"},
        LoweredCase{"BiasAdd", {-1, 4}, {f(1, {4}, {1, 2, 3, 4})}, {}, "Add", "float32[?, 4]"},
        LoweredCase{"ResizeBilinear",
                    {-1, 4, 5, 2},
                    {n(1, {2}, {8, 10})},
                    {{"half_pixel_centers", Attr::boolean(true)}},
                    "Resize",
                    "float32[?, 8, 10, 2]"},
        LoweredCase{"Pad", {-1, 4}, {n(1, {2, 2}, {0, 0, 1, 2})}, {}, "Pad", "float32[?, 7]"},
        LoweredCase{"FusedBatchNormV3",
                    {-1, 4, 5, 2},
                    {f(1, {2}, {1, 2}), f(2, {2}, {1, 2}), f(3, {2}, {1, 2}), f(4, {2}, {1, 2})},
                    {{"is_training", Attr::boolean(false)}},
                    "BatchNormalization",
                    "float32[?, 4, 5, 2]"},
        LoweredCase{"Unpack",
                    {-1, 3, 2},
                    {},
                    {{"axis", Attr::integer(1)}, {"num", Attr::integer(3)}},
                    "Gather",
                    "float32[?, 2]"}));

TEST(Lowering, WrongNumbersOfInputsAreRefused) {
  for (const char* op :
       {"Add", "Conv2D", "StridedSlice", "GatherV2", "ConcatV2", "OneHot", "If", "StatelessWhile",
        "TensorListSetItem", "LookupTableFindV2", "FusedBatchNormV3", "Conv2DBackpropInput", "ResizeBilinear",
        "MaxPool", "Pad", "Split", "SplitV", "TopKV2", "Cumprod"}) {
    const auto graph = import_bytes(saved_model(
        {node_def("y", op, {})}, {}, {{"serving_default", {}, {{"out", "y:0", 1, testing::kUnknownRank}}}}));
    EXPECT_FALSE(graph.has_value()) << op;
  }
}

TEST(Lowering, ABranchWhoseConditionIsKnownIsTaken) {
  const std::string yes =
      testing::function_def("yes", {"a"}, {{"r", "n:y:0"}}, {node_def("n", "Neg", {"a"})});
  const std::string no = testing::function_def("no", {"a"}, {{"r", "n:y:0"}}, {node_def("n", "Abs", {"a"})});
  const auto graph = import_bytes(
      saved_model({placeholder("x"), ints_node("c", {}, {0}),
                   node_def("y", "If", {"c", "x"},
                            {{"then_branch", Attr::function("yes")}, {"else_branch", Attr::function("no")}})},
                  {yes, no}, {{"serving_default", {{"in", "x:0", 1, {2}}}, {{"out", "y:0", 1, {2}}}}}));
  ASSERT_TRUE(graph.has_value()) << error_of(graph);
  EXPECT_EQ(ops_of(*graph), (std::vector<std::string>{"Abs"}));
}

// TensorFlow 1's cond: Merge takes its first input where the condition is false.
TEST(Lowering, SwitchAndMergeBecomeOneIf) {
  const auto graph =
      import_bytes(saved_model({placeholder("x"), placeholder("c", 10), node_def("s", "Switch", {"x", "c"}),
                                node_def("no", "Neg", {"s:0"}), node_def("yes", "Abs", {"s:1"}),
                                node_def("y", "Merge", {"no", "yes"})},
                               {},
                               {{"serving_default",
                                 {{"c", "c:0", 10, {}}, {"in", "x:0", 1, {-1, 2}}},
                                 {{"out", "y:0", 1, {-1, 2}}}}}));
  ASSERT_TRUE(graph.has_value()) << error_of(graph);
  EXPECT_EQ(ops_of(*graph), (std::vector<std::string>{"Neg", "Abs", "If"}));
  const graph::Node& choice = graph->body.nodes.back();
  const auto* yes = graph::find(choice.attributes, "then_branch");
  ASSERT_NE(yes, nullptr);
  EXPECT_EQ(std::get<std::shared_ptr<const graph::Block>>(*yes)->outputs, graph->body.nodes[1].outputs);
  const std::string text = error_of(import_bytes(
      saved_model({placeholder("x"), node_def("no", "Neg", {"x"}), node_def("y", "Merge", {"no", "x"})}, {},
                  {{"serving_default", {{"in", "x:0", 1, {2}}}, {{"out", "y:0", 1, {2}}}}})));
  EXPECT_TRUE(text.starts_with("tensorflow.unsupported_use")) << text;
}

// while i < 3: i += 1; x = -x. The number of rounds is known, so that the body has no condition.
TEST(Lowering, ACountingLoop) {
  const std::string cond =
      testing::function_def("cond", {"i", "x"}, {{"r", "l:z:0"}},
                            {ints_node("three", {}, {3}), node_def("l", "Less", {"i", "three:output:0"})});
  const std::string body =
      testing::function_def("body", {"i", "x"}, {{"r", "a:z:0"}, {"s", "n:y:0"}},
                            {ints_node("one", {}, {1}), node_def("a", "AddV2", {"i", "one:output:0"}),
                             node_def("n", "Neg", {"x"})});
  const auto graph = import_bytes(saved_model(
      {placeholder("x"), ints_node("i", {}, {0}),
       node_def("y", "StatelessWhile", {"i", "x"},
                {{"cond", Attr::function("cond")}, {"body", Attr::function("body")}})},
      {cond, body}, {{"serving_default", {{"in", "x:0", 1, {-1, 2}}}, {{"out", "y:1", 1, {-1, 2}}}}}));
  ASSERT_TRUE(graph.has_value()) << error_of(graph);
  EXPECT_EQ(ops_of(*graph), (std::vector<std::string>{"Loop"}));
  EXPECT_EQ(graph::to_string(graph->values[graph->outputs[0].value].type), "float32[?, 2]");
}

// tests/fixtures/tensorflow: folders written by three generations of TensorFlow. How their answers compare
// with TensorFlow's is the business of tests/parity/tensorflow.py; here, that each becomes the operators it
// should.
struct FixtureCase {
  std::string name;
  std::vector<std::string> wanted;  // operators
  std::vector<std::string> outputs;
};

class Fixture : public ::testing::TestWithParam<FixtureCase> {};

TEST_P(Fixture, BecomesFewOperators) {
  const std::filesystem::path folder =
      std::filesystem::path(WHERRY_SOURCE_DIR) / "tests/fixtures/tensorflow" / GetParam().name;
  EXPECT_TRUE(recognise(folder));
  const auto graph = read_folder(folder);
  ASSERT_TRUE(graph.has_value()) << error_of(graph);
  const auto ops = ops_of(*graph);
  for (const std::string& op : GetParam().wanted) EXPECT_NE(std::ranges::find(ops, op), ops.end()) << op;
  const bool loops = std::ranges::find(ops, "Loop") != ops.end();
  EXPECT_EQ(loops, GetParam().name == "tensor_array");
  std::vector<std::string> outputs;
  for (const graph::NamedValue& output : graph->outputs) outputs.push_back(output.name);
  EXPECT_EQ(outputs, GetParam().outputs);
  const auto model = Model::open(folder);
  ASSERT_TRUE(model.has_value());
  const auto described = describe(**model);
  ASSERT_TRUE(described.has_value());
  EXPECT_TRUE(described->version.starts_with("2.")) << described->version;
  EXPECT_TRUE(described->missing.empty());
  EXPECT_FALSE(described->ops.empty());
}

INSTANTIATE_TEST_SUITE_P(
    All, Fixture,
    ::testing::Values(FixtureCase{"keras2_recurrent", {"LSTM", "GRU", "RNN"}, {"y0", "y1", "y2", "y3"}},
                      FixtureCase{"keras3_recurrent", {"LSTM", "GRU", "RNN"}, {"y0", "y1", "y2", "y3"}},
                      FixtureCase{"keras3_lookup", {"LabelEncoder", "Gather"}, {"output_0"}},
                      FixtureCase{"tensor_array", {"Loop"}, {"y0"}},
                      FixtureCase{"tf1_builder", {"MatMul", "Softmax", "ArgMax"}, {"classes", "scores"}}),
    [](const auto& at) { return at.param.name; });

TEST(Lowering, EveryOpIsNamedOnce) {
  std::set<std::string_view> seen;
  for (const auto table :
       {control_rows(), convolution_rows(), elementwise_rows(), image_rows(), indexing_rows(), list_rows(),
        matrix_rows(), normalization_rows(), pooling_rows(), reduction_rows(), segment_rows(), shape_rows(),
        state_rows(), string_rows(), text_rows()})
    for (const OpRow& row : table) EXPECT_TRUE(seen.insert(row.op).second) << row.op;
  EXPECT_GT(seen.size(), 180u);
}

}  // namespace
}  // namespace wherry::tensorflow
