// Undoes the codings of arbitrary bodies within tight limits, and codes and decodes again what comes out: the
// limits must hold, and coding must lose nothing.
#include <cstdint>
#include <cstdlib>

#include "http/coding.h"

namespace {

using namespace wherry::http;

constexpr std::string_view kChains[] = {"gzip",      "deflate",      "zstd", "gzip, zstd",
                                        "zstd,gzip", "deflate,gzip", "br",   "gzip,gzip,gzip"};
constexpr std::size_t kMostBytes = 256u << 10;

void round_trip(Coder& coder, std::string_view plain) {
  for (const std::string_view name : {"gzip", "deflate", "zstd"}) {
    Response response;
    response.body = plain;
    const HeaderView accept{"Accept-Encoding", name};
    coder.encode({&accept, 1}, response);
    if (response.header_lines().find("Content-Encoding") == std::string::npos) continue;
    const HeaderView header{"Content-Encoding", name};
    Request request{.body = response.body, .headers = {&header, 1}};
    DecodedBody decoded;
    if (!coder.decode(request, {.most_ratio = 1u << 30}, decoded) || request.body != plain) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  static Coder coder;
  static const auto memory = std::make_shared<MemoryBudget>(2 * kMostBytes);
  const HeaderView header{"Content-Encoding", kChains[data[0] % std::size(kChains)]};
  Request request{.body = {reinterpret_cast<const char*>(data) + 1, size - 1}, .headers = {&header, 1}};
  {
    DecodedBody decoded;
    const DecodeLimits limits{.most_bytes = kMostBytes, .memory = memory};
    if (coder.decode(request, limits, decoded)) {
      if (request.body.size() > kMostBytes && size - 1 <= kMostBytes) std::abort();
      round_trip(coder, request.body);
    }
    if (memory->used() > 2 * kMostBytes) std::abort();
  }
  if (memory->used() != 0) std::abort();
  const HeaderView accept{"Accept-Encoding", {reinterpret_cast<const char*>(data), size}};
  (void)preferred_coding({&accept, 1});
  (void)body_codings({&accept, 1});
  return 0;
}
