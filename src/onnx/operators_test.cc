// Every row of graph/rules_*.cc and graph/fold_*.cc against ONNX Runtime: types, shapes and folded elements.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "graph/fold_call.h"
#include "graph/ragged.h"
#include "graph/rules.h"
#include "graph/scatter.h"
#include "onnx/testing_operators.h"
#include "onnx/write.h"
#include "runtime/session.h"
#include "runtime/testing.h"

#include "base/text.h"

namespace wherry::onnx {
namespace {

using graph::Builder;
using graph::Type;
using graph::ValueId;
using tensor::DType;
using tensor::ResultView;
using tensor::Shape;
using tensor::Tensor;
using testing::Case;

// What of a case the graph knows before it runs.
enum class Knows : std::uint8_t {
  kNothing,  // all inputs come with requests
  kShapes,   // its data do, of fixed shapes; the rest are constants
  kRanks,    // its data do, of lengths which requests choose
  kAll,      // constants only
};

struct Made {
  Builder builder;
  std::vector<std::size_t> fed;  // inputs of the case that come with requests
  std::vector<ValueId> outputs;
};

Made make(const Case& one, Knows knows) {
  Made made;
  std::vector<ValueId> inputs;
  for (std::size_t i = 0; i < one.inputs.size(); ++i) {
    if (!one.inputs[i]) {
      inputs.push_back(graph::kNone);
      continue;
    }
    const Tensor& given = *one.inputs[i];
    if (knows == Knows::kAll || (knows != Knows::kNothing && i >= one.data)) {
      inputs.push_back(made.builder.constant(given));
      continue;
    }
    graph::Dims dims = graph::dims_of(given.shape());
    for (graph::Dim& dim : dims)
      if (knows == Knows::kRanks) dim = made.builder.fresh();
    inputs.push_back(made.builder.input(base::cat("in", i), given.dtype(), dims));
    made.fed.push_back(i);
  }
  made.outputs = made.builder.add_many(one.op, inputs, one.outputs, one.attributes, one.domain);
  return made;
}

ResultView view_of(const Tensor& tensor, std::vector<std::string_view>& texts) {
  ResultView view{.dtype = tensor.dtype(), .axes = static_cast<std::uint8_t>(tensor.shape().size())};
  std::ranges::copy(tensor.shape(), view.lengths.begin());
  view.data = tensor.bytes().data();
  if (tensor.dtype() != DType::kString) return view;
  for (const std::string& text : tensor.as_strings()) texts.push_back(text);
  view.texts = texts;
  return view;
}

Tensor tensor_of(const ResultView& view) {
  tensor::Shape shape(view.shape().begin(), view.shape().end());
  if (view.dtype == DType::kString)
    return Tensor::of_strings(std::move(shape), {view.texts.begin(), view.texts.end()});
  const auto* bytes = static_cast<const std::byte*>(view.data);
  const auto copy =
      std::make_shared<std::vector<std::byte>>(bytes, bytes + view.size() * tensor::info(view.dtype).size);
  return *Tensor::borrow(view.dtype, std::move(shape), *copy, copy);
}

// What ONNX Runtime answers to the graph, all of whose inputs the case feeds.
base::Result<std::vector<Tensor>> answers(const Case& one, Made made) {
  for (std::size_t k = 0; k < made.outputs.size(); ++k)
    made.builder.output(base::cat("out", k), made.outputs[k]);
  TRY_ASSIGN(const graph::Graph graph, std::move(made.builder).build());
  const Model model = write_model(graph);
  runtime::Model loaded{.proto = base::as_bytes(model.proto), .inputs = {}, .outputs = {}, .weights = {}};
  for (const graph::NamedValue& input : graph.inputs) loaded.inputs.push_back(input.name);
  for (const graph::NamedValue& output : graph.outputs) loaded.outputs.push_back(output.name);
  for (const Initializer& weight : model.weights) loaded.weights.emplace_back(weight.name, weight.tensor);
  TRY_ASSIGN(const auto session, runtime::Session::create(std::move(loaded)));
  std::vector<std::vector<std::string_view>> texts(made.fed.size());
  std::vector<ResultView> views;
  for (std::size_t i = 0; i < made.fed.size(); ++i)
    views.push_back(view_of(*one.inputs[made.fed[i]], texts[i]));
  runtime::Answers got;
  TRY(session->run(views, got));
  std::vector<Tensor> tensors;
  for (const ResultView& view : got.views()) tensors.push_back(tensor_of(view));
  return tensors;
}

// Whether all that is known of a value holds for `truth`; `whole`: and all is known.
::testing::AssertionResult holds(const Builder& builder, ValueId value, const Tensor& truth, bool whole) {
  const Type& type = builder.type(value);
  const std::string both =
      base::cat(graph::to_string(type), " instead of ", tensor::info(truth.dtype()).numpy_name,
                tensor::to_string(truth.shape()));
  bool fits = type.dtype == truth.dtype() && (!type.ranked || type.rank() == truth.shape().size());
  for (std::size_t k = 0; fits && k < type.dims.size(); ++k)
    fits = !type.dims[k].known() || type.dims[k].number == truth.shape()[k];
  if (!fits || (whole && !type.is_static())) return ::testing::AssertionFailure() << both;
  const Tensor* constant = builder.constant(value);
  if (constant != nullptr && !tensor::identical(*constant, truth))
    return ::testing::AssertionFailure() << "folded to other elements, of type " << both;
  return ::testing::AssertionSuccess();
}

class OperatorsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!runtime::testing::has_library()) GTEST_SKIP() << "libonnxruntime.so.1 is not installed";
  }

  void check(const std::vector<Case>& cases) {
    for (std::size_t i = 0; i < cases.size(); ++i) {
      SCOPED_TRACE(base::cat("case ", i, ": ", cases[i].op));
      check(cases[i]);
    }
  }

 private:
  void check(const Case& one) {
    const auto truth = answers(one, make(one, Knows::kNothing));
    ASSERT_TRUE(truth) << base::describe(truth.error());
    for (const Knows knows : {Knows::kNothing, Knows::kShapes, Knows::kRanks, Knows::kAll}) {
      const Made made = make(one, knows);
      ASSERT_TRUE(made.builder.status()) << base::describe(made.builder.status().error());
      const bool whole = (knows == Knows::kShapes || knows == Knows::kAll) && !one.is_open;
      for (std::size_t k = 0; k < made.outputs.size(); ++k)
        EXPECT_TRUE(holds(made.builder, made.outputs[k], (*truth)[k], whole))
            << "output " << k << ", knowing " << static_cast<int>(knows);
    }
  }
};

