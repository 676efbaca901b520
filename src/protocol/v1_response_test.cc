#include "protocol/v1_response.h"

#include <gtest/gtest.h>

#include "protocol/test_schema.h"
#include "text/json.h"

namespace wherry::protocol {
namespace {

using tensor::DType;
using tensor::NamedResult;
using tensor::ResultView;

// Two rows: "predict" [1, 2], "predict_proba" [[.5, .5], [1, 0]], "multi" both again.
class V1Answer : public testing::Test {
 protected:
  std::string predictions(V1Layout layout, std::vector<std::uint32_t> outputs) {
    std::string out;
    write_v1_predictions(schema_, {layout, std::move(outputs)}, results_, out);
    return out;
  }
  static ResultView view(const double* data, std::vector<std::int64_t> shape) {
    ResultView made{.dtype = DType::kFloat64, .axes = static_cast<std::uint8_t>(shape.size()), .data = data};
    std::copy(shape.begin(), shape.end(), made.lengths.begin());
    return made;
  }
  const Schema schema_ = matrix_schema(2);
  const double classes_[2] = {1, 2};
  const double proba_[4] = {0.5, 0.5, 1, 0};
  const std::vector<std::string> labels_{"no", "yes"};
  const ResultView predict_[1] = {view(classes_, {2})};
  const ResultView scores_[1] = {view(proba_, {2, 2})};
  const ResultView multi_[2] = {view(proba_, {2, 2}), view(classes_, {2, 1})};
  const NamedResult results_[3] = {
      {"predict", predict_, {}}, {"predict_proba", scores_, labels_}, {"multi", multi_, {}}};
};

TEST_F(V1Answer, UnwrapsASingleOutput) {
  EXPECT_EQ(predictions(V1Layout::kRows, {0}), R"({"predictions":[1.0,2.0]})");
  EXPECT_EQ(predictions(V1Layout::kRows, {1}), R"({"predictions":[[0.5,0.5],[1.0,0.0]]})");
  EXPECT_EQ(predictions(V1Layout::kColumns, {1}), R"({"outputs":[[0.5,0.5],[1.0,0.0]]})");
}

TEST_F(V1Answer, NamesSeveralOutputs) {
  EXPECT_EQ(predictions(V1Layout::kRows, {1, 0}),
            R"({"predictions":[{"predict_proba":[0.5,0.5],"predict":1.0},)"
            R"({"predict_proba":[1.0,0.0],"predict":2.0}]})");
  EXPECT_EQ(predictions(V1Layout::kColumns, {0, 1}),
            R"({"outputs":{"predict":[1.0,2.0],"predict_proba":[[0.5,0.5],[1.0,0.0]]}})");
}

TEST_F(V1Answer, TreatsAnOutputOfSeveralValuesAsSeveralTensors) {
  EXPECT_EQ(
      predictions(V1Layout::kRows, {2}),
      R"({"predictions":[{"multi_0":[0.5,0.5],"multi_1":[1.0]},{"multi_0":[1.0,0.0],"multi_1":[2.0]}]})");
}

TEST_F(V1Answer, HasBothMembersWhereTheRequestCouldBeOfEitherServer) {
  EXPECT_EQ(predictions(V1Layout::kLists, {0}), R"({"predictions":[1.0,2.0],"outputs":[1.0,2.0]})");
}

TEST_F(V1Answer, PairsLabelsWithScores) {
  std::string out;
  write_v1_classes(results_[1], out);
  EXPECT_EQ(out, R"({"result":[[["no",0.5],["yes",0.5]],[["no",1.0],["yes",0.0]]]})");
  out.clear();
  write_v1_classes({"predict_proba", scores_, {}}, out);
  EXPECT_EQ(out, R"({"result":[[["0",0.5],["1",0.5]],[["0",1.0],["1",0.0]]]})");
  const ResultView none[1] = {view(proba_, {0, 2})};
  out.clear();
  write_v1_classes({"predict_proba", none, labels_}, out);
  EXPECT_EQ(out, R"({"result":[]})");
}

TEST_F(V1Answer, ListsOneNumberPerExampleForRegression) {
  std::string out;
  write_v1_regression(results_[0], out);
  EXPECT_EQ(out, R"({"result":[1.0,2.0]})");
}

TEST(V1AnswerOfBytes, IsBase64WhereTheNameSaysSo) {
  program::ProgramBuilder builder({{{"x0"}}, false, false});
  const auto matrix = builder.add(program::ToMatrix{}, {program::ProgramBuilder::kInput});
  ASSERT_TRUE(builder.output({"thumb_bytes", {*matrix}, {}}));
  const auto program = std::move(builder).build();
  ASSERT_TRUE(program);
  const std::string_view texts[] = {"hello"};
  const ResultView view[] = {{.dtype = DType::kString, .axes = 1, .lengths = {1}, .texts = texts}};
  const NamedResult result[] = {{"thumb_bytes", view, {}}};
  std::string out;
  write_v1_predictions(Schema(*program), {V1Layout::kRows, {0}}, result, out);
  EXPECT_EQ(out, R"({"predictions":[{"b64":"aGVsbG8="}]})");
}

TEST(V1Metadata, HasASignaturePerOutput) {
  const auto document = text::parse_json(v1_metadata(matrix_schema(3), "iris", "7"), "metadata");
  ASSERT_TRUE(document);
  EXPECT_EQ((*document)["model_spec"]["version"], "7");
  const auto& signatures = (*document)["metadata"]["signature_def"]["signature_def"];
  EXPECT_TRUE(signatures.contains("serving_default") && signatures.contains("predict_proba"));
  const auto& input = signatures["serving_default"]["inputs"]["input"];
  EXPECT_EQ(input["dtype"], "DT_DOUBLE");
  EXPECT_EQ(input["tensor_shape"]["dim"][1]["size"], "3");
  EXPECT_EQ(signatures["multi"]["outputs"].size(), 2u);
}

TEST(V1Metadata, HasAnInputPerNamedColumn) {
  const auto document = text::parse_json(v1_metadata(mixed_schema(), "m", "1"), "metadata");
  ASSERT_TRUE(document);
  const auto& inputs = (*document)["metadata"]["signature_def"]["signature_def"]["serving_default"]["inputs"];
  EXPECT_EQ(inputs["country"]["dtype"], "DT_STRING");
  EXPECT_EQ(inputs["known"]["dtype"], "DT_BOOL");
  EXPECT_EQ(inputs["amount"]["tensor_shape"]["dim"].size(), 1u);
}

TEST(V1Status, SaysWhatBothServersSay) {
  const V1VersionStatus versions[] = {{"2", "AVAILABLE", ""}, {"3", "END", "golden \"mismatch\""}};
  EXPECT_EQ(v1_model_status("m", true, versions),
            R"({"name":"m","ready":true,"model_version_status":[{"version":"2","state":"AVAILABLE","status":)"
            R"({"error_code":"OK","error_message":""}},{"version":"3","state":"END","status":)"
            R"({"error_code":"UNKNOWN","error_message":"golden \"mismatch\""}}]})");
}

}  // namespace
}  // namespace wherry::protocol
