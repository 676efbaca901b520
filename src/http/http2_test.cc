// The machine against nghttp2's client: requests and answers.
#include <thread>

#include "http/connection.h"
#include "http/testing_http2_client.h"

namespace wherry::http::http2_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(Http2Test, AnswersWithStatusTypeLengthDateAndHeaders) {
  client_.settings();
  const auto& answer = ask("POST", "/a%20b?c=d", "body", {{"x-token", "t"}});
  EXPECT_THAT(service_.requests, ElementsAre("POST /a%20b c=d 4"));
  EXPECT_EQ(service_.host, "host");
  EXPECT_EQ(service_.token, "t");
  EXPECT_EQ(service_.version, Version::k2);
  EXPECT_EQ(answer[":status"], "200");
  EXPECT_EQ(answer["content-type"], "application/json");
  EXPECT_EQ(answer["content-length"], "6");
  EXPECT_EQ(answer["x-kind"], "echo");
  EXPECT_THAT(answer["date"], testing::EndsWith(" GMT"));
  EXPECT_EQ(answer.body, "<body>");
  EXPECT_TRUE(answer.ended);
}

TEST_F(Http2Test, TakesFramesInPiecesOfAnySize) {
  client_.settings();
  for (std::size_t piece = 1; piece < 30; ++piece) {
    const int id = client_.request("POST", "/p", std::string(100, 'b'));
    talk(piece);
    EXPECT_EQ(client_.answers[id].body.size(), 102u);
  }
}

TEST_F(Http2Test, CarriesMegabytesBothWays) {
  client_.settings(
      {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 4u << 20}, {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, 1u << 20}});
  const auto& answer = ask("POST", "/p", std::string(4u << 20, 'b'));
  EXPECT_EQ(answer.body.size(), (4u << 20) + 2);
  EXPECT_EQ(memory_->used(), 0u);
}

TEST_F(Http2Test, ServesManyStreamsWithoutWaitingForTheirEnd) {
  client_.settings();
  std::vector<int> ids;
  for (int i = 0; i < 200; ++i) ids.push_back(client_.request("POST", base::cat("/later/", i), base::cat(i)));
  talk();
  ASSERT_EQ(service_.waiting.size(), 200u);
  const int quick = client_.request("GET", "/quick");
  talk();
  EXPECT_TRUE(client_.answers[quick].ended);
  std::ranges::reverse(service_.waiting);
  for (int i = 199; i >= 0; --i) {
    EXPECT_EQ(service_.waiting.front().request().body, base::cat(i));
    answer_oldest(base::cat("answer ", i));
  }
  for (int i = 0; i < 200; ++i) EXPECT_EQ(client_.answers[ids[i]].body, base::cat("answer ", i));
  EXPECT_EQ(outputs_ready_, 200);
}

TEST_F(Http2Test, LeavesTheBodyOutForHead) {
  client_.settings();
  const auto& answer = ask("HEAD", "/");
  EXPECT_EQ(answer["content-length"], "2");
  EXPECT_EQ(answer.body, "");
  EXPECT_TRUE(answer.ended);
}

TEST_F(Http2Test, SendsTrailersBehindTheBody) {
  client_.settings();
  const auto& answer = ask("POST", "/rpc", "request", {{"te", "trailers"}});
  EXPECT_EQ(answer.body, "message");
  EXPECT_EQ(answer["content-type"], "application/grpc");
  EXPECT_EQ(answer["content-length"], "");
  EXPECT_THAT(answer.trailers, ElementsAre(std::pair("grpc-status", "0")));
}

TEST_F(Http2Test, SendsTrailersWithoutABodyInOneList) {
  client_.settings();
  const auto& answer = ask("GET", "/rpc");
  EXPECT_EQ(answer["grpc-status"], "0");
  EXPECT_THAT(answer.trailers, IsEmpty());
  EXPECT_TRUE(answer.ended);
}

TEST_F(Http2Test, AsksForTheBodyWhenTheClientWaits) {
  client_.settings();
  const int id = client_.request("POST", "/", "", {{"expect", "100-continue"}}, false);
  talk();
  EXPECT_EQ(client_.answers[id][":status"], "100");
  client_.more(id, "body", true);
  talk();
  EXPECT_EQ(client_.answers[id].body, "<body>");
}

TEST_F(Http2Test, RefusesALargeBodyAndGoesOnWithOtherStreams) {
  client_.settings();
  const auto& answer = ask("POST", "/p", std::string(6u << 20, 'b'));
  EXPECT_EQ(answer[":status"], "413");
  EXPECT_EQ(answer.body, R"({"error":"the request body is too large"})");
  EXPECT_EQ(answer.reset, NGHTTP2_NO_ERROR);
  EXPECT_TRUE(ask("GET", "/").ended);
  EXPECT_THAT(service_.refusals, ElementsAre(413));
  EXPECT_EQ(memory_->used(), 0u);
}

TEST_F(Http2Test, RefusesAnAnnouncedLargeBodyBeforeItCame) {
  client_.settings();
  const int id = client_.request("POST", "/", "", {{"content-length", "99999999"}}, false);
  talk();
  EXPECT_EQ(client_.answers[id][":status"], "413");
}

TEST_F(Http2Test, RefusesBodiesPastTheCommonBudget) {
  client_.settings();
  memory_->take(7u << 20);
  EXPECT_EQ(ask("POST", "/", std::string(3u << 20, 'b'))[":status"], "503");
}

