// A pattern and a text it is applied to, split at the first newline.
#include <cstdint>
#include <string>
#include <string_view>

#include "tftext/replace.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\n');
  if (end == std::string_view::npos) return 0;
  const auto replacement = wherry::tftext::Replacement::compile(input.substr(0, end), "<\\0>", true);
  if (!replacement) return 0;
  std::string out;
  (void)replacement->apply(input.substr(end + 1), out);
  return 0;
}
