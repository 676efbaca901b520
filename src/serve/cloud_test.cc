// What the server makes of a cloud's environment, and AWS Lambda's events.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

#include "base/text.h"
#include "serve/contract.h"
#include "serve/lambda_event.h"
#include "serve/options.h"

namespace wherry::serve {
namespace {

using testing::HasSubstr;
using Variables = std::map<std::string, std::string>;

base::Result<Options> parse(const Variables& variables, std::vector<std::string_view> arguments = {}) {
  return parse_options(arguments, [&](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(std::string(name));
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}
std::vector<std::string> patterns(const Options& options) {
  std::vector<std::string> found;
  for (const RouteRow& row : contract_rows(options.contract))
    found.push_back(base::cat(row.method, " ", row.pattern));
  return found;
}

TEST(Contract, IsNoneWithoutSigns) {
  const auto options = parse({{"PORT", "9000"}, {"K_SERVICE", "fraud"}});
  EXPECT_EQ(options->contract.cloud, Cloud::kNone);
  EXPECT_EQ(options->port, 9000);
}
TEST(Contract, TakesPortAndPathsFromVertex) {
  const auto options = parse({{"AIP_HTTP_PORT", "8085"},
                              {"AIP_HEALTH_ROUTE", "/v1/endpoints/1/deployedModels/2"},
                              {"AIP_PREDICT_ROUTE", "/v1/endpoints/1/deployedModels/2:predict"}});
  EXPECT_EQ(options->port, 8085);
  EXPECT_THAT(patterns(*options), testing::ElementsAre("GET /v1/endpoints/1/deployedModels/2",
                                                       "POST /v1/endpoints/1/deployedModels/2:predict"));
}
TEST(Contract, RefusesWhatIsNoPath) {
  EXPECT_EQ(parse({{"AIP_PREDICT_ROUTE", "predict"}}).error().id, "serve.bad_contract");
}
TEST(Contract, SaysThatAModelInVertexStorageIsNotRead) {
  auto options = parse({{"AIP_HTTP_PORT", "8080"}, {"AIP_STORAGE_URI", "gs://bucket/model"}});
  const auto found = find_bundle(*options, [](const std::string&) { return false; });
  ASSERT_FALSE(found);
  EXPECT_THAT(found.error().message, HasSubstr("gs://bucket/model"));
  EXPECT_TRUE(find_bundle(*options, [](const std::string& path) { return path == "/model/bundle.json"; }));
}
TEST(Contract, ListensOnAzuresPort) {
  EXPECT_EQ(parse({{"AZUREML_MODEL_DIR", "/models"}})->port, 5001);
  EXPECT_EQ(parse({{"AZUREML_MODEL_DIR", "/models"}}, {"--port", "8080"})->port, 8080);
}
TEST(Contract, FindsTheModelWhereTheCloudPutsIt) {
  auto options = parse({{"AZUREML_MODEL_DIR", "/azure/fraud/1"}});
  ASSERT_TRUE(
      find_bundle(*options, [](const std::string& path) { return path == "/azure/fraud/1/bundle.json"; }));
  EXPECT_EQ(options->bundle, "/azure/fraud/1");
}
TEST(Contract, ManagesManyModelsOnSageMaker) {
  const auto options = parse({{"SAGEMAKER_MULTI_MODEL", "true"}}, {"serve"});
  EXPECT_EQ(options->repository, "/opt/ml/models");
  EXPECT_EQ(options->control, repository::Control::kExplicit);
  EXPECT_THAT(patterns(*options), testing::Contains("DELETE /models/{model}"));
}
TEST(Contract, CanBeChosenOrSwitchedOff) {
  EXPECT_EQ(parse({}, {"--contract", "azureml"})->contract.cloud, Cloud::kAzure);
  EXPECT_EQ(parse({{"AIP_HTTP_PORT", "1"}}, {"--contract", "none"})->contract.cloud, Cloud::kNone);
  EXPECT_EQ(parse({{"AIP_HTTP_PORT", "1"}}, {"--contract", "auto"})->contract.cloud, Cloud::kVertex);
}
TEST(Contract, NeedsLambdasAddress) {
  EXPECT_EQ(parse({}, {"--contract", "lambda"}).error().id, "serve.bad_contract");
  EXPECT_EQ(parse({{"AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"}})->contract.lambda_api, "127.0.0.1:9001");
}

TEST(LambdaEvent, IsARequestOfAnHttpApi) {
  const auto event =
      read_lambda_event(R"({"version":"2.0","rawPath":"/prod/v2/health/live","rawQueryString":"a=1&b=2",
    "headers":{"accept":"x"},"requestContext":{"stage":"prod","http":{"method":"GET","sourceIp":"192.0.2.1"}},
    "isBase64Encoded":false})");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, LambdaEventKind::kGateway2);
  EXPECT_EQ(event->method, "GET");
  EXPECT_EQ(event->path, "/v2/health/live");
  EXPECT_EQ(event->query, "a=1&b=2");
  EXPECT_EQ(event->header("Accept"), "x");
  EXPECT_EQ(event->source, "192.0.2.1");
}
TEST(LambdaEvent, HasABodyInBase64) {
  const auto event = read_lambda_event(R"({"rawPath":"/invocations","body":"aGVsbG8=","isBase64Encoded":true,
    "requestContext":{"stage":"$default","http":{"method":"POST"}}})");
  EXPECT_EQ(event->body, "hello");
  EXPECT_EQ(read_lambda_event(R"({"rawPath":"/","body":"*","isBase64Encoded":true,
    "requestContext":{"http":{"method":"POST"}}})")
                .error()
                .id,
            "serve.bad_event");
}
TEST(LambdaEvent, IsARequestOfARestApi) {
  const auto event =
      read_lambda_event(R"({"httpMethod":"POST","path":"/v2/a b","body":"{}","multiValueHeaders":
    {"X-A":["1","2"]},"queryStringParameters":{"q":"a b"},"requestContext":{"identity":{"sourceIp":"192.0.2.2"}}})");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, LambdaEventKind::kGateway1);
  EXPECT_EQ(event->path, "/v2/a%20b");
  EXPECT_EQ(event->query, "q=a%20b");
  EXPECT_EQ(event->headers.size(), 2u);
}
TEST(LambdaEvent, IsABodyWhereItIsNoGateways) {
  const auto event = read_lambda_event(R"({"instances":[[1,2]]})");
  EXPECT_EQ(event->method, "POST");
  EXPECT_EQ(event->path, "/invocations");
  EXPECT_EQ(event->body, R"({"instances":[[1,2]]})");
}
TEST(LambdaEvent, IsRefusedWhereItIsBroken) {
  EXPECT_FALSE(read_lambda_event("{"));
  EXPECT_EQ(read_lambda_event(R"({"requestContext":{"http":{}}})").error().id, "serve.bad_event");
  EXPECT_EQ(read_lambda_event(R"({"httpMethod":"GET","path":"x"})").error().id, "serve.bad_event");
}
TEST(LambdaAnswer, IsWhatAGatewayWants) {
  http::Response response;
  response.status = 404;
  response.body = R"({"error":"x"})";
  response.add_header("X-A", "1");
  EXPECT_EQ(
      lambda_answer({.kind = LambdaEventKind::kGateway2}, response),
      R"({"statusCode":404,"headers":{"Content-Type":"application/json","X-A":"1"},"isBase64Encoded":false,)"
      R"("body":"{\"error\":\"x\"}"})");
}
TEST(LambdaAnswer, IsWhatALoadBalancerWants) {
  http::Response response;
  const LambdaEvent event{.kind = LambdaEventKind::kLoadBalancer, .many_values = true};
  EXPECT_THAT(lambda_answer(event, response),
              HasSubstr(R"("statusDescription":"200 OK","multiValueHeaders":{"Content-Type":[)"));
}
TEST(LambdaAnswer, HasBinaryBodiesInBase64) {
  http::Response response;
  response.content_type = "application/octet-stream";
  response.body = "hello";
  EXPECT_THAT(lambda_answer({.kind = LambdaEventKind::kGateway1}, response),
              HasSubstr(R"("isBase64Encoded":true,"body":"aGVsbG8=")"));
}
TEST(LambdaAnswer, IsTheBodyForAPlainEvent) {
  http::Response response;
  response.body = "[1]";
  EXPECT_EQ(lambda_answer({}, response), "[1]");
}

}  // namespace
}  // namespace wherry::serve
