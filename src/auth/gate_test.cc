#include "auth/gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "auth/test_files.h"

#include "base/text.h"

namespace wherry::auth {
namespace {

using std::chrono::seconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

constexpr std::string_view kUrl = "https://issuer.example/jwks";

// The token of the fixture which is described so.
std::string token_named(std::string_view what) {
  const auto rows =
      base::real_files().read(WHERRY_SOURCE_DIR "/tests/fixtures/auth/tokens.jsonl", 1 << 20).value();
  for (const std::string_view line : base::split(rows, '\n'))
    if (const auto row = text::parse_json(line, "row"); row && *text::find_string(*row, "what") == what)
      return *text::find_string(*row, "token");
  return "no such token";
}

class GateTest : public testing::Test {
 protected:
  GateTest() {
    key_set_ = base::real_files().read(WHERRY_SOURCE_DIR "/tests/fixtures/auth/jwks.json", 1 << 20).value();
    const NewKey made = make_key("ci").value();
    key_ = made.key;
    key_line_ = base::cat(made.line, "\n");
    files_.content["access"] = key_line_;
  }
  void open(Config config = {}) {
    config.access_file = "access";
    config.token_rules.issuer = "https://issuer.example";
    config.token_rules.audiences = {"wherry"};
    auto authority = Authority::open(
        std::move(config), files_,
        [this](const std::string&, std::size_t) -> base::Result<std::string> {
          ++fetches_;
          if (key_set_.empty()) return base::fail(base::Code::kUnavailable, "test", "no connection");
          return key_set_;
        },
        [this](std::string_view event, std::string_view detail) {
          log_ += base::cat(event, " ", detail, "\n");
        });
    ASSERT_TRUE(authority) << authority.error().message;
    authority_ = std::move(*authority);
    gate_.emplace(*authority_);
  }
  const Identity* enter(std::string_view bearer) {
    const std::string authorization = bearer.empty() ? "" : base::cat("Bearer ", bearer);
    return gate_->enter({.authorization = authorization}, now_);
  }
  void later(seconds time) {
    now_.wall += time;
    now_.steady += time;
    authority_->step(now_.steady);
  }

