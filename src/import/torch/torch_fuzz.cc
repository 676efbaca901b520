// Reads arbitrary bytes as any of PyTorch's files.
#include <cstddef>
#include <cstdint>
#include <span>

#include "import/torch/torch.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry;
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto lines = torch::list_weights(bytes, nullptr);
  const auto model = torch::read_model(bytes, nullptr);
  if (!model && (model.error().id.empty() || model.error().message.empty())) __builtin_trap();
  return lines.size() > std::size_t{1} << 40 ? 1 : 0;
}
