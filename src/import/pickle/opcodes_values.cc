// Opcodes that push numbers and strings.
#include <array>
#include <bit>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>

#include "base/text.h"
#include "import/pickle/machine.h"

namespace wherry::pickle {

namespace {

// Little-endian two's complement of any length, without the bytes that only repeat the sign.
std::string_view without_sign_bytes(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  while (bytes.size() > 1) {
    const unsigned char last = at(bytes.size() - 1);
    const bool next_negative = (at(bytes.size() - 2) & 0x80) != 0;
    if (!((last == 0x00 && !next_negative) || (last == 0xff && next_negative))) break;
    bytes.remove_suffix(1);
  }
  return bytes;
}

std::int64_t small_integer(std::string_view bytes) {
  std::uint64_t value =
      !bytes.empty() && (static_cast<unsigned char>(bytes.back()) & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  std::memcpy(&value, bytes.data(), bytes.size());
  return static_cast<std::int64_t>(value);
}

struct Digits {
  std::string text;  // digits of `radix`, no prefix, no underscores
  unsigned radix = 10;
  bool negative = false;
};

// Python's int(text, 0): sign, 0x/0o/0b prefix, single underscores between digits; no leading zeros in
// decimal.
std::optional<Digits> integer_literal(std::string_view text) {
  Digits result;
  text = base::trim(text);
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    result.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text.size() > 2 && text[0] == '0') {
    const char prefix = static_cast<char>(text[1] | 0x20);
    result.radix = prefix == 'x' ? 16 : prefix == 'o' ? 8 : prefix == 'b' ? 2 : 10;
    if (result.radix != 10) {
      text.remove_prefix(2);
      if (text[0] == '_') text.remove_prefix(1);
    }
  }
  if (text.empty() || text.back() == '_' || text[0] == '_' || text.find("__") != std::string_view::npos)
    return std::nullopt;
  for (const char c : text) {
    if (c == '_') continue;
    const char low = static_cast<char>(c | 0x20);
    const int digit = c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : 99;
    if (digit >= static_cast<int>(result.radix)) return std::nullopt;
    result.text += c;
  }
  if (result.radix == 10 && result.text.size() > 1 && result.text[0] == '0' &&
      result.text.find_first_not_of('0') != std::string::npos)
    return std::nullopt;
  return result;
}

// Quadratic in words of many digits; the caller bounds the length.
std::string twos_complement(const Digits& digits) {
  __extension__ using Wide = unsigned __int128;
  const std::size_t most = digits.radix == 10 ? 18 : digits.radix == 16 ? 15 : digits.radix == 8 ? 20 : 60;
  std::vector<std::uint64_t> words;
  for (std::size_t at = 0; at < digits.text.size(); at += most) {
    std::uint64_t value = 0;
    std::uint64_t scale = 1;
    for (const char c : std::string_view(digits.text).substr(at, most)) {
      value = value * digits.radix + static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
      scale *= digits.radix;
    }
    Wide carry = value;
    for (std::uint64_t& word : words) {
      carry += Wide{word} * scale;
      word = static_cast<std::uint64_t>(carry);
      carry >>= 64;
    }
    if (carry != 0) words.push_back(static_cast<std::uint64_t>(carry));
  }
  words.push_back(0);
  if (digits.negative) {
    bool carry = true;
    for (std::uint64_t& word : words) {
      word = ~word + (carry ? 1 : 0);
      carry = carry && word == 0;
    }
  }
  return {reinterpret_cast<const char*>(words.data()), words.size() * sizeof(std::uint64_t)};
}

void append_utf8(std::string& out, std::uint32_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xc0 | (point >> 6));
    out += static_cast<char>(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xe0 | (point >> 12));
    out += static_cast<char>(0x80 | ((point >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (point & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | (point >> 18));
    out += static_cast<char>(0x80 | ((point >> 12) & 0x3f));
    out += static_cast<char>(0x80 | ((point >> 6) & 0x3f));
    out += static_cast<char>(0x80 | (point & 0x3f));
  }
}

bool is_ascii(std::string_view text) {
  std::uint64_t seen = 0;
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    seen |= word;
  }
  for (; i < text.size(); ++i) seen |= static_cast<unsigned char>(text[i]);
  return (seen & 0x8080808080808080U) == 0;
}

std::string latin1_to_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  for (const char c : text) append_utf8(out, static_cast<unsigned char>(c));
  return out;
}

// Number of `digits` hexadecimal digits at text[at…]; nullopt when there are fewer.
std::optional<std::uint32_t> hex_at(std::string_view text, std::size_t at, std::size_t digits) {
  if (at > text.size() || text.size() - at < digits) return std::nullopt;
  std::uint32_t value = 0;
  const char* const end = text.data() + at + digits;
  const auto [stopped, failure] = std::from_chars(text.data() + at, end, value, 16);
  if (failure != std::errc{} || stopped != end) return std::nullopt;
  return value;
}

// Python's codec "raw-unicode-escape": \uXXXX and \UXXXXXXXX after an odd number of backslashes; other bytes
// are Latin-1.
std::optional<std::string> raw_unicode_escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '\\') {
      append_utf8(out, static_cast<unsigned char>(text[i++]));
      continue;
    }
    std::size_t slashes = i;
    while (slashes < text.size() && text[slashes] == '\\') ++slashes;
    const std::size_t run = slashes - i;
    const char kind = slashes < text.size() ? text[slashes] : '\0';
    if (run % 2 == 0 || (kind != 'u' && kind != 'U')) {
      out.append(run, '\\');
      i = slashes;
      continue;
    }
    const std::size_t digits = kind == 'u' ? 4 : 8;
    const auto point = hex_at(text, slashes + 1, digits);
    if (!point || *point > 0x10ffff) return std::nullopt;
    out.append(run - 1, '\\');
    append_utf8(out, *point);
    i = slashes + 1 + digits;
  }
  return out;
}