TEST_F(OperatorsTest, ThoseByElementsAreWhatOnnxRuntimeSays) {
  check(testing::elementwise_cases());
}
TEST_F(OperatorsTest, ThoseOfShapesAreWhatOnnxRuntimeSays) {
  check(testing::shape_cases());
}
TEST_F(OperatorsTest, ThoseOfLayersAreWhatOnnxRuntimeSays) {
  check(testing::layer_cases());
}
TEST_F(OperatorsTest, ThoseOfTextsAreWhatOnnxRuntimeSays) {
  check(testing::text_cases());
}

// 20,000 updates of 1, made by `put` into what it likes.
template <class Put>
base::Result<std::vector<Tensor>> put_ones(Put put) {
  constexpr std::int64_t kUpdates = 20'000;
  const Case one{"", {Tensor::of<float>({kUpdates}, std::vector<float>(kUpdates, 1.0F))}};
  Made made;
  const ValueId ones = made.builder.input("in0", DType::kFloat32, {graph::Dim{kUpdates, 0}});
  made.fed = {0};
  made.outputs = {put(made.builder, ones)};
  return answers(one, std::move(made));
}

TEST_F(OperatorsTest, ScatterReducedLosesNoUpdateOfSeveralForOnePlace) {
  const auto sums = put_ones([](Builder& b, ValueId ones) {
    const ValueId places = graph::full(b, DType::kInt64, Shape{20'000, 1}, 1);
    return graph::scatter_reduced(b, graph::full(b, DType::kFloat32, Shape{3}, 0), places, ones, "add");
  });
  ASSERT_TRUE(sums) << base::describe(sums.error());
  EXPECT_THAT((*sums)[0].as<float>(), ::testing::ElementsAre(0, 20'000, 0));
}

TEST_F(OperatorsTest, RaggedBincountCountsEveryValueOfARow) {
  const auto counts = put_ones([](Builder& b, ValueId ones) {
    const ValueId values = graph::cast(b, ones, DType::kInt64);
    const graph::Rows rows = graph::rows_of_splits(b, graph::ints(b, {0, 20'000}), values);
    return graph::ragged_bincount(b, rows, values, graph::int_scalar(b, 3), false);
  });
  ASSERT_TRUE(counts) << base::describe(counts.error());
  EXPECT_THAT((*counts)[0].as<float>(), ::testing::ElementsAre(0, 20'000, 0));
}

TEST_F(OperatorsTest, IfIsTheBranchThatOnnxRuntimeTakes) {
  const Case one{"If", {Tensor::of_bools({}, {1}), testing::floats({2})}, 2};
  Made made;
  const ValueId flag = made.builder.input("flag", DType::kBool, {});
  const ValueId x = made.builder.input("x", DType::kFloat32, {{2, 0}});
  made.builder.begin_block();
  const auto yes = made.builder.end_block({made.builder.add("Neg", {x})});
  made.builder.begin_block();
  const auto no = made.builder.end_block({made.builder.add("Concat", {x, x}, {{"axis", std::int64_t{0}}})});
  made.outputs = {made.builder.add("If", {flag}, {{"then_branch", yes}, {"else_branch", no}})};
  made.fed = {0, 1};
  const Type type = made.builder.type(made.outputs[0]);
  EXPECT_EQ(graph::to_string(type), "float32[?]");
  const auto truth = answers(one, std::move(made));
  ASSERT_TRUE(truth) << base::describe(truth.error());
  EXPECT_EQ((*truth)[0].shape(), tensor::Shape{2});
}

TEST_F(OperatorsTest, LoopHasTheTypesOfOnnxRuntimes) {
  const Case one{"Loop", {testing::integer(3), testing::floats({2})}, 2};
  Made made;
  const ValueId count = made.builder.input("count", DType::kInt64, {});
  const ValueId x = made.builder.input("x", DType::kFloat32, {{2, 0}});
  made.builder.begin_block();
  made.builder.block_input({DType::kInt64, true, {}});
  const ValueId goes_on = made.builder.block_input({DType::kBool, true, {}});
  const ValueId state = made.builder.block_input({DType::kFloat32, true, {{2, 0}}});
  const ValueId next = made.builder.add("Exp", {state});
  const auto body = made.builder.end_block({goes_on, next, next});
  made.outputs = made.builder.add_many("Loop", {count, graph::kNone, x}, 2, {{"body", body}});
  made.fed = {0, 1};
  EXPECT_EQ(graph::to_string(made.builder.type(made.outputs[0])), "float32[2]");
  EXPECT_EQ(graph::to_string(made.builder.type(made.outputs[1])), "float32[?, 2]");
  const auto truth = answers(one, std::move(made));
  ASSERT_TRUE(truth) << base::describe(truth.error());
  EXPECT_EQ((*truth)[0].shape(), tensor::Shape{2});
  EXPECT_EQ((*truth)[1].shape(), (tensor::Shape{3, 2}));
}

TEST_F(OperatorsTest, ScanHasTheTypesOfOnnxRuntimes) {
  const Case one{"Scan", {testing::floats({2}), testing::floats({4, 2})}, 2};
  Made made;
  Builder& b = made.builder;
  const ValueId state = b.input("state", DType::kFloat32, {{2, 0}});
  const ValueId rows = b.input("rows", DType::kFloat32, {{4, 0}, {2, 0}});
  b.begin_block();
  const ValueId before = b.block_input({DType::kFloat32, true, {{2, 0}}});
  const ValueId row = b.block_input({DType::kFloat32, true, {{2, 0}}});
  const ValueId next = b.add("Add", {before, row});
  const auto body = b.end_block({next, b.add("Neg", {next})});
  made.outputs = b.add_many("Scan", {state, rows}, 2, {{"body", body}, {"num_scan_inputs", std::int64_t{1}}});
  made.fed = {0, 1};
  EXPECT_EQ(graph::to_string(b.type(made.outputs[0])), "float32[2]");
  EXPECT_EQ(graph::to_string(b.type(made.outputs[1])), "float32[4, 2]");
  const auto truth = answers(one, std::move(made));
  ASSERT_TRUE(truth) << base::describe(truth.error());
  EXPECT_EQ((*truth)[1].shape(), (tensor::Shape{4, 2}));
}

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (auto cases :
       {testing::elementwise_cases(), testing::shape_cases(), testing::layer_cases(), testing::text_cases()})
    std::ranges::move(cases, std::back_inserter(all));
  return all;
}

TEST(Operators, HaveACaseForEveryRow) {
  std::set<std::string_view> covered{"If", "Loop", "Scan"};  // in tests of their own
  for (const Case& one : all_cases()) covered.insert(one.op);
  std::string missing;
  for (const auto rows : {graph::elementwise_rows(), graph::shape_rows(), graph::layer_rows(),
                          graph::control_rows(), graph::ml_rows(), graph::own_rows()})
    for (const graph::OpRow& row : rows)
      if (!covered.contains(row.name)) missing += base::cat(missing.empty() ? "" : ", ", row.name);
  EXPECT_EQ(missing, "");
}

TEST(Operators, AreFoldedInSomeCaseForEveryRowThatFolds) {
  std::set<std::string_view> folded;
  for (const Case& one : all_cases()) {
    const Made made = make(one, Knows::kAll);
    if (made.builder.constant(made.outputs[0]) != nullptr) folded.insert(one.op);
  }
  std::string missing;
  for (const auto rows : {graph::folding::rearranging_rows(), graph::folding::arithmetic_rows()})
    for (const graph::folding::FoldRow& row : rows)
      if (!folded.contains(row.op)) missing += base::cat(missing.empty() ? "" : ", ", row.op);
  EXPECT_EQ(missing, "");
}

}  // namespace
}  // namespace wherry::onnx
