#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>

#include "import/torch/arch.h"
#include "import/torch/saved.h"
#include "import/torch/state_dict.h"
#include "import/torch/torch.h"

namespace wherry::torch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string content_of(const std::string& name) {
  std::ifstream file(std::string(WHERRY_SOURCE_DIR) + "/tests/fixtures/torch/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

base::Result<Model> read(const std::string& content, const Options& options = {}) {
  return read_model(base::as_bytes(content), nullptr, options);
}

std::vector<std::string> names(const std::vector<graph::NamedValue>& values) {
  std::vector<std::string> out;
  for (const graph::NamedValue& value : values) out.push_back(value.name);
  return out;
}

TEST(Window, BorrowsWhatLiesInOrderAndCopiesTheRest) {
  const std::vector<float> numbers{0, 1, 2, 3, 4, 5};
  const Storage storage{std::as_bytes(std::span(numbers)), nullptr};
  const auto straight = read_window(storage, {tensor::DType::kFloat32, {2, 2}, {2, 1}, 2}, "x");
  ASSERT_TRUE(straight);
  EXPECT_THAT(straight->as<float>(), ElementsAre(2, 3, 4, 5));
  EXPECT_EQ(straight->bytes().data(), storage.bytes.data() + 8);
  const auto turned = read_window(storage, {tensor::DType::kFloat32, {3, 2}, {1, 3}, 0}, "x");
  ASSERT_TRUE(turned);
  EXPECT_THAT(turned->as<float>(), ElementsAre(0, 3, 1, 4, 2, 5));
}

TEST(Window, ThatReachesOutsideIsRefused) {
  const std::vector<float> numbers(6);
  const Storage storage{std::as_bytes(std::span(numbers)), nullptr};
  const std::vector<Window> lies{
      {tensor::DType::kFloat32, {7}, {1}, 0},    {tensor::DType::kFloat32, {2}, {1}, 5},
      {tensor::DType::kFloat32, {2}, {-1}, 3},   {tensor::DType::kFloat32, {2}, {1}, -1},
      {tensor::DType::kFloat32, {-2}, {1}, 0},   {tensor::DType::kFloat32, {2, 2}, {INT64_MAX, 1}, 0},
      {tensor::DType::kFloat32, {2}, {1, 1}, 0}, {tensor::DType::kFloat32, {1 << 30, 1 << 10}, {0, 0}, 0},
      {tensor::DType::kFloat64, {4}, {1}, 0},
  };
  for (const Window& window : lies) {
    const auto result = read_window(storage, window, "x");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().id, "torch.bad_storage");
  }
}

TEST(ExportedProgram, OfEveryGenerationHasItsNamesAndItsDynamicBatch) {
  for (const std::string version : {"2.1", "2.6", "2.15"}) {
    SCOPED_TRACE(version);
    const std::string content = content_of("small-" + version + ".pt2");
    const auto model = read(content);
    ASSERT_TRUE(model) << base::describe(model.error());
    EXPECT_THAT(names(model->graph.inputs), ElementsAre(version == "2.1" ? "input" : "image"));
    EXPECT_THAT(names(model->graph.outputs), ElementsAre("logits", "features"));
    const graph::Type& type = model->graph.values[model->graph.outputs[0].value].type;
    ASSERT_EQ(type.dims.size(), 2U);
    EXPECT_FALSE(type.dims[0].known());
    EXPECT_TRUE(type.dims[1].is(5));
  }
}

TEST(ExportedProgram, CutOffOrChangedIsAnError) {
  const std::string content = content_of("small-2.6.pt2");
  for (std::size_t size = 0; size < content.size(); size += 97) EXPECT_FALSE(read(content.substr(0, size)));
  std::string newer = content;
  const std::size_t at = newer.find("torch.ops.aten.relu.default");
  if (at != std::string::npos) {  // stored: the checksum notices
    newer.replace(at, 5, "other");
    EXPECT_FALSE(read(newer));
  }
}

TEST(StateDict, IsListedAndRefusedWithTheLinesToRun) {
  for (const std::string name : {"weights-2.15.pt", "legacy-2.15.pt", "legacy-2.1.pt"}) {
    SCOPED_TRACE(name);
    const std::string content = content_of(name);
    const auto weights = list_weights(base::as_bytes(content), nullptr);
    ASSERT_EQ(weights.size(), 9U);
    EXPECT_EQ(weights[0].name, "conv.weight");
    EXPECT_EQ(weights[0].type, "float32 [4, 3, 3, 3]");
    const auto model = read(content);
    ASSERT_FALSE(model);
    EXPECT_EQ(model.error().id, "torch.state_dict");
    EXPECT_THAT(model.error().hint, HasSubstr("torch.export.save"));
  }
}

TEST(StateDict, BothFormsHoldTheSameNumbers) {
  const std::string zip = content_of("weights-2.15.pt");
  const std::string stream = content_of("legacy-2.15.pt");
  const auto one = read_state_dict(base::as_bytes(zip), nullptr);
  const auto other = read_state_dict(base::as_bytes(stream), nullptr);
  ASSERT_TRUE(one && *one && other && *other);
  ASSERT_EQ((*one)->size(), (*other)->size());
  for (std::size_t i = 0; i < (*one)->size(); ++i)
    EXPECT_TRUE(tensor::identical((**one)[i].second, (**other)[i].second)) << (**one)[i].first;
}

TEST(StateDict, CutOffIsAnError) {
  const std::string content = content_of("legacy-2.15.pt");
  for (std::size_t size = 0; size < content.size(); size += 13) EXPECT_FALSE(read(content.substr(0, size)));
}

TEST(Architecture, MustBeKnownAndFit) {
  const std::string content = content_of("weights-2.15.pt");
  const auto other = read(content, {.arch = "resnet18"});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().id, "torch.weights_do_not_fit");
  const auto unknown = read(content, {.arch = "resnet19"});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().id, "torch.unknown_architecture");
  EXPECT_THAT(unknown.error().hint, HasSubstr("resnet18"));
}