// Python's codecs.escape_decode, the body of a Python 2 string literal.
std::optional<std::string> escape_decode(std::string_view text) {
  static constexpr std::string_view kNames = "abfnrtv\\'\"";
  static constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\'\"";
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    const char c = text[i];
    if (const std::size_t named = kNames.find(c); named != std::string_view::npos) {
      out += kValues[named];
    } else if (c == 'x') {
      const auto value = hex_at(text, i + 1, 2);
      if (!value) return std::nullopt;
      out += static_cast<char>(*value);
      i += 2;
    } else if (c >= '0' && c <= '7') {
      unsigned value = 0;
      std::size_t digits = 0;
      while (digits < 3 && i + digits < text.size() && text[i + digits] >= '0' && text[i + digits] <= '7')
        value = value * 8 + static_cast<unsigned>(text[i + digits++] - '0');
      out += static_cast<char>(value & 0xff);
      i += digits - 1;
    } else {
      out += '\\';
      out += c;
    }
  }
  return out;
}

// Python's float(text) for what pickles contain.
std::optional<double> parse_float(std::string_view text) {
  text = base::trim(text);
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || text.empty() || text.back() == ')') return std::nullopt;
  if (failure == std::errc::result_out_of_range) {
    // from_chars leaves the value alone; Python rounds to zero or infinity.
    const std::string copy(text);
    return std::strtod(copy.c_str(), nullptr);
  }
  return failure == std::errc{} ? std::optional(value) : std::nullopt;
}

}  // namespace

