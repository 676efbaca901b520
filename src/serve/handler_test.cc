#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serve/testing_calls.h"
#include "text/json.h"

namespace wherry::serve {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kV2 =
    R"({"id":"7","inputs":[{"name":"amount","datatype":"FP64","shape":[1],"data":[9]},)"
    R"({"name":"country","datatype":"BYTES","shape":[1],"data":["DE"]}]})";
constexpr std::string_view kSplit =
    R"({"dataframe_split":{"columns":["amount","country"],"data":[[9,"DE"],[1,"FR"]]}})";

class HandlerTest : public ServedModel {};

TEST_F(HandlerTest, TellsThatItLivesAndIsReady) {
  EXPECT_EQ(send("GET", "/v2/health/live").body, R"({"live":true})");
  EXPECT_EQ(send("GET", "/v2/health/ready").body, R"({"live":true,"ready":true})");
  EXPECT_EQ(send("GET", "/v2/models/fraud/ready").body, R"({"name":"fraud","ready":true})");
  for (const char* path : {"/ping", "/health", "/version", "/metrics", "/", "/v2", "/v2/", "/v2/models/fraud",
                           "/v2/models/fraud/versions/1", "/v2/models/fraud/versions/1/ready"})
    EXPECT_EQ(send("GET", path).status, 200) << path;
}

TEST_F(HandlerTest, IsNotReadyWhileDrainingButGoesOnPredicting) {
  service_.begin_drain();
  EXPECT_EQ(send("GET", "/v2/health/ready").status, 503);
  EXPECT_EQ(send("GET", "/v2/models/fraud/ready").status, 503);
  EXPECT_EQ(send("GET", "/ping").status, 503);
  EXPECT_EQ(send("GET", "/v2/health/live").status, 200);
  EXPECT_EQ(send("POST", "/v2/models/fraud/infer", kV2).status, 200);
}

TEST_F(HandlerTest, IsNotReadyBeforeTheModelIsLoaded) {
  Service empty(1, false, 2);
  handler_ = make_handler(empty, 0);
  EXPECT_EQ(send("GET", "/v2/health/live").status, 200);
  EXPECT_EQ(send("GET", "/v2/health/ready").status, 503);
  for (const char* path : {"/v2/models/fraud", "/v2/models/fraud/ready", "/page.json", "/ping"})
    EXPECT_EQ(send("GET", path).status, 503) << path;
  EXPECT_EQ(send("POST", "/invocations", kSplit).status, 503);
  EXPECT_THAT(response_.header_lines(), HasSubstr("Retry-After: 1\r\n"));
  handler_.reset();
}

TEST_F(HandlerTest, InfersOverTheOpenInferenceProtocol) {
  const auto answer = text::parse_json(send("POST", "/v2/models/fraud/infer", kV2).body, "answer");
  ASSERT_TRUE(answer) << response_.body;
  EXPECT_EQ((*answer)["model_name"], "fraud");
  EXPECT_EQ((*answer)["model_version"], "1");
  EXPECT_EQ((*answer)["id"], "7");
  ASSERT_EQ((*answer)["outputs"].size(), 2u);
  EXPECT_EQ((*answer)["outputs"][0]["data"][0], "fraud");
}

TEST_F(HandlerTest, AnswersOnlyTheOutputsAskedFor) {
  const std::string body =
      std::string(kV2.substr(0, kV2.size() - 1)) + R"(,"outputs":[{"name":"predict_proba"}]})";
  const auto answer =
      text::parse_json(send("POST", "/v2/models/fraud/versions/1/infer", body).body, "answer");
  ASSERT_TRUE(answer) << response_.body;
  ASSERT_EQ((*answer)["outputs"].size(), 1u);
  EXPECT_EQ((*answer)["outputs"][0]["name"], "predict_proba");
}

TEST_F(HandlerTest, AnswersInvocationsAsMlflowDoes) {
  EXPECT_EQ(send("POST", "/invocations", kSplit).body, R"({"predictions":["fraud","ok"]})");
}

TEST_F(HandlerTest, TakesWhatPredictTakes) {
  for (const char* body : {R"({"columns":["country","amount"],"rows":[["DE",9],["FR",1]]})",
                           R"([{"amount":9,"country":"DE"},{"amount":1,"country":"FR"}])"})
    EXPECT_EQ(send("POST", "/invocations", body).body, R"({"predictions":["fraud","ok"]})") << body;
}

TEST_F(HandlerTest, TakesAndGivesCsv) {
  send("POST", "/invocations", "country,amount\nDE,9\n\"FR\",1\n",
       {{"Content-Type", "text/csv"}, {"Accept", "text/csv"}});
  EXPECT_EQ(response_.status, 200);
  EXPECT_THAT(std::string(response_.content_type), StartsWith("text/csv"));
  EXPECT_THAT(response_.body, StartsWith("predict\n"));
  EXPECT_THAT(response_.body, HasSubstr("fraud"));
}

TEST_F(HandlerTest, DecodesThePercentEncodedModelName) {
  EXPECT_EQ(send("GET", "/v2/models/fr%61ud").status, 200);
  EXPECT_EQ(send("GET", "/v2/models/fr%2faud").status, 404);
  EXPECT_EQ(send("GET", "/v2/models/fr%").status, 404);
}

TEST_F(HandlerTest, RefusesOtherMethodsNamingTheAllowedOnes) {
  EXPECT_EQ(send("GET", "/invocations").status, 405);
  EXPECT_THAT(response_.header_lines(), HasSubstr("Allow: POST\r\n"));
  EXPECT_EQ(send("DELETE", "/v2/health/live").status, 405);
  EXPECT_THAT(response_.header_lines(), HasSubstr("Allow: GET, HEAD\r\n"));
  EXPECT_THAT(error(), HasSubstr("DELETE"));
}

struct Refused {
  const char* name;
  std::string_view path, body;
  std::vector<http::HeaderView> headers;
  int status;
};
class Refusals : public HandlerTest, public testing::WithParamInterface<Refused> {};

TEST_P(Refusals, GiveTheStatusAndAnError) {
  const Refused& given = GetParam();
  EXPECT_EQ(send("POST", given.path, given.body, given.headers).status, given.status) << response_.body;
  EXPECT_THAT(error(), Not(StartsWith("no error")));
}

INSTANTIATE_TEST_SUITE_P(
    Serve, Refusals,
    testing::Values(
        Refused{"UnknownPath", "/v3", "", {}, 404},
        Refused{"UnknownModel", "/v2/models/other/infer", kV2, {}, 404},
        Refused{"UnknownVersion", "/v2/models/fraud/versions/2/infer", kV2, {}, 404},
        Refused{"WordAsVersion", "/v2/models/fraud/versions/x/infer", kV2, {}, 404},
        Refused{"LongerPath", "/v2/models/fraud/infer/x", kV2, {}, 404},
        Refused{"MalformedJson", "/v2/models/fraud/infer", "{", {}, 400},
        Refused{"EmptyBody", "/invocations", "", {}, 400},
        Refused{"MissingColumn", "/invocations", R"({"dataframe_records":[{"amount":1}]})", {}, 400},
        Refused{"TextForANumber",
                "/invocations",
                R"({"dataframe_records":[{"amount":"x","country":"DE"}]})",
                {},
                400},
        Refused{"NotFinite",
                "/invocations",
                R"({"dataframe_records":[{"amount":null,"country":"DE"}]})",
                {},
                400},
        Refused{"Form", "/invocations", kSplit, {{"Content-Type", "application/x-www-form-urlencoded"}}, 415},
        Refused{"CsvToInfer", "/v2/models/fraud/infer", "a", {{"Content-Type", "text/csv"}}, 415},
        Refused{"HeaderBeyondTheBody",
                "/v2/models/fraud/infer",
                kV2,
                {{"Inference-Header-Content-Length", "1000"}},
                400},
        Refused{"HeaderBelowTheJson",
                "/v2/models/fraud/infer",
                kV2,
                {{"Inference-Header-Content-Length", "10"}},
                400}),
    [](const auto& row) { return row.param.name; });

TEST_F(HandlerTest, AnswersBinaryTensorsWithBinaryTensors) {
  const std::string json =
      R"({"parameters":{"binary_data_output":true},"outputs":[{"name":"predict"}],"inputs":[)"
      R"({"name":"amount","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}},)"
      R"({"name":"country","datatype":"BYTES","shape":[1],"data":["DE"]}]})";
  const std::string size = std::to_string(json.size());
  send("POST", "/v2/models/fraud/infer", json + std::string("\0\0\x10\x41", 4),
       {{"Inference-Header-Content-Length", size}, {"Content-Type", "application/octet-stream"}});
  EXPECT_EQ(response_.status, 200) << response_.body;
  EXPECT_EQ(response_.content_type, "application/octet-stream");
  const std::string head =
      R"({"model_name":"fraud","model_version":"1","outputs":[{"name":"predict","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":9}}]})";
  EXPECT_EQ(response_.body, head + std::string("\5\0\0\0fraud", 9));
  EXPECT_THAT(response_.header_lines(),
              HasSubstr("Inference-Header-Content-Length: " + std::to_string(head.size()) + "\r\n"));
}

