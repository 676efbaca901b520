// Feeds frames to an HTTP/2 connection at once and in pieces: only well-formed frames may come out, handlers
// must be called as their contract says, and no memory may stay counted. (The two may serve different
// requests: a frame on a stream which has ended is another error once our answer was sent.)
//
// First byte: piece size and whether the preface is put in front. Paths choose how requests are answered:
// "/l…" later, "/s…" by a stream handler, everything else at once.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "http/http2.h"

namespace {

using namespace wherry::http;

void check(bool condition) {
  if (!condition) std::abort();
}

class EchoStream final : public StreamHandler {
 public:
  explicit EchoStream(Stream& stream) : stream_(stream) {}
  void data(std::string_view piece) override {
    check(!over_);
    stream_.consume(piece.size());
    stream_.write(piece);
    if (piece.starts_with("R")) {
      stream_.reset();
      over_ = true;
    }
  }
  void end() override {
    check(!over_);
    Response last;
    last.add_trailer("grpc-status", "0");
    stream_.finish(last);
    over_ = true;
  }
  void writable() override { check(!over_); }
  void expired() override {
    check(!over_);
    stream_.reset();
    over_ = true;
  }
  void closed() override {
    check(!over_);
    over_ = true;
  }

 private:
  Stream& stream_;
  bool over_ = false;
};

class Recorder final : public Handler {
 public:
  void handle(const Request& request, Response& response, Exchange& exchange) override {
    check(request.path.starts_with('/') || request.path == "*");
    response.body = request.body;
    for (const HeaderView& header : request.headers) response.body += header.name;
    response.add_header("X-Path", request.path);
    if (request.path.starts_with("/t")) response.add_trailer("Grpc-Status", "0");
    if (request.path.starts_with("/b")) response.body.assign(100'000, 'b');
    if (request.path.starts_with("/l")) waiting.push_back(exchange.later());
  }
  std::unique_ptr<StreamHandler> stream(const Request& head, Stream& stream) override {
    if (!head.path.starts_with("/s")) return nullptr;
    stream.set_deadline(head.received + std::chrono::seconds{5});
    return std::make_unique<EchoStream>(stream);
  }
  void refused(const Refusal& refusal) override { check(refusal.status >= 400); }
  void tick() override {}
  std::vector<Later> waiting;
};

class NoOutlet final : public Outlet {
  void output_ready() override {}
};

// Whole frames only, but at the end.
void check_frames(std::string& output, std::string& partial) {
  partial += output;
  output.clear();
  std::string_view rest = partial;
  while (rest.size() >= 9) {
    const auto byte = [&rest](std::size_t i) {
      return static_cast<std::size_t>(static_cast<unsigned char>(rest[i]));
    };
    const std::size_t size = byte(0) << 16 | byte(1) << 8 | byte(2);
    check(size <= (1u << 20) && byte(3) <= NGHTTP2_CONTINUATION);
    if (rest.size() < 9 + size) break;
    rest.remove_prefix(9 + size);
  }
  partial.erase(0, partial.size() - rest.size());
}

void serve(std::string_view bytes, std::size_t piece) {
  static const Limits limits{.most_target = 256, .most_head = 1024, .most_headers = 16, .most_body = 4096};
  static std::atomic<bool> draining{false};
  Recorder recorder;
  NoOutlet outlet;
  const auto memory = std::make_shared<MemoryBudget>(1u << 20);
  Shared shared(limits, recorder, draining, memory);
  {
    Http2 connection(shared, std::make_shared<const Peer>(), outlet);
    std::string partial;
    const auto send_all = [&] {
      while (!connection.output().empty()) {
        check_frames(connection.output(), partial);
        connection.resume();
      }
    };
    while (!bytes.empty() && !connection.status().closing) {
      const auto space = connection.space();
      const std::size_t count = std::min({space.size(), piece, bytes.size()});
      std::copy_n(bytes.data(), count, space.data());
      connection.received(count);
      bytes.remove_prefix(count);
      send_all();
    }
    if (!recorder.waiting.empty()) recorder.waiting.front().answer({});  // the others are given up
    recorder.waiting.clear();
    shared.inbox->run();
    send_all();
    for (int i = 0; i < 20 && !connection.status().closing; ++i) {
      shared.now += std::chrono::seconds{50};
      connection.tick();
      send_all();
    }
    check(partial.size() < 9 || connection.status().closing);
  }
  shared.inbox->run();
  check(memory->used() == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  std::string bytes(data[0] >= 128 ? "" : kHttp2Preface);
  bytes.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  serve(bytes, bytes.size());
  serve(bytes, data[0] % 32 + 1u);
  return 0;
}
