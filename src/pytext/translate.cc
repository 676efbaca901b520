// The syntax of Python's Lib/re/_parser.py, rewritten as PCRE2 reads it. Without regard to case a character
// becomes the set of those it matches, as Lib/re/_compiler.py and _sre decide: PCRE2's own sets differ.
#include <charconv>
#include <cstdio>
#include <optional>
#include <vector>

#include "pytext/pattern.h"
#include "pytext/unicode.h"

#include "base/text.h"

namespace wherry::pytext {
namespace {

using base::cat;

constexpr std::string_view kAsciiWord = "a-zA-Z0-9_";
constexpr std::string_view kAsciiDigit = "0-9";
constexpr std::string_view kAsciiSpace = "\\x{9}-\\x{d}\\x{20}";
constexpr std::string_view kBlank = " \t\n\r\v\f";
constexpr std::size_t kMostTranslated = 4'000'000;  // bytes; sets without regard to case are long

// The flags which the translation itself follows. They hold for a group and what is in it.
struct Mode {
  bool ascii = false, ignore_case = false, verbose = false;
};

class Translator {
 public:
  explicit Translator(std::string_view python) : in_(python) {}

  base::Result<std::string> run() {
    TRY(global_flags());
    for (skip_blank(); at_ < in_.size(); skip_blank()) {
      TRY(item());
      if (out_.size() > kMostTranslated) return refuse("its sets of characters are too long");
    }
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

  std::string_view words() const { return mode_.ascii ? kAsciiWord : word_class(); }
  std::string_view class_of(char letter) const {  // of w, d, s in either case
    switch (letter | 0x20) {
      case 'w':
        return words();
      case 'd':
        return mode_.ascii ? kAsciiDigit : decimal_class();
      default:
        return mode_.ascii ? kAsciiSpace : space_class();
    }
  }
  static bool is_class_letter(char c) { return c != '\0' && std::string_view("wWdDsS").contains(c); }
  static bool is_negative(char letter) { return letter < 'a'; }

  void literal(char32_t c, std::string& out) const {
    char text[16];
    std::snprintf(text, sizeof text, "\\x{%x}", static_cast<unsigned>(c));
    out += text;
  }

  base::Status any_case(char32_t c);
  void range(char32_t low, char32_t high, std::string& out) const;
  base::Status check_cases(char32_t low, char32_t high) const;
  void skip_blank();
  base::Status global_flags();
  base::Status flags_of_group();
  base::Status set_mode(std::string_view flags);
  base::Status item();
  base::Status repetition(std::string_view text);
  base::Status escape();
  base::Status group();
  base::Status group_name();
  base::Status character_class();
  base::Result<std::optional<char32_t>> class_member(std::string& positive,
                                                     std::vector<std::string_view>& negative);
  base::Result<char32_t> character_escape(char letter);
  base::Result<char32_t> hex(std::size_t digits);
  std::optional<std::string> repeat();
  std::string digits();
  char32_t code_point();

  std::string_view in_;
  std::size_t at_ = 0;
  std::string out_;
  Mode mode_;
  std::vector<Mode> outer_;        // of the groups around
  bool after_repetition_ = false;  // which Python does not repeat again
};

base::Status Translator::any_case(char32_t c) {
  if (!mode_.ignore_case) {
    literal(c, out_);
    return {};
  }
  // Python makes a set of alternatives of one character each.
  if (in_.contains('|')) TRY(check_cases(c, c));
  out_ += '[';
  range(c, c, out_);
  out_ += ']';
  return {};
}

// The characters from `low` to `high`, or without regard to case those which match them.
void Translator::range(char32_t low, char32_t high, std::string& out) const {
  literal(low, out);
  if (high != low) {
    out += '-';
    literal(high, out);
  }
  if (!mode_.ignore_case) return;
  for (const CasePair& pair : same_ignoring_case(low, high)) {
    const bool is_inside = pair.other >= low && pair.other <= high;
    if (!is_inside && (!mode_.ascii || (pair.code < 0x80 && pair.other < 0x80))) literal(pair.other, out);
  }
}

// A set's characters beyond U+FFFF without regard to case, where _optimize_charset of _compiler.py does more
// or less than to match their cases.
base::Status Translator::check_cases(char32_t low, char32_t high) const {
  constexpr char32_t kLastOfPlane = 0xffff, kLastWithoutLongCase = 0x80;
  if (!mode_.ignore_case || high <= kLastOfPlane) return {};
  const bool is_cased = !same_ignoring_case(high, high).empty();
  const bool is_across = low <= kLastOfPlane && low > kLastWithoutLongCase;
  if (mode_.ascii || is_across || (low == high && is_cased))
    return refuse("such a set of characters beyond U+FFFF, without regard to case");
  return {};
}

void Translator::skip_blank() {
  while (mode_.verbose && at_ < in_.size()) {
    if (in_[at_] == '#')
      at_ = std::min(in_.find('\n', at_), in_.size());
    else if (kBlank.contains(in_[at_]))
      ++at_;
    else
      return;
  }
}

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

base::Status Translator::set_mode(std::string_view flags) {
  for (const char flag : flags) {
    if (flag == 'L') return refuse("the flag L is of patterns of bytes");
    if (flag == 'a') mode_.ascii = true;
    if (flag == 'u') mode_.ascii = false;
    if (flag == 'i') mode_.ignore_case = true;
    if (flag == 'x') mode_.verbose = true;
  }
  if (flags.contains('a') && flags.contains('u')) return refuse("the flags a and u together");
  return {};
}

base::Status Translator::global_flags() {
  for (skip_blank(); take("(?"); skip_blank()) {
    const std::size_t start = at_;
    at_ = std::min(in_.find_first_not_of("aiLmsux", at_), in_.size());
    if (at_ == start || peek() != ')') {
      at_ = start - 2;
      return {};
    }
    const std::string_view flags = in_.substr(start, at_ - start);
    TRY(set_mode(flags));
    for (const char flag : flags)
      if (flag == 'm' || flag == 's') out_ += cat("(?", std::string(1, flag), ")");
    ++at_;
  }
  return {};
}

// (?i-s:  of which "(?" was read.
base::Status Translator::flags_of_group() {
  const auto letters = [&] {
    const std::size_t start = at_;
    at_ = std::min(in_.find_first_not_of("aiLmsux", at_), in_.size());
    return in_.substr(start, at_ - start);
  };
  const std::string_view on = letters();
  const bool has_off = take("-");
  const std::string_view off = has_off ? letters() : "";
  if (!take(":") || (on.empty() && off.empty()))
    return refuse("a group of this kind, or flags in the middle, are not supported");
  if (has_off && (off.empty() || off.find_first_of("aLu") != off.npos || off.find_first_of(on) != off.npos))
    return refuse("flags which cannot be turned off");
  const bool was_ascii = mode_.ascii;
  TRY(set_mode(on));
  // _compile_info of _compiler.py takes the classes at a pattern's start for those of the whole pattern.
  if (mode_.ascii != was_ascii) return refuse("the flag a or u for a group");
  if (off.contains('i')) mode_.ignore_case = false;
  if (off.contains('x')) mode_.verbose = false;
  out_ += "(?";
  for (const char flag : {'m', 's'})
    if (on.contains(flag)) out_ += flag;
  if (off.find_first_of("ms") != off.npos) out_ += '-';
  for (const char flag : {'m', 's'})
    if (off.contains(flag)) out_ += flag;
  out_ += ':';
  return {};
}

base::Status Translator::item() {
  const char c = peek();
  if (c == '*' || c == '+' || c == '?') {
    ++at_;
    return repetition(std::string_view(&c, 1));
  }
  if (c == '{') {
    if (const auto text = repeat()) return repetition(*text);
  }
  if (!in_.substr(at_).starts_with("(?#")) after_repetition_ = false;
  switch (c) {
    case '\\':
      return escape();
    case '[':
      return character_class();
    case '(':
      return group();
    case ')':
      if (!outer_.empty()) {
        mode_ = outer_.back();
        outer_.pop_back();
      }
      [[fallthrough]];
    case '|':
    case '^':
    case '$':
    case '.':
      out_ += c;
      ++at_;
      return {};
    default:
      return any_case(code_point());
  }
}

// A repetition with the ? or + which must follow at once, even where blanks mean nothing.
base::Status Translator::repetition(std::string_view text) {
  if (after_repetition_) return refuse("a repetition of a repetition");
  after_repetition_ = true;
  out_ += text;
  if (peek() == '?' || peek() == '+') out_ += in_[at_++];
  return {};
}

// {m}, {m,}, {,n}, {m,n}; anything else is a literal brace.
std::optional<std::string> Translator::repeat() {
  const std::size_t start = at_;
  ++at_;
  const std::string least = digits();
  const bool has_comma = take(",");
  const std::string most = has_comma ? digits() : "";
  if (!take("}") || (!has_comma && least.empty())) {
    at_ = start;
    return std::nullopt;
  }
  return cat("{", least.empty() ? "0" : least, has_comma ? "," : "", most, "}");
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
      if (mode_.ignore_case) return refuse("a reference to a group, without regard to case");
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
    case 'B':  // which does not match an empty text
      out_ += cat("(?!\\A\\z)(?:(?<=[", w, "])(?=[", w, "])|(?<![", w, "])(?![", w, "]))");
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
  return any_case(c);
}

// What may begin a group and means the same to both.
constexpr std::string_view kSameGroups[] = {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?P<"};

base::Status Translator::group() {
  if (take("(?#")) {
    const std::size_t end = in_.find(')', at_);
    if (end == std::string_view::npos) return refuse("a comment without end");
    at_ = end + 1;
    return {};
  }
  if (take("(?P=")) {
    if (mode_.ignore_case) return refuse("a reference to a group, without regard to case");
    out_ += "(?P=";
    return group_name();
  }
  outer_.push_back(mode_);
  for (const std::string_view start : kSameGroups) {
    if (!take(start)) continue;
    out_ += start;
    return start == "(?P<" ? group_name() : base::Status();
  }
  if (take("(?")) return flags_of_group();
  out_ += '(';
  ++at_;
  return {};
}

base::Status Translator::group_name() {
  while (peek() != '\0' && peek() != '>' && peek() != ')') {
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
    std::optional<char32_t> high = low;
    if (peek() == '-' && peek(1) != ']' && at_ + 1 < in_.size()) {
      ++at_;
      TRY_ASSIGN(high, class_member(positive, negative));
      if (!high || *high < *low) return refuse("a range without end");
    }
    TRY(check_cases(*low, *high));
    range(*low, *high, positive);
    if (positive.size() > kMostTranslated) return refuse("its sets of characters are too long");
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
