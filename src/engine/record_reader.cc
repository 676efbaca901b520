#include "engine/record_reader.h"

#include <charconv>
#include <limits>

#include "pytext/unicode.h"

namespace wherry::engine {

RecordReader::RecordReader(std::string_view json, std::string& arena)
    : p_(json.data()), end_(p_ + json.size()), arena_(arena) {
  arena_.clear();
  arena_.reserve(json.size() + 16);  // an escape is longer than what it stands for
}

bool RecordReader::fail(const char* problem) {
  if (problem_ == nullptr) problem_ = problem;
  return false;
}

void RecordReader::skip_space() {
  while (p_ < end_ && (*p_ == ' ' || *p_ == '\n' || *p_ == '\r' || *p_ == '\t')) ++p_;
}

RecordReader::Kind RecordReader::peek() {
  skip_space();
  if (p_ == end_ || failed()) return Kind::kBad;
  switch (*p_) {
    case '{':
      return Kind::kObject;
    case '[':
      return Kind::kArray;
    case '"':
      return Kind::kString;
    case 't':
    case 'f':
      return Kind::kBool;
    case 'n':
      return Kind::kNull;
    default:
      return Kind::kNumber;
  }
}

bool RecordReader::begin(char bracket, const char* what) {
  skip_space();
  if (failed() || p_ == end_ || *p_ != bracket) return fail(what);
  ++p_;
  first_ = true;
  return true;
}

bool RecordReader::next(char closing) {
  skip_space();
  if (failed()) return false;
  if (p_ < end_ && *p_ == closing) {
    ++p_;
    first_ = false;
    return false;
  }
  if (!first_) {
    if (p_ == end_ || *p_ != ',') return fail("broken JSON");
    ++p_;
  }
  first_ = false;
  return p_ < end_ || fail("broken JSON");
}

bool RecordReader::next_member(std::string_view& key) {
  if (!next('}') || !string(key)) return false;
  skip_space();
  if (p_ == end_ || *p_ != ':') return fail("broken JSON");
  ++p_;
  return true;
}

bool RecordReader::next_element() {
  return next(']');
}

bool RecordReader::literal(std::string_view word) {
  skip_space();
  if (failed() || !std::string_view(p_, static_cast<std::size_t>(end_ - p_)).starts_with(word))
    return fail("broken JSON");
  p_ += word.size();
  return true;
}

bool RecordReader::boolean(bool& out) {
  skip_space();
  out = p_ < end_ && *p_ == 't';
  return literal(out ? "true" : "false");
}

bool RecordReader::null() {
  return literal("null");
}

bool RecordReader::number(double& out) {
  skip_space();
  if (failed() || p_ == end_) return fail("broken JSON");
  if (*p_ == 'N') return out = std::numeric_limits<double>::quiet_NaN(), literal("NaN");
  if (*p_ == 'I') return out = std::numeric_limits<double>::infinity(), literal("Infinity");
  if (end_ - p_ > 1 && *p_ == '-' && p_[1] == 'I')
    return out = -std::numeric_limits<double>::infinity(), literal("-Infinity");
  const char* const start = p_ + (*p_ == '-' ? 1 : 0);
  if (start == end_ || *start < '0' || *start > '9') return fail("broken JSON");
  const auto [stop, error] = std::from_chars(p_, end_, out);
  if (error != std::errc()) return fail("a number beyond the range of a double");
  p_ = stop;
  return true;
}

bool RecordReader::hex4(unsigned& unit) {
  if (end_ - p_ < 4) return fail("broken JSON");
  const auto [stop, error] = std::from_chars(p_, p_ + 4, unit, 16);
  if (error != std::errc() || stop != p_ + 4) return fail("broken JSON");
  p_ += 4;
  return true;
}

bool RecordReader::escape() {
  if (p_ == end_) return fail("broken JSON");
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  const char letter = *p_++;
  if (const auto at = kLetters.find(letter); at != std::string_view::npos) {
    arena_ += kMeanings[at];
    return true;
  }
  unsigned unit = 0;
  if (letter != 'u' || !hex4(unit)) return fail("broken JSON");
  if (unit >= 0xd800 && unit < 0xdc00 && end_ - p_ >= 6 && p_[0] == '\\' && p_[1] == 'u') {
    p_ += 2;
    unsigned low = 0;
    if (!hex4(low)) return false;
    if (low < 0xdc00 || low > 0xdfff) return fail("half of a surrogate pair");
    unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
  } else if (unit >= 0xd800 && unit < 0xe000) {
    return fail("half of a surrogate pair");
  }
  pytext::append_utf8(unit, arena_);
  return true;
}

bool RecordReader::string(std::string_view& out) {
  skip_space();
  if (failed() || p_ == end_ || *p_ != '"') return fail("text is expected");
  const char* run = ++p_;
  const std::size_t first = arena_.size();
  bool is_plain = true;
  for (; p_ < end_ && *p_ != '"';) {
    if (*p_ != '\\') {
      ++p_;
      continue;
    }
    is_plain = false;
    arena_.append(run, p_);
    ++p_;
    if (!escape()) return false;
    run = p_;
  }
  if (p_ == end_) return fail("broken JSON");
  if (is_plain) {
    out = {run, static_cast<std::size_t>(p_ - run)};
  } else {
    arena_.append(run, p_);
    out = std::string_view(arena_).substr(first);
  }
  ++p_;
  return true;
}

bool RecordReader::finish() {
  skip_space();
  return !failed() && (p_ == end_ || fail("broken JSON"));
}

}  // namespace wherry::engine
