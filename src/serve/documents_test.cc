// Documents with ETags, and what lets pages of other origins ask.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serve/cors.h"
#include "serve/document.h"

namespace wherry::serve {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

http::Request request_with(std::span<const http::HeaderView> headers, std::string_view method = "GET") {
  http::Request request;
  request.method = method;
  request.headers = headers;
  return request;
}

class Documents : public testing::Test {
 protected:
  const http::Response& answer(std::vector<http::HeaderView> headers) {
    response_.clear();
    answer_document(document_, request_with(headers), response_);
    return response_;
  }
  const Document document_ = make_document("application/json", "[" + std::string(5000, ' ') + "]");
  http::Response response_;
};

TEST_F(Documents, AreSentInTheCodingTheClientLikes) {
  EXPECT_EQ(answer({}).body, document_.body);
  EXPECT_EQ(answer({{"Accept-Encoding", "gzip"}}).body, document_.gzip);
  EXPECT_THAT(response_.header_lines(), HasSubstr("Content-Encoding: gzip\r\n"));
  EXPECT_THAT(response_.header_lines(), HasSubstr("Vary: Accept-Encoding\r\n"));
  EXPECT_EQ(answer({{"Accept-Encoding", "gzip, zstd"}}).body, document_.zstd);
  EXPECT_LT(document_.gzip.size(), 200u);
}

TEST_F(Documents, AreNotSentAgainToWhomHasThem) {
  const std::string other = "\"x\", " + document_.etag;
  for (const std::string_view tag : {std::string_view(document_.etag), std::string_view(other),
                                     std::string_view(document_.etag).substr(2), std::string_view("*")}) {
    EXPECT_EQ(answer({{"If-None-Match", tag}}).status, 304) << tag;
    EXPECT_EQ(response_.body, "");
  }
  EXPECT_EQ(answer({{"If-None-Match", "\"x\""}}).status, 200);
}

TEST(DocumentCaches, MakeADocumentOncePerGeneration) {
  DocumentCache cache;
  int made = 0;
  const auto make = [&] { return make_document("text/plain", std::to_string(++made)); };
  EXPECT_EQ(cache.get(1, "a", make)->body, "1");
  EXPECT_EQ(cache.get(1, "a", make)->body, "1");
  EXPECT_EQ(cache.get(2, "a", make)->body, "2");
  for (std::size_t i = 0; i < 2 * DocumentCache::kMost; ++i) cache.get(2, std::to_string(i), make);
  EXPECT_NE(cache.get(2, "a", make)->body, "2");
}

CorsOptions origins(std::string_view text) {
  CorsOptions options;
  EXPECT_TRUE(parse_origins(text, options)) << text;
  return options;
}

TEST(CorsOrigins, AreExactOrAll) {
  EXPECT_THAT(origins("https://a.example, http://localhost:3000").origins,
              testing::ElementsAre("https://a.example", "http://localhost:3000"));
  EXPECT_TRUE(origins("*").any);
  CorsOptions options;
  for (const char* text : {"", "a.example", "https://a.example/", "https://A.example", "https://*.example",
                           "*,https://a.example", "https://", "null"})
    EXPECT_FALSE(parse_origins(text, options)) << text;
}

TEST(CorsAnswers, NameTheOriginWhichMayReadThem) {
  const CorsOptions options = origins("https://a.example");
  http::Response response;
  const http::HeaderView from[] = {{"Origin", "https://a.example"}};
  allow_origin(options, request_with(from), response);
  EXPECT_THAT(response.header_lines(), HasSubstr("Access-Control-Allow-Origin: https://a.example\r\n"));
  EXPECT_THAT(response.header_lines(), HasSubstr("Access-Control-Allow-Credentials: true\r\n"));
  EXPECT_THAT(response.header_lines(), HasSubstr("Vary: Origin\r\n"));
}

TEST(CorsAnswers, SayNothingToOtherOrigins) {
  const CorsOptions options = origins("https://a.example");
  http::Response response;
  const http::HeaderView from[] = {{"Origin", "https://a.example.evil"}};
  allow_origin(options, request_with(from), response);
  EXPECT_THAT(response.header_lines(), Not(HasSubstr("Access-Control")));
  EXPECT_THAT(response.header_lines(), HasSubstr("Vary: Origin\r\n"));
}

TEST(CorsAnswers, NeverAllowCredentialsToAll) {
  const CorsOptions options = origins("*");
  http::Response response;
  const http::HeaderView from[] = {{"Origin", "https://a.example"}};
  allow_origin(options, request_with(from), response);
  EXPECT_THAT(response.header_lines(), HasSubstr("Access-Control-Allow-Origin: *\r\n"));
  EXPECT_THAT(response.header_lines(), Not(HasSubstr("Credentials")));
}

TEST(CorsAnswers, AreOffByDefault) {
  http::Response response;
  const http::HeaderView from[] = {{"Origin", "https://a.example"},
                                   {"Access-Control-Request-Method", "POST"}};
  allow_origin({}, request_with(from), response);
  EXPECT_FALSE(answer_preflight({}, request_with(from, "OPTIONS"), response));
  EXPECT_EQ(response.header_lines(), "");
}

TEST(CorsPreflights, OfAllowedOriginsAreAnswered) {
  const CorsOptions options = origins("https://a.example");
  http::Response response;
  const http::HeaderView from[] = {{"Origin", "https://a.example"},
                                   {"Access-Control-Request-Method", "POST"}};
  EXPECT_TRUE(answer_preflight(options, request_with(from, "OPTIONS"), response));
  EXPECT_EQ(response.status, 204);
  EXPECT_THAT(response.header_lines(), HasSubstr("Access-Control-Max-Age: 7200\r\n"));
  EXPECT_THAT(response.header_lines(), HasSubstr("Authorization"));
}

TEST(CorsPreflights, OfOthersAreNot) {
  const CorsOptions options = origins("https://a.example");
  http::Response response;
  const http::HeaderView other[] = {{"Origin", "https://b.example"},
                                    {"Access-Control-Request-Method", "POST"}};
  EXPECT_FALSE(answer_preflight(options, request_with(other, "OPTIONS"), response));
  const http::HeaderView plain[] = {{"Origin", "https://a.example"}};
  EXPECT_FALSE(answer_preflight(options, request_with(plain, "OPTIONS"), response));
}

}  // namespace
}  // namespace wherry::serve
