// A service, a client over nghttp2 and the machine between them, for the tests of HTTP/2.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <optional>

#include "base/text.h"
#include "http/http2.h"

namespace wherry::http::http2_test {

using std::chrono::milliseconds;
using Fields = std::vector<std::pair<std::string, std::string>>;

// Sends back what comes, piece by piece, and says what happened.
class EchoStream : public StreamHandler {
 public:
  EchoStream(Stream& stream, std::vector<std::string>& events) : stream_(stream), events_(events) {}
  void data(std::string_view piece) override {
    received += piece.size();
    if (hold) return;
    stream_.consume(piece.size());
    stream_.write(piece);
  }
  void end() override {
    events_.push_back("end");
    if (hold) return;
    Response last;
    last.add_trailer("grpc-status", "0");
    stream_.finish(last);
  }
  void writable() override { events_.push_back("writable"); }
  void expired() override { events_.push_back("expired"); }
  void closed() override { events_.push_back("closed"); }
  Stream& stream() { return stream_; }
  bool hold = false;
  std::size_t received = 0;

 private:
  Stream& stream_;
  std::vector<std::string>& events_;
};

class Service : public Handler {
 public:
  void handle(const Request& request, Response& response, Exchange& exchange) override {
    requests.push_back(
        base::cat(request.method, " ", request.path, " ", request.query, " ", request.body.size()));
    host = request.header("Host");
    token = request.header("X-Token");
    version = request.version;
    if (request.path.starts_with("/later")) {
      waiting.push_back(exchange.later());
    } else if (request.path == "/large") {
      response.body.assign(3u << 20, 'x');
    } else if (request.path == "/rpc") {
      response.content_type = "application/grpc";
      if (!request.body.empty()) response.body = "message";
      response.add_trailer("Grpc-Status", "0");
    } else {
      response.body = base::cat("<", request.body, ">");
      response.add_header("X-Kind", "echo");
    }
  }
  void answered(const Request& request, Response&, bool abandoned) override {
    finished.push_back(base::cat(request.path, abandoned ? " abandoned" : ""));
  }
  std::unique_ptr<StreamHandler> stream(const Request& head, Stream& stream) override {
    if (!head.path.starts_with("/stream")) return nullptr;
    auto made = std::make_unique<EchoStream>(stream, events);
    echo = made.get();
    echo->hold = head.path == "/stream/hold";
    return made;
  }
  void refused(const Refusal& refusal) override { refusals.push_back(refusal.status); }
  void tick() override {}

  std::vector<std::string> requests, finished, events;
  std::vector<int> refusals;
  std::vector<Later> waiting;
  std::string host, token;
  Version version = Version::k1_0;
  EchoStream* echo = nullptr;
};

// A client of one connection, over nghttp2.
class Client {
 public:
  struct Answer {
    Fields fields, trailers;
    std::string body;
    bool ended = false;
    std::optional<std::uint32_t> reset;
    std::string operator[](std::string_view name) const {
      for (const auto& [key, value] : fields)
        if (key == name) return value;
      return "";
    }
  };

  explicit Client(bool automatic_windows = true) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks,
        [](nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name, std::size_t name_size,
           const std::uint8_t* value, std::size_t value_size, std::uint8_t, void* user) {
          Answer& answer = static_cast<Client*>(user)->answers[frame->hd.stream_id];
          Fields& list = frame->headers.cat == NGHTTP2_HCAT_HEADERS ? answer.trailers : answer.fields;
          list.emplace_back(std::string(name, name + name_size), std::string(value, value + value_size));
          return 0;
        });
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks, [](nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                      std::size_t size, void* user) {
          static_cast<Client*>(user)->answers[id].body.append(bytes, bytes + size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_frame_recv_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame* frame, void* user) {
          Client& self = *static_cast<Client*>(user);
          if (frame->hd.type == NGHTTP2_GOAWAY) {
            self.goaways.push_back(frame->goaway.last_stream_id);
            self.goaway_error = frame->goaway.error_code;
          }
          const bool carries = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
          if (carries && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
            self.answers[frame->hd.stream_id].ended = true;
          if (frame->hd.type == NGHTTP2_RST_STREAM)
            self.answers[frame->hd.stream_id].reset = frame->rst_stream.error_code;
          return 0;
        });
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, automatic_windows ? 0 : 1);
    nghttp2_option_set_peer_max_concurrent_streams(option, 1000);
    nghttp2_session_client_new2(&session_, callbacks, this, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
  }
  ~Client() { nghttp2_session_del(session_); }
  Client(const Client&) = delete;

