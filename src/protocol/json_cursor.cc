#include "protocol/json_cursor.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/text.h"

namespace wherry::protocol {
namespace {

using Kind = JsonCursor::Kind;

// Powers of ten which are doubles exactly.
constexpr double kExactPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr std::uint64_t kExactIntegers = std::uint64_t{1} << 53;

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

void append_utf8(std::uint32_t point, std::string& out) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xc0 | point >> 6);
    out += static_cast<char>(0x80 | (point & 63));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xe0 | point >> 12);
    out += static_cast<char>(0x80 | (point >> 6 & 63));
    out += static_cast<char>(0x80 | (point & 63));
  } else {
    out += static_cast<char>(0xf0 | point >> 18);
    out += static_cast<char>(0x80 | (point >> 12 & 63));
    out += static_cast<char>(0x80 | (point >> 6 & 63));
    out += static_cast<char>(0x80 | (point & 63));
  }
}

constexpr std::array<Kind, 256> make_kinds() {
  std::array<Kind, 256> kinds{};
  kinds.fill(Kind::kBad);
  kinds['{'] = Kind::kObject;
  kinds['['] = Kind::kArray;
  kinds['"'] = Kind::kString;
  kinds['t'] = Kind::kTrue;
  kinds['f'] = Kind::kFalse;
  kinds['n'] = Kind::kNull;
  for (const char c : std::string_view("-0123456789NI")) kinds[static_cast<unsigned char>(c)] = Kind::kNumber;
  return kinds;
}

}  // namespace

const std::array<Kind, 256> JsonCursor::kKinds = make_kinds();

JsonCursor::JsonCursor(std::string_view text, const JsonCursorOptions& options, std::string& arena)
    : begin_(text.data()), p_(begin_), end_(begin_ + text.size()), arena_(arena), options_(options) {
  if (text.starts_with("\xef\xbb\xbf")) p_ += 3;
}

bool JsonCursor::fail(base::Error error) {
  if (!failed_) error_ = std::move(error);
  failed_ = true;
  p_ = end_;
  return false;
}

bool JsonCursor::fail_syntax(std::string_view problem) {
  if (failed_) return false;
  const std::size_t line = options_.first_line + static_cast<std::size_t>(std::count(begin_, p_, '\n'));
  const char* line_start = p_;
  while (line_start > begin_ && line_start[-1] != '\n') --line_start;
  const bool at_end = p_ == end_;
  return fail({base::Code::kInvalidInput,
               "protocol.bad_json",
               base::cat(options_.subject, " is not valid JSON: ", problem, " at line ", line, ", column ",
                         p_ - line_start + 1, at_end ? ", where it ends" : ""),
               at_end ? "it is empty or was cut off" : "check it with a JSON tool such as jq",
               {}});
}

std::unexpected<base::Error> JsonCursor::error() const {
  return std::unexpected(*error_);
}

base::Status JsonCursor::status() const {
  if (failed_) return error();
  return {};
}

JsonCursor::Mark JsonCursor::mark() {
  skip_space();
  return {p_, depth_};
}

void JsonCursor::seek(const Mark& mark) {
  if (failed_) return;
  p_ = mark.p;
  depth_ = mark.depth;
  first_ = false;
}

bool JsonCursor::begin(char bracket) {
  skip_space();
  if (p_ == end_ || *p_ != bracket)
    return fail_syntax(bracket == '{' ? "an object is expected" : "an array is expected");
  if (++depth_ > options_.depth)
    return fail({base::Code::kLimit,
                 "protocol.limit",
                 base::cat(options_.subject, " is nested more than ", options_.depth, " levels deep"),
                 "send the data as a flat or two-dimensional array",
                 {}});
  ++p_;
  first_ = true;
  return true;
}

bool JsonCursor::end_container() {
  ++p_;
  --depth_;
  first_ = false;
  return false;
}

// Consumes what stands between values; `ended` when it was the closing bracket.
bool JsonCursor::separator(char closing, bool& ended) {
  ended = false;
  skip_space();
  if (p_ < end_ && *p_ == closing) {
    ended = true;
    end_container();
    return true;
  }
  if (first_) {
    first_ = false;
    return true;
  }
  if (p_ == end_ || *p_ != ',')
    return fail_syntax(closing == '}' ? "a comma or '}' is expected" : "a comma or ']' is expected");
  ++p_;
  return true;
}

bool JsonCursor::next_element_slow() {
  bool ended = false;
  if (failed_ || !separator(']', ended) || ended) return false;
  return true;
}

bool JsonCursor::next_member(std::string_view& key) {
  bool ended = false;
  if (failed_ || !separator('}', ended) || ended) return false;
  if (peek() != Kind::kString) return fail_syntax("a member name in quotes is expected");
  if (!string(key)) return false;
  skip_space();
  if (p_ == end_ || *p_ != ':') return fail_syntax("a colon is expected");
  ++p_;
  return true;
}

