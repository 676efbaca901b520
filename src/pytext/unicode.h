// What Python's str says of characters, and str.lower(): by the tables of Python 3.13 (Unicode 15.1, see
// tools/unicode_tables.py). Another Python knows other new letters: those assigned between its Unicode and
// 15.1 are the only difference.
//
// Texts are UTF-8; a byte which is not part of valid UTF-8 counts as U+FFFD. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace wherry::pytext {

bool is_word(char32_t c);     // \w of re: str.isalnum() or an underscore
bool is_decimal(char32_t c);  // \d
bool is_space(char32_t c);    // \s, and what str.split() splits at

// The code point at `p` < `end`, and `p` behind it.
char32_t next_code_point(const char*& p, const char* end);
void append_utf8(char32_t c, std::string& out);

// Appends text.lower(): the special cases of Unicode (U+0130, final sigma) included.
void append_lower(std::string_view text, std::string& out);

// Appends what is left of the NFKD form without combining characters: strip_accents_unicode of
// sklearn/feature_extraction/text.py; and with ASCII characters only: strip_accents_ascii.
void append_without_accents(std::string_view text, bool ascii, std::string& out);

// Two different characters which re.IGNORECASE takes for the same: their simple lower cases are equal, or
// have the same upper case (Lib/re/_casefix.py).
struct CasePair {
  char32_t code, other;
};
// The pairs with `code` from first to last, sorted.
std::span<const CasePair> same_ignoring_case(char32_t first, char32_t last);

// Inside [ ] of PCRE2 (UTF): the classes \w, \d and \s of Python's re.
std::string_view word_class();
std::string_view decimal_class();
std::string_view space_class();

}  // namespace wherry::pytext
