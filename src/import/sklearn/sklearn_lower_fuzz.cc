// Describes and lowers arbitrary bytes.
#include <cstddef>
#include <cstdint>
#include <span>

#include "import/pickle/document.h"
#include "import/sklearn/sklearn.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry;
  pickle::Limits limits;
  limits.decompressed_bytes = 1 << 20;
  limits.objects = 100'000;
  limits.memory_bytes = 64 << 20;
  const auto document = pickle::read_bytes(std::as_bytes(std::span(data, size)), nullptr, limits);
  if (!document) return 0;
  const sklearn::Inspection inspection = sklearn::describe(*document);
  const auto lowered = sklearn::lower(*document);
  if (lowered && lowered->program.outputs().empty()) __builtin_trap();
  if (!lowered && (lowered.error().id.empty() || lowered.error().hint.empty())) __builtin_trap();
  return inspection.manifest.size() > std::size_t{1} << 40 ? 1 : 0;
}
