// A tensor model over the handler, by every protocol: it hands its tensors through.
#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/test_schema.h"
#include "serve/testing_calls.h"

namespace wherry::serve {
namespace {

using tensor::DType;
using ::testing::HasSubstr;
using ::testing::Not;
using text::Json;

class TensorAnswers : public ServedModel {
 protected:
  void SetUp() override {
    serve({{"ids", DType::kInt64, {-1, -1}, {"batch", "length"}},
           {"scale", DType::kFloat32, {-1, 2}, {"batch", ""}}});
  }
  void serve(std::vector<program::InputTensor> inputs, bool batched = true) {
    auto folder = base::TemporaryFolder::make();
    ASSERT_TRUE(folder);
    program::Bundle bundle;
    bundle.name = "echo";
    bundle.program = protocol::tensor_program(std::move(inputs), batched);
    bundle.provenance.framework = "onnx";
    ASSERT_TRUE(program::write_bundle(bundle, folder->path() / "bundle", base::real_files()));
    auto model = load_test_model(folder->path() / "bundle");
    ASSERT_TRUE(model) << model.error().message;
    service_.set_model(std::move(*model));
  }
  Json answer(std::string_view method, std::string_view path, std::string_view body = "") {
    const auto document = text::parse_json(send(method, path, body).body, "answer");
    EXPECT_TRUE(document) << response_.body;
    return document ? *document : Json();
  }
};

constexpr std::string_view kV2 =
    R"({"inputs":[{"name":"ids","shape":[1,2],"datatype":"INT64","data":[9007199254740993,-1]},)"
    R"({"name":"scale","shape":[1,2],"datatype":"FP32","data":[[0.5,1]]}]})";

TEST_F(TensorAnswers, V2SaysAndTakesTheModelsOwnInputs) {
  const Json metadata = answer("GET", "/v2/models/echo");
  EXPECT_EQ(metadata["inputs"][0], Json::parse(R"({"name":"ids","datatype":"INT64","shape":[-1,-1]})"));
  EXPECT_EQ(metadata["outputs"][1], Json::parse(R"({"name":"scale_out","datatype":"FP32","shape":[-1,2]})"));
  const Json got = answer("POST", "/v2/models/echo/infer", kV2);
  EXPECT_EQ(got["outputs"][0]["data"], Json::parse("[9007199254740993,-1]"));
  EXPECT_EQ(got["outputs"][1]["data"], Json::parse("[0.5,1.0]"));
}

TEST_F(TensorAnswers, V2TakesAndGivesBytes) {
  const std::int64_t ids[] = {5, 6};
  const float scale[] = {0.25F, 4};
  const std::string json =
      R"({"parameters":{"binary_data_output":true},"inputs":[{"name":"ids","shape":[1,2],"datatype":"INT64","parameters":{"binary_data_size":16}},)"
      R"({"name":"scale","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}]})";
  const std::string body = json + std::string(reinterpret_cast<const char*>(ids), sizeof ids) +
                           std::string(reinterpret_cast<const char*>(scale), sizeof scale);
  const std::string size = std::to_string(json.size());
  send("POST", "/v2/models/echo/infer", body, {{"Inference-Header-Content-Length", size}});
  ASSERT_EQ(response_.status, 200) << response_.body;
  ASSERT_GE(response_.body.size(), 24U);
  const std::string_view tail = std::string_view(response_.body).substr(response_.body.size() - 24);
  EXPECT_EQ(std::memcmp(tail.data(), ids, sizeof ids), 0);
  EXPECT_EQ(std::memcmp(tail.data() + sizeof ids, scale, sizeof scale), 0);
}

TEST_F(TensorAnswers, V1AndInvocationsTakeNestedLists) {
  const Json rows = answer("POST", "/v1/models/echo:predict",
                           R"({"instances":[{"ids":[1],"scale":[1,2]},{"ids":[2],"scale":[3,4]}]})");
  EXPECT_EQ(
      rows,
      Json::parse(
          R"({"predictions":[{"ids_out":[1],"scale_out":[1.0,2.0]},{"ids_out":[2],"scale_out":[3.0,4.0]}]})"));
  const Json columns =
      answer("POST", "/v1/models/echo:predict", R"({"inputs":{"ids":[[1],[2]],"scale":[[1,2],[3,4]]}})");
  EXPECT_EQ(columns["outputs"]["scale_out"], Json::parse("[[1.0,2.0],[3.0,4.0]]"));
  const Json mlflow = answer("POST", "/invocations", R"({"inputs":{"ids":[[1]],"scale":[[1,2]]}})");
  EXPECT_EQ(mlflow["predictions"]["ids_out"], Json::parse("[[1]]"));
  const Json chosen =
      answer("POST", "/invocations",
             R"({"inputs":{"ids":[[1]],"scale":[[1,2]]},"params":{"predict_method":"ids_out"}})");
  EXPECT_EQ(chosen["predictions"], Json::parse("[[1]]"));
}

