#include "pytext/unicode.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "base/text.h"

namespace wherry::pytext {
namespace {

constexpr std::uint8_t kWord = 1, kDecimal = 2, kSpace = 4, kCased = 8, kIgnorable = 16, kHasLower = 32,
                       kHasFold = 64;

struct Run {  // code points from `first` up to the next run have these flags
  char32_t first;
  std::uint8_t flags;
};
struct Lower {
  char32_t code;
  char32_t lower;
};
struct LowerPair {  // of _EXTRA_CASES, both ways round
  char32_t code;
  char32_t other;
};
struct Fold {  // becomes kFoldPool[at] … kFoldPool[at + length - 1]
  char32_t code;
  std::uint16_t at;
  std::uint16_t length;
};

#include "pytext/unicode_tables.inc"

constexpr char32_t kLastCode = 0x10ffff;
constexpr char32_t kReplacement = 0xfffd;
constexpr char32_t kCapitalSigma = 0x3a3;

// Flags of all code points in pages of 256, equal pages once.
struct FlagPages {
  std::array<std::uint16_t, (kLastCode + 1) / 256> page_of{};
  std::vector<std::array<std::uint8_t, 256>> pages;

  FlagPages() {
    std::size_t run = 0;
    for (char32_t first = 0; first <= kLastCode; first += 256) {
      std::array<std::uint8_t, 256> page;
      for (char32_t i = 0; i < 256; ++i) {
        while (run + 1 < std::size(kRuns) && kRuns[run + 1].first <= first + i) ++run;
        page[i] = kRuns[run].flags;
      }
      const auto known = std::find(pages.begin(), pages.end(), page);
      page_of[first / 256] = static_cast<std::uint16_t>(known - pages.begin());
      if (known == pages.end()) pages.push_back(page);
    }
  }
};

std::uint8_t flags_of(char32_t c) {
  static const FlagPages pages;
  return c > kLastCode ? 0 : pages.pages[pages.page_of[c / 256]][c % 256];
}

char32_t lower_of(char32_t c) {
  const auto* found = std::lower_bound(std::begin(kLower), std::end(kLower), c,
                                       [](const Lower& row, char32_t code) { return row.code < code; });
  return found != std::end(kLower) && found->code == c ? found->lower : c;
}

const char* previous_code_point(const char* p, const char* begin) {
  const char* const last = p;
  do --p;
  while (p > begin && last - p < 4 && (static_cast<unsigned char>(*p) & 0xc0) == 0x80);
  const char* again = p;
  static_cast<void>(next_code_point(again, last));
  return again == last ? p : last - 1;  // a stray byte counts on its own
}

// Whether the sigma at [p, behind) ends a word: handle_capital_sigma in CPython's Objects/unicodeobject.c.
bool is_final_sigma(std::string_view text, const char* p, const char* behind) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  bool is_after_cased = false;
  while (p > begin) {
    p = previous_code_point(p, begin);
    const char* again = p;
    const std::uint8_t flags = flags_of(next_code_point(again, end));
    if ((flags & kIgnorable) != 0) continue;
    is_after_cased = (flags & kCased) != 0;
    break;
  }
  if (!is_after_cased) return false;
  while (behind < end) {
    const std::uint8_t flags = flags_of(next_code_point(behind, end));
    if ((flags & kIgnorable) == 0) return (flags & kCased) == 0;
  }
  return true;
}

// A Hangul syllable is its two or three letters.
void append_hangul(char32_t c, std::string& out) {
  const char32_t index = c - 0xac00;
  append_utf8(0x1100 + index / (21 * 28), out);
  append_utf8(0x1161 + index % (21 * 28) / 28, out);
  if (index % 28 != 0) append_utf8(0x11a7 + index % 28, out);
}

void append_folded(char32_t c, bool ascii, std::string& out) {
  if (c >= 0xac00 && c <= 0xd7a3) {
    if (!ascii) append_hangul(c, out);
    return;
  }
  const auto* found = std::lower_bound(std::begin(kFold), std::end(kFold), c,
                                       [](const Fold& row, char32_t code) { return row.code < code; });
  if (found == std::end(kFold) || found->code != c) return;
  for (std::size_t i = 0; i < found->length; ++i) {
    const char32_t part = kFoldPool[found->at + i];
    if (!ascii || part < 0x80) append_utf8(part, out);
  }
}

bool is_ascii(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return (static_cast<unsigned char>(c) & 0x80) != 0; });
}

