// Reads arbitrary bytes as a saved_model.pb and imports each of its signatures.
#include <cstddef>
#include <cstdint>
#include <string>

#include "import/tensorflow/tensorflow.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry;
  const auto model = tensorflow::Model::read(std::string(reinterpret_cast<const char*>(data), size));
  if (!model) {
    if (model.error().id.empty() || model.error().message.empty()) __builtin_trap();
    return 0;
  }
  static_cast<void>(tensorflow::describe(**model));
  int read = 0;
  for (const auto& [name, signature] : (*model)->graph().signatures) {
    const auto graph = tensorflow::import(**model, {std::string(name)});
    if (!graph && (graph.error().id.empty() || graph.error().message.empty())) __builtin_trap();
    if (++read == 4) break;
  }
  return 0;
}