bool JsonCursor::string(std::string_view& out) {
  if (peek() != Kind::kString) return fail_syntax("a string is expected");
  const char* start = ++p_;
  while (p_ < end_) {
    const char c = *p_;
    if (c == '"') {
      out = {start, static_cast<std::size_t>(p_ - start)};
      ++p_;
      return true;
    }
    if (c == '\\') return unescape(start, out);
    if (static_cast<unsigned char>(c) < 0x20)
      return fail_syntax("a control character in a string must be escaped");
    ++p_;
  }
  return fail_syntax("a string is not closed");
}

void JsonCursor::ready_arena() {
  if (arena_ready_) return;
  arena_.clear();
  arena_.reserve(64 + 2 * static_cast<std::size_t>(end_ - begin_));  // on the heap: views survive a move
  arena_ready_ = true;
}

bool JsonCursor::at_base64() {
  if (!options_.base64_objects || peek() != Kind::kObject) return false;
  const char* p = p_ + 1;
  while (p < end_ && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) ++p;
  return std::string_view(p, static_cast<std::size_t>(end_ - p)).starts_with("\"b64\"");
}

bool JsonCursor::base64(std::string_view& bytes) {
  const auto refuse = [this](std::string message) {
    return fail({base::Code::kInvalidInput,
                 "protocol.bad_base64",
                 std::move(message),
                 "write bytes as {\"b64\": \"…\"} in the base64 alphabet (RFC 4648)",
                 {}});
  };
  std::string_view key, text;
  if (!begin_object() || !next_member(key)) return failed_ ? false : refuse("an object is empty");
  if (peek() != Kind::kString) return refuse("the \"b64\" of a value is not text");
  if (!string(text)) return false;
  const auto decoded = base::base64_decode(text);
  if (!decoded) return refuse(base::cat("the \"b64\" of a value is not base64: ", base::quoted(text, 40)));
  if (next_member(key)) return refuse(base::cat("a \"b64\" value has another member ", base::quoted(key)));
  if (failed_) return false;
  ready_arena();  // three bytes for every four: with the text itself still within its room
  const std::size_t start = arena_.size();
  arena_ += *decoded;
  bytes = std::string_view(arena_).substr(start);
  return true;
}

bool JsonCursor::unescape(const char* run, std::string_view& out) {
  ready_arena();
  const std::size_t start = arena_.size();
  for (;;) {
    arena_.append(run, p_);
    if (p_ == end_) return fail_syntax("a string is not closed");
    if (*p_ == '"') break;
    if (*p_ != '\\') return fail_syntax("a control character in a string must be escaped");
    ++p_;
    if (!escape(arena_)) return false;
    run = p_;
    while (p_ < end_ && *p_ != '"' && *p_ != '\\' && static_cast<unsigned char>(*p_) >= 0x20) ++p_;
  }
  ++p_;
  out = std::string_view(arena_).substr(start);
  return true;
}

bool JsonCursor::escape(std::string& out) {
  if (p_ == end_) return fail_syntax("a string is not closed");
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  const std::size_t simple = kLetters.find(*p_);
  if (simple != std::string_view::npos) {
    out += kMeanings[simple];
    ++p_;
    return true;
  }
  if (*p_ != 'u') return fail_syntax("an unknown escape in a string");
  ++p_;
  std::uint32_t point = 0;
  if (!hex4(point)) return false;
  if (point >= 0xdc00 && point <= 0xdfff) return fail_syntax("half a surrogate pair in a string");
  if (point >= 0xd800 && point <= 0xdbff) {
    if (end_ - p_ < 2 || p_[0] != '\\' || p_[1] != 'u')
      return fail_syntax("half a surrogate pair in a string");
    p_ += 2;
    std::uint32_t low = 0;
    if (!hex4(low)) return false;
    if (low < 0xdc00 || low > 0xdfff) return fail_syntax("half a surrogate pair in a string");
    point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
  }
  append_utf8(point, out);
  return true;
}

bool JsonCursor::hex4(std::uint32_t& unit) {
  if (end_ - p_ < 4) return fail_syntax("four hexadecimal digits are expected after \\u");
  const auto [stop, code] = std::from_chars(p_, p_ + 4, unit, 16);
  if (code != std::errc() || stop != p_ + 4)
    return fail_syntax("four hexadecimal digits are expected after \\u");
  p_ += 4;
  return true;
}

