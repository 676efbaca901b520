// The values of Python's number and string tokens. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "import/python/ast.h"

namespace wherry::python {

// "0x1F", "1_000", "1.5e3", "2j": as Python has them; nullopt for anything else.
std::optional<Constant> number_value(std::string_view spelling);

struct StringSpelling {
  bool raw = false;
  bool bytes = false;
  bool formatted = false;
  std::size_t prefix = 0;  // bytes before the quotes
  std::size_t quotes = 1;  // 1 or 3
  std::string_view inside;
};
StringSpelling take_apart(std::string_view token);

// Escapes resolved: \n, \x41, \101, é, \U0001F600; unknown ones stay as they are, as in Python. A
// character by name, \N{…}, becomes U+FFFD. nullopt for malformed escapes.
std::optional<std::string> unescape(std::string_view text, bool bytes);

}  // namespace wherry::python
