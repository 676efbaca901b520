// Reads and lowers arbitrary bytes as a .cbm or .json model.
#include <cstddef>
#include <cstdint>
#include <span>

#include "import/catboost/catboost.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry;
  const auto booster = catboost::Booster::read(std::as_bytes(std::span(data, size)));
  if (!booster) {
    if (booster.error().id.empty() || booster.error().hint.empty()) __builtin_trap();
    return 0;
  }
  const auto lowered = catboost::lower(*booster);
  if (lowered && lowered->program.outputs().empty()) __builtin_trap();
  if (!lowered && (lowered.error().id.empty() || lowered.error().hint.empty())) __builtin_trap();
  return 0;
}
