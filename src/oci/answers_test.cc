#include "oci/answers.h"

#include <gtest/gtest.h>

namespace wherry::oci {
namespace {

const Url kBase{"https", "registry.example.com", "/v2/a/blobs/uploads/1?_state=x"};

struct Location {
  const char* location;
  const char* wanted;  // nullptr: not an address
};

class UploadLocation : public testing::TestWithParam<Location> {};

TEST_P(UploadLocation, IsResolvedAgainstTheRequest) {
  const auto url = resolve(kBase, GetParam().location);
  if (GetParam().wanted == nullptr) {
    EXPECT_FALSE(url) << to_string(*url);
  } else {
    ASSERT_TRUE(url);
    EXPECT_EQ(to_string(*url), GetParam().wanted);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Forms, UploadLocation,
    testing::Values(Location{"https://Store.example.com/u?x=1", "https://store.example.com/u?x=1"},
                    Location{"/v2/b?y=http://z", "https://registry.example.com/v2/b?y=http://z"},
                    Location{"//other.example.com/u", "https://other.example.com/u"},
                    Location{"2", "https://registry.example.com/v2/a/blobs/uploads/2"},
                    Location{"?s=2", "https://registry.example.com/v2/a/blobs/uploads/1?s=2"},
                    Location{"https://a.example.com", "https://a.example.com/"},
                    Location{"https://[::1]:5000/u", "https://[::1]:5000/u"}, Location{"", nullptr},
                    Location{"ftp://a/b", nullptr}, Location{"https://user:pw@a/b", nullptr},
                    Location{"https://a/b c", nullptr}, Location{"https:///b", nullptr},
                    Location{"https://a:0/b", nullptr}, Location{"https://a:70000/b", nullptr},
                    Location{"https://a/b\r\nX: y", nullptr}));

TEST(Url, DigestIsAddedWithTheRightSeparator) {
  for (const auto& [target, wanted] : {std::pair{"/u", "/u?digest=sha256%3Aab"},
                                       {"/u?s=1", "/u?s=1&digest=sha256%3Aab"},
                                       {"/u?", "/u?digest=sha256%3Aab"}}) {
    Url url{"https", "a", target};
    add_parameter(url, "digest", "sha256:ab");
    EXPECT_EQ(url.target, wanted);
  }
}

struct Target {
  const char* base;
  const char* target;
  bool safe;
};

class RedirectTarget : public testing::TestWithParam<Target> {};

TEST_P(RedirectTarget, IsFollowedOnlyWhereItIsSafe) {
  const auto checked = check_target(*parse_url(GetParam().base), *parse_url(GetParam().target), "the upload");
  EXPECT_EQ(checked.has_value(), GetParam().safe);
  if (!checked) {
    EXPECT_EQ(checked.error().id, "oci.insecure_address");
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, RedirectTarget,
                         testing::Values(Target{"https://r.io", "https://auth.r.io/token", true},
                                         Target{"https://r.io", "https://52.1.2.3/x", true},
                                         Target{"https://r.io", "http://r.io/x", false},
                                         Target{"https://r.io", "https://169.254.169.254/latest", false},
                                         Target{"https://r.io", "https://127.0.0.1:8080/x", false},
                                         Target{"https://r.io", "https://10.0.0.1/x", false},
                                         Target{"https://r.io", "https://172.20.0.1/x", false},
                                         Target{"https://r.io", "https://192.168.1.1/x", false},
                                         Target{"https://r.io", "https://localhost/x", false},
                                         Target{"https://r.io", "https://[::1]/x", false},
                                         Target{"https://r.io", "https://[fe80::1]/x", false},
                                         Target{"https://r.io", "https://[fd00::1]/x", false},
                                         Target{"https://r.io", "https://[::ffff:10.0.0.1]/x", false},
                                         Target{"https://r.io", "https://2130706433/x", false},
                                         Target{"https://r.io", "https://0x7f.1/x", false},
                                         Target{"https://10.0.0.5:5000", "https://10.0.0.5:5001/token", true},
                                         Target{"https://10.0.0.5:5000", "https://10.0.0.6:5001/token",
                                                false},
                                         Target{"http://127.0.0.1:5000", "http://127.0.0.1:5001/token", true},
                                         Target{"http://127.0.0.1:5000", "http://10.0.0.1/token", false}));

TEST(Challenge, BearerIsTakenApart) {
  const auto challenges = parse_challenges(
      R"(Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push",error="invalid_token")");
  ASSERT_EQ(challenges.size(), 1);
  EXPECT_EQ(challenges[0].scheme, "bearer");
  EXPECT_EQ(challenges[0].realm, "https://auth.docker.io/token");
  EXPECT_EQ(challenges[0].service, "registry.docker.io");
  EXPECT_EQ(challenges[0].scope, "repository:a/b:pull,push");
}

TEST(Challenge, SeveralInOneHeaderAreTakenApart) {
  const auto challenges = parse_challenges(R"(Basic realm="x \"y\"", BEARER realm=abc , service = "s")");
  ASSERT_EQ(challenges.size(), 2);
  EXPECT_EQ(challenges[0].realm, "x \"y\"");
  EXPECT_EQ(challenges[1].scheme, "bearer");
  EXPECT_EQ(challenges[1].service, "s");
}

TEST(Challenge, FirstKnownSchemeIsChosen) {
  const auto chosen = choose_challenge({{"WWW-Authenticate", "Negotiate"},
                                        {"www-authenticate", "Bearer realm=\"https://a/t\""},
                                        {"WWW-Authenticate", "Basic realm=\"x\""}},
                                       "r.io");
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->scheme, "bearer");
}

TEST(Challenge, UnknownOrAbsentSchemesAreAnError) {
  EXPECT_EQ(choose_challenge({{"WWW-Authenticate", "Negotiate"}}, "r.io").error().id,
            "oci.challenge_invalid");
  EXPECT_EQ(choose_challenge({}, "r.io").error().id, "oci.challenge_invalid");
  EXPECT_EQ(choose_challenge({{"WWW-Authenticate", "Bearer service=x"}}, "r.io").error().id,
            "oci.challenge_invalid");
}

TEST(Token, EitherMemberIsRead) {
  EXPECT_EQ(parse_token(R"({"token":"a"})")->text, "a");
  EXPECT_EQ(parse_token(R"({"access_token":"b","expires_in":300})")->text, "b");
  EXPECT_EQ(parse_token(R"({"access_token":"b","expires_in":300})")->lifetime, std::chrono::seconds(300));
  EXPECT_EQ(parse_token(R"({"token":"a","expires_in":-5})")->lifetime, std::chrono::seconds(60));
}

TEST(Token, WhatCannotBeSentIsRefused) {
  for (const char* document :
       {"", "[]", "{}", R"({"token":""})", R"({"token":7})", R"({"token":"a\r\nX: y"})"})
    EXPECT_EQ(parse_token(document).error().id, "oci.token_invalid") << document;
}

TEST(Warning, OnlyTextOfCode299IsShown) {
  EXPECT_EQ(parse_warnings({{"Warning", R"(299 - "old \"tag\"")"}, {"Warning", "110 - \"stale\""}}),
            std::vector<std::string>{"old \"tag\""});
}

struct RefusalCase {
  int status;
  const char* body;
  const char* id;
};

class Refusal : public testing::TestWithParam<RefusalCase> {};

TEST_P(Refusal, HasAnIdAnExitStatusOfTheEnvironmentAndAHint) {
  http_client::Response response;
  response.status = GetParam().status;
  response.body = GetParam().body;
  const base::Error error = refusal(response, {"blob x", "r.example.com", "team/fraud"});
  EXPECT_EQ(error.id, GetParam().id);
  EXPECT_EQ(base::exit_status(error.code), 3);
  EXPECT_NE(error.hint, "");
  EXPECT_NE(error.message.find("r.example.com/team/fraud: blob x"), std::string::npos) << error.message;
}

INSTANTIATE_TEST_SUITE_P(
    Answers, Refusal,
    testing::Values(RefusalCase{401, "", "oci.unauthorized"}, RefusalCase{403, "<html>", "oci.denied"},
                    RefusalCase{401, R"({"errors":[{"code":"DENIED"}]})", "oci.denied"},
                    RefusalCase{404, R"({"errors":[{"code":"NAME_UNKNOWN"}]})", "oci.repository_missing"},
                    RefusalCase{404, R"({"errors":[{"code":"MANIFEST_UNKNOWN"}]})", "oci.manifest_missing"},
                    RefusalCase{400, R"({"errors":[{"code":"MANIFEST_INVALID"}]})", "oci.manifest_rejected"},
                    RefusalCase{400, R"({"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]})",
                                "oci.manifest_rejected"},
                    RefusalCase{400, R"({"errors":[{"code":"DIGEST_INVALID"}]})", "oci.blob_rejected"},
                    RefusalCase{413, "", "oci.blob_rejected"}, RefusalCase{429, "", "oci.rate_limited"},
                    RefusalCase{500, R"({"errors":"x"})", "oci.registry_error"}));