  TestFiles files_;
  std::string key_, key_line_, key_set_, log_;
  int fetches_ = 0;
  Now now_{std::chrono::system_clock::time_point(seconds(1'800'000'000)),
           std::chrono::steady_clock::time_point(seconds(5000))};
  std::unique_ptr<Authority> authority_;
  std::optional<Gate> gate_;
};

TEST_F(GateTest, LetsAKnownKeyInWithItsPermissions) {
  open();
  const Identity* who = enter(key_);
  ASSERT_NE(who, nullptr) << gate_->refusal().message;
  EXPECT_EQ(who->name, "ci");
  EXPECT_TRUE(gate_->permits(*who, Permission::kPredict, "fraud"));
  EXPECT_FALSE(gate_->permits(*who, Permission::kManage));
  EXPECT_EQ(gate_->refusal().status, 403);
  EXPECT_THAT(gate_->refusal().headers, Contains(Pair("WWW-Authenticate", HasSubstr("insufficient_scope"))));
}

TEST_F(GateTest, TakesTheKeyFromEitherHeaderAndAnyCaseOfBearer) {
  open();
  EXPECT_NE(gate_->enter({.api_key = key_}, now_), nullptr);
  const std::string authorization = "bearer " + key_;
  EXPECT_NE(gate_->enter({.authorization = authorization}, now_), nullptr);
}

TEST_F(GateTest, AsksForCredentialsWhereThereAreNone) {
  open();
  const Identity* who = enter("");
  ASSERT_NE(who, nullptr);
  EXPECT_TRUE(who->is_anyone());
  EXPECT_FALSE(gate_->permits(*who, Permission::kPredict, "fraud"));
  EXPECT_EQ(gate_->refusal().status, 401);
  EXPECT_THAT(gate_->refusal().headers, Contains(Pair("WWW-Authenticate", "Bearer realm=\"wherry\"")));
}

TEST_F(GateTest, NeverIgnoresWrongCredentialsEvenWhereAnyoneMay) {
  files_.content["access"] += "anyone permissions=predict\n";
  open();
  EXPECT_EQ(enter("wherry_wrong"), nullptr);
  EXPECT_EQ(gate_->refusal().status, 401);
  EXPECT_EQ(gate_->enter({.authorization = "Basic YTpi"}, now_), nullptr);
  EXPECT_TRUE(gate_->permits(*enter(""), Permission::kPredict, "fraud"));
}

TEST_F(GateTest, SaysNothingOfTheSecretItRefused) {
  open();
  enter("wherry_wrong");
  EXPECT_THAT(gate_->refusal().message, Not(HasSubstr("wherry_wrong")));
}

TEST_F(GateTest, RefusesAKeyPastItsLastDay) {
  files_.content["access"].insert(files_.content["access"].find('\n'), " expires=2027-01-15");
  open();
  EXPECT_NE(enter(key_), nullptr);
  now_.wall += std::chrono::hours(16);
  EXPECT_EQ(enter(key_), nullptr);
  EXPECT_THAT(gate_->refusal().message, HasSubstr("expired"));
}

TEST_F(GateTest, LimitsTheRateOfAKeyAndKeepsTheBucketOverAReload) {
  files_.content["access"].insert(files_.content["access"].find('\n'), " rate=1/s burst=2");
  open();
  EXPECT_NE(enter(key_), nullptr);
  EXPECT_NE(enter(key_), nullptr);
  files_.content["access"] += "# changed\n";
  authority_->step(now_.steady);
  EXPECT_EQ(enter(key_), nullptr);
  EXPECT_EQ(gate_->refusal().status, 429);
  EXPECT_THAT(gate_->refusal().headers, Contains(Pair("Retry-After", "1")));
  EXPECT_THAT(gate_->refusal().headers, Contains(Pair("RateLimit-Policy", "\"default\";q=2;w=2")));
  EXPECT_THAT(gate_->refusal().headers, Contains(Pair("RateLimit", "\"default\";r=0;t=1")));
  now_.steady += seconds(1);
  EXPECT_NE(enter(key_), nullptr);
}

TEST_F(GateTest, TakesKeysAwayWhenTheFileChanges) {
  open();
  EXPECT_NE(enter(key_), nullptr);
  files_.content["access"] = "anyone permissions=metrics\n";
  authority_->step(now_.steady);
  EXPECT_EQ(enter(key_), nullptr);
  EXPECT_THAT(log_, HasSubstr("auth_reloaded"));
}

TEST_F(GateTest, KeepsTheOldKeysWhenTheFileBreaksAndSaysSoOnce) {
  open();
  files_.content["access"] = "nonsense\n";
  authority_->step(now_.steady);
  authority_->step(now_.steady);
  EXPECT_NE(enter(key_), nullptr);
  EXPECT_EQ(log_.find("auth_reload_failed"), log_.rfind("auth_reload_failed"));
  EXPECT_EQ(authority_->state().failed_refreshes, 2u);
}

TEST_F(GateTest, MapsClaimsOfATokenToPermissionsAndModels) {
  files_.content["access"] +=
      "token scope=predict permissions=predict models=claim:models\n"
      "token realm_access.roles=ml-admin permissions=manage models=fraud\n"
      "token scope=metrics permissions=metrics\n";
  open({.key_set = std::string(kUrl)});
  authority_->step(now_.steady);
  const Identity* who = enter(token_named("PyJWT ES256"));
  ASSERT_NE(who, nullptr) << gate_->refusal().message;
  EXPECT_EQ(who->name, "alice");
  EXPECT_TRUE(gate_->permits(*who, Permission::kPredict, "risk-7"));
  EXPECT_FALSE(gate_->permits(*who, Permission::kPredict, "other"));
  EXPECT_TRUE(gate_->permits(*who, Permission::kManage, "fraud"));
  EXPECT_FALSE(gate_->permits(*who, Permission::kMetrics));
}

TEST_F(GateTest, RemembersATokenOnlyUntilItExpires) {
  files_.content["access"] += "token * permissions=predict\n";
  open({.key_set = std::string(kUrl)});
  authority_->step(now_.steady);
  const std::string token = token_named("PyJWT EdDSA");
  EXPECT_NE(enter(token), nullptr);
  now_.wall += seconds(3600 + 59);
  EXPECT_NE(enter(token), nullptr);
  now_.wall += seconds(1);
  EXPECT_EQ(enter(token), nullptr);
}

TEST_F(GateTest, LimitsTheRateOfASubjectOverItsTokens) {
  files_.content["access"] += "token * permissions=predict rate=1/m burst=1\n";
  open({.key_set = std::string(kUrl)});
  authority_->step(now_.steady);
  EXPECT_NE(enter(token_named("PyJWT EdDSA")), nullptr);
  EXPECT_EQ(enter(token_named("PyJWT ES256")), nullptr);
  EXPECT_EQ(gate_->refusal().status, 429);
}

TEST_F(GateTest, Answers503UntilTheKeysAreFetched) {
  files_.content["access"] += "token * permissions=predict\n";
  open({.key_set = std::string(kUrl)});
  EXPECT_EQ(enter(token_named("PyJWT EdDSA")), nullptr);
  EXPECT_EQ(gate_->refusal().status, 503);
  authority_->step(now_.steady);
  EXPECT_NE(enter(token_named("PyJWT EdDSA")), nullptr);
}

TEST_F(GateTest, FetchesTheKeysAgainForAnUnknownOneButNotOften) {
  files_.content["access"] += "token * permissions=predict\n";
  open({.key_set = std::string(kUrl)});
  authority_->step(now_.steady);
  EXPECT_EQ(enter(token_named("a key which is not in the set")), nullptr);
  EXPECT_EQ(gate_->refusal().status, 401);
  later(seconds(10));
  EXPECT_EQ(fetches_, 1);
  later(seconds(20));
  EXPECT_EQ(fetches_, 2);
  later(seconds(31));
  EXPECT_EQ(fetches_, 2);
  later(seconds(270));
  EXPECT_EQ(fetches_, 3);
}

TEST_F(GateTest, KeepsTheOldSigningKeysWhenFetchingFailsAndTriesMoreAndMoreSlowly) {
  files_.content["access"] += "token * permissions=predict\n";
  open({.key_set = std::string(kUrl)});
  authority_->step(now_.steady);
  key_set_.clear();
  later(seconds(300));
  later(seconds(2));
  later(seconds(4));
  EXPECT_EQ(fetches_, 4);
  later(seconds(7));
  EXPECT_EQ(fetches_, 4);
  EXPECT_NE(enter(token_named("PyJWT EdDSA")), nullptr);
  EXPECT_THAT(log_, HasSubstr("auth_keys_not_fetched no connection"));
}

TEST_F(GateTest, NamesClientsByTheirCertificate) {
  files_.content["access"] += "certificate *.prod.svc permissions=predict models=fraud\n";
  open();
  const std::vector<std::string> names{"10.0.0.1", "checkout.prod.svc"};
  const Identity* who = gate_->enter({.certificate = "checkout", .alternative = names}, now_);
  ASSERT_NE(who, nullptr);
  EXPECT_EQ(who->kind, Identity::Kind::kCertificate);
  EXPECT_TRUE(gate_->permits(*who, Permission::kPredict, "fraud"));
  EXPECT_TRUE(gate_->enter({.certificate = "other"}, now_)->is_anyone());
}

TEST_F(GateTest, DoesNotTakeTokensWithoutAKeySet) {
  open();
  EXPECT_EQ(enter(token_named("PyJWT EdDSA")), nullptr);
  EXPECT_EQ(gate_->refusal().status, 401);
}

TEST(Authority, RefusesAKeySetWithoutLinesForTokens) {
  TestFiles files;
  files.content["access"] = "anyone permissions=metrics\n";
  const auto authority =
      Authority::open({.access_file = "access", .key_set = std::string(kUrl)}, files, {}, {});
  ASSERT_FALSE(authority);
  EXPECT_EQ(authority.error().id, "auth.bad_access_file");
}

}  // namespace
}  // namespace wherry::auth
