// Grants, rates, keys and the access file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/access_file.h"

namespace wherry::auth {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kHashText =
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";  // of "test"

TEST(Glob, MatchesStarsAndQuestionMarks) {
  for (const auto& [pattern, text] :
       std::initializer_list<std::pair<const char*, const char*>>{{"*", ""},
                                                                  {"*", "fraud"},
                                                                  {"fraud", "fraud"},
                                                                  {"f*d", "fraud"},
                                                                  {"f*d", "fd"},
                                                                  {"*.svc", "a.b.svc"},
                                                                  {"f??ud", "fraud"},
                                                                  {"a*b*c", "aXbYbZc"},
                                                                  {"**", "x"}})
    EXPECT_TRUE(matches_glob(pattern, text)) << pattern << " " << text;
}

TEST(Glob, DoesNotMatchPartsOrOtherCase) {
  for (const auto& [pattern, text] :
       std::initializer_list<std::pair<const char*, const char*>>{{"", "a"},
                                                                  {"fraud", "fraud2"},
                                                                  {"fraud", "frau"},
                                                                  {"f*d", "fraudX"},
                                                                  {"Fraud", "fraud"},
                                                                  {"?", ""}})
    EXPECT_FALSE(matches_glob(pattern, text)) << pattern << " " << text;
}

TEST(Glob, IsQuickWithManyStars) {
  EXPECT_FALSE(matches_glob("*a*a*a*a*a*a*a*a*a*a*b", std::string(2000, 'a')));
}

TEST(Grant, AllowsWhatOneOfItsRulesAllowsForThatModel) {
  Grant grant;
  grant.rules.push_back({{}, {"fraud"}});
  grant.rules[0].permissions.add(Permission::kPredict);
  grant.rules.push_back({{}, {"risk-*"}});
  grant.rules[1].permissions.add(Permission::kMetadata);
  EXPECT_TRUE(grant.allows(Permission::kPredict, "fraud"));
  EXPECT_FALSE(grant.allows(Permission::kPredict, "risk-1"));
  EXPECT_TRUE(grant.allows(Permission::kMetadata, "risk-1"));
  EXPECT_TRUE(grant.allows(Permission::kMetadata));
  EXPECT_FALSE(grant.allows(Permission::kManage));
  EXPECT_TRUE(Grant{}.allows(Permission::kNothing));
}

TEST(Bucket, AllowsABurstAndThenTheRate) {
  Bucket bucket({10, 3});
  steady_clock::time_point now(seconds(1000));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(now).allowed) << i;
  const Bucket::Taken taken = bucket.take(now);
  EXPECT_FALSE(taken.allowed);
  EXPECT_EQ(taken.retry_in, milliseconds(100));
  EXPECT_TRUE(bucket.take(now + milliseconds(100)).allowed);
  EXPECT_FALSE(bucket.take(now + milliseconds(150)).allowed);
}

TEST(Bucket, IsFullAgainAfterARest) {
  Bucket bucket({10, 3});
  const steady_clock::time_point now(seconds(1000));
  for (int i = 0; i < 3; ++i) bucket.take(now);
  EXPECT_EQ(bucket.take(now + seconds(60)).remaining, 2u);
}

TEST(ApiKey, IsNewEachTimeAndItsLineHasItsHash) {
  const auto a = make_key("ci"), b = make_key("ci");
  ASSERT_TRUE(a && b);
  EXPECT_NE(a->key, b->key);
  EXPECT_EQ(a->key.size(), kKeyPrefix.size() + 43);
  EXPECT_THAT(a->line, Not(HasSubstr(a->key)));
  const auto file = parse_access_file(a->line, "access");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_TRUE(equal_in_constant_time(file->keys.at(0).hash, hash_of(a->key)));
}

TEST(ApiKey, RefusesNamesWhichWouldBreakTheLine) {
  for (const char* name : {"", "a b", "a\nb", "ü"}) EXPECT_FALSE(make_key(name)) << name;
}