  void settings(std::vector<nghttp2_settings_entry> entries = {}) {
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, entries.data(), entries.size());
  }
  // The body, if given, stays open without `end`.
  int request(std::string method, std::string path, std::optional<std::string> body = {}, Fields more = {},
              bool end = true) {
    more.insert(more.begin(),
                {{":method", method}, {":scheme", "http"}, {":path", path}, {":authority", "host"}});
    std::vector<nghttp2_nv> list;
    for (const auto& [name, value] : more) list.push_back(static_field(name, value));
    for (nghttp2_nv& field : list) field.flags = 0;
    nghttp2_data_provider provider{};
    if (body) {
      bodies_.push_back(std::make_unique<Body>(Body{*body, 0, end}));
      provider.source.ptr = bodies_.back().get();
      provider.read_callback = [](nghttp2_session*, std::int32_t, std::uint8_t* buffer, std::size_t most,
                                  std::uint32_t* flags, nghttp2_data_source* source, void*) -> ssize_t {
        Body& given = *static_cast<Body*>(source->ptr);
        const std::size_t count = std::min(most, given.text.size() - given.sent);
        given.text.copy(reinterpret_cast<char*>(buffer), count, given.sent);
        given.sent += count;
        if (given.sent == given.text.size()) {
          if (!given.end && count == 0) return NGHTTP2_ERR_DEFERRED;
          if (given.end) *flags |= NGHTTP2_DATA_FLAG_EOF;
        }
        return static_cast<ssize_t>(count);
      };
    }
    return nghttp2_submit_request(session_, nullptr, list.data(), list.size(), body ? &provider : nullptr,
                                  nullptr);
  }
  // More of the youngest request's body.
  void more(int id, std::string text, bool end) {
    Body& body = *bodies_.back();
    body.text += text;
    body.end = end;
    nghttp2_session_resume_data(session_, id);
  }
  std::string output() {
    std::string out;
    const std::uint8_t* bytes = nullptr;
    for (ssize_t count = 0; (count = nghttp2_session_mem_send(session_, &bytes)) > 0;)
      out.append(bytes, bytes + count);
    return out;
  }
  void receive(std::string_view text) {
    received += text.size();
    const auto count =
        nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    ASSERT_GE(count, 0) << nghttp2_strerror(static_cast<int>(count));
  }
  nghttp2_session* session() { return session_; }

  std::map<int, Answer> answers;
  std::vector<int> goaways;
  std::uint32_t goaway_error = 0;
  std::size_t received = 0;

 private:
  struct Body {
    std::string text;
    std::size_t sent;
    bool end;
  };
  nghttp2_session* session_ = nullptr;
  std::vector<std::unique_ptr<Body>> bodies_;
};

class Http2Test : public testing::Test, public Outlet {
 protected:
  explicit Http2Test(bool automatic_windows = true) : client_(automatic_windows) {}
  void output_ready() override { ++outputs_ready_; }
  void feed(std::string_view bytes, std::size_t piece = SIZE_MAX) {
    while (!bytes.empty() && !machine_->status().closing) {
      const auto space = machine_->space();
      const std::size_t count = std::min({space.size(), bytes.size(), piece});
      std::copy_n(bytes.data(), count, space.data());
      machine_->received(count);
      bytes.remove_prefix(count);
    }
  }
  // Everything both sides have to say, until both are silent.
  void talk(std::size_t piece = SIZE_MAX) {
    while (true) {
      const std::string up = client_.output();
      feed(up, piece);
      std::string down = std::exchange(machine_->output(), {});
      if (!down.empty()) machine_->resume();
      if (up.empty() && down.empty()) return;
      client_.receive(down);
    }
  }
  Client::Answer& ask(std::string method, std::string path, std::optional<std::string> body = {},
                      Fields more = {}) {
    const int id = client_.request(std::move(method), std::move(path), std::move(body), std::move(more));
    talk();
    return client_.answers[id];
  }
  void answer_oldest(std::string body) {
    Response response;
    response.body = std::move(body);
    service_.waiting.front().answer(std::move(response));
    service_.waiting.erase(service_.waiting.begin());
    shared_.inbox->run();
    talk();
  }
  void pass(milliseconds time) {
    shared_.now += time;
    machine_->tick();
    talk();
  }

  Limits limits_{.most_target = 100, .most_head = 1000, .most_headers = 10, .most_body = 5u << 20};
  Service service_;
  std::atomic<bool> draining_{false};
  int outputs_ready_ = 0;
  std::shared_ptr<MemoryBudget> memory_ = std::make_shared<MemoryBudget>(8u << 20);
  Shared shared_{limits_, service_, draining_, memory_};
  std::shared_ptr<const Peer> peer_ = std::make_shared<const Peer>(Peer{.address = "192.0.2.1"});
  std::unique_ptr<Machine> machine_ = std::make_unique<Http2>(shared_, peer_, *this);
  Client client_;
};

class Reluctant : public Http2Test {
 protected:
  Reluctant() : Http2Test(false) {}
};

// Raw frames, since nghttp2's client is too polite.
inline std::string frame(std::uint8_t type, std::uint8_t flags, std::uint32_t id, std::string_view payload) {
  std::string out;
  for (const int shift : {16, 8, 0}) out += static_cast<char>(payload.size() >> shift);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(id >> shift);
  return out.append(payload);
}
inline const std::string kHello = std::string(kHttp2Preface) + frame(NGHTTP2_SETTINGS, 0, 0, "");
// GET / of host "x", from the static table.
inline constexpr std::string_view kGet{"\x82\x86\x84\x41\x01x", 6};
// The same with the path "/later".
inline constexpr std::string_view kGetLater{"\x82\x86\x04\x06/later\x41\x01x", 13};

}  // namespace wherry::http::http2_test