std::string safetensors(std::string_view header, std::string_view data) {
  std::string out(8, '\0');
  for (int i = 0; i < 8; ++i)
    out[static_cast<std::size_t>(i)] = static_cast<char>(header.size() >> (8 * i) & 0xff);
  return out.append(header).append(data);
}

TEST(Safetensors, AreReadInTheHeadersOrder) {
  const std::string file = safetensors(
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"I64","shape":[],"data_offsets":[8,16]}})",
      std::string(16, '\0'));
  const auto weights = list_weights(base::as_bytes(file), nullptr);
  ASSERT_EQ(weights.size(), 2U);
  EXPECT_EQ(weights[0].name, "b");
  EXPECT_EQ(weights[1].type, "int64 []");
}

TEST(Safetensors, ThatLieAreErrors) {
  for (const std::string_view header :
       {R"({"b":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})",
        R"({"b":{"dtype":"F32","shape":[2],"data_offsets":[0,99]}})",
        R"({"b":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})",
        R"({"b":{"dtype":"F8","shape":[2],"data_offsets":[0,8]}})",
        R"({"b":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})",
        R"({"b":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", R"({"b":7})"}) {
    const auto weights = read_safetensors(base::as_bytes(safetensors(header, std::string(8, '\0'))), nullptr);
    EXPECT_FALSE(weights) << header;
  }
}

TEST(Containers, WithoutAGraphAreRefusedByName) {
  const std::string executorch = std::string("\x1c\0\0\0ET12", 8) + std::string(40, '\0');
  EXPECT_EQ(recognise(executorch), Container::kExecuTorch);
  const auto model = read(executorch);
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().id, "torch.unsupported_container");
  EXPECT_EQ(recognise("PK\x03\x04"), Container::kNone);
  EXPECT_EQ(recognise(""), Container::kNone);
}

}  // namespace
}  // namespace wherry::torch
