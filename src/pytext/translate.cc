// The syntax of Python's Lib/re/_parser.py, rewritten as PCRE2 reads it.
#include <charconv>
#include <cstdio>
#include <optional>

#include "pytext/pattern.h"
#include "pytext/unicode.h"

#include "base/text.h"

namespace wherry::pytext {
namespace {

using base::cat;

constexpr std::string_view kAsciiWord = "a-zA-Z0-9_";
constexpr std::string_view kAsciiDigit = "0-9";
constexpr std::string_view kAsciiSpace = "\\x{9}-\\x{d}\\x{20}";

class Translator {
 public:
  explicit Translator(std::string_view python) : in_(python) {}

  base::Result<std::string> run() {
    TRY(global_flags());
    while (at_ < in_.size()) TRY(item());
    return std::move(out_);
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < in_.size() ? in_[at_ + ahead] : '\0'; }
  bool take(std::string_view text) {
    if (!in_.substr(at_).starts_with(text)) return false;
    at_ += text.size();
    return true;
  }
  std::unexpected<base::Error> refuse(std::string_view what) const {
    return base::fail(base::Code::kUnsupported, "pytext.unsupported_pattern",
                      cat("the pattern ", base::quoted(in_, 200), ": ", what),
                      "write the pattern without it, as the default (?u)\\b\\w\\w+\\b is written");
  }

  std::string_view words() const { return ascii_ ? kAsciiWord : word_class(); }
  std::string_view class_of(char letter) const {  // of w, d, s in either case
    switch (letter | 0x20) {
      case 'w':
        return words();
      case 'd':
        return ascii_ ? kAsciiDigit : decimal_class();
      default:
        return ascii_ ? kAsciiSpace : space_class();
    }
  }
  static bool is_class_letter(char c) { return c != '\0' && std::string_view("wWdDsS").contains(c); }
  static bool is_negative(char letter) { return letter < 'a'; }

  void literal(char32_t c, std::string& out) const {
    char text[16];
    std::snprintf(text, sizeof text, "\\x{%x}", static_cast<unsigned>(c));
    out += text;
  }

  base::Status global_flags();
  base::Status item();
  base::Status escape();
  base::Status group();
  base::Status character_class();
  base::Result<std::optional<char32_t>> class_member(std::string& positive,
                                                     std::vector<std::string_view>& negative);
  base::Result<char32_t> character_escape(char letter);
  base::Result<char32_t> hex(std::size_t digits);
  bool repeat();
  std::string digits();
  char32_t code_point();

