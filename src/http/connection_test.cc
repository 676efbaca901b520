#include "http/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"

namespace wherry::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Recorder : public Handler {
 public:
  void handle(const Request& request, Response& response) override {
    requests.push_back(base::cat(request.method, " ", request.path, " ", request.query, " ", request.body));
    token = request.header("x-token");
    response.body = "ok";
  }
  void refused(const Refusal& refusal) override { refusals.push_back(refusal.status); }
  void tick() override {}
  std::vector<std::string> requests;
  std::vector<int> refusals;
  std::string token;
};

class ConnectionTest : public testing::Test {
 protected:
  void send(std::string_view bytes, std::size_t piece = SIZE_MAX) {
    while (!bytes.empty()) {
      const auto space = connection_.space();
      const std::size_t count = std::min({space.size(), bytes.size(), piece});
      std::copy_n(bytes.data(), count, space.data());
      connection_.received(count);
      bytes.remove_prefix(count);
    }
  }
  std::string output() { return std::exchange(connection_.output(), {}); }
  // The status of the only answer.
  int status() { return std::stoi(connection_.output().substr(9, 3)); }

  Limits limits_{.most_target = 100, .most_head = 1000, .most_headers = 10, .most_body = 5000};
  Recorder handler_;
  std::atomic<bool> draining_{false};
  std::atomic<std::size_t> large_{0};
  Shared shared_{limits_, handler_, draining_, large_, -1, {}, {}};
  Connection connection_{shared_};
};

TEST_F(ConnectionTest, AnswersWithLengthTypeAndDate) {
  send("GET /a?b=c HTTP/1.1\r\nHost: x\r\nX-Token:  t \r\n\r\n");
  EXPECT_THAT(handler_.requests, ElementsAre("GET /a b=c "));
  EXPECT_EQ(handler_.token, "t");
  const std::string answer = output();
  EXPECT_THAT(answer,
              StartsWith("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nDate: "));
  EXPECT_THAT(answer, testing::EndsWith(" GMT\r\n\r\nok"));
}

TEST_F(ConnectionTest, GathersRequestsFromPiecesOfAnySize) {
  for (std::size_t piece = 1; piece < 40; ++piece)
    send("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /q HTTP/1.1\r\nHost: x\r\n\r\n",
         piece);
  EXPECT_EQ(handler_.requests.size(), 78u);
  EXPECT_EQ(handler_.requests[76], "POST /p  abc");
  EXPECT_EQ(handler_.requests[77], "GET /q  ");
}

TEST_F(ConnectionTest, AnswersPipelinedRequestsInOneOutput) {
  send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(handler_.requests.size(), 2u);
  EXPECT_THAT(output(), HasSubstr("okHTTP/1.1 200"));
}

TEST_F(ConnectionTest, JoinsChunksAndIgnoresTrailers) {
  send(
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "3\r\nabc\r\n2;name=value\r\nde\r\n0\r\nX-Token: trailer\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n",
      3);
  EXPECT_THAT(handler_.requests, ElementsAre("POST /  abcde", "GET /next  "));
}

TEST_F(ConnectionTest, AsksForTheBodyOnlyWhenTheClientWaits) {
  send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(output(), "HTTP/1.1 100 Continue\r\n\r\n");
  send("hi");
  EXPECT_THAT(output(), StartsWith("HTTP/1.1 200"));
}

TEST_F(ConnectionTest, RefusesATooLargeBodyBeforeItIsSent) {
  send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5001\r\n\r\n");
  EXPECT_EQ(status(), 413);
  EXPECT_TRUE(connection_.closing());
  EXPECT_THAT(output(), HasSubstr("Connection: close\r\n\r\n{\"error\":\"the request body is too large\"}"));
}

TEST_F(ConnectionTest, RefusesChunksPastTheBodyLimit) {
  send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 60 && !connection_.closing(); ++i)
    send(base::cat("64\r\n", std::string(100, 'a'), "\r\n"));
  EXPECT_EQ(status(), 413);
}

TEST_F(ConnectionTest, RefusesAnEndlessChunkExtension) {
  send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a=");
  for (int i = 0; i < 100 && !connection_.closing(); ++i) send(std::string(100, 'b'));
  EXPECT_EQ(status(), 400);
}

