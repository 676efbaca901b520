#include <gtest/gtest.h>

#include "pytext/pattern.h"
#include "pytext/unicode.h"

namespace wherry::pytext {
namespace {

using Texts = std::vector<std::string>;

Texts find_all(std::string_view pattern, std::string_view text) {
  const auto compiled = Pattern::compile(pattern);
  EXPECT_TRUE(compiled) << base::describe(compiled.error());
  if (!compiled) return {};
  Matcher matcher;
  std::vector<std::string_view> found;
  const auto status = compiled->find_all(text, matcher, found);
  EXPECT_TRUE(status) << base::describe(status.error());
  return {found.begin(), found.end()};
}

std::string lower(std::string_view text) {
  std::string out;
  append_lower(text, out);
  return out;
}

std::string without_accents(std::string_view text, bool ascii) {
  std::string out;
  append_without_accents(text, ascii, out);
  return out;
}

// The expected lists are what Python 3.13's re.findall answers.
TEST(Pattern, FindsWhatPythonFinds) {
  EXPECT_EQ(find_all("(?u)\\b\\w\\w+\\b", "Ein Mädchen, x ² ½a_b 東京!"),
            (Texts{"Ein", "Mädchen", "½a_b", "東京"}));
  EXPECT_EQ(find_all("\\w*", "ab c"), (Texts{"ab", "", "c", ""}));
  EXPECT_EQ(find_all("[^\\W\\d_]+", "ab1c_d ²é"), (Texts{"ab", "c", "d", "²é"}));
  EXPECT_EQ(find_all("[\\W\\d]+", "ab1 c!2_"), (Texts{"1 ", "!2"}));
  EXPECT_EQ(find_all("(\\w)\\d", "a1 b2 c"), (Texts{"a", "b"}));
  EXPECT_EQ(find_all("(a)|b", "ab"), (Texts{"a", ""}));
  EXPECT_EQ(find_all("(?a)\\w+", "naïve"), (Texts{"na", "ve"}));
  EXPECT_EQ(find_all("a{,2}b", "aaab"), (Texts{"aab"}));
  EXPECT_EQ(find_all("a{x", "a{x"), (Texts{"a{x"}));
  EXPECT_EQ(find_all("[[:alpha:]]", "a:]"), (Texts{":]"}));
  EXPECT_EQ(find_all("(?P<q>['\"]).", "'a"), (Texts{"'"}));
  EXPECT_EQ(find_all("#\\w+|\\S+", "#tag a-b"), (Texts{"#tag", "a-b"}));
  EXPECT_EQ(find_all("\\B", ""), (Texts{}));
  EXPECT_EQ(find_all("x$", "x\n"), (Texts{"x"}));
  EXPECT_EQ(find_all(".+", "a\rb\nc"), (Texts{"a\rb", "c"}));
  EXPECT_EQ(find_all("\\s",
                     "a\x1c"
                     "b\xc2\x85"
                     "c"),
            (Texts{"\x1c", "\xc2\x85"}));
}

TEST(Pattern, IgnoresCaseAsPythonDoes) {
  EXPECT_EQ(find_all("(?i)[a-z]+", "aKſıİé!Zß"), (Texts{"aKſıİ", "Z"}));  // the Kelvin sign is a k
  EXPECT_EQ(find_all("(?i)straße", "STRASSE STRAßE STRAẞE"), (Texts{"STRAßE", "STRAẞE"}));
  EXPECT_EQ(find_all("(?i)σ", "ΣΟΔΟς"), (Texts{"Σ", "ς"}));
  EXPECT_EQ(find_all("(?i)ꙋ", "Ꙋᲈꙋ"), (Texts{"Ꙋ", "ᲈ", "ꙋ"}));
  EXPECT_EQ(find_all("(?i)[^a-y]", "AzK\nZ"), (Texts{"z", "\n", "Z"}));
  EXPECT_EQ(find_all("(?i)\U00010400", "𐐀𐐨"), (Texts{"𐐀", "𐐨"}));
  EXPECT_EQ(find_all("(?i)[x\U0001F600-\U0001F64F]", "X😀y"), (Texts{"X", "😀"}));
  EXPECT_EQ(find_all("(?ai)[a-z]+", "aKſK"), (Texts{"a", "K"}));
  EXPECT_EQ(find_all("(?i:a)b", "Ab aB"), (Texts{"Ab"}));
  EXPECT_EQ(find_all("(?i)(?-i:a)b", "aB AB"), (Texts{"aB"}));
  EXPECT_EQ(find_all("(?i)(?:a(?-i:b))c", "ABC AbC"), (Texts{"AbC"}));
}

TEST(Pattern, SkipsBlanksAndCommentsWhereVerbose) {
  EXPECT_EQ(find_all("(?x) a + \n b # c\n | [ ]\\ ", "aab  "), (Texts{"aab", "  "}));
  EXPECT_EQ(find_all("(?x)\n(?i) A # c", "a"), (Texts{"a"}));
  EXPECT_EQ(find_all("(?x:a #)\n)b c", "ab c"), (Texts{"ab c"}));
  EXPECT_EQ(find_all("(?x)a(?-x: )b", "a b"), (Texts{"a b"}));
  EXPECT_EQ(find_all("(?s-m:a.)(?u:\\w)\\w", "a\nbé"), (Texts{"a\nbé"}));
}

TEST(Pattern, RefusesWhatDiffers) {
  for (const char* pattern : {"a(?i)b",
                              "(?x) a + ?",
                              "(?x) a+ # c\n ?",
                              "a{2}{3}",
                              "(?-:a)",
                              "(?i-i:a)",
                              "(?-a:a)",
                              "(?i)a|\\U00010400",
                              "(?L)a",
                              "(?a:b)",
                              "(?a)(?u:b)",
                              "(?au)a",
                              "(?i)(a)\\1",
                              "(?i)(?P<q>a)(?P=q)",
                              "(?i)[\\U00010400x]",
                              "(?i)[\\u0100-\\U00010400]",
                              "(?ai)[\\U00010400-\\U00010401]",
                              "(a)(b)",
                              "(a",
                              "\\N{DIGIT ONE}",
                              "(a)(?(1)b|c)",
                              "[a",
                              "\\",
                              "\\q",
                              "(((((a{1000}){1000}){1000}){1000}))",
                              "\\ud800"}) {
    const auto compiled = Pattern::compile(pattern);
    ASSERT_FALSE(compiled) << pattern;
    EXPECT_EQ(compiled.error().id, "pytext.unsupported_pattern") << pattern;
  }
  EXPECT_FALSE(Pattern::compile(std::string(Pattern::kLongest + 1, 'a')));
}

TEST(Pattern, ExponentialBacktrackingEndsWithAnError) {
  const auto compiled = Pattern::compile("(?:a+)+$");
  Matcher matcher;
  std::vector<std::string_view> found;
  const auto status = compiled->find_all(std::string(60, 'a') + "b", matcher, found);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().id, "pytext.pattern_limit");
}

TEST(Pattern, InvalidUtf8IsRefused) {
  const auto compiled = Pattern::compile("a");
  Matcher matcher;
  std::vector<std::string_view> found;
  EXPECT_FALSE(compiled->find_all("\xff", matcher, found));
}

TEST(Pattern, ClassesAreThoseOfTheTables) {
  const auto word = Pattern::compile("\\w");
  const auto digit = Pattern::compile("\\d");
  const auto space = Pattern::compile("\\s");
  Matcher matcher;
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xd800 && c < 0xe000) continue;
    std::string text;
    append_utf8(c, text);
    const auto matches = [&](const Pattern& pattern) {
      std::vector<std::string_view> found;
      EXPECT_TRUE(pattern.find_all(text, matcher, found));
      return !found.empty();
    };
    ASSERT_EQ(matches(*word), is_word(c)) << static_cast<unsigned>(c);
    ASSERT_EQ(matches(*digit), is_decimal(c)) << static_cast<unsigned>(c);
    ASSERT_EQ(matches(*space), is_space(c)) << static_cast<unsigned>(c);
  }
}

TEST(Lower, FollowsTheSpecialCasesOfUnicode) {
  EXPECT_EQ(lower("ÄÖ ABC"), "äö abc");
  EXPECT_EQ(lower("İ"), "i\xcc\x87");
  EXPECT_EQ(lower("ΟΔΟΣ ΟΔΟΣ."), "οδος οδος.");
  EXPECT_EQ(lower("Σ"), "σ");
  EXPECT_EQ(lower("ΑΣΑ"), "ασα");
  EXPECT_EQ(lower("Α'Σ'"), "α'ς'");
  EXPECT_EQ(lower("𐐀"), "𐐨");
  EXPECT_EQ(lower("A\xff"), "a\xef\xbf\xbd");
}

TEST(WithoutAccents, KeepsWhatDoesNotCombine) {
  EXPECT_EQ(without_accents("àéî ﬁ ½ 한", false),
            "aei fi 1\xe2\x81\x84"
            "2 \xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab");
  EXPECT_EQ(without_accents("a\xcc\x81 東 é", true), "a  e");
  EXPECT_EQ(without_accents("plain", true), "plain");
}

}  // namespace
}  // namespace wherry::pytext