bool is_wtf8(std::string_view text) {
  if (is_ascii(text)) return true;
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i) { return i < text.size() && (at(i) & 0xc0) == 0x80; };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned char lead = at(i);
    if (lead < 0x80) {
      ++i;
    } else if (lead >= 0xc2 && lead <= 0xdf) {
      if (!continues(i + 1)) return false;
      i += 2;
    } else if (lead >= 0xe0 && lead <= 0xef) {
      if (!continues(i + 1) || !continues(i + 2) || (lead == 0xe0 && at(i + 1) < 0xa0)) return false;
      i += 3;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      if (!continues(i + 1) || !continues(i + 2) || !continues(i + 3) || (lead == 0xf0 && at(i + 1) < 0x90) ||
          (lead == 0xf4 && at(i + 1) > 0x8f))
        return false;
      i += 4;
    } else {
      return false;
    }
  }
  return true;
}

base::Status Machine::op_none() {
  push(heap_.none());
  return {};
}

base::Status Machine::op_newtrue() {
  push(heap_.boolean(true));
  return {};
}

base::Status Machine::op_newfalse() {
  push(heap_.boolean(false));
  return {};
}

base::Status Machine::op_binint() {
  TRY_ASSIGN(const std::uint64_t raw, little(4));
  push(heap_.integer(static_cast<std::int32_t>(raw), opcode_at_));
  return {};
}

base::Status Machine::op_binint1() {
  TRY_ASSIGN(const std::uint64_t raw, little(1));
  push(heap_.integer(static_cast<std::int64_t>(raw), opcode_at_));
  return {};
}

base::Status Machine::op_binint2() {
  TRY_ASSIGN(const std::uint64_t raw, little(2));
  push(heap_.integer(static_cast<std::int64_t>(raw), opcode_at_));
  return {};
}

base::Status Machine::op_int() {
  const std::uint64_t start = position_;
  TRY_ASSIGN(const std::string_view text, line());
  if (text == "00" || text == "01") {
    push(heap_.boolean(text == "01"));
    return {};
  }
  position_ = start;
  return op_long();
}

base::Status Machine::op_long() {
  TRY_ASSIGN(std::string_view text, line());
  if (text.ends_with('L')) text.remove_suffix(1);
  // A byte has at most 2.41 decimal digits, and sign and prefix are three characters.
  const std::uint64_t most = heap_.limits().big_int_bytes;
  if (text.size() / 3 > most)
    return over_limit("pickle.limit_big_int", base::cat("an int of ", text.size(), " digits"));
  const auto digits = integer_literal(text);
  if (!digits) return malformed("pickle.bad_number", base::cat(base::quoted(text, 40), " is no integer"));
  const std::string bytes = twos_complement(*digits);
  const std::string_view shortest = without_sign_bytes(bytes);
  if (shortest.size() <= sizeof(std::int64_t))
    push(heap_.integer(small_integer(shortest), opcode_at_));
  else
    push(heap_.text(Kind::kBigInt, heap_.keep(shortest), opcode_at_));
  return {};
}

base::Status Machine::push_long(base::Result<std::string_view> bytes) {
  TRY_ASSIGN(const std::string_view raw, std::move(bytes));
  if (raw.size() > heap_.limits().big_int_bytes)
    return over_limit("pickle.limit_big_int", base::cat("an int of ", raw.size(), " bytes"));
  const std::string_view shortest = without_sign_bytes(raw);
  if (shortest.size() <= sizeof(std::int64_t))
    push(heap_.integer(small_integer(shortest), opcode_at_));
  else
    push(heap_.text(Kind::kBigInt, shortest, opcode_at_));
  return {};
}

base::Status Machine::op_long1() {
  return push_long(sized(1));
}

base::Status Machine::op_long4() {
  const std::uint64_t start = position_;
  TRY_ASSIGN(const std::uint64_t size, little(4));
  if (size > std::numeric_limits<std::int32_t>::max())
    return malformed("pickle.bad_number", "an int of a negative number of bytes");
  position_ = start;
  return push_long(sized(4));
}