TEST_F(ConnectionTest, LeavesTheBodyOutForHead) {
  send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answer = output();
  EXPECT_THAT(answer, HasSubstr("Content-Length: 2\r\n"));
  EXPECT_THAT(answer, testing::EndsWith("\r\n\r\n"));
}

TEST_F(ConnectionTest, ClosesWhenTheClientAsks) {
  send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(output(), HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(connection_.closing());
}

TEST_F(ConnectionTest, KeepsAnHttp10ConnectionOnlyWhenAsked) {
  send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(output(), HasSubstr("Connection: keep-alive\r\n"));
  send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(connection_.closing());
}

TEST_F(ConnectionTest, ClosesBehindTheLastReceivedRequestWhenDraining) {
  draining_ = true;
  send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(handler_.requests.size(), 2u);
  const std::string answers = output();
  EXPECT_EQ(answers.find("Connection: close"), answers.rfind("Connection: close"));
  EXPECT_TRUE(connection_.closing());
}

TEST_F(ConnectionTest, TakesAbsoluteTargets) {
  send("GET http://host:80/a/b?c HTTP/1.1\r\nHost: x\r\n\r\nGET http://host HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(handler_.requests, ElementsAre("GET /a/b c ", "GET /  "));
}

TEST_F(ConnectionTest, AnswersATimeoutInTheMiddleOfARequest) {
  send("GET / HT");
  connection_.timed_out();
  EXPECT_EQ(status(), 408);
}

TEST_F(ConnectionTest, EndsAnIdleConnectionSilently) {
  connection_.timed_out();
  EXPECT_TRUE(connection_.closing());
  EXPECT_EQ(output(), "");
}

TEST_F(ConnectionTest, RefusesLargeBodiesPastTheCommonBudget) {
  limits_.most_body = 10u << 20;
  limits_.most_large_bodies = 1u << 20;
  send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n");
  for (int i = 0; i < 200 && !connection_.closing(); ++i) send(std::string(40'000, 'a'));
  EXPECT_EQ(status(), 503);
}

TEST_F(ConnectionTest, GivesTheMemoryOfALargeBodyBack) {
  limits_.most_body = 10u << 20;
  send(base::cat("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n", std::string(300'000, 'a')));
  EXPECT_EQ(handler_.requests.size(), 1u);
  EXPECT_GT(large_.load(), 300'000u);
  (void)connection_.space();
  EXPECT_EQ(large_.load(), 0u);
}

TEST_F(ConnectionTest, StopsHandlingWhileTheClientDoesNotReadItsAnswers) {
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  send(many);
  EXPECT_LT(handler_.requests.size(), 5'000u);
  while (!connection_.output().empty()) {
    output();
    connection_.resume();
  }
  EXPECT_EQ(handler_.requests.size(), 10'000u);
}

struct Refused {
  const char* name;
  std::string text;
  int status;
};

class Refusals : public ConnectionTest, public testing::WithParamInterface<Refused> {};

TEST_P(Refusals, AnswerWithTheStatusAndClose) {
  send(GetParam().text);
  EXPECT_TRUE(handler_.requests.empty());
  ASSERT_TRUE(connection_.closing());
  EXPECT_EQ(status(), GetParam().status) << connection_.output();
  EXPECT_THAT(handler_.refusals, ElementsAre(GetParam().status));
  EXPECT_THAT(output(), HasSubstr(R"({"error":")"));
}

const std::string kHost = "Host: x\r\n";
INSTANTIATE_TEST_SUITE_P(
    Http, Refusals,
    testing::Values(
        Refused{"TwoLengths",
                "POST / HTTP/1.1\r\n" + kHost + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
        Refused{"TwoEqualLengths",
                "POST / HTTP/1.1\r\n" + kHost + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400},
        Refused{"LengthThenChunked",
                "POST / HTTP/1.1\r\n" + kHost +
                    "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                400},
        Refused{"ChunkedThenLength",
                "POST / HTTP/1.1\r\n" + kHost +
                    "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n",
                400},
        Refused{"ChunkedTwice",
                "POST / HTTP/1.1\r\n" + kHost +
                    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
                400},
        Refused{"OtherEncoding", "POST / HTTP/1.1\r\n" + kHost + "Transfer-Encoding: gzip, chunked\r\n\r\n",
                501},
        Refused{"DisguisedChunked", "POST / HTTP/1.1\r\n" + kHost + "Transfer-Encoding: xchunked\r\n\r\n",
                501},
        Refused{"ChunkedInHttp10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        Refused{"NegativeLength", "POST / HTTP/1.1\r\n" + kHost + "Content-Length: -1\r\n\r\n", 400},
        Refused{"LengthWithSign", "POST / HTTP/1.1\r\n" + kHost + "Content-Length: +1\r\n\r\na", 400},
        Refused{"HugeLength",
                "POST / HTTP/1.1\r\n" + kHost + "Content-Length: 99999999999999999999999\r\n\r\n", 400},
        Refused{"Folded", "GET / HTTP/1.1\r\n" + kHost + "X: a\r\n b\r\n\r\n", 400},
        Refused{"BareCr", "GET / HTTP/1.1\r\n" + kHost + "X: a\rb\r\n\r\n", 400},
        Refused{"SpaceBeforeColon", "GET / HTTP/1.1\r\n" + kHost + "Content-Length : 0\r\n\r\n", 400},
        Refused{"NoHost", "GET / HTTP/1.1\r\n\r\n", 400},
        Refused{"TwoHosts", "GET / HTTP/1.1\r\n" + kHost + kHost + "\r\n", 400},
        Refused{"NoLength", "POST / HTTP/1.1\r\n" + kHost + "\r\n", 411},
        Refused{"LongTarget", "GET /" + std::string(200, 'a') + " HTTP/1.1\r\n" + kHost + "\r\n", 414},
        Refused{"UnendingTarget", "GET /" + std::string(300, 'a'), 414},
        Refused{"LongHead", "GET / HTTP/1.1\r\nX: " + std::string(1100, 'a') + "\r\n\r\n", 431},
        Refused{"UnendingHead", "GET / HTTP/1.1\r\nX: " + std::string(1100, 'a'), 431},
        Refused{"ManyHeaders",
                "GET / HTTP/1.1\r\n" + kHost +
                    "A:1\r\nB:1\r\nC:1\r\nD:1\r\nE:1\r\nF:1\r\nG:1\r\nH:1\r\nI:1\r\nJ:1\r\n\r\n",
                431},
        Refused{"OtherExpectation",
                "POST / HTTP/1.1\r\n" + kHost + "Content-Length: 1\r\nExpect: magic\r\n\r\n", 417},
        Refused{"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        Refused{"Http09", "GET /\r\n\r\n", 400},
        Refused{"TlsHello", std::string("\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 11), 400},
        Refused{"RelativeTarget", "GET a HTTP/1.1\r\n" + kHost + "\r\n", 400},
        Refused{"BadChunk", "POST / HTTP/1.1\r\n" + kHost + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
        Refused{"ChunkLongerThanSaid",
                "POST / HTTP/1.1\r\n" + kHost + "Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
                400}),
    [](const auto& row) { return row.param.name; });

TEST(Response, LeavesOutHeadersWhichWouldSplitTheAnswer) {
  Response response;
  response.add_header("X-Good", "a");
  response.add_header("X-Bad", "a\r\nX-Injected: b");
  EXPECT_EQ(response.header_lines(), "X-Good: a\r\n");
}

TEST(PercentDecode, TakesNamesAndRefusesControlBytes) {
  EXPECT_EQ(percent_decode("a%20b%2Fc+%C3%A9"), "a b/c+é");
  for (const char* bad : {"%", "%1", "%zz", "%00", "%0a", "%ff"}) EXPECT_FALSE(percent_decode(bad)) << bad;
}

TEST(AppendJsonString, EscapesAndRepairs) {
  std::string out;
  append_json_string(out, "a\"\\\n\xff");
  EXPECT_EQ(out, "\"a\\\"\\\\\\u000a\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace wherry::http
