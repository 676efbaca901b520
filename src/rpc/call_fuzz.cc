// Any bytes as the head of a call, as its body, as a stream in pieces, and as messages of health and
// reflection: no crash, and a stream gives the same messages however it is cut.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "rpc/call.h"
#include "rpc/health.h"
#include "rpc/reflection.h"

namespace {

using namespace wherry;

std::vector<std::string> messages(std::string_view body, std::size_t step) {
  std::vector<std::string> found;
  rpc::FrameReader reader(1000);
  for (std::size_t at = 0; at < body.size(); at += step) {
    std::string_view piece = body.substr(at, step);
    do {
      const auto frame = reader.next(piece);
      if (!frame) {
        found.push_back("failed");
        return found;
      }
      if (*frame) found.emplace_back((*frame)->bytes);
    } while (!piece.empty());
  }
  return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  if (messages(body, 1) != messages(body, 7) || messages(body, 1) != messages(body, size + 1)) std::abort();
  (void)rpc::parse_timeout(body);
  static rpc::Inflater inflater;
  if (const auto frame = rpc::only_frame(body))
    for (const auto coding : {http::Coding::kGzip, http::Coding::kDeflate})
      (void)inflater.message(*frame, coding, 10'000);
  (void)rpc::read_health_request(body);
  static const std::span<const protobuf::ProtoFile> kFiles[] = {rpc::own_proto_files()};
  static const rpc::Reflection reflection(kFiles);
  std::string answer;
  reflection.answer(body, answer);
  for (const char c : rpc::percent_encode(body))
    if (c < 0x20 || c > 0x7e) std::abort();
  return 0;
}