bool JsonCursor::number(JsonNumber& out) {
  if (peek() != Kind::kNumber) return fail_syntax("a number is expected");
  const char* p = p_;
  const bool negative = *p == '-';
  p += negative;
  const char* const digits = p;
  std::uint64_t mantissa = 0;
  for (; p < end_ && is_digit(*p); ++p) mantissa = mantissa * 10 + static_cast<std::uint64_t>(*p - '0');
  auto count = p - digits;
  if (count == 0) return special_number(negative, out);
  if (*digits == '0' && count > 1) return fail_syntax("a number must not start with 0");
  bool integer = true;
  std::int64_t exponent = 0;
  if (p < end_ && *p == '.') {
    integer = false;
    const char* const fraction = ++p;
    for (; p < end_ && is_digit(*p); ++p) mantissa = mantissa * 10 + static_cast<std::uint64_t>(*p - '0');
    exponent = fraction - p;
    if (exponent == 0) return fail_syntax("a digit is expected after the point of a number");
    count -= exponent;
  }
  if (p < end_ && (*p == 'e' || *p == 'E')) {
    integer = false;
    ++p;
    const bool minus = p < end_ && *p == '-';
    if (p < end_ && (*p == '-' || *p == '+')) ++p;
    const char* const power = p;
    std::int64_t written = 0;
    for (; p < end_ && is_digit(*p); ++p)
      written = std::min<std::int64_t>(written * 10 + (*p - '0'), 100'000);
    if (p == power) return fail_syntax("a digit is expected in the exponent of a number");
    exponent += minus ? -written : written;
  }
  out.is_integer = integer;
  out.is_negative = negative;
  out.fits = integer && count <= 19;
  out.magnitude = mantissa;
  if (count > 19 || mantissa > kExactIntegers || exponent < -22 || exponent > 22) return slow_number(p, out);
  // Both operands are exact, so the one operation rounds correctly (Clinger's fast path).
  const double whole = static_cast<double>(mantissa);
  const double value = exponent < 0 ? whole / kExactPowers[-exponent] : whole * kExactPowers[exponent];
  out.value = negative && !(integer && mantissa == 0) ? -value : value;  // -0 is the integer 0, -0.0 is not
  p_ = p;
  return true;
}

bool JsonCursor::slow_number(const char* end, JsonNumber& out) {
  const auto [stop, code] = std::from_chars(p_, end, out.value);
  const bool in_range = code == std::errc() && stop == end && std::isfinite(out.value);
  if (!in_range) {
    // A tiny number is zero; only huge ones are refused.
    const std::string text(p_, end);
    out.value = std::strtod(text.c_str(), nullptr);
    if (!std::isfinite(out.value))
      return fail({base::Code::kInvalidInput,
                   "protocol.number_range",
                   base::cat("the number ", base::quoted(text, 40), " is beyond the range of a double"),
                   "send a number below 1.8e308",
                   {}});
  }
  if (out.is_integer && !out.fits) {
    std::uint64_t magnitude = 0;
    const auto parsed = std::from_chars(p_ + out.is_negative, end, magnitude);
    out.fits = parsed.ec == std::errc();
    out.magnitude = magnitude;
  }
  p_ = end;
  return true;
}

bool JsonCursor::special_number(bool negative, JsonNumber& out) {
  const std::string_view rest(p_ + negative, static_cast<std::size_t>(end_ - p_) - negative);
  const bool nan = !negative && rest.starts_with("NaN");
  const bool infinite = rest.starts_with("Infinity");
  if (!nan && !infinite)
    return fail_syntax(negative ? "a digit is expected after '-'" : "a value is expected");
  if (!options_.nan_tokens)
    return fail_syntax("NaN and Infinity are not JSON; write null for a missing value");
  out = JsonNumber{.value = nan        ? std::numeric_limits<double>::quiet_NaN()
                            : negative ? -std::numeric_limits<double>::infinity()
                                       : std::numeric_limits<double>::infinity(),
                   .is_negative = negative};
  p_ += negative + (nan ? 3 : 8);
  return true;
}

bool JsonCursor::literal(std::string_view word) {
  if (!std::string_view(p_, static_cast<std::size_t>(end_ - p_)).starts_with(word))
    return fail_syntax("a value is expected");
  p_ += word.size();
  return true;
}

bool JsonCursor::boolean(bool& out) {
  const Kind kind = peek();
  if (kind != Kind::kTrue && kind != Kind::kFalse) return fail_syntax("true or false is expected");
  out = kind == Kind::kTrue;
  return literal(out ? "true" : "false");
}

bool JsonCursor::null() {
  if (peek() != Kind::kNull) return fail_syntax("null is expected");
  return literal("null");
}

bool JsonCursor::skip_value() {
  const std::size_t arena_size = arena_.size();
  const bool skipped = skip_any();
  if (arena_ready_) arena_.resize(std::min(arena_size, arena_.size()));  // the same strings may be read later
  return skipped;
}

bool JsonCursor::raw_value(std::string_view& json) {
  skip_space();
  const char* const start = p_;
  if (!skip_value()) return false;
  json = {start, static_cast<std::size_t>(p_ - start)};
  return true;
}

bool JsonCursor::skip_any() {
  std::string_view text;
  JsonNumber number_read;
  bool bool_read = false;
  switch (peek()) {
    case Kind::kObject:
      if (!begin_object()) return false;
      while (next_member(text))
        if (!skip_any()) return false;
      return !failed_;
    case Kind::kArray:
      if (!begin_array()) return false;
      while (next_element())
        if (!skip_any()) return false;
      return !failed_;
    case Kind::kString:
      return string(text);
    case Kind::kNumber:
      return number(number_read);
    case Kind::kTrue:
    case Kind::kFalse:
      return boolean(bool_read);
    case Kind::kNull:
      return null();
    case Kind::kBad:
      return fail_syntax("a value is expected");
  }
  return false;
}

bool JsonCursor::finish() {
  skip_space();
  if (!failed_ && p_ != end_) return fail_syntax("something follows the value");
  return !failed_;
}

}  // namespace wherry::protocol
