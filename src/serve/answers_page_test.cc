// The pages and the OpenAPI document over the handler.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serve/testing_calls.h"

namespace wherry::serve {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using text::Json;

class Pages : public ServedModel {
 protected:
  Json api() {
    const auto document = text::parse_json(send("GET", "/openapi.json").body, "openapi");
    return document ? *document : Json();
  }
};

TEST_F(Pages, LoadNothingFromElsewhere) {
  for (const char* path : {"/", "/docs"}) {
    const std::string body = send("GET", path).body;
    EXPECT_THAT(body, Not(HasSubstr("src="))) << path;
    EXPECT_THAT(body, Not(HasSubstr("https://"))) << path;
    EXPECT_THAT(response_.header_lines(), HasSubstr("Content-Security-Policy: default-src 'none'; ")) << path;
  }
}

TEST_F(Pages, AreSmall) {
  EXPECT_LT(send("GET", "/").body.size() + send("GET", "/docs").body.size(), 48u << 10);
}

TEST_F(Pages, KnowWhatTheColumnsHold) {
  const std::string& page = send("GET", "/page.json").body;
  EXPECT_THAT(page,
              HasSubstr(R"({"name":"amount","type":"number","required":true,"missing":false,"low":9.0)"));
  EXPECT_THAT(page, HasSubstr(R"("categories":["DE"],"closed":false)"));
}

TEST_F(Pages, AreOfTheModelAskedFor) {
  EXPECT_EQ(send("GET", "/page.json?model=fraud").status, 200);
  EXPECT_EQ(send("GET", "/page.json?model=other").status, 404);
  EXPECT_EQ(send("GET", "/page.json?model=%ff&x").status, 200);
}

TEST_F(Pages, AreNotSentTwice) {
  send("GET", "/");
  const std::string lines = response_.header_lines();
  const std::size_t start = lines.find("ETag: ") + 6;
  const std::string etag = lines.substr(start, lines.find('\r', start) - start);
  EXPECT_EQ(send("GET", "/", "", {{"If-None-Match", etag}}).status, 304);
}

TEST_F(Pages, DescribeEveryAddressInTheDocument) {
  const Json document = api();
  for (const RouteRow& row : service_.routes().rows()) {
    if (row.permission == Permission::kDebug || row.name == "v1_regress") continue;
    if (row.pattern.find('.') < row.pattern.find('/', 1) && row.pattern.find('/', 1) != row.pattern.npos)
      continue;  // gRPC
    std::string path(row.pattern), method = row.method == "GET" ? "get" : "post";
    if (const std::size_t at = path.find("{model}"); at != path.npos) path.replace(at, 7, "fraud");
    if (row.method == "PUT") method = "put";
    if (row.method == "DELETE") method = "delete";
    EXPECT_TRUE(document["paths"].contains(path) && document["paths"][path].contains(method)) << path;
  }
}

TEST_F(Pages, GiveExamplesWhichSucceedWhenPosted) {
  const Json document = api();
  int posted = 0;
  for (const auto& [pattern, methods] : document["paths"].items()) {
    if (!methods.contains("post") || pattern.find("{label}") != pattern.npos) continue;
    std::string path = pattern;
    if (const std::size_t at = path.find("{version}"); at != path.npos) path.replace(at, 9, "1");
    for (const auto& [media, content] : methods["post"]["requestBody"]["content"].items()) {
      if (!content.contains("example")) continue;
      const Json& example = content["example"];
      const std::string body = example.is_string() ? example.get<std::string>() : text::write_json(example);
      EXPECT_EQ(send("POST", path, body, {{"Content-Type", media}}).status, 200)
          << path << " " << body << response_.body;
      ++posted;
    }
  }
  EXPECT_GE(posted, 6);
}

TEST_F(Pages, GiveTheSameDocumentAsYamlAndWhereAzureLooks) {
  EXPECT_THAT(send("GET", "/openapi.yaml").body, testing::StartsWith("openapi: \"3.1.0\"\n"));
  EXPECT_EQ(response_.content_type, "application/yaml");
  const std::string json = send("GET", "/openapi.json").body;
  EXPECT_EQ(send("GET", "/swagger.json").body, json);
}

TEST_F(Pages, LetNamedOriginsAsk) {
  CorsOptions cors;
  ASSERT_TRUE(parse_origins("https://a.example", cors));
  service_.set_cors(cors);
  send("OPTIONS", "/invocations", "",
       {{"Origin", "https://a.example"}, {"Access-Control-Request-Method", "POST"}});
  EXPECT_EQ(response_.status, 204);
  send("GET", "/ping", "", {{"Origin", "https://a.example"}});
  EXPECT_THAT(response_.header_lines(), HasSubstr("Access-Control-Allow-Origin: https://a.example\r\n"));
  EXPECT_EQ(send("OPTIONS", "/invocations", "", {{"Origin", "https://b.example"}}).status, 405);
}

}  // namespace
}  // namespace wherry::serve
