// One HTTP/2 connection (RFC 9113) as a pure machine over nghttp2: framing, HPACK and flow control are the
// library's, limits and requests are ours. Internal to module http.
//
// An error of one stream ends that stream only. What bounds a hostile client:
//   many streams              kMostStreams at a time, refused beyond; answers still being made for streams
//   which
//                             the client has reset count too (CVE-2023-44487), and resets have a rate
//   large heads, CONTINUATION Limits::most_head and most_headers (431), eight CONTINUATION frames
//   large bodies              Limits::most_body (413), the server's common memory budget (503)
//   PING, SETTINGS, WINDOW_UPDATE, PRIORITY, empty DATA …
//                             a credit, which requests and data refill, and time does slowly
//   windows kept shut, or opened by a byte at a time
//                             an answer has to get on by kLeastProgress in Limits::write
//   nothing at all            Limits::head, body and idle as for HTTP/1.1
#pragma once

#include <nghttp2/nghttp2.h>
#include <vector>

#include "http/http2_stream.h"
#include "http/machine.h"

namespace wherry::http {

// What every HTTP/2 connection of a client begins with.
inline constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

class Http2 final : public Machine {
 public:
  static constexpr std::size_t kMostStreams = 256;
  static constexpr std::size_t kStreamWindow = 2u << 20;       // a tensor of 1 MB comes without a pause
  static constexpr std::size_t kConnectionWindow = 16u << 20;  // of all streams together
  static constexpr std::size_t kLeastProgress = 16u << 10;

  // `outlet` hears of output which comes without received(); it must outlive the connection.
  // `output`: still to be sent before.
  Http2(Shared& shared, std::shared_ptr<const Peer> peer, Outlet& outlet, std::string output = {});
  ~Http2() override;
  Http2(const Http2&) = delete;
  Http2& operator=(const Http2&) = delete;

  // Takes over a connection from HTTP/1.1 (RFC 7540 section 3.2): `request` is answered as stream 1.
  // `settings` is the decoded HTTP2-Settings header. False: it is malformed.
  bool upgrade(std::string_view settings, const Request& request);
  // Bytes which were received before.
  void take(std::string_view bytes);

  std::span<char> space() override;
  void received(std::size_t count) override { take({space().data(), count}); }
  std::string& output() override { return output_; }
  void resume() override;
  void tick() override;
  Status status() const override;

  // For streams.
  Shared& shared() { return shared_; }
  nghttp2_session* session() { return session_.get(); }
  const std::shared_ptr<const Peer>& peer() const { return peer_; }
  const std::shared_ptr<void>& slot() const { return slot_; }  // held by every answer being made
  bool charge(std::ptrdiff_t bytes);  // memory held by a stream; false: over the common budget, not counted
  void want_writable() { writable_ = true; }  // some stream's notify_writable() is due
  void terminate(std::uint32_t error);        // of the whole connection, with a GOAWAY
  void flush_out();                           // sends what was submitted outside of received() and tick()
  static ssize_t read_data(nghttp2_session* session, std::int32_t id, std::uint8_t* buffer, std::size_t most,
                           std::uint32_t* flags, nghttp2_data_source* source, void* user);

 private:
  friend struct Http2Callbacks;
  struct Delete {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };
  using Streams = boost::intrusive::list<Http2Stream>;

  void start_session();
  Http2Stream& open_stream(int id);
  void open_or_refuse(int id);
  void close_stream(Http2Stream& stream);
  void frame_began(const nghttp2_frame_hd& header);
  void credit(int amount) { credit_ = std::min(credit_ + amount, kMostCredit); }
  void flush();
  void drain();

  static constexpr int kMostCredit = 2000;

  Shared& shared_;
  std::shared_ptr<const Peer> peer_;
  Outlet& outlet_;
  std::unique_ptr<nghttp2_session, Delete> session_;
  Streams streams_;
  std::vector<std::unique_ptr<Http2Stream>> spare_;  // kept with their memory for the next requests
  std::shared_ptr<void> slot_ = std::make_shared<int>();
  HeldMemory memory_;
  std::size_t charged_ = 0;
  std::string output_;
  SteadyTime deadline_;  // without streams
  SteadyTime refilled_;
  SteadyTime drained_{};  // when the first GOAWAY was sent
  int credit_ = kMostCredit;
  enum class Drain { kNo, kAnnounced, kFinal } drain_ = Drain::kNo;
  bool writable_ = false;
  bool closing_ = false;
};

}  // namespace wherry::http
