// Streams taken over by a StreamHandler.
#include <thread>

#include "http/connection.h"
#include "http/testing_http2_client.h"

namespace wherry::http::http2_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Streaming : public Http2Test {
 protected:
  void SetUp() override { client_.settings(); }
};

TEST_F(Streaming, TakesAndGivesPieces) {
  const int id = client_.request("POST", "/stream", "first", {}, false);
  talk();
  EXPECT_EQ(client_.answers[id].body, "first");
  EXPECT_FALSE(client_.answers[id].ended);
  client_.more(id, "second", true);
  talk();
  EXPECT_EQ(client_.answers[id].body, "firstsecond");
  EXPECT_THAT(client_.answers[id].trailers, ElementsAre(std::pair("grpc-status", "0")));
  EXPECT_THAT(service_.events, ElementsAre("end"));
  EXPECT_TRUE(client_.answers[id].ended);
}

TEST_F(Streaming, CarriesMoreThanAllWindows) {
  const int id = client_.request("POST", "/stream", std::string(20u << 20, 'b'));
  talk();
  EXPECT_EQ(client_.answers[id].body.size(), 20u << 20);
}

TEST_F(Streaming, FinishesWithoutAnyPiece) {
  const int id = client_.request("POST", "/stream", "");
  talk();
  EXPECT_EQ(client_.answers[id]["grpc-status"], "0");
  EXPECT_TRUE(client_.answers[id].ended);
}

TEST_F(Streaming, HoldsTheClientBackUntilItsBytesAreConsumed) {
  client_.request("POST", "/stream/hold", std::string(8u << 20, 'b'));
  talk();
  EXPECT_EQ(service_.echo->received, Http2::kStreamWindow);
  service_.echo->stream().consume(Http2::kStreamWindow);
  machine_->tick();
  talk();
  EXPECT_EQ(service_.echo->received, 2 * Http2::kStreamWindow);
}

TEST_F(Streaming, KeepsTheConnectionsWindowWhenAStreamEndsUnconsumed) {
  for (int i = 0; i < 20; ++i) {
    const int id = client_.request("POST", "/stream/hold", std::string(2u << 20, 'b'), {}, false);
    talk();
    nghttp2_submit_rst_stream(client_.session(), NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
    talk();
  }
  EXPECT_EQ(ask("POST", "/p", std::string(2u << 20, 'b')).body.size(), (2u << 20) + 2);
}

TEST_F(Streaming, TellsTheWriterWhenThereIsRoomAgain) {
  client_.settings({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0}});
  const int id = client_.request("POST", "/stream/hold", "", {}, false);
  talk();
  Stream& stream = service_.echo->stream();
  stream.write(std::string(Stream::kHighWater, 'x'));
  machine_->tick();
  talk();
  EXPECT_EQ(stream.queued(), Stream::kHighWater);
  EXPECT_THAT(service_.events, IsEmpty());
  nghttp2_submit_window_update(client_.session(), NGHTTP2_FLAG_NONE, id,
                               static_cast<int>(Stream::kHighWater));
  talk();
  EXPECT_THAT(service_.events, ElementsAre("writable"));
  EXPECT_EQ(stream.queued(), 0u);
}

TEST_F(Streaming, RunsPostedWorkOnlyWhileTheStreamLives) {
  const int id = client_.request("POST", "/stream/hold", "", {}, false);
  talk();
  Stream& stream = service_.echo->stream();
  const StreamPoster poster = stream.poster();
  std::thread([&] { poster.post([&] { stream.write("from afar"); }); }).join();
  shared_.inbox->run();
  talk();
  EXPECT_EQ(client_.answers[id].body, "from afar");
  poster.post([&] { FAIL() << "the stream has ended"; });
  nghttp2_submit_rst_stream(client_.session(), NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
  talk();
  shared_.inbox->run();
  EXPECT_THAT(service_.events, ElementsAre("closed"));
}

TEST_F(Streaming, SaysThatTheDeadlineHasPassed) {
  client_.request("POST", "/stream/hold", "", {}, false);
  talk();
  service_.echo->stream().set_deadline(shared_.now + milliseconds{50});
  EXPECT_EQ(shared_.tick_by, shared_.now + milliseconds{50});
  pass(milliseconds{49});
  EXPECT_THAT(service_.events, IsEmpty());
  pass(milliseconds{1});
  EXPECT_THAT(service_.events, ElementsAre("expired"));
}

TEST_F(Streaming, ResetsFromOurSide) {
  const int id = client_.request("POST", "/stream/hold", "", {}, false);
  talk();
  service_.echo->stream().reset();
  machine_->tick();
  talk();
  EXPECT_TRUE(client_.answers[id].reset);
  EXPECT_THAT(service_.events, IsEmpty());
}

TEST_F(Streaming, SaysThatTheClientIsGone) {
  client_.request("POST", "/stream/hold", "", {}, false);
  talk();
  machine_.reset();
  EXPECT_THAT(service_.events, ElementsAre("closed"));
}

}  // namespace
}  // namespace wherry::http::http2_test