  std::string_view in_;
  std::size_t at_ = 0;
  std::string out_;
  bool ascii_ = false;
};

char32_t Translator::code_point() {
  const char* p = in_.data() + at_;
  const char32_t c = next_code_point(p, in_.data() + in_.size());
  at_ = static_cast<std::size_t>(p - in_.data());
  return c;
}

std::string Translator::digits() {
  const std::size_t start = at_;
  while (peek() >= '0' && peek() <= '9') ++at_;
  return std::string(in_.substr(start, at_ - start));
}

base::Status Translator::global_flags() {
  while (take("(?")) {
    const std::size_t start = at_;
    while (std::string_view("aiLmsux").contains(peek()) && peek() != '\0') ++at_;
    if (at_ == start || peek() != ')') {
      at_ = start - 2;
      return {};
    }
    for (const char flag : in_.substr(start, at_ - start)) {
      if (flag == 'i' || flag == 'L' || flag == 'x')
        return refuse(cat("the flag ", std::string(1, flag), " is not supported"));
      if (flag == 'a') ascii_ = true;
      if (flag == 'm' || flag == 's') out_ += cat("(?", std::string(1, flag), ")");
    }
    ++at_;
  }
  return {};
}

base::Status Translator::item() {
  const char c = peek();
  switch (c) {
    case '\\':
      return escape();
    case '[':
      return character_class();
    case '(':
      return group();
    case ')':
    case '|':
    case '^':
    case '$':
    case '.':
    case '*':
    case '+':
    case '?':
      out_ += c;
      ++at_;
      return {};
    case '{':
      if (repeat()) return {};
      break;
    default:
      break;
  }
  literal(code_point(), out_);
  return {};
}

// {m}, {m,}, {,n}, {m,n}; anything else is a literal brace.
bool Translator::repeat() {
  const std::size_t start = at_;
  ++at_;
  const std::string least = digits();
  const bool has_comma = take(",");
  const std::string most = has_comma ? digits() : "";
  if (!take("}") || (!has_comma && least.empty())) {
    at_ = start;
    return false;
  }
  out_ += cat("{", least.empty() ? "0" : least, has_comma ? "," : "", most, "}");
  return true;
}

base::Result<char32_t> Translator::hex(std::size_t count) {
  std::uint32_t value = 0;
  const std::string_view text = in_.substr(at_, count);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (text.size() != count || error != std::errc() || end != text.data() + count)
    return refuse("an incomplete escape");
  if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return refuse("a surrogate");
  at_ += count;
  return value;
}

// A character written as an escape, whose letter was read.
base::Result<char32_t> Translator::character_escape(char letter) {
  switch (letter) {
    case 'a':
      return U'\a';
    case 'f':
      return U'\f';
    case 'n':
      return U'\n';
    case 'r':
      return U'\r';
    case 't':
      return U'\t';
    case 'v':
      return U'\v';
    case 'x':
      return hex(2);
    case 'u':
      return hex(4);
    case 'U':
      return hex(8);
    default:
      break;
  }
  if (letter >= '0' && letter <= '7') {  // octal: \0, \01, \012
    char32_t value = static_cast<char32_t>(letter - '0');
    for (int i = 0; i < 2 && peek() >= '0' && peek() <= '7'; ++i)
      value = value * 8 + static_cast<char32_t>(in_[at_++] - '0');
    return value;
  }
  const bool is_letter = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
  if (is_letter || (letter >= '8' && letter <= '9') || letter == '\0')
    return refuse(cat("the escape \\", std::string(1, letter)));
  --at_;
  return code_point();
}

base::Status Translator::escape() {
  ++at_;
  const char letter = peek();
  if (at_ >= in_.size()) return refuse("it ends with a backslash");
  if (letter >= '1' && letter <= '9') {
    const bool is_octal =
        letter < '4' && peek(1) >= '0' && peek(1) <= '7' && peek(2) >= '0' && peek(2) <= '7';
    if (!is_octal) {
      std::string number(1, in_[at_++]);
      if (peek() >= '0' && peek() <= '9') number += in_[at_++];
      out_ += cat("\\g{", number, "}");
      return {};
    }
  }
  ++at_;
  if (is_class_letter(letter)) {
    out_ += cat(is_negative(letter) ? "[^" : "[", class_of(letter), "]");
    return {};
  }
  const std::string_view w = words();
  switch (letter) {
    case 'b':
      out_ += cat("(?:(?<=[", w, "])(?![", w, "])|(?<![", w, "])(?=[", w, "]))");
      return {};
    case 'B':
      out_ += cat("(?:(?<=[", w, "])(?=[", w, "])|(?<![", w, "])(?![", w, "]))");
      return {};
    case 'A':
      out_ += "\\A";
      return {};
    case 'Z':
      out_ += "\\z";
      return {};
    default:
      break;
  }
  TRY_ASSIGN(const char32_t c, character_escape(letter));
  literal(c, out_);
  return {};
}

// What may follow "(?" and means the same to both, longest first.
constexpr std::string_view kSameGroups[] = {"(?:",  "(?=",  "(?!",   "(?<=",  "(?<!",  "(?>",  "(?P<",
                                            "(?s:", "(?m:", "(?sm:", "(?ms:", "(?-s:", "(?-m:"};

base::Status Translator::group() {
  if (peek(1) != '?') {
    out_ += '(';
    ++at_;
    return {};
  }
  if (take("(?#")) {
    const std::size_t end = in_.find(')', at_);
    if (end == std::string_view::npos) return refuse("a comment without end");
    at_ = end + 1;
    return {};
  }
  if (take("(?u:")) {
    if (ascii_) return refuse("the flag u inside a pattern with the flag a");
    out_ += "(?:";
    return {};
  }
  const bool is_reference = take("(?P=");
  if (is_reference) out_ += "(?P=";
  for (const std::string_view start : kSameGroups) {
    if (is_reference || !take(start)) continue;
    out_ += start;
    if (start != "(?P<") return {};
  }
  if (!is_reference && !out_.ends_with("(?P<")) return refuse("a group of this kind is not supported");
  while (peek() != '\0' && peek() != '>' && peek() != ')') {  // a name
    const char c = in_[at_++];
    if ((static_cast<unsigned char>(c) & 0x80) != 0) return refuse("a group name outside ASCII");
    out_ += c;
  }
  if (peek() != '\0') out_ += in_[at_++];
  return {};
}

// One member of [ ]: a character, or nothing when it was a class.
base::Result<std::optional<char32_t>> Translator::class_member(std::string& positive,
                                                               std::vector<std::string_view>& negative) {
  if (at_ >= in_.size()) return refuse("a set of characters without end");
  if (peek() != '\\') return code_point();
  ++at_;
  if (at_ >= in_.size()) return refuse("it ends with a backslash");
  const char letter = in_[at_++];
  if (letter == 'b') return U'\b';
  if (!is_class_letter(letter)) return character_escape(letter);
  if (is_negative(letter))
    negative.push_back(class_of(letter));
  else
    positive += class_of(letter);
  return std::nullopt;
}

base::Status Translator::character_class() {
  ++at_;
  const bool negated = take("^");
  std::string positive;
  std::vector<std::string_view> negative;
  bool first = true;
  while (first || peek() != ']') {
    first = false;
    TRY_ASSIGN(const std::optional<char32_t> low, class_member(positive, negative));
    if (!low) {
      if (peek() == '-' && peek(1) != ']') return refuse("a range which begins with a class");
      continue;
    }
    literal(*low, positive);
    if (peek() != '-' || peek(1) == ']' || at_ + 1 >= in_.size()) continue;
    ++at_;
    TRY_ASSIGN(const std::optional<char32_t> high, class_member(positive, negative));
    if (!high || *high < *low) return refuse("a range without end");
    positive += '-';
    literal(*high, positive);
  }
  ++at_;
  if (negative.empty()) {
    out_ += cat(negated ? "[^" : "[", positive, "]");
    return {};
  }
  // PCRE2 has no complement of a class among others inside [ ].
  out_ += "(?:";
  if (negated) {
    if (!positive.empty()) out_ += cat("(?![", positive, "])");
    for (const std::string_view one : negative) out_ += cat("(?![^", one, "])");
    out_ += "(?s:.))";
    return {};
  }
  if (!positive.empty()) out_ += cat("[", positive, "]|");
  for (std::size_t i = 0; i < negative.size(); ++i) out_ += cat(i == 0 ? "" : "|", "[^", negative[i], "]");
  out_ += ")";
  return {};
}

}  // namespace

base::Result<std::string> translate(std::string_view python) {
  return Translator(python).run();
}

}  // namespace wherry::pytext
