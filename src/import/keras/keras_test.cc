#include "import/keras/keras.h"

#include <algorithm>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "graph/builder.h"

#include "base/files.h"
#include "base/text.h"
#include "import/keras/layer.h"

namespace wherry::keras {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kFolder = base::cat(WHERRY_SOURCE_DIR, "/tests/fixtures/keras/");

std::shared_ptr<const std::string> content(std::string_view name) {
  auto read = base::real_files().read(base::cat(kFolder, name), 1 << 20);
  EXPECT_TRUE(read) << name;
  return std::make_shared<const std::string>(read.value_or(""));
}

base::Result<Model> try_read(std::string_view name) {
  const auto bytes = content(name);
  return read(base::as_bytes(*bytes), bytes);
}

Model model(std::string_view name) {
  auto made = try_read(name);
  EXPECT_TRUE(made) << name << ": " << base::describe(made.error());
  return made ? *std::move(made) : Model();
}

std::vector<std::string> names(const std::vector<graph::NamedValue>& values) {
  std::vector<std::string> out;
  for (const auto& value : values) out.push_back(value.name);
  return out;
}

std::vector<std::string> operators(const Model& made) {
  std::vector<std::string> out;
  for (const auto& node : made.graph.body.nodes) out.push_back(node.op);
  return out;
}

std::string input_type(const Model& made, std::size_t i) {
  return graph::to_string(made.graph.values[made.graph.inputs[i].value].type);
}

TEST(Keras, EveryFixtureIsReadAsAGraph) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename();
    const bool refused = name.starts_with("custom") || name.starts_with("lambda") || name.starts_with("only");
    if (refused || (!name.ends_with(".keras") && !name.ends_with(".h5"))) continue;
    EXPECT_TRUE(recognise(*content(name))) << name;
    const Model made = model(name);
    EXPECT_FALSE(made.graph.outputs.empty()) << name;
    ++count;
  }
  EXPECT_GE(count, 20U);
}

TEST(Keras, ImageModelsStayChannelsFirstBetweenTheirLayers) {
  for (const std::string_view name : {"image-3.15.keras", "image-2.15.h5", "image-2.12.keras"}) {
    const Model made = model(name);
    const auto ops = operators(made);
    EXPECT_EQ(std::ranges::count(ops, "Transpose"), 1) << name;  // of the input
    EXPECT_EQ(std::ranges::count(ops, "Conv"), 2) << name;
    EXPECT_THAT(ops, Contains("BatchNormalization")) << name;
    EXPECT_THAT(names(made.graph.inputs), ElementsAre("image")) << name;
    EXPECT_THAT(names(made.graph.outputs), ElementsAre("classes")) << name;
    EXPECT_EQ(input_type(made, 0), "float32[?, 8, 7, 3]") << name;
  }
}

TEST(Keras, LayersAreListedWithShapesAndParameters) {
  const Model made = model("image-3.15.keras");
  EXPECT_EQ(made.version, "3.15.1");
  ASSERT_GE(made.layers.size(), 3U);
  EXPECT_EQ(made.layers[1].class_name, "Conv2D");
  EXPECT_EQ(made.layers[1].name, "stem");
  EXPECT_EQ(made.layers[1].output_shape, "float32[?, 4, 4, 4]");
  EXPECT_EQ(made.layers[1].parameters, 3U * 3 * 3 * 4);
  EXPECT_EQ(made.parameters, 108U + 16 + 40 + 15);
}

TEST(Keras, SharedAndNestedModelsGetTheirWeightsInEveryContainer) {
  for (const std::string_view name : {"nested-3.15.keras", "nested-3.15.h5", "nested-2.15.keras",
                                      "nested-2.15.h5", "nested-2.12.keras", "nested-2.12.h5"}) {
    const Model made = model(name);
    EXPECT_THAT(names(made.graph.inputs), ElementsAre("left", "right")) << name;
    EXPECT_THAT(names(made.graph.outputs), ElementsAre("top", "inner")) << name;
    EXPECT_EQ(made.parameters, 15U + 12 + 16 + 10) << name;
  }
}

TEST(Keras, RecurrentLayersAreOneOperatorUnlessMasked) {
  const Model made = model("text-3.15.keras");
  EXPECT_EQ(input_type(made, 0), "int32[?, 6]");
  const auto ops = operators(made);
  EXPECT_EQ(std::ranges::count(ops, "Scan"), 3);  // two ways, and the layer behind
  EXPECT_THAT(ops, Not(Contains("LSTM")));
}

TEST(Keras, OutputsHaveTheNamesUsersKnow) {
  EXPECT_THAT(names(model("sequential-3.15.keras").graph.outputs), ElementsAre("second"));
  EXPECT_THAT(names(model("sequential-2.15.keras").graph.outputs), ElementsAre("second"));
  EXPECT_THAT(names(model("ops-3.15.keras").graph.outputs), ElementsAre("mean", "all"));
}

TEST(Keras, VocabulariesAreTakenFromTheAssets) {
  const Model made = model("lookup-3.15.keras");
  EXPECT_EQ(input_type(made, 0), "str[?, 2]");
  ASSERT_EQ(operators(made).front(), "LabelEncoder");
  const auto* keys = graph::find(made.graph.body.nodes.front().attributes, "keys_strings");
  ASSERT_NE(keys, nullptr);
  EXPECT_THAT(std::get<std::vector<std::string>>(*keys), ElementsAre("a", "b"));
}

TEST(Keras, CodeIsRefusedByName) {
  const auto lambda = try_read("lambda-3.15.keras");
  ASSERT_FALSE(lambda);
  EXPECT_EQ(lambda.error().id, "keras.unsupported_layer");
  EXPECT_THAT(lambda.error().message, HasSubstr("'Lambda' ('twice')"));
  EXPECT_THAT(lambda.error().hint, HasSubstr("model.export"));
  const auto custom = try_read("custom-3.15.keras");
  ASSERT_FALSE(custom);
  EXPECT_THAT(custom.error().message, HasSubstr("'Own' ('own')"));
}

TEST(Keras, WeightsAloneAreRefused) {
  const auto refused = try_read("only-3.15.weights.h5");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().id, "keras.no_model");
}

TEST(Keras, GroupsOfWeightsAreCalledAsKerasDoes) {
  EXPECT_EQ(snake_case("Dense"), "dense");
  EXPECT_EQ(snake_case("LSTMCell"), "lstm_cell");
  EXPECT_EQ(snake_case("Conv2DTranspose"), "conv2d_transpose");
  EXPECT_EQ(snake_case("TFOpLambda"), "tf_op_lambda");
  EXPECT_EQ(snake_case("GlobalAveragePooling1D"), "global_average_pooling1d");
  EXPECT_EQ(snake_case("StackedRNNCells"), "stacked_rnn_cells");
}

// Whatever a byte is changed to, reading ends and says what is wrong, or gives a model.
TEST(Keras, DamageAnywhereEnds) {
  for (const std::string_view name : {"nested-2.12.h5", "sequential-3.15.keras"}) {
    const auto whole = content(name);
    for (std::size_t at = 0; at < whole->size(); at += 97) {
      auto damaged = std::make_shared<std::string>(*whole);
      (*damaged)[at] = static_cast<char>((*damaged)[at] ^ 0x55);
      const auto made = read(base::as_bytes(*damaged), damaged);
      EXPECT_TRUE(made || (!made.error().id.empty() && !made.error().message.empty())) << name << " " << at;
    }
  }
}

}  // namespace
}  // namespace wherry::keras