TEST_F(Http2Test, RefusesHeadsPastTheLimits) {
  client_.settings();
  EXPECT_EQ(ask("GET", "/" + std::string(200, 'a'))[":status"], "414");
  EXPECT_EQ(ask("GET", "/", {}, {{"x-long", std::string(1000, 'a')}})[":status"], "431");
  Fields many;
  for (int i = 0; i < 11; ++i) many.emplace_back(base::cat("x-", i), "1");
  EXPECT_EQ(ask("GET", "/", {}, many)[":status"], "431");
  EXPECT_EQ(ask("GET", "relative")[":status"], "");  // nghttp2 resets what is malformed
  EXPECT_TRUE(ask("GET", "/").ended);
  EXPECT_THAT(service_.requests, ElementsAre("GET /  0"));
}

TEST_F(Http2Test, AnswersARequestGivenUpWith500) {
  client_.settings();
  const auto& answer = ask("GET", "/later");
  service_.waiting.clear();
  shared_.inbox->run();
  talk();
  EXPECT_EQ(answer[":status"], "500");
}

TEST_F(Http2Test, SaysThatTheClientResetTheStream) {
  client_.settings();
  const int id = client_.request("GET", "/later");
  talk();
  EXPECT_FALSE(service_.waiting.front().abandoned());
  nghttp2_submit_rst_stream(client_.session(), NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
  talk();
  EXPECT_TRUE(service_.waiting.front().abandoned());
  EXPECT_EQ(service_.waiting.front().request().path, "/later");
  answer_oldest("in vain");
  EXPECT_THAT(service_.finished, ElementsAre("/later abandoned"));
}

TEST_F(Http2Test, SaysThatTheConnectionEnded) {
  client_.settings();
  client_.request("POST", "/later", "abc");
  talk();
  machine_.reset();
  EXPECT_TRUE(service_.waiting.front().abandoned());
  EXPECT_EQ(service_.waiting.front().request().body, "abc");
}

TEST_F(Http2Test, EndsASlowBodyWith408) {
  client_.settings();
  const int id = client_.request("POST", "/", "", {}, false);
  talk();
  pass(limits_.body);
  EXPECT_EQ(client_.answers[id][":status"], "408");
}

TEST_F(Http2Test, EndsAnIdleConnection) {
  client_.settings();
  ask("GET", "/");
  pass(limits_.idle - milliseconds{1});
  EXPECT_FALSE(machine_->status().closing);
  pass(milliseconds{1});
  EXPECT_TRUE(machine_->status().closing);
  EXPECT_EQ(client_.goaway_error, NGHTTP2_NO_ERROR);
}

TEST_F(Http2Test, EndsAConnectionWhichSaysNothing) {
  pass(limits_.head);
  EXPECT_TRUE(machine_->status().closing);
}

TEST_F(Http2Test, WaitsForALaterAnswerAsLongAsItTakes) {
  client_.settings();
  ask("GET", "/later");
  pass(std::chrono::hours{24});
  answer_oldest("at last");
  EXPECT_EQ(client_.answers[1].body, "at last");
}

TEST_F(Http2Test, DrainsInTwoStepsAndFinishesItsStreams) {
  client_.settings();
  ask("GET", "/later");
  draining_ = true;
  pass(milliseconds{10});
  EXPECT_THAT(client_.goaways, ElementsAre(INT32_MAX));
  EXPECT_EQ(ask("GET", "/still")[":status"], "");  // the client sends no new requests
  pass(milliseconds{300});
  EXPECT_THAT(client_.goaways, ElementsAre(INT32_MAX, 1));
  EXPECT_FALSE(machine_->status().closing);
  answer_oldest("last");
  EXPECT_EQ(client_.answers[1].body, "last");
  EXPECT_TRUE(machine_->status().closing);
}

class FromHttp1 : public Http2Test {
 protected:
  void SetUp() override { machine_ = std::make_unique<Connection>(shared_, peer_, *this); }
  // Hands the connection over as the session does.
  void feed_and_switch(std::string_view bytes, std::size_t piece = SIZE_MAX) {
    while (!bytes.empty()) {
      const std::size_t count = std::min(piece, bytes.size());
      feed(bytes.substr(0, count));
      bytes.remove_prefix(count);
      if (machine_->status().replaced) machine_ = machine_->successor();
    }
  }
};

TEST_F(FromHttp1, KnowsThePrefaceInPiecesOfAnySize) {
  for (const std::size_t piece : {1, 5, 18, 23, 24, 1000}) {
    machine_ = std::make_unique<Connection>(shared_, peer_, *this);
    feed_and_switch(kHello + frame(NGHTTP2_HEADERS, 5, 1, kGet), piece);
  }
  EXPECT_EQ(service_.requests.size(), 6u);
  EXPECT_EQ(service_.version, Version::k2);
}

TEST_F(FromHttp1, UpgradesARequestWithItsBody) {
  feed_and_switch(
      base::cat("POST /a?b HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\nContent-Length: 4\r\n\r\nbody",
                kHello));
  EXPECT_THAT(service_.requests, ElementsAre("POST /a b 4"));
  EXPECT_EQ(service_.version, Version::k2);
  std::string& output = machine_->output();
  const std::string_view switched =
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
  ASSERT_THAT(output, testing::StartsWith(switched));
  const std::uint8_t settings[] = {0, 3, 0, 0, 0, 100};
  ASSERT_EQ(nghttp2_session_upgrade2(client_.session(), settings, sizeof settings, 0, nullptr), 0);
  client_.receive(std::string_view(output).substr(switched.size()));
  EXPECT_EQ(client_.answers[1].body, "<body>");
}

TEST_F(FromHttp1, StaysWithHttp1WhenTheUpgradeIsMalformed) {
  feed_and_switch(
      "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: "
      "!!\r\n\r\n");
  EXPECT_THAT(machine_->output(), testing::StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(service_.version, Version::k1_1);
}

}  // namespace
}  // namespace wherry::http::http2_test