TEST_F(TensorAnswers, RefuseRowsOfColumns) {
  EXPECT_EQ(send("POST", "/invocations", "a,b\n1,2\n", {{"Content-Type", "text/csv"}}).status, 400);
  EXPECT_THAT(error(), HasSubstr("CSV holds rows of columns, but the model takes tensors"));
  EXPECT_EQ(send("POST", "/invocations", R"({"dataframe_split":{"data":[[1]]}})").status, 400);
  EXPECT_THAT(error(), HasSubstr("the model takes tensors"));
  EXPECT_EQ(send("POST", "/v1/models/echo:classify", R"({"examples":[{"ids":1}]})").status, 400);
  EXPECT_THAT(error(), HasSubstr("takes tensors"));
  EXPECT_EQ(send("POST", "/v2/models/echo/infer", R"({"inputs":[]})").status, 400);
  EXPECT_THAT(error(), HasSubstr("input 'ids' is missing"));
}

TEST_F(TensorAnswers, GiveExamplesWhichSucceedWhenPosted) {
  for (const bool batched : {true, false}) {
    if (!batched)
      serve(
          {{"x", DType::kUint8, {2}, {}}, {"flag", DType::kBool, {}, {}}, {"text", DType::kString, {1}, {}}},
          false);
    const Json document = answer("GET", "/openapi.json");
    int posted = 0;
    for (const auto& [pattern, methods] : document["paths"].items()) {
      if (!methods.contains("post") || pattern.find("{label}") != pattern.npos) continue;
      std::string path = pattern;
      if (const std::size_t at = path.find("{version}"); at != path.npos) path.replace(at, 9, "1");
      for (const auto& [media, content] : methods["post"]["requestBody"]["content"].items()) {
        if (!content.contains("example")) continue;
        EXPECT_EQ(send("POST", path, text::write_json(content["example"])).status, 200)
            << path << response_.body;
        ++posted;
      }
    }
    EXPECT_GE(posted, 4);
  }
}

TEST_F(TensorAnswers, DescribeLargeInputsWithoutThousandsOfNumbers) {
  serve({{"image", DType::kFloat32, {-1, 3, 64, 64}, {"batch", "", "", ""}}});
  const std::string document = send("GET", "/openapi.json").body;
  EXPECT_THAT(document, HasSubstr("x-example-left-out"));
  EXPECT_THAT(document, HasSubstr("FP32 [batch, 3, 64, 64]"));
  EXPECT_LT(document.size(), 60'000U);
  const Json page = answer("GET", "/page.json");
  EXPECT_FALSE(page["tensors"][0].contains("example"));
  EXPECT_EQ(page["tensors"][0]["shape_text"], "[batch, 3, 64, 64]");
}

TEST_F(TensorAnswers, ShowInputsOnThePage) {
  const Json page = answer("GET", "/page.json");
  EXPECT_EQ(page["tensors"][0]["datatype"], "INT64");
  EXPECT_TRUE(page["tensors"][0]["example"].is_array());
  EXPECT_TRUE(page["columns"].empty());
}

TEST_F(TensorAnswers, ConfigureNoBatchWhereThereIsNone) {
  EXPECT_EQ(answer("GET", "/v2/models/echo/config")["input"][0]["dims"], Json::parse("[-1]"));
  serve({{"x", DType::kUint8, {2}, {}}}, false);
  const Json config = answer("GET", "/v2/models/echo/config");
  EXPECT_EQ(config["max_batch_size"], 0);
  EXPECT_FALSE(config.contains("dynamic_batching"));
  EXPECT_EQ(config["input"][0]["dims"], Json::parse("[2]"));
}

}  // namespace
}  // namespace wherry::serve
