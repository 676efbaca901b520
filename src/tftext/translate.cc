#include "tftext/replace.h"

#include "base/text.h"

namespace wherry::tftext {
namespace {

std::unexpected<base::Error> unsupported(std::string_view pattern, std::string_view what) {
  return base::fail(base::Code::kUnsupported, "tftext.unsupported_pattern",
                    base::cat("the pattern ", base::quoted(pattern, 200), ": ", what),
                    "replace the text before it is sent, or export the model with a simpler pattern");
}

constexpr std::string_view kSpaces = "\\t\\n\\f\\r ";

class Translator {
 public:
  explicit Translator(std::string_view pattern) : pattern_(pattern) {}

  base::Result<std::string> run() {
    if (pattern_.size() > Replacement::kLongest) return unsupported(pattern_, "it is too long");
    while (at_ < pattern_.size()) {
      const char c = pattern_[at_];
      if (c == '\\')
        TRY(escape());
      else if (in_class_)
        TRY(class_member(c));
      else if (c == '(')
        TRY(group());
      else
        plain(c);
    }
    if (in_class_) return unsupported(pattern_, "a class is not closed");
    return std::move(out_);
  }

 private:
  void plain(char c) {
    out_ += c;
    ++at_;
    if (c == '[') begin_class();
  }

  void begin_class() {
    in_class_ = true;
    if (at_ < pattern_.size() && pattern_[at_] == '^') out_ += pattern_[at_++];
    if (at_ < pattern_.size() && pattern_[at_] == ']') {  // the first one is a member
      out_ += "\\]";
      ++at_;
    }
  }

  base::Status class_member(char c) {
    if (c == '[' && pattern_.substr(at_).starts_with("[:")) {
      const std::size_t end = pattern_.find(":]", at_ + 2);
      if (end == std::string_view::npos) return unsupported(pattern_, "a class name is not closed");
      out_ += pattern_.substr(at_, end + 2 - at_);
      at_ = end + 2;
      return {};
    }
    if (c == '[') out_ += '\\';
    if (c == ']') in_class_ = false;
    out_ += c;
    ++at_;
    return {};
  }

  base::Status escape() {
    if (at_ + 1 >= pattern_.size()) return unsupported(pattern_, "it ends in a backslash");
    const char c = pattern_[at_ + 1];
    at_ += 2;
    static constexpr std::string_view kSame = "dDwWtnrfa";
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!is_letter || kSame.find(c) != std::string_view::npos) {
      out_ += {'\\', c};
    } else if (c == 's') {
      out_ += in_class_ ? std::string(kSpaces) : base::cat("[", kSpaces, "]");
    } else if (c == 'S' && !in_class_) {
      out_ += base::cat("[^", kSpaces, "]");
    } else if (c == 'v') {
      out_ += "\\x0b";
    } else if ((c == 'b' || c == 'B' || c == 'A' || c == 'z') && !in_class_) {
      out_ += {'\\', c};
    } else {
      return unsupported(pattern_, base::cat("\\", std::string(1, c), " is not supported"));
    }
    return {};
  }

  base::Status group() {
    out_ += '(';
    ++at_;
    if (at_ >= pattern_.size() || pattern_[at_] != '?') return {};
    for (const std::string_view known : {"?:", "?s)", "?m)", "?s:", "?m:"})
      if (pattern_.substr(at_).starts_with(known)) {
        out_ += known;
        at_ += known.size();
        return {};
      }
    return unsupported(pattern_, "named groups and flags but (?s) and (?m) are not supported");
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
  bool in_class_ = false;
  std::string out_;
};

}  // namespace

base::Result<std::string> translate(std::string_view pattern) {
  return Translator(pattern).run();
}

}  // namespace wherry::tftext
