// Expected values are TensorFlow 2.21's: tf.strings.regex_replace, to_hash_bucket_fast, strip, lower,
// to_number.
#include <cmath>
#include <gtest/gtest.h>

#include "tftext/farm_hash.h"
#include "tftext/operators.h"
#include "tftext/replace.h"
#include "tftext/sip_hash.h"

#include "base/text.h"

namespace wherry::tftext {
namespace {

std::string times(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

TEST(FarmHash, EveryLengthClassHashesAsInTensorFlow) {
  std::string printable;
  for (int i = 0; i < 300; ++i) printable += static_cast<char>(33 + i % 90);
  const std::pair<std::string, std::uint64_t> cases[] = {
      {"", 1936946117179621455u},
      {"a", 3694432073954588131u},
      {"abc", 2640714258260161385u},
      {"abcd", 1897425971756105985u},
      {"abcdefg", 4341691227789030229u},
      {"abcdefgh", 4533385575889643785u},
      {"0123456789abcdef", 1493332391325024359u},
      {"0123456789abcdef0", 3308798500642334985u},
      {times("x", 32), 3678204687145032709u},
      {times("y", 33), 3999049019338133246u},
      {times("z", 64), 294799756062990872u},
      {times("w", 65), 3272011567211491968u},
      {times("é漢字𝄞", 9), 3645507738071621685u},
      {times("q", 127), 1831019899192883036u},
      {times("q", 128), 3049490681071257226u},
      {times("q", 129), 154208312781622945u},
      {printable, 4597238260615779946u},
  };
  for (const auto& [text, expected] : cases)
    EXPECT_EQ(fingerprint64(text) % (std::uint64_t{1} << 62), expected) << text;
}

struct ReplaceCase {
  std::string pattern, rewrite;
  std::vector<std::string> all;  // of kTexts
};
const std::vector<std::string> kTexts{"Hello, <br />World!", "a-b 12-x 345-yz",         "baaac",     "",
                                      "tab\vnl\nend\n",      "émile's ABC-abcd \\ [x]", "漢字 kanji"};

std::string replaced(std::string_view pattern, std::string_view rewrite, bool all, std::string_view text) {
  const auto replacement = Replacement::compile(pattern, rewrite, all);
  if (!replacement) return base::cat("refused: ", base::describe(replacement.error()));
  std::string out;
  const base::Status status = replacement->apply(text, out);
  return status ? out : base::cat("failed: ", base::describe(status.error()));
}

TEST(Replace, PatternsMatchAsInTensorFlow) {
  const ReplaceCase cases[] = {
      {R"([!"#$%&()\*\+,-\./:;<=>?@\[\\\]^_`{|}~\'])",
       "",
       {"Hello br World", "ab 12x 345yz", "baaac", "", "tab\vnl\nend\n", "émiles ABCabcd  x", "漢字 kanji"}},
      {R"(\s+)",
       " ",
       {"Hello, <br />World!", "a-b 12-x 345-yz", "baaac", "", "tab\vnl end ", "émile's ABC-abcd \\ [x]",
        "漢字 kanji"}},
      {R"((\d+)-(\w))",
       R"(\2:\1)",
       {"Hello, <br />World!", "a-b x:12 y:345z", "baaac", "", "tab\vnl\nend\n", "émile's ABC-abcd \\ [x]",
        "漢字 kanji"}},
      {"a*",
       "-",
       {"-H-e-l-l-o-,- -<-b-r- -/->-W-o-r-l-d-!-", "---b- -1-2---x- -3-4-5---y-z-", "-b-c-", "-",
        "-t-b-\v-n-l-\n-e-n-d-\n-", "-é-m-i-l-e-'-s- -A-B-C---b-c-d- -\\- -[-x-]-", "-漢-字- -k-n-j-i-"}},
      {R"(\b)",
       "|",
       {"|Hello|, <|br| />|World|!", "|a|-|b| |12|-|x| |345|-|yz|", "|baaac|", "", "|tab|\v|nl|\n|end|\n",
        "é|mile|'|s| |ABC|-|abcd| \\ [|x|]", "漢字 |kanji|"}},
      {"$",
       "!",
       {"Hello, <br />World!!", "a-b 12-x 345-yz!", "baaac!", "!", "tab\vnl\nend\n!",
        "émile's ABC-abcd \\ [x]!", "漢字 kanji!"}},
      {"[[:punct:]]",
       ".",
       {"Hello. .br ..World.", "a.b 12.x 345.yz", "baaac", "", "tab\vnl\nend\n", "émile.s ABC.abcd . .x.",
        "漢字 kanji"}},
      {"[^a-z]+", "", {"ellobrorld", "abxyz", "baaac", "", "tabnlend", "milesabcdx", "kanji"}},
      {"^a",
       "X",
       {"Hello, <br />World!", "X-b 12-x 345-yz", "baaac", "", "tab\vnl\nend\n", "émile's ABC-abcd \\ [x]",
        "漢字 kanji"}},
      {"(a|ab)(c|bcd)?",
       R"(<\1,\2>)",
       {"Hello, <br />World!", "<a,>-b 12-x 345-yz", "b<a,><a,><a,c>", "", "t<a,>b\vnl\nend\n",
        "émile's ABC-<a,bcd> \\ [x]", "漢字 k<a,>nji"}},
      {".", "_", {times("_", 19), times("_", 15), "_____", "", "______\n___\n", times("_", 22), "________"}},
  };
  for (const ReplaceCase& each : cases)
    for (std::size_t i = 0; i < kTexts.size(); ++i)
      EXPECT_EQ(replaced(each.pattern, each.rewrite, true, kTexts[i]), each.all[i]) << each.pattern;
}

TEST(Replace, OnlyTheFirstMatchWhenNotAll) {
  EXPECT_EQ(replaced("a*", "-", false, "a-b 12-x"), "--b 12-x");
  EXPECT_EQ(replaced(".", "_", false, "Hello"), "_ello");
}

TEST(Replace, WhatRe2AndPcre2DoNotShareIsRefused) {
  for (const std::string_view pattern : {"(?i)a", "(?P<n>a)", "(?<=a)b", R"(\pL)", R"(\Qa\E)", R"(\Z)",
                                         R"([\S])", "[a", "a\\", "(a", R"(\1)", "(?#x)"})
    EXPECT_TRUE(replaced(pattern, "", true, "x").starts_with("refused: ")) << pattern;
  EXPECT_TRUE(replaced("a", R"(\1)", true, "x").starts_with("refused: "));
  EXPECT_TRUE(replaced("a", "\\", true, "x").starts_with("refused: "));
}

TEST(Replace, TextsThatAreNotUtf8AndMatchesThatNeverEndAreErrors) {
  EXPECT_TRUE(replaced("a", "b", true, "\xff").starts_with("failed: "));
  EXPECT_TRUE(replaced("(x+x+)+y", "", true, times("x", 60) + "zy").starts_with("failed: "));
}

std::unique_ptr<const TextOperator> make(std::string_view name, std::int64_t buckets = 0) {
  for (const OperatorRow& row : operators())
    if (row.name == name) {
      auto made = row.make({[](const char*) { return std::string(); }, [&](const char*) { return buckets; }});
      if (made) return std::move(*made);
    }
  return nullptr;
}

TEST(Operators, LowerUpperAndStripAreAsciis) {
  const std::vector<std::string_view> texts{" \tÀBc\n", "\u00a0x "};
  std::vector<std::string> out(2);
  ASSERT_TRUE(make("TextLower")->to_texts(texts, std::span(out)));
  EXPECT_EQ(out[0], " \tÀbc\n");
  ASSERT_TRUE(make("TextUpper")->to_texts(texts, std::span(out)));
  EXPECT_EQ(out[0], " \tÀBC\n");
  ASSERT_TRUE(make("TextStrip")->to_texts(texts, std::span(out)));
  EXPECT_EQ(out[0], "ÀBc");
  EXPECT_EQ(out[1], "\u00a0x");
}

TEST(Operators, HashingNeedsBuckets) {
  EXPECT_EQ(make("TextHash64", 0), nullptr);
  std::vector<std::int64_t> out(1);
  const std::vector<std::string_view> texts{"abc"};
  ASSERT_TRUE(make("TextHash64", 1000)->to_int64s(texts, std::span(out)));
  EXPECT_EQ(out[0], static_cast<std::int64_t>(fingerprint64("abc") % 1000));
}

TEST(Operators, StrongHashesAreSipHash) {
  // The first and the last of the paper's test vectors, appendix A and reference implementation.
  constexpr std::uint64_t kKey0 = 0x0706050403020100ULL, kKey1 = 0x0f0e0d0c0b0a0908ULL;
  std::string text;
  EXPECT_EQ(sip_hash(kKey0, kKey1, text), 0x726fdb47dd0e0e31ULL);
  for (char c = 0; c < 15; ++c) text += c;
  EXPECT_EQ(sip_hash(kKey0, kKey1, text), 0xa129ca6149be45e5ULL);
}

TEST(Operators, FingerprintsAreAllOfTheirBits) {
  std::vector<std::int64_t> out(1);
  const std::vector<std::string_view> texts{"abc"};
  ASSERT_TRUE(make("TextFingerprint64")->to_int64s(texts, std::span(out)));
  EXPECT_EQ(static_cast<std::uint64_t>(out[0]), fingerprint64("abc"));
}

TEST(Operators, NumbersAreReadAndWhatIsNoneIsAnError) {
  std::vector<float> floats(7);
  const std::vector<std::string_view> good{"1", "-1.5e3", " 2 ", "+3", "inf", ".5", "-0"};
  ASSERT_TRUE(make("TextToFloat32")->to_floats(good, std::span(floats)));
  EXPECT_EQ(floats[1], -1500.0F);
  EXPECT_EQ(floats[2], 2.0F);
  EXPECT_TRUE(std::signbit(floats[6]));
  for (const std::string_view bad : {"", "1_0", "x", "+-3"})
    EXPECT_FALSE(make("TextToFloat32")->to_floats(std::span(&bad, 1), std::span(floats).first(1))) << bad;
  std::vector<std::int64_t> integers(1);
  for (const std::string_view bad : {"1.0", "9223372036854775808"})
    EXPECT_FALSE(make("TextToInt64")->to_int64s(std::span(&bad, 1), std::span(integers))) << bad;
}

}  // namespace
}  // namespace wherry::tftext
