// V1 over the handler: which address answers what, and CloudEvents.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serve/testing_calls.h"

namespace wherry::serve {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kInstances =
    R"({"instances":[{"amount":9,"country":"DE"},{"amount":1,"country":"FR"}]})";

class V1Answers : public ServedModel {};

TEST_F(V1Answers, PredictRowsAndColumns) {
  EXPECT_EQ(send("POST", "/v1/models/fraud:predict", kInstances).body, R"({"predictions":["fraud","ok"]})");
  EXPECT_EQ(send("POST", "/v1/models/fraud/versions/1:predict",
                 R"({"inputs":{"amount":[9,1],"country":["DE","FR"]}})")
                .body,
            R"({"outputs":["fraud","ok"]})");
}

TEST_F(V1Answers, GiveSeveralOutputsByName) {
  const auto answer = text::parse_json(
      send(
          "POST", "/v1/models/fraud:predict",
          R"({"instances":[{"amount":9,"country":"DE"}],"parameters":{"predict_method":["predict","predict_proba"]}})")
          .body,
      "answer");
  ASSERT_TRUE(answer) << response_.body;
  EXPECT_EQ((*answer)["predictions"][0]["predict"], "fraud");
  EXPECT_EQ((*answer)["predictions"][0]["predict_proba"].size(), 2u);
}

TEST_F(V1Answers, ClassifyWithLabels) {
  const auto answer = text::parse_json(
      send("POST", "/v1/models/fraud:classify", R"({"context":{"country":"DE"},"examples":[{"amount":9}]})")
          .body,
      "answer");
  ASSERT_TRUE(answer) << response_.body;
  EXPECT_EQ((*answer)["result"][0][1][0], "fraud");
}

TEST_F(V1Answers, RefuseRegressionOfAClassifierAndExplanations) {
  EXPECT_EQ(send("POST", "/v1/models/fraud:regress", R"({"examples":[]})").status, 400);
  EXPECT_THAT(error(), HasSubstr(":classify"));
  EXPECT_EQ(send("POST", "/v1/models/fraud:explain", kInstances).status, 404);
  EXPECT_THAT(error(), HasSubstr("explainers"));
}

TEST_F(V1Answers, SayWhatTheModelIs) {
  EXPECT_EQ(send("GET", "/v1/models").body, R"({"models":["fraud"]})");
  EXPECT_THAT(send("GET", "/v1/models/fraud").body, HasSubstr(R"("state":"AVAILABLE")"));
  EXPECT_THAT(send("GET", "/v1/models/fraud/versions/1/metadata").body, HasSubstr("DT_STRING"));
  service_.begin_drain();
  EXPECT_EQ(send("GET", "/v1/models/fraud").status, 503);
}

TEST_F(V1Answers, Are404ForWhatIsNotThere) {
  for (const char* path :
       {"/v1/models/other:predict", "/v1/models/fraud/versions/9:predict",
        "/v1/models/fraud/versions/%00:predict", "/v1/models/fraud/labels/stable:predict"}) {
    EXPECT_EQ(send("POST", path, kInstances).status, 404) << path;
    EXPECT_THAT(error(), Not(testing::StartsWith("no error")));
  }
  EXPECT_EQ(send("GET", "/v1/models/other").status, 404);
  EXPECT_EQ(send("GET", "/v1/models/fraud/versions/%00").status, 404);
}

TEST_F(V1Answers, AreStructuredEventsToStructuredEvents) {
  const std::string event =
      R"({"specversion":"1.0","id":"7","source":"s","type":"t","data":)" + std::string(kInstances) + "}";
  send("POST", "/v1/models/fraud:predict", event, {{"Content-Type", "application/cloudevents+json"}});
  EXPECT_EQ(response_.content_type, "application/cloudevents+json");
  const auto answer = text::parse_json(response_.body, "answer");
  ASSERT_TRUE(answer) << response_.body;
  EXPECT_EQ((*answer)["type"], "io.kserve.inference.response");
  EXPECT_EQ((*answer)["source"], "io.kserve.inference.fraud");
  EXPECT_EQ((*answer)["data"]["predictions"][0], "fraud");
}

TEST_F(V1Answers, AreBinaryEventsToBinaryEvents) {
  send("POST", "/v1/models/fraud:predict", kInstances,
       {{"Content-Type", "application/json"},
        {"ce-specversion", "1.0"},
        {"ce-id", "7"},
        {"ce-source", "s"},
        {"ce-type", "t"}});
  EXPECT_EQ(response_.body, R"({"predictions":["fraud","ok"]})");
  EXPECT_THAT(response_.header_lines(), HasSubstr("ce-source: io.kserve.inference.fraud\r\n"));
  send("POST", "/v1/models/fraud:predict", kInstances,
       {{"Content-Type", "application/json"}, {"ce-specversion", "1.0"}, {"ce-id", "7"}});
  EXPECT_EQ(response_.status, 400);
  EXPECT_THAT(error(), HasSubstr("ce-source"));
}

TEST_F(V1Answers, AreNoEventsToOthersAfterwards) {
  const std::string event =
      R"({"specversion":"1.0","id":"7","source":"s","type":"t","data":)" + std::string(kInstances) + "}";
  send("POST", "/v1/models/fraud:predict", event, {{"Content-Type", "application/cloudevents+json"}});
  EXPECT_EQ(send("POST", "/v1/models/fraud:predict", kInstances).body, R"({"predictions":["fraud","ok"]})");
}

}  // namespace
}  // namespace wherry::serve
