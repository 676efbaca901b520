#include "onnx/read.h"

#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protobuf/onnx_fields.h"
#include "protobuf/wire.h"

#include "base/files.h"

namespace wherry::onnx {

using namespace protobuf::onnx;  // numbers of fields
namespace {

using protobuf::Writer;
using tensor::DType;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Writes one message after another.
class Proto {
 public:
  Proto& bytes(std::uint32_t field, std::string_view value) {
    Writer(text_).bytes(field, value);
    return *this;
  }
  Proto& number(std::uint32_t field, std::int64_t value) {
    Writer(text_).int64(field, value);
    return *this;
  }
  Proto& message(std::uint32_t field, const Proto& message) { return bytes(field, message.text_); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

Proto dim(std::int64_t length) {
  return length < 0 ? Proto().bytes(type_field::kDimParam, "batch")
                    : Proto().number(type_field::kDimValue, length);
}

Proto port(std::string_view name, std::int64_t type, const std::vector<std::int64_t>& lengths) {
  Proto shape;
  for (const std::int64_t length : lengths) shape.message(type_field::kDim, dim(length));
  return Proto()
      .bytes(value_info_field::kName, name)
      .message(
          value_info_field::kType,
          Proto().message(type_field::kTensor,
                          Proto().number(type_field::kElement, type).message(type_field::kShape, shape)));
}

Proto node(std::string_view op, std::string_view in, std::string_view out, std::string_view domain = "") {
  return Proto()
      .bytes(node_field::kInput, in)
      .bytes(node_field::kOutput, out)
      .bytes(node_field::kName, "the_node")
      .bytes(node_field::kOpType, op)
      .bytes(node_field::kDomain, domain);
}

Proto graph_of(const Proto& a_node) {
  return Proto()
      .message(graph_field::kNode, a_node)
      .bytes(graph_field::kName, "g")
      .message(graph_field::kInput, port("x", 1, {-1, 2}))
      .message(graph_field::kOutput, port("y", 1, {-1, 2}));
}

std::string model(const Proto& graph, std::int64_t opset = 17) {
  return Proto()
      .number(model_field::kIrVersion, 8)
      .bytes(model_field::kProducerName, "pytorch")
      .bytes(model_field::kProducerVersion, "2.1")
      .message(model_field::kMetadata, Proto().bytes(1, "task").bytes(2, "sum"))
      .message(model_field::kGraph, graph)
      .message(model_field::kOpsetImport, Proto().number(opset_field::kVersion, opset))
      .text();
}

base::Result<File> read(const std::string& text, const std::filesystem::path& folder = "/nowhere") {
  const auto owner = std::make_shared<const std::string>(text);
  return read_model(base::as_bytes(*owner), owner, folder);
}

Proto weight(std::string_view name, std::size_t count) {
  return Proto()
      .number(tensor_field::kDims, static_cast<std::int64_t>(count))
      .number(tensor_field::kDataType, 1)
      .bytes(tensor_field::kName, name)
      .bytes(tensor_field::kRawData, std::string(count * 4, '\x3f'));
}

TEST(ReadModel, KnowsInterfaceAndOrigin) {
  const auto file = read(model(graph_of(node("Relu", "x", "y"))));
  ASSERT_TRUE(file) << base::describe(file.error());
  EXPECT_EQ(file->producer, "pytorch");
  EXPECT_EQ(file->opset, 17);
  EXPECT_EQ(file->metadata.at(0).first, "task");
  ASSERT_EQ(file->inputs.size(), 1U);
  EXPECT_EQ(file->inputs[0].dtype, DType::kFloat32);
  EXPECT_THAT(file->inputs[0].shape, ElementsAre(-1, 2));
  EXPECT_THAT(file->inputs[0].dims, ElementsAre("batch", ""));
  EXPECT_EQ(file->operations.at("Relu"), 1);
}

TEST(ReadModel, TakesOutLargeWeightsWhichAreNoInputs) {
  Proto sum = node("Sum", "x", "y");
  sum.bytes(node_field::kInput, "large").bytes(node_field::kInput, "small");
  Proto graph = graph_of(sum);
  graph.message(graph_field::kInitializer, weight("large", 1000))
      .message(graph_field::kInitializer, weight("small", 3))
      .message(graph_field::kInitializer, weight("unused", 1000))
      .message(graph_field::kInput, port("large", 1, {1000}));
  const auto file = read(model(graph));
  ASSERT_TRUE(file) << base::describe(file.error());
  EXPECT_EQ(file->inputs.size(), 1U);
  EXPECT_EQ(file->weights, 1003U);
  ASSERT_EQ(file->model.weights.size(), 1U);
  EXPECT_EQ(file->model.weights[0].name, "large");
  EXPECT_EQ(file->model.weights[0].tensor.size(), 1000U);
  EXPECT_LT(file->model.proto.size(), 1000U);
  const auto whole = embed(file->model);
  ASSERT_TRUE(whole) << base::describe(whole.error());
  const auto again = read(*whole);
  ASSERT_TRUE(again) << base::describe(again.error());
  EXPECT_TRUE(tensor::identical(again->model.weights.at(0).tensor, file->model.weights[0].tensor));
}

TEST(ReadModel, NormalizesTextsInALocaleWhichIsEverywhere) {
  const auto locale_of = [](const Proto& attribute) {
    Proto normalizer = node("StringNormalizer", "x", "y");
    normalizer.message(node_field::kAttribute, attribute);
    const auto file = read(model(graph_of(normalizer)));
    EXPECT_TRUE(file) << base::describe(file.error());
    return file ? file->model.proto : std::string();
  };
  const auto named = [](std::string_view name, std::string_view text) {
    return Proto().bytes(attribute_field::kName, name).bytes(attribute_field::kString, text);
  };
  EXPECT_THAT(locale_of(named("case_change_action", "LOWER")),
              ::testing::AllOf(HasSubstr("C.UTF-8"), HasSubstr("LOWER")));
  EXPECT_THAT(locale_of(named("locale", "en_US")), ::testing::Not(HasSubstr("en_US")));
  EXPECT_THAT(locale_of(named("locale", "tr_TR.UTF-8")), HasSubstr("tr_TR.UTF-8"));
}

// ONNX Runtime would wait for an input whose value went with the initializer.
TEST(ReadModel, AnInputWhoseInitializerNobodyUsesIsGoneWithIt) {
  for (const std::int64_t ir_version : {3, 8}) {
    Proto graph = graph_of(node("Relu", "x", "y"));
    graph.message(graph_field::kInitializer, weight("unused", 3))
        .message(graph_field::kInput, port("unused", 1, {3}));
    const auto file = read(Proto()
                               .number(model_field::kIrVersion, ir_version)
                               .message(model_field::kGraph, graph)
                               .message(model_field::kOpsetImport, Proto().number(opset_field::kVersion, 9))
                               .text());
    ASSERT_TRUE(file) << base::describe(file.error());
    EXPECT_EQ(file->inputs.size(), 1U);
    EXPECT_EQ(file->model.proto.find("unused"), std::string::npos) << ir_version;
  }
}

TEST(ReadModel, AnInputWithAnInitializerStaysOneOnlyWhereTheIrVersionNeedsIt) {
  for (const std::int64_t ir_version : {3, 8}) {
    Proto graph = graph_of(node("Sum", "x", "y").bytes(node_field::kInput, "bias"));
    graph.message(graph_field::kInitializer, weight("bias", 2))
        .message(graph_field::kInput, port("bias", 1, {2}));
    const std::string text = Proto()
                                 .number(model_field::kIrVersion, ir_version)
                                 .message(model_field::kGraph, graph)
                                 .message(model_field::kOpsetImport, Proto().number(opset_field::kVersion, 9))
                                 .text();
    const auto file = read(text);
    ASSERT_TRUE(file) << base::describe(file.error());
    const std::string bias = port("bias", 1, {2}).text();
    EXPECT_EQ(file->model.proto.find(bias) != std::string::npos, ir_version == 3);
  }
}

class ExternalDataTest : public ::testing::Test {
 protected:
  static std::string with(std::string_view location, std::int64_t offset, std::int64_t count) {
    Proto external;
    external.number(tensor_field::kDims, count)
        .number(tensor_field::kDataType, 1)
        .bytes(tensor_field::kName, "w")
        .message(tensor_field::kExternalData, Proto().bytes(1, "location").bytes(2, location))
        .message(tensor_field::kExternalData, Proto().bytes(1, "offset").bytes(2, std::to_string(offset)))
        .number(tensor_field::kDataLocation, 1);
    Proto graph = graph_of(node("Relu", "w", "y"));
    graph.message(graph_field::kInitializer, external);
    return model(graph);
  }
  void SetUp() override {
    ASSERT_TRUE(base::real_files().write(folder_->path() / "inside/w.data", std::string(64, '\0')));
    ASSERT_TRUE(base::real_files().write(folder_->path() / "secret", std::string(64, '\0')));
  }
  std::string refusal(std::string_view location, std::int64_t offset = 0, std::int64_t count = 4) {
    const auto file = read(with(location, offset, count), folder_->path() / "inside");
    if (file) return "";
    EXPECT_EQ(file.error().id, "onnx.external_data");
    return file.error().message;
  }
  base::Result<base::TemporaryFolder> folder_ = base::TemporaryFolder::make();
};

TEST_F(ExternalDataTest, IsReadFromTheModelsFolder) {
  const auto file = read(with("w.data", 16, 12), folder_->path() / "inside");
  ASSERT_TRUE(file) << base::describe(file.error());
  EXPECT_EQ(file->model.weights.at(0).tensor.size(), 12U);
}

TEST_F(ExternalDataTest, IsRefusedOutsideOfItOrOfIt) {
  EXPECT_THAT(refusal("../secret"), HasSubstr("not in its folder"));
  EXPECT_THAT(refusal((folder_->path() / "secret").string()), HasSubstr("not in its folder"));
  std::filesystem::create_symlink(folder_->path() / "secret", folder_->path() / "inside/link");
  EXPECT_THAT(refusal("link"), HasSubstr("leads out"));
  EXPECT_THAT(refusal("missing"), HasSubstr("not beside it"));
  EXPECT_THAT(refusal("w.data", 60), HasSubstr("beyond the end"));
  EXPECT_THAT(refusal("w.data", 0, 17), HasSubstr("beyond the end"));
  EXPECT_THAT(refusal("w.data", INT64_MAX), HasSubstr("beyond the end"));
}

TEST(ReadModel, NamesOperatorsNobodyDefines) {
  const auto file = read(model(graph_of(node("Fancy", "x", "y", "org.me"))));
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().id, "onnx.custom_operator");
  EXPECT_THAT(file.error().message, HasSubstr("org.me::Fancy (node 'the_node')"));
}

TEST(ReadModel, FindsOperatorsWithinGraphsOfNodesAndThoseTheModelDefines) {
  const Proto inner = Proto().message(graph_field::kNode, node("Fancy", "a", "b", "org.me"));
  Proto outer = node("If", "x", "y");
  outer.message(node_field::kAttribute,
                Proto().bytes(attribute_field::kName, "then_branch").message(attribute_field::kGraph, inner));
  EXPECT_EQ(read(model(graph_of(outer))).error().id, "onnx.custom_operator");
  std::string defined = model(graph_of(outer));
  Writer(defined).bytes(model_field::kFunctions, Proto()
                                                     .bytes(function_field::kName, "Fancy")
                                                     .bytes(function_field::kDomain, "org.me")
                                                     .message(function_field::kNode, node("Relu", "a", "b"))
                                                     .text());
  EXPECT_TRUE(read(defined));
}

TEST(ReadModel, ReplacesAZipMapByWhatItMapsTo) {
  Proto zip = node("ZipMap", "p", "probabilities", "ai.onnx.ml");
  zip.message(node_field::kAttribute, Proto()
                                          .bytes(attribute_field::kName, "classlabels_strings")
                                          .bytes(attribute_field::kStrings, "no")
                                          .bytes(attribute_field::kStrings, "yes"));
  const Proto sequence = Proto()
                             .bytes(value_info_field::kName, "probabilities")
                             .message(value_info_field::kType, Proto().message(4, Proto()));
  const auto file = read(model(Proto()
                                   .message(graph_field::kNode, node("Softmax", "x", "p"))
                                   .message(graph_field::kNode, zip)
                                   .message(graph_field::kInput, port("x", 1, {-1, 2}))
                                   .message(graph_field::kOutput, sequence)));
  ASSERT_TRUE(file) << base::describe(file.error());
  EXPECT_THAT(file->outputs.at(0).labels, ElementsAre("no", "yes"));
  EXPECT_THAT(file->outputs[0].shape, ElementsAre(-1, 2));
  EXPECT_THAT(file->model.proto, HasSubstr("Identity"));
  const auto other = read(model(Proto()
                                    .message(graph_field::kNode, node("SequenceEmpty", "x", "probabilities"))
                                    .message(graph_field::kOutput, sequence)));
  EXPECT_THAT(other.error().message, HasSubstr("output 'probabilities' is a sequence"));
}

TEST(ReadModel, RefusesOldAndBrokenFiles) {
  EXPECT_EQ(read(model(graph_of(node("Relu", "x", "y")), 6)).error().id, "onnx.opset");
  EXPECT_EQ(read("").error().id, "onnx.bad_model");
  EXPECT_EQ(read(std::string(100, '\xff')).error().id, "protobuf.malformed");
  const std::string good = model(graph_of(node("Relu", "x", "y")));
  for (std::size_t end = 0; end < good.size(); ++end) {
    const auto file = read(good.substr(0, end));  // whatever is left: an answer or an error
    if (!file) {
      EXPECT_FALSE(file.error().message.empty());
    }
  }
  Proto lying = graph_of(node("Relu", "w", "y"));
  lying.message(graph_field::kInitializer, Proto()
                                               .number(tensor_field::kDims, std::int64_t{1} << 40)
                                               .number(tensor_field::kDims, std::int64_t{1} << 40)
                                               .number(tensor_field::kDataType, 1)
                                               .bytes(tensor_field::kName, "w")
                                               .bytes(tensor_field::kRawData, std::string(2000, 'x')));
  EXPECT_EQ(read(model(lying)).error().id, "tensor.bad_shape");
  Proto deep = Proto().message(graph_field::kNode, node("Relu", "a", "b"));
  for (int i = 0; i < 40; ++i) {
    Proto loop = node("Loop", "a", "b");
    loop.message(node_field::kAttribute, Proto().message(attribute_field::kGraph, deep));
    deep = Proto().message(graph_field::kNode, loop);
  }
  EXPECT_THAT(read(model(deep.message(graph_field::kOutput, port("y", 1, {})))).error().message,
              HasSubstr("deep"));
}

}  // namespace
}  // namespace wherry::onnx
