// Reads arbitrary bytes as the JSON of an exported program, without weights.
#include <cstddef>
#include <cstdint>
#include <span>

#include "import/torch/pt2.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry;
  const auto text = base::as_text(std::as_bytes(std::span(data, size)));
  const auto model = torch::read_program_json(text);
  if (!model && (model.error().id.empty() || model.error().message.empty())) __builtin_trap();
  return model && model->kind.empty() ? 1 : 0;
}
