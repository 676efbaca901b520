// Reads and lowers arbitrary bytes as UBJSON.
#include <cstddef>
#include <cstdint>
#include <span>

#include "import/xgboost/xgboost.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry;
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto document = xgboost::read_ubj(bytes, {.depth = 32, .values = 100'000});
  if (!document) return document.error().id.empty() ? 1 : 0;
  const auto model = xgboost::read_model(*document);
  if (!model) return 0;
  const auto program = xgboost::lower_file(*model);
  if (!program && (program.error().id.empty() || program.error().hint.empty())) __builtin_trap();
  return 0;
}
