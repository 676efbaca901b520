#include "protocol/json_cursor.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace wherry::protocol {
namespace {

using Kind = JsonCursor::Kind;

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
