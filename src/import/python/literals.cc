#include "import/python/literals.h"

#include <charconv>
#include <cstdint>
#include <limits>

namespace wherry::python {
namespace {

std::optional<unsigned> digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') return (c | 0x20) - 'a' + 10;
  return std::nullopt;
}

void append_utf8(std::uint32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
}

std::optional<Constant> integer_value(std::string_view digits, unsigned radix, std::string_view spelling) {
  if (digits.empty()) return std::nullopt;
  std::uint64_t value = 0;
  bool fits = true;
  for (const char c : digits) {
    const auto digit = digit_value(c);
    if (!digit || *digit >= radix) return std::nullopt;
    fits = fits && value <= (static_cast<std::uint64_t>(INT64_MAX) - *digit) / radix;
    if (fits) value = value * radix + *digit;
  }
  if (!fits) return Constant{BigInteger{spelling}};
  return Constant{static_cast<std::int64_t>(value)};
}

}  // namespace

std::optional<Constant> number_value(std::string_view spelling) {
  std::string plain;
  for (const char c : spelling) {
    if (c != '_') plain += c;
  }
  if (plain.size() > 2 && plain[0] == '0') {
    const char kind = static_cast<char>(plain[1] | 0x20);
    const unsigned radix = kind == 'x' ? 16 : kind == 'o' ? 8 : kind == 'b' ? 2 : 0;
    if (radix != 0) return integer_value(std::string_view(plain).substr(2), radix, spelling);
  }
  const bool imaginary = !plain.empty() && (plain.back() | 0x20) == 'j';
  if (imaginary) plain.pop_back();
  if (!imaginary && plain.find_first_of(".eE") == std::string::npos)
    return integer_value(plain, 10, spelling);
  double value = 0;
  const auto [end, problem] = std::from_chars(plain.data(), plain.data() + plain.size(), value);
  if (end != plain.data() + plain.size() || problem == std::errc::invalid_argument) return std::nullopt;
  if (problem == std::errc::result_out_of_range) {  // as Python: 1e999 is inf, 1e-999 is 0
    value = plain.find("e-") != std::string::npos || plain.find("E-") != std::string::npos
                ? 0.0
                : std::numeric_limits<double>::infinity();
  }
  if (imaginary) return Constant{Imaginary{value}};
  return Constant{value};
}

StringSpelling take_apart(std::string_view token) {
  StringSpelling made;
  while (made.prefix < token.size() && token[made.prefix] != '"' && token[made.prefix] != '\'') {
    const char c = static_cast<char>(token[made.prefix] | 0x20);
    if (c == 'r') made.raw = true;
    if (c == 'b') made.bytes = true;
    if (c == 'f') made.formatted = true;
    ++made.prefix;
  }
  const std::string_view quoted = token.substr(made.prefix);
  made.quotes = quoted.size() >= 6 && quoted[0] == quoted[1] && quoted[1] == quoted[2] ? 3 : 1;
  made.inside = quoted.substr(made.quotes, quoted.size() - 2 * made.quotes);
  return made;
}

std::optional<std::string> unescape(std::string_view text, bool bytes) {
  constexpr std::string_view kSingle = "\\'\"abfnrtv";
  constexpr std::string_view kMeaning = "\\'\"\a\b\f\n\r\t\v";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 >= text.size()) {
      out += text[i];
      continue;
    }
    const char c = text[++i];
    if (c == '\n' || c == '\r') {
      if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
    } else if (const std::size_t single = kSingle.find(c); single != std::string_view::npos) {
      out += kMeaning[single];
    } else if (c >= '0' && c <= '7') {
      unsigned value = 0;
      for (std::size_t end = i + 3; i < text.size() && i < end && text[i] >= '0' && text[i] <= '7'; ++i) {
        value = value * 8 + static_cast<unsigned>(text[i] - '0');
      }
      --i;
      if (bytes) {
        out += static_cast<char>(value);
      } else {
        append_utf8(value, out);
      }
    } else if (c == 'x' || (!bytes && (c == 'u' || c == 'U'))) {
      const std::size_t length = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      if (text.size() - i - 1 < length) return std::nullopt;
      std::uint32_t value = 0;
      for (const char digit : text.substr(i + 1, length)) {
        const auto one = digit_value(digit);
        if (!one || *one >= 16) return std::nullopt;
        value = value << 4 | *one;
      }
      i += length;
      if (value > 0x10ffff) return std::nullopt;
      if (bytes) {
        out += static_cast<char>(value);
      } else {
        append_utf8(value, out);
      }
    } else if (c == 'N' && !bytes) {
      const std::size_t close = text.find('}', i);
      if (close == std::string_view::npos) return std::nullopt;
      append_utf8(0xfffd, out);
      i = close;
    } else {
      out += '\\';
      out += c;
    }
  }
  return out;
}

}  // namespace wherry::python
