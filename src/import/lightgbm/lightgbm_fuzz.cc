// Reads and lowers arbitrary bytes: a JSON dump when they begin with a brace, else a text model.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "import/lightgbm/lower.h"
#include "import/lightgbm/model.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(lightgbm::read_feature_names(text, "model"));
  const auto model =
      text.starts_with('{') ? lightgbm::read_json(text, "model") : lightgbm::read_text(text, "model");
  if (!model) {
    if (model.error().id.empty() || model.error().hint.empty()) __builtin_trap();
    return 0;
  }
  const auto lowered = lightgbm::lower(*model, "model");
  if (lowered && lowered->program.outputs().size() != 2) __builtin_trap();
  if (!lowered && (lowered.error().id.empty() || lowered.error().hint.empty())) __builtin_trap();
  return 0;
}
