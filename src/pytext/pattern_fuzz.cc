// A pattern and a text, separated by the first newline: compiled and matched, or refused.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "pytext/pattern.h"
#include "pytext/unicode.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry::pytext;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = std::min(all.find('\n'), all.size());
  const std::string_view text = all.substr(std::min(cut + 1, all.size()));
  std::string lower;
  append_lower(text, lower);
  std::string folded;
  append_without_accents(lower, size % 2 == 0, folded);
  const auto pattern = Pattern::compile(all.substr(0, cut));
  if (!pattern || text.size() > 1'000) return 0;
  Matcher matcher;
  std::vector<std::string_view> found;
  if (pattern->find_all(text, matcher, found) && found.size() > 2 * text.size() + 1) __builtin_trap();
  return 0;
}
