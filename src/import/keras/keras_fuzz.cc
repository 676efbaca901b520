// Reads arbitrary bytes as a Keras model in either container.
#include <cstddef>
#include <cstdint>
#include <span>

#include "import/keras/keras.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry;
  const auto bytes = std::as_bytes(std::span(data, size));
  static_cast<void>(keras::recognise(base::as_text(bytes)));
  const auto model = keras::read(bytes, nullptr, {.depth = 8, .calls = 1000, .weight_bytes = 4 << 20});
  if (!model && (model.error().id.empty() || model.error().message.empty())) __builtin_trap();
  return 0;
}
