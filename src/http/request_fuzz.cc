// Feeds a connection with the same bytes at once and in pieces: both must serve the same requests, and
// nothing but well-formed answers may come out.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "http/connection.h"

namespace {

using namespace wherry::http;

class Recorder : public Handler {
 public:
  void handle(const Request& request, Response& response, Exchange& exchange) override {
    served += request.method;
    served += request.path;
    for (const HeaderView& header : request.headers) served += header.name;
    served += request.body;
    served += '\n';
    response.body = request.body;
    response.add_header("X-Path", request.path);
    if (request.method == "PUT") waiting.push_back(exchange.later());
    if (const auto decoded = percent_decode(request.path)) append_json_string(response.body, *decoded);
  }
  void refused(const Refusal& refusal) override { response_refused = refusal.status; }
  void tick() override {}
  std::string served;
  int response_refused = 0;
  std::vector<Later> waiting;
};

class NoOutlet final : public Outlet {
  void output_ready() override {}
};

std::string serve(std::string_view bytes, std::size_t piece) {
  static const Limits limits{.most_target = 256, .most_head = 1024, .most_headers = 16, .most_body = 4096};
  static std::atomic<bool> draining{false};
  Recorder recorder;
  Shared shared(limits, recorder, draining, std::make_shared<MemoryBudget>(1u << 20));
  NoOutlet outlet;
  Connection connection(shared, std::make_shared<const Peer>(), outlet);
  while (!bytes.empty() && !connection.status().closing) {
    const auto space = connection.space();
    const std::size_t count = std::min({space.size(), piece, bytes.size()});
    std::copy_n(bytes.data(), count, space.data());
    connection.received(count);
    bytes.remove_prefix(count);
    for (Later& later : std::exchange(recorder.waiting, {})) later.answer({});
    shared.inbox->run();
    while (!connection.output().empty()) {
      if (!connection.output().starts_with("HTTP/1.1 ")) std::abort();
      connection.output().clear();
      if (!connection.status().closing) connection.resume();
    }
  }
  shared.now += limits.idle;
  connection.tick();
  return recorder.served;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (serve(bytes, bytes.size()) != serve(bytes, data[0] % 32 + 1u)) std::abort();
  return 0;
}