TEST(AccessFile, ReadsEveryKindOfLine) {
  const auto file = parse_access_file(
      "# comment\n\n"
      "key ci " +
          std::string(kHashText) +
          " permissions=predict,metadata models=fraud,risk-* rate=600/m burst=20 expires=2027-01-31 # "
          "more\r\n"
          "token scope=predict permissions=predict models=claim:models rate=5/s\n"
          "token * permissions=metadata\n"
          "certificate *.prod.svc permissions=all\n"
          "anyone permissions=metrics",
      "access");
  ASSERT_TRUE(file) << file.error().message;
  const KeyLine& key = file->keys.at(0);
  EXPECT_THAT(key.rule.models, ElementsAre("fraud", "risk-*"));
  EXPECT_EQ(key.rate, (Rate{10, 20}));
  EXPECT_TRUE(equal_in_constant_time(key.hash, hash_of("test")));
  EXPECT_EQ(*key.ends, std::chrono::sys_days(std::chrono::year(2027) / 2 / 1));
  EXPECT_EQ(file->tokens.at(0).claim, "scope");
  EXPECT_EQ(file->tokens.at(0).models_claim, "models");
  EXPECT_TRUE(file->tokens.at(0).rule.models.empty());
  EXPECT_EQ(file->tokens.at(1).claim, "");
  EXPECT_EQ(file->certificates.at(0).rule.permissions, PermissionSet::all());
  EXPECT_TRUE(file->anyone->permissions.has(Permission::kMetrics));
}

struct BadLine {
  const char* name;
  std::string line;
};
class BadLines : public testing::TestWithParam<BadLine> {};

TEST_P(BadLines, AreRefusedWithTheirNumberAndWithoutTheirContent) {
  const auto file = parse_access_file("\n" + GetParam().line, "access");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().id, "auth.bad_access_file");
  EXPECT_THAT(file.error().message, HasSubstr("line 2"));
  EXPECT_THAT(file.error().message + file.error().hint, Not(HasSubstr("wherry_secret")));
}

INSTANTIATE_TEST_SUITE_P(
    Auth, BadLines,
    testing::Values(
        BadLine{"UnknownKind", "user x permissions=all"},
        BadLine{"KeyInsteadOfHash", "key ci wherry_secret permissions=all"},
        BadLine{"KeyInTheWrongPlace", "wherry_secret"},
        BadLine{"ShortHash", "key ci sha256:00 permissions=all"},
        BadLine{"HashOfLetters", "key ci sha256:" + std::string(64, 'x') + " permissions=all"},
        BadLine{"NoPermissions", "key ci " + std::string(kHashText)},
        BadLine{"UnknownPermission", "token * permissions=predict,write"},
        BadLine{"PermissionNothing", "token * permissions=nothing"},
        BadLine{"UnknownAttribute", "token * permissions=all wherry_secret=1"},
        BadLine{"AttributeTwice", "token * permissions=all permissions=all"},
        BadLine{"EmptyModel", "token * permissions=all models=a,,b"},
        BadLine{"RateWithoutUnit", "token * permissions=all rate=5"},
        BadLine{"RateZero", "token * permissions=all rate=0/s"},
        BadLine{"RateNan", "token * permissions=all rate=nan/s"},
        BadLine{"BurstWithoutRate", "token * permissions=all burst=5"},
        BadLine{"NoSuchDay", "key ci " + std::string(kHashText) + " permissions=all expires=2027-02-30"},
        BadLine{"ExpiryOfATokenLine", "token * permissions=all expires=2027-02-01"},
        BadLine{"ClaimModelsOfAKey", "key ci " + std::string(kHashText) + " permissions=all models=claim:m"},
        BadLine{"TokenWithoutValue", "token scope permissions=all"},
        BadLine{"AnyoneManages", "anyone permissions=all"}),
    [](const auto& row) { return row.param.name; });

TEST(AccessFile, RefusesASecondKeyOfThatName) {
  const std::string line = "key ci " + std::string(kHashText) + " permissions=all\n";
  EXPECT_FALSE(parse_access_file(line + line, "access"));
}

}  // namespace
}  // namespace wherry::auth
