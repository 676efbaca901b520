// What hostile clients do.
#include <thread>

#include "http/connection.h"
#include "http/testing_http2_client.h"

namespace wherry::http::http2_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(Reluctant, ResetsAStreamWhoseWindowStaysShut) {
  client_.settings({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0}});
  const auto& answer = ask("GET", "/large");
  EXPECT_EQ(answer[":status"], "200");
  pass(limits_.write);
  EXPECT_EQ(answer.reset, NGHTTP2_CANCEL);
  EXPECT_FALSE(machine_->status().closing);
}

TEST_F(Reluctant, ResetsAStreamWhoseWindowOpensByABit) {
  client_.settings({{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0}});
  const int id = client_.request("GET", "/large");
  talk();
  for (int i = 0; i < 100 && !client_.answers[id].reset; ++i) {
    nghttp2_submit_window_update(client_.session(), NGHTTP2_FLAG_NONE, id, 100);
    talk();
    pass(limits_.write / 50);
  }
  EXPECT_EQ(client_.answers[id].reset, NGHTTP2_CANCEL);
}

struct Flood {
  const char* name;
  std::function<std::string(int)> frame;
};
class Floods : public Http2Test, public testing::WithParamInterface<Flood> {};

TEST_P(Floods, EndTheConnection) {
  feed(kHello);
  int sent = 0;
  for (; sent < 20'000 && !machine_->status().closing; ++sent) {
    feed(GetParam().frame(sent));
    machine_->output().clear();
    machine_->resume();
    shared_.inbox->run();
  }
  EXPECT_TRUE(machine_->status().closing) << sent;
  EXPECT_LT(service_.waiting.size(), 2 * Http2::kMostStreams + 1);
}
INSTANTIATE_TEST_SUITE_P(
    Http2, Floods,
    testing::Values(
        Flood{"Ping", [](int) { return frame(NGHTTP2_PING, 0, 0, "12345678"); }},
        Flood{"Settings", [](int) { return frame(NGHTTP2_SETTINGS, 0, 0, ""); }},
        Flood{"WindowUpdate", [](int) { return frame(NGHTTP2_WINDOW_UPDATE, 0, 0, {"\0\0\0\1", 4}); }},
        Flood{"Priority", [](int) { return frame(NGHTTP2_PRIORITY, 0, 1, {"\0\0\0\0\1", 5}); }},
        Flood{"RapidReset",
              [](int i) {
                const auto id = static_cast<std::uint32_t>(2 * i + 1);
                return frame(NGHTTP2_HEADERS, 5, id, kGetLater) +
                       frame(NGHTTP2_RST_STREAM, 0, id, {"\0\0\0\x8", 4});
              }},
        Flood{"EmptyData",
              [](int i) {
                return (i == 0 ? frame(NGHTTP2_HEADERS, 4, 1, kGet) : "") + frame(NGHTTP2_DATA, 0, 1, "");
              }},
        Flood{"Continuation",
              [](int i) {
                return i == 0 ? frame(NGHTTP2_HEADERS, 1, 1, kGet)
                              : frame(NGHTTP2_CONTINUATION, 0, 1, {"\0\1x\1y", 5});
              }},
        Flood{"TooManyStreams",
              [](int i) {
                return frame(NGHTTP2_HEADERS, 5, static_cast<std::uint32_t>(2 * i + 1), kGetLater);
              }}),
    [](const auto& row) { return row.param.name; });

TEST_F(Http2Test, ResetsAStreamWhichRepeatsHeadersFromTheTableForEver) {
  feed(kHello);
  // One field of 3 KB goes into the dynamic table, then 16,000 one-byte references to it.
  const std::string value(3000, 'a');
  std::string block(kGet);
  block += std::string("\x40\x01x\x7f\xb9\x16", 6) + value;
  block.append(12'000, '\xbe');
  feed(frame(NGHTTP2_HEADERS, 5, 1, block));
  EXPECT_THAT(service_.requests, IsEmpty());
  EXPECT_EQ(machine_->status().phase, Machine::Phase::kIdle);
  EXPECT_EQ(memory_->used(), 0u);
}

TEST_F(Http2Test, SaysWhatIsNoHttp2) {
  feed("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n");
  EXPECT_TRUE(machine_->status().closing);
}

}  // namespace
}  // namespace wherry::http::http2_test
