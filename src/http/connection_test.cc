#include "http/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <thread>

#include "base/text.h"

namespace wherry::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class Recorder : public Handler {
 public:
  void handle(const Request& request, Response& response, Exchange& exchange) override {
    requests.push_back(base::cat(request.method, " ", request.path, " ", request.query, " ", request.body));
    token = request.header("x-token");
    response.body = "ok";
    if (request.path.starts_with("/later")) waiting.push_back(exchange.later());
  }
  void answered(const Request& request, Response& response, bool abandoned) override {
    finished.push_back(base::cat(request.path, " ", response.status, abandoned ? " abandoned" : ""));
  }
  void refused(const Refusal& refusal) override { refusals.push_back(refusal.status); }
  void tick() override {}
  std::vector<std::string> requests;
  std::vector<int> refusals;
  std::vector<Later> waiting;
  std::vector<std::string> finished;
  std::string token;
};

class ConnectionTest : public testing::Test, public Outlet {
 protected:
  void output_ready() override { ++outputs_ready_; }
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
  void pass(std::chrono::milliseconds time) {
    shared_.now += time;
    connection_.tick();
  }
  bool closing() { return connection_.status().closing; }
  // Answers the oldest deferred request.
  void answer(std::string body) {
    Response response;
    response.body = std::move(body);
    handler_.waiting.front().answer(std::move(response));
    handler_.waiting.erase(handler_.waiting.begin());
    shared_.inbox->run();
  }
  // The status of the only answer.
  int status() { return std::stoi(connection_.output().substr(9, 3)); }

