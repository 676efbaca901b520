// Reads arbitrary bytes as a skops file.
#include <cstddef>
#include <cstdint>
#include <span>

#include "import/skops/skops.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry;
  pickle::Limits limits;
  limits.decompressed_bytes = 4 << 20;
  limits.objects = 100'000;
  limits.memory_bytes = 64 << 20;
  const auto bytes = std::as_bytes(std::span(data, size));
  static_cast<void>(skops::recognise(base::as_text(bytes)));
  const auto document = skops::read_bytes(bytes, limits);
  if (!document && (document.error().id.empty() || document.error().message.empty())) __builtin_trap();
  return document && document->object_count() > std::uint64_t{1} << 40 ? 1 : 0;
}