TEST_F(HandlerTest, EchoesAUsableRequestIdAndMakesOneOtherwise) {
  send("GET", "/ping", "", {{"x-request-id", "abc-1"}});
  EXPECT_THAT(response_.header_lines(), HasSubstr("X-Request-Id: abc-1\r\n"));
  send("GET", "/ping", "", {{"x-request-id", "a b"}});
  EXPECT_THAT(response_.header_lines(), testing::ContainsRegex("X-Request-Id: [0-9a-f]{16}\r\n"));
  send("GET", "/ping", "", {{"x-request-id", std::string_view(std::string_view(kV2).substr(0, 129))}});
  EXPECT_THAT(response_.header_lines(), testing::ContainsRegex("X-Request-Id: [0-9a-f]{16}\r\n"));
}

TEST_F(HandlerTest, CountsRequestsRowsAndPhases) {
  send("POST", "/invocations", kSplit);
  send("POST", "/v2/models/fraud/infer", "{");
  const std::string& text = send("GET", "/metrics").body;
  EXPECT_THAT(text, HasSubstr("wherry_http_requests_total{route=\"invocations\",code=\"200\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("wherry_http_requests_total{route=\"infer\",code=\"400\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("wherry_predicted_rows_total{model=\"fraud\",version=\"1\"} 2\n"));
  EXPECT_THAT(
      text,
      HasSubstr("wherry_phase_duration_seconds_count{model=\"fraud\",version=\"1\",phase=\"compute\"} 1\n"));
  EXPECT_THAT(
      text,
      HasSubstr("wherry_request_duration_seconds_bucket{model=\"fraud\",version=\"1\",le=\"+Inf\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("process_resident_memory_bytes "));
}

TEST(LoadModel, RefusesAModelWhichAnswersOtherwiseThanItsGoldenPredictions) {
  auto folder = base::TemporaryFolder::make();
  ASSERT_TRUE(folder);
  std::string golden(kGoodGolden);
  golden.replace(golden.find("\"fraud\"}"), 8, "\"ok\"}");
  write_test_bundle(folder->path(), golden);
  const auto model = load_test_model(folder->path());
  ASSERT_FALSE(model);
  EXPECT_EQ(model.error().id, "repository.golden_mismatch");
  EXPECT_THAT(model.error().message, HasSubstr("fraud"));
}

TEST(LoadModel, SaysThatNothingWasReplayed) {
  auto folder = base::TemporaryFolder::make();
  ASSERT_TRUE(folder);
  write_test_bundle(folder->path(), "");
  const auto model = load_test_model(folder->path());
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_THAT((*model)->golden_summary, HasSubstr("no golden"));
}

}  // namespace
}  // namespace wherry::serve
