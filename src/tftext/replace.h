// TensorFlow's RegexReplace and StaticRegexReplace: regular expressions of RE2 (github.com/google/re2,
// doc/syntax.txt), matched by PCRE2.
//
// RE2 and PCRE2 give the same matches for what is let through: literals, classes, groups, alternatives,
// repetitions and anchors. \d, \w, \s and \b are ASCII's, \s without the vertical tab, $ the very end. What
// differs, or what RE2 does not have, is refused.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace wherry::tftext {

// Immutable; any number of threads use it at once.
class Replacement {
 public:
  // `rewrite` may hold \0 … \9. `all`: RE2::GlobalReplace, otherwise RE2::Replace.
  // Errors: "tftext.unsupported_pattern".
  static base::Result<Replacement> compile(std::string_view pattern, std::string_view rewrite, bool all);

  // Appends `text` with the matches replaced. Errors: "tftext.bad_text", "tftext.pattern_limit".
  base::Status apply(std::string_view text, std::string& out) const;

  static constexpr std::size_t kLongest = 10'000;  // characters of a pattern or rewrite

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

// The pattern as PCRE2 has it; for tests.
base::Result<std::string> translate(std::string_view pattern);

}  // namespace wherry::tftext
