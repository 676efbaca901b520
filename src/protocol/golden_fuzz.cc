// Golden files of any bytes: no crash, and what is accepted survives writing and reading.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/golden.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry::protocol;
  const std::string_view content(reinterpret_cast<const char*>(data), size);
  const auto golden = read_golden(content, "golden.jsonl", {.bytes = 1 << 20, .examples = 100});
  if (!golden) return 0;
  const std::string written = write_golden(*golden);
  const auto again = read_golden(written, "golden.jsonl", {.bytes = 1 << 22, .examples = 100});
  if (!again || write_golden(*again) != written) std::abort();
  return 0;
}
