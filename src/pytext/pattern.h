// Regular expressions with the meaning Python's re gives them: translated to PCRE2, which matches them.
//
// \w, \d, \s and \b are Python's (unicode.h), (?a) makes them ASCII's, and (?i) matches the characters Python
// matches. Flags a, i, m, s, u and x are known, for the whole pattern and for a group. What PCRE2 cannot do
// as Python does is refused with the reason ("pytext.unsupported_pattern"): (?L), conditional groups, named
// characters, flags in the middle; with (?i) references to groups and some sets of characters beyond U+FFFF.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace wherry::pytext {

// Memory for matching, kept between calls. One per thread.
class Matcher {
 public:
  Matcher();
  ~Matcher();
  Matcher(Matcher&&) noexcept;
  Matcher& operator=(Matcher&&) noexcept;

 private:
  friend class Pattern;
  struct Memory;
  std::unique_ptr<Memory> memory_;
};

// Immutable; any number of threads match with it at once.
class Pattern {
 public:
  // At most one capturing group. Patterns are bounded in length and in what they compile to.
  static base::Result<Pattern> compile(std::string_view python);

  // re.findall(pattern, text): the matches, or of a pattern with a group what the group matched. They are
  // appended to `found` and borrow from `text`. "pytext.pattern_limit" when a match takes too many steps,
  // "pytext.bad_text" for invalid UTF-8.
  base::Status find_all(std::string_view text, Matcher& matcher, std::vector<std::string_view>& found) const;

  static constexpr std::size_t kLongest = 10'000;  // characters

 private:
  struct Code;
  std::shared_ptr<const Code> code_;
};

// As PCRE2 (UTF, newline LF) has it; for tests.
base::Result<std::string> translate(std::string_view python);

}  // namespace wherry::pytext