base::Status Machine::op_float() {
  TRY_ASSIGN(const std::string_view text, line());
  const auto value = parse_float(text);
  if (!value) return malformed("pickle.bad_number", base::cat(base::quoted(text, 40), " is no float"));
  push(heap_.real(*value, opcode_at_));
  return {};
}

base::Status Machine::op_binfloat() {
  TRY_ASSIGN(const std::uint64_t raw, little(8));
  push(heap_.real(std::bit_cast<double>(__builtin_bswap64(raw)), opcode_at_));
  return {};
}

// Python 2 strings are bytes without an encoding. Latin-1 keeps every byte apart, as numpy asks for.
base::Status Machine::push_string(std::string_view text, bool borrowed) {
  if (is_ascii(text))
    push(heap_.text(Kind::kStr, borrowed ? text : heap_.keep(text), opcode_at_));
  else
    push(heap_.text(Kind::kStr, heap_.keep(latin1_to_utf8(text)), opcode_at_));
  return {};
}

base::Status Machine::op_string() {
  TRY_ASSIGN(std::string_view text, line());
  if (text.size() < 2 || text.front() != text.back() || (text.front() != '"' && text.front() != '\''))
    return malformed("pickle.bad_string", "the text is not quoted");
  const auto decoded = escape_decode(text.substr(1, text.size() - 2));
  if (!decoded) return malformed("pickle.bad_string", "an escape sequence is not complete");
  return push_string(*decoded, false);
}

base::Status Machine::op_binstring() {
  const std::uint64_t start = position_;
  TRY_ASSIGN(const std::uint64_t size, little(4));
  if (size > std::numeric_limits<std::int32_t>::max())
    return malformed("pickle.bad_string", "a string of a negative number of bytes");
  position_ = start;
  TRY_ASSIGN(const std::string_view text, sized(4));
  return push_string(text, true);
}

base::Status Machine::op_short_binstring() {
  TRY_ASSIGN(const std::string_view text, sized(1));
  return push_string(text, true);
}

base::Status Machine::op_binbytes() {
  TRY_ASSIGN(const std::string_view bytes, sized(4));
  push(heap_.text(Kind::kBytes, bytes, opcode_at_));
  return {};
}

base::Status Machine::op_short_binbytes() {
  TRY_ASSIGN(const std::string_view bytes, sized(1));
  push(heap_.text(Kind::kBytes, bytes, opcode_at_));
  return {};
}

base::Status Machine::op_binbytes8() {
  TRY_ASSIGN(const std::string_view bytes, sized(8));
  push(heap_.text(Kind::kBytes, bytes, opcode_at_));
  return {};
}

base::Status Machine::op_bytearray8() {
  TRY_ASSIGN(const std::string_view bytes, sized(8));
  push(heap_.text(Kind::kByteArray, bytes, opcode_at_));
  return {};
}

base::Status Machine::op_unicode() {
  TRY_ASSIGN(const std::string_view text, line());
  if (is_ascii(text) && text.find('\\') == std::string_view::npos) {
    push(heap_.text(Kind::kStr, text, opcode_at_));
    return {};
  }
  const auto decoded = raw_unicode_escape(text);
  if (!decoded) return malformed("pickle.bad_string", "an escape sequence is not a character");
  push(heap_.text(Kind::kStr, heap_.keep(*decoded), opcode_at_));
  return {};
}

base::Status Machine::push_unicode(base::Result<std::string_view> text) {
  TRY_ASSIGN(const std::string_view utf8, std::move(text));
  if (!is_wtf8(utf8)) return malformed("pickle.bad_string", "the text is not UTF-8");
  push(heap_.text(Kind::kStr, utf8, opcode_at_));
  return {};
}

base::Status Machine::op_short_binunicode() {
  return push_unicode(sized(1));
}
base::Status Machine::op_binunicode() {
  return push_unicode(sized(4));
}
base::Status Machine::op_binunicode8() {
  return push_unicode(sized(8));
}

}  // namespace wherry::pickle