  Limits limits_{.most_target = 100, .most_head = 1000, .most_headers = 10, .most_body = 5000};
  Recorder handler_;
  std::atomic<bool> draining_{false};
  int outputs_ready_ = 0;
  std::shared_ptr<MemoryBudget> memory_ = std::make_shared<MemoryBudget>(1u << 20);
  Shared shared_{limits_, handler_, draining_, memory_};
  std::shared_ptr<const Peer> peer_ = std::make_shared<const Peer>(Peer{.address = "192.0.2.1"});
  std::optional<Connection> machine_{std::in_place, shared_, peer_, *this};
  Connection& connection_ = *machine_;
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

TEST_F(ConnectionTest, TakesABodyOf65536TinyChunks) {
  limits_.most_body = 1u << 20;
  std::string many = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 65'536; ++i) many += "1\r\na\r\n";
  send(many + "0\r\n\r\n", 4096);
  ASSERT_EQ(handler_.requests.size(), 1u);
  EXPECT_EQ(handler_.requests.front(), "POST /  " + std::string(65'536, 'a'));
}

TEST_F(ConnectionTest, TakesAPostWithoutLengthAsOneWithoutBody) {
  send("POST /load HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(handler_.requests, ElementsAre("POST /load  ", "GET /next  "));
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
  EXPECT_TRUE(closing());
  EXPECT_THAT(output(), HasSubstr("Connection: close\r\n\r\n{\"error\":\"the request body is too large\"}"));
}

TEST_F(ConnectionTest, RefusesChunksPastTheBodyLimit) {
  send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 60 && !closing(); ++i) send(base::cat("64\r\n", std::string(100, 'a'), "\r\n"));
  EXPECT_EQ(status(), 413);
}

TEST_F(ConnectionTest, RefusesAnEndlessChunkExtension) {
  send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a=");
  for (int i = 0; i < 100 && !closing(); ++i) send(std::string(100, 'b'));
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
  EXPECT_TRUE(closing());
}

TEST_F(ConnectionTest, KeepsAnHttp10ConnectionOnlyWhenAsked) {
  send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(output(), HasSubstr("Connection: keep-alive\r\n"));
  send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(closing());
}

TEST_F(ConnectionTest, ClosesBehindTheLastReceivedRequestWhenDraining) {
  draining_ = true;
  send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(handler_.requests.size(), 2u);
  const std::string answers = output();
  EXPECT_EQ(answers.find("Connection: close"), answers.rfind("Connection: close"));
  EXPECT_TRUE(closing());
}

TEST_F(ConnectionTest, TakesAbsoluteTargets) {
  send("GET http://host:80/a/b?c HTTP/1.1\r\nHost: x\r\n\r\nGET http://host HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(handler_.requests, ElementsAre("GET /a/b c ", "GET /  "));
}

TEST_F(ConnectionTest, AnswersATimeoutInTheMiddleOfARequest) {
  send("GET / HT");
  pass(limits_.head);
  EXPECT_EQ(status(), 408);
}

TEST_F(ConnectionTest, EndsAnIdleConnectionSilently) {
  pass(limits_.idle);
  EXPECT_TRUE(closing());
  EXPECT_EQ(output(), "");
}

TEST_F(ConnectionTest, RefusesLargeBodiesPastTheCommonBudget) {
  limits_.most_body = 10u << 20;
  send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n");
  for (int i = 0; i < 200 && !closing(); ++i) send(std::string(40'000, 'a'));
  EXPECT_EQ(status(), 503);
}

TEST_F(ConnectionTest, GivesTheMemoryOfALargeBodyBack) {
  limits_.most_body = 10u << 20;
  send(base::cat("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n", std::string(300'000, 'a')));
  EXPECT_EQ(handler_.requests.size(), 1u);
  EXPECT_GT(memory_->used(), 300'000u);
  (void)connection_.space();
  EXPECT_EQ(memory_->used(), 0u);
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

TEST_F(ConnectionTest, AnswersLaterFromAnotherThread) {
  send("POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(output(), "");
  EXPECT_EQ(connection_.status().phase, Machine::Phase::kAnswering);
  std::thread([later = std::move(handler_.waiting.front())]() mutable {
    Response response;
    response.body = base::cat(later.request().path, " ", later.request().body);
    later.answer(std::move(response));
  }).join();
  EXPECT_EQ(output(), "");
  shared_.inbox->run();
  EXPECT_THAT(output(), testing::EndsWith("\r\n\r\n/later abc"));
  EXPECT_EQ(outputs_ready_, 1);
  EXPECT_THAT(handler_.finished, ElementsAre("/later 200"));
}

TEST_F(ConnectionTest, KeepsTheOrderOfPipelinedRequestsBehindALaterAnswer) {
  send(
      "GET /later/1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /later/3 "
      "HTTP/1.1\r\nHost: "
      "x\r\n\r\nGET /4 HTTP/1.1\r\n",
      7);
  EXPECT_THAT(handler_.requests, ElementsAre("GET /later/1  "));
  EXPECT_EQ(handler_.waiting.front().request().header("host"), "x");
  answer("first");
  EXPECT_THAT(handler_.requests, ElementsAre("GET /later/1  ", "GET /2  ", "GET /later/3  "));
  answer("third");
  send("Host: x\r\n\r\n");
  EXPECT_EQ(handler_.requests.size(), 4u);
  const std::string answers = output();
  EXPECT_LT(answers.find("first"), answers.find("ok"));
  EXPECT_LT(answers.find("ok"), answers.find("third"));
}

TEST_F(ConnectionTest, KeepsARequestsBytesWhileMoreIsReceived) {
  send(base::cat(
      "POST /later HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"));
  send(base::cat("POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n", std::string(4000, 'x')));
  EXPECT_EQ(handler_.waiting.front().request().body, "abc");
  EXPECT_EQ(handler_.waiting.front().request().path, "/later");
  answer("");
  EXPECT_EQ(handler_.requests.size(), 2u);
}

TEST_F(ConnectionTest, ReadsNoMoreThanABufferWhileAnAnswerIsMade) {
  send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  std::size_t taken = 0;
  for (; connection_.status().wants_input && taken < (1u << 20); taken += 100) send(std::string(100, 'G'));
  EXPECT_GE(taken, kSmallBuffer);
  EXPECT_LT(taken, 2 * kSmallBuffer);
}

TEST_F(ConnectionTest, SaysThatTheClientWentAway) {
  send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_FALSE(handler_.waiting.front().abandoned());
  machine_.reset();
  EXPECT_TRUE(handler_.waiting.front().abandoned());
  EXPECT_EQ(handler_.waiting.front().request().path, "/later");
  answer("in vain");
  EXPECT_THAT(handler_.finished, ElementsAre("/later 200 abandoned"));
}

TEST_F(ConnectionTest, AnswersARequestGivenUpWith500) {
  send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  handler_.waiting.clear();
  shared_.inbox->run();
  EXPECT_EQ(status(), 500);
  EXPECT_FALSE(closing());
}

TEST_F(ConnectionTest, WaitsForALaterAnswerAsLongAsItTakes) {
  send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  pass(std::chrono::hours{24});
  EXPECT_FALSE(closing());
  answer("at last");
  EXPECT_EQ(status(), 200);
}

TEST_F(ConnectionTest, ClosesBehindALaterAnswerWhenDraining) {
  send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  draining_ = true;
  answer("last");
  EXPECT_THAT(output(), HasSubstr("Connection: close\r\n"));
  EXPECT_TRUE(closing());
}

TEST_F(ConnectionTest, LeavesTheBodyOutForALaterHead) {
  send("HEAD /later HTTP/1.1\r\nHost: x\r\n\r\n");
  answer("12345");
  const std::string text = output();
  EXPECT_THAT(text, HasSubstr("Content-Length: 5\r\n"));
  EXPECT_THAT(text, testing::EndsWith("\r\n\r\n"));
}

TEST_F(ConnectionTest, GivesTheMemoryOfALargeDeferredBodyBack) {
  limits_.most_body = 10u << 20;
  send(base::cat("POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n",
                 std::string(300'000, 'a')));
  EXPECT_GT(memory_->used(), 300'000u);
  answer("");
  (void)connection_.space();
  EXPECT_EQ(memory_->used(), 0u);
}

TEST_F(ConnectionTest, CountsChunkedBodiesIntoTheCommonBudget) {
  limits_.most_body = 10u << 20;
  send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 200 && !closing(); ++i) send(base::cat("9c40\r\n", std::string(40'000, 'a'), "\r\n"));
  EXPECT_EQ(status(), 503);
}

TEST_F(ConnectionTest, LeavesTrailersOut) {
  Response response;
  response.add_trailer("grpc-status", "0");
  EXPECT_EQ(response.trailer_lines(), "grpc-status: 0\r\n");
  send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  handler_.waiting.front().answer(std::move(response));
  shared_.inbox->run();
  EXPECT_THAT(output(), Not(HasSubstr("grpc-status")));
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
  ASSERT_TRUE(closing());
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
        Refused{"BareLfInHead", "GET / HTTP/1.1\r\n" + kHost + "X: a\nY: b\r\n\r\n", 400},
        Refused{"BareLfBehindRequestLine", "GET / HTTP/1.1\n" + kHost + "\r\n", 505},
        Refused{"BareLfBehindChunkSize",
                "POST / HTTP/1.1\r\n" + kHost + "Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n", 400},
        Refused{"NulInHeader", "GET / HTTP/1.1\r\n" + kHost + std::string("X: a\0b\r\n\r\n", 10), 400},
        Refused{"ListOfLengths", "POST / HTTP/1.1\r\n" + kHost + "Content-Length: 1, 1\r\n\r\na", 400},
        Refused{"SpaceBeforeColon", "GET / HTTP/1.1\r\n" + kHost + "Content-Length : 0\r\n\r\n", 400},
        Refused{"NoHost", "GET / HTTP/1.1\r\n\r\n", 400},
        Refused{"TwoHosts", "GET / HTTP/1.1\r\n" + kHost + kHost + "\r\n", 400},
        Refused{"NoLengthInHttp10", "POST / HTTP/1.0\r\n\r\n", 411},
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
        Refused{"AlmostHttp2Preface", "PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n", 505},
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
