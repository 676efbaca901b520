// Reads arbitrary bytes as Python source.
#include <cstddef>
#include <cstdint>
#include <string>

#include "import/python/parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry;
  const python::Limits limits{.bytes = 1 << 20, .nodes = 100'000, .depth = 200};
  const auto module =
      python::parse(std::string(reinterpret_cast<const char*>(data), size), "model.py", limits);
  if (!module && (module.error().id.empty() || module.error().message.empty())) __builtin_trap();
  if (module && module->body().size() > size) __builtin_trap();
  return 0;
}