std::vector<CasePair> make_case_pairs() {
  std::map<char32_t, std::vector<char32_t>> members;  // of a lower case
  for (const Lower& row : kLower) members[row.lower].push_back(row.code);
  members[U'i'].push_back(0x130);  // whose lower() is longer
  for (const LowerPair& row : kLowerPairs) members.try_emplace(row.code);
  for (auto& [lower, codes] : members) codes.push_back(lower);
  std::map<char32_t, std::vector<char32_t>> same = members;
  for (const LowerPair& row : kLowerPairs) {
    const auto& more = members[row.other];
    same[row.code].insert(same[row.code].end(), more.begin(), more.end());
  }
  std::vector<CasePair> pairs;
  for (const auto& [lower, codes] : members)
    for (const char32_t code : codes)
      for (const char32_t other : same[lower])
        if (other != code) pairs.push_back({code, other});
  std::ranges::sort(pairs, {}, [](const CasePair& pair) { return std::pair(pair.code, pair.other); });
  return pairs;
}

}  // namespace

bool is_word(char32_t c) {
  return (flags_of(c) & kWord) != 0;
}
bool is_decimal(char32_t c) {
  return (flags_of(c) & kDecimal) != 0;
}
bool is_space(char32_t c) {
  return (flags_of(c) & kSpace) != 0;
}

char32_t next_code_point(const char*& p, const char* end) {
  const auto byte = [&](std::ptrdiff_t i) { return static_cast<unsigned char>(p[i]); };
  const auto is_tail = [&](std::ptrdiff_t i) { return i < end - p && (byte(i) & 0xc0) == 0x80; };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return ++p, lead;
  if (lead >= 0xc2 && lead < 0xe0 && is_tail(1)) {
    const char32_t c = (lead & 0x1fU) << 6 | (byte(1) & 0x3fU);
    p += 2;
    return c;
  }
  if (lead >= 0xe0 && lead < 0xf0 && is_tail(1) && is_tail(2)) {
    const char32_t c = (lead & 0x0fU) << 12 | (byte(1) & 0x3fU) << 6 | (byte(2) & 0x3fU);
    if (c >= 0x800 && (c < 0xd800 || c > 0xdfff)) return p += 3, c;
  }
  if (lead >= 0xf0 && lead < 0xf5 && is_tail(1) && is_tail(2) && is_tail(3)) {
    const char32_t c =
        (lead & 0x07U) << 18 | (byte(1) & 0x3fU) << 12 | (byte(2) & 0x3fU) << 6 | (byte(3) & 0x3fU);
    if (c >= 0x10000 && c <= kLastCode) return p += 4, c;
  }
  return ++p, kReplacement;
}

void append_utf8(char32_t c, std::string& out) {
  const auto push = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    push(c);
  } else if (c < 0x800) {
    push(0xc0 | c >> 6), push(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    push(0xe0 | c >> 12), push(0x80 | (c >> 6 & 0x3f)), push(0x80 | (c & 0x3f));
  } else {
    push(0xf0 | c >> 18), push(0x80 | (c >> 12 & 0x3f)), push(0x80 | (c >> 6 & 0x3f)),
        push(0x80 | (c & 0x3f));
  }
}

void append_lower(std::string_view text, std::string& out) {
  const char* p = text.data();
  const char* const end = p + text.size();
  out.reserve(out.size() + text.size());
  while (p < end) {
    const auto byte = static_cast<unsigned char>(*p);
    if (byte < 0x80) {
      out.push_back(static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte));
      ++p;
      continue;
    }
    const char* const start = p;
    const char32_t c = next_code_point(p, end);
    if (c == kCapitalSigma) {
      append_utf8(is_final_sigma(text, start, p) ? 0x3c2 : 0x3c3, out);
    } else if (c == 0x130) {
      out += "i\xcc\x87";  // i and a dot above
    } else {
      append_utf8((flags_of(c) & kHasLower) != 0 ? lower_of(c) : c, out);
    }
  }
}

void append_without_accents(std::string_view text, bool ascii, std::string& out) {
  if (is_ascii(text)) {
    out += text;
    return;
  }
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p < end) {
    const char32_t c = next_code_point(p, end);
    if ((flags_of(c) & kHasFold) != 0)
      append_folded(c, ascii, out);
    else if (!ascii || c < 0x80)
      append_utf8(c, out);
  }
}

std::span<const CasePair> same_ignoring_case(char32_t first, char32_t last) {
  static const std::vector<CasePair> pairs = make_case_pairs();
  const auto from = std::ranges::lower_bound(pairs, first, {}, &CasePair::code);
  const auto to = std::ranges::upper_bound(pairs, last, {}, &CasePair::code);
  return from < to ? std::span(from, to) : std::span<const CasePair>();
}

std::string_view word_class() {
  static const std::string text = base::cat("\\p{L}\\p{N}_", kNewerWords);
  return text;
}
std::string_view decimal_class() {
  static const std::string text = base::cat("\\p{Nd}", kNewerDigits);
  return text;
}
std::string_view space_class() {
  return "\\x{9}-\\x{d}\\x{1c}-\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}"
         "\\x{205f}\\x{3000}";
}

}  // namespace wherry::pytext