TEST(Refusals, HintNamesTheCommandOfTheCloud) {
  http_client::Response response;
  response.status = 401;
  EXPECT_EQ(refusal(response, {"x", "1.dkr.ecr.eu-west-1.amazonaws.com", "a"}).hint,
            "run: aws ecr get-login-password | docker login --username AWS --password-stdin "
            "1.dkr.ecr.eu-west-1.amazonaws.com");
  EXPECT_EQ(refusal(response, {"x", "r.example.com:5000", "a"}).hint, "run: docker login r.example.com:5000");
}

TEST(Refusals, ControlCharactersOfARegistryAreNotPrinted) {
  http_client::Response response;
  response.status = 403;
  response.body = "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"a\\u001b[31mb\\nc\"}]}";
  const std::string message = refusal(response, {"x", "r", "a"}).message;
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

TEST(Unreachable, MistypedHostGetsTheNearestName) {
  base::Error error{.code = base::Code::kUnavailable,
                    .id = "http_client.dns",
                    .message = "no such host",
                    .hint = {},
                    .context = {}};
  EXPECT_EQ(unreachable(error, {"x", "ghrc.io", "a"}).hint, "did you mean ghcr.io?");
}

TEST(Unreachable, KnownHostIsNotSuggestedToItself) {
  base::Error error{.code = base::Code::kUnavailable,
                    .id = "http_client.dns",
                    .message = "no such host",
                    .hint = "check DNS",
                    .context = {}};
  EXPECT_EQ(unreachable(error, {"docker.io", "r", "a"}).hint, "check DNS");
}

}  // namespace
}  // namespace wherry::oci
