// Tokens made by PyJWT, jwcrypto, python-jose and joserfc (tests/fixtures/auth/make_tokens.py), and bad ones.
#include "auth/token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/text.h"

namespace wherry::auth {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::chrono::system_clock::time_point kNow{std::chrono::seconds(1'800'000'000)};

std::string fixture(const char* name) {
  return base::real_files()
      .read(std::string(WHERRY_SOURCE_DIR "/tests/fixtures/auth/") + name, 1 << 20)
      .value();
}

std::string verdict(const KeySet& keys, std::string_view text) {
  const auto token = parse_token(text);
  if (!token) return "bad";
  switch (keys.verify(*token->algorithm, token->key_id, token->signed_part, token->signature)) {
    case KeySet::Verdict::kBad:
      return "bad";
    case KeySet::Verdict::kUnknownKey:
      return "unknown";
    case KeySet::Verdict::kGood:
      break;
  }
  return check_claims(token->claims, {.issuer = "https://issuer.example", .audiences = {"wherry"}}, kNow)
             ? "good"
             : "bad";
}

TEST(Token, OfEveryLibraryGetsTheVerdictItShould) {
  const auto keys = KeySet::parse(fixture("jwks.json"), "jwks.json");
  ASSERT_TRUE(keys) << keys.error().message;
  std::size_t count = 0;
  const std::string rows = fixture("tokens.jsonl");
  for (const std::string_view line : base::split(rows, '\n')) {
    if (line.empty()) continue;
    const auto row = text::parse_json(line, "row");
    ASSERT_TRUE(row);
    EXPECT_EQ(verdict(*keys, *text::find_string(*row, "token")), *text::find_string(*row, "verdict"))
        << *text::find_string(*row, "what");
    ++count;
  }
  EXPECT_GT(count, 60u);
}

TEST(Token, CutAnywhereOrWithAnyByteChangedIsNeverGood) {
  const auto keys = KeySet::parse(fixture("jwks.json"), "jwks.json");
  const std::string rows = fixture("tokens.jsonl");
  std::string token;
  for (const std::string_view line : base::split(rows, '\n'))
    if (line.find("PyJWT EdDSA") != line.npos)
      token = *text::find_string(*text::parse_json(line, "row"), "token");
  ASSERT_EQ(verdict(*keys, token), "good");
  for (std::size_t i = 0; i < token.size(); ++i) {
    EXPECT_NE(verdict(*keys, token.substr(0, i)), "good") << i;
    std::string changed = token;
    // The last digit of 64 bytes has four bits without meaning: base64url has them zero.
    changed[i] = changed[i] == 'A' ? 'z' : 'A';
    if (i + 1 < token.size()) {
      EXPECT_NE(verdict(*keys, changed), "good") << i;
    }
  }
}

TEST(Token, LargerThanTheLimitIsRefused) {
  const auto token = parse_token(std::string(kMostTokenBytes, 'A') + ".A.A");
  ASSERT_FALSE(token);
  EXPECT_THAT(token.error().message, HasSubstr("larger"));
}

TEST(KeySet, LeavesOutKeysWhichAreWeakSymmetricOrBroken) {
  const auto keys = KeySet::parse(fixture("jwks.json"), "jwks.json");
  ASSERT_TRUE(keys);
  EXPECT_EQ(keys->size(), 6u);
  EXPECT_EQ(keys->left_out(), 7u);
}

TEST(KeySet, WithoutAUsableKeyIsRefused) {
  for (const char* json :
       {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[]})", R"({"keys":[{"kty":"oct","k":"AA"}]})",
        R"({"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]})"}) {
    const auto keys = KeySet::parse(json, "k");
    ASSERT_FALSE(keys) << json;
    EXPECT_EQ(keys.error().id, "auth.bad_key_set");
  }
}

TEST(Algorithm, IsNeverNoneNorSymmetric) {
  for (const char* name : {"none", "None", "HS256", "HS512", "RS1", "rs256", "", "dir", "A128KW"})
    EXPECT_EQ(find_algorithm(name), nullptr) << name;
}

TEST(Base64Url, IsStrict) {
  EXPECT_EQ(decode_base64url("-_-_"), "\xfb\xff\xbf");
  for (const char* text : {"+/+/", "AA==", "A A", "A"}) EXPECT_FALSE(decode_base64url(text)) << text;
}

TEST(Claim, IsFoundBelowOthersAndWithDotsInItsName) {
  const auto claims = text::parse_json(
      R"({"realm_access":{"roles":["a"]},"https://x.example/roles":["b"],"scope":"c  d"})", "claims");
  ASSERT_TRUE(claims);
  EXPECT_THAT(words_of_claim(*find_claim(*claims, "realm_access.roles")), ElementsAre("a"));
  EXPECT_THAT(words_of_claim(*find_claim(*claims, "https://x.example/roles")), ElementsAre("b"));
  EXPECT_THAT(words_of_claim(*find_claim(*claims, "scope")), ElementsAre("c", "d"));
  EXPECT_EQ(find_claim(*claims, "realm_access.groups"), nullptr);
}

}  // namespace
}  // namespace wherry::auth
