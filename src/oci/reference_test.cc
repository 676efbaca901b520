#include "oci/reference.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace wherry::oci {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

struct Good {
  std::string text;
  Reference wanted;
};

class GoodReference : public testing::TestWithParam<Good> {};

TEST_P(GoodReference, IsTakenApart) {
  const auto reference = parse_reference(GetParam().text);
  ASSERT_TRUE(reference) << base::describe(reference.error());
  EXPECT_EQ(*reference, GetParam().wanted) << to_string(*reference);
}

TEST_P(GoodReference, ComesBackFromItsWrittenForm) {
  const auto again = parse_reference(to_string(GetParam().wanted));
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, GetParam().wanted);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, GoodReference,
    testing::Values(Good{"python", {"docker.io", "library/python", "latest", ""}},
                    Good{"python:3.12", {"docker.io", "library/python", "3.12", ""}},
                    Good{"ada/fraud", {"docker.io", "ada/fraud", "latest", ""}},
                    Good{"docker.io/fraud:1", {"docker.io", "library/fraud", "1", ""}},
                    Good{"index.docker.io/ada/fraud:1", {"docker.io", "ada/fraud", "1", ""}},
                    Good{"registry-1.docker.io/ada/fraud:1", {"docker.io", "ada/fraud", "1", ""}},
                    Good{"localhost/fraud:1", {"localhost", "fraud", "1", ""}},
                    Good{"127.0.0.1:5000/fraud:1", {"127.0.0.1:5000", "fraud", "1", ""}},
                    Good{"[::1]:5000/team/fraud:1", {"[::1]:5000", "team/fraud", "1", ""}},
                    Good{"GHCR.io/team/fraud:V_1.2-x", {"ghcr.io", "team/fraud", "V_1.2-x", ""}},
                    Good{"ghcr.io/team/fraud@" + kDigest, {"ghcr.io", "team/fraud", "", kDigest}},
                    Good{"ghcr.io/team/fraud:1@" + kDigest, {"ghcr.io", "team/fraud", "1", kDigest}},
                    Good{"host:80/a__b/c---d/e.f:1", {"host:80", "a__b/c---d/e.f", "1", ""}}));

struct Bad {
  std::string text;
  std::string says;
  std::string hint;
};

class BadReference : public testing::TestWithParam<Bad> {};

TEST_P(BadReference, IsRefusedWithAHint) {
  const auto reference = parse_reference(GetParam().text);
  ASSERT_FALSE(reference) << to_string(*reference);
  EXPECT_EQ(reference.error().id, "oci.reference_invalid");
  EXPECT_EQ(base::exit_status(reference.error().code), 2);
  EXPECT_NE(reference.error().message.find(GetParam().says), std::string::npos) << reference.error().message;
  EXPECT_NE(reference.error().hint.find(GetParam().hint), std::string::npos) << reference.error().hint;
}

INSTANTIATE_TEST_SUITE_P(
    Forms, BadReference,
    testing::Values(Bad{"", "empty", "registry.example.com/team/fraud:1"}, Bad{" a", "white space", "remove"},
                    Bad{"a:", "tag after ':' is empty", "128"}, Bad{"a@1", "'1' is not a digest", "use ':1'"},
                    Bad{"a@sha256:abc", "not a sha256 digest", "64"},
                    Bad{"a@sha512:" + std::string(128, 'a'), "not a sha256 digest", "64"},
                    Bad{"ghcr.io/Team/Fraud:1", "bad repository name", "'team/fraud'"},
                    Bad{"ghcr.io/my fraud:1", "bad repository name", "'my-fraud'"},
                    Bad{"ghcr.io/a//b", "bad repository name", "lower-case"},
                    Bad{"ghcr.io/a_-b", "bad repository name", "lower-case"},
                    Bad{"ghcr.io/:1", "repository is missing", "ghcr.io/NAME:TAG"},
                    Bad{"ghcr.io/a:v 1", "bad tag", "'v-1'"},
                    Bad{"ghcr.io/a:" + std::string(129, 'x'), "bad tag", std::string(30, 'x')},
                    Bad{"docker://ghcr.io/a:1", "begins with 'docker://'", "'ghcr.io/a:1'"},
                    Bad{"https://ghcr.io/a", "begins with 'https://'", "'ghcr.io/a'"},
                    Bad{"host:0/a", "bad registry", "port"}, Bad{"host:99999/a", "bad registry", "port"},
                    Bad{"-host.x/a", "bad registry", "port"}, Bad{"[::1/a", "bad registry", "port"},
                    Bad{std::string(2000, 'a'), "2000 characters", "shorter"}));

TEST(Reference, RepositoryNamesEndAt255Characters) {
  EXPECT_TRUE(is_valid_repository(std::string(255, 'a')));
  EXPECT_FALSE(is_valid_repository(std::string(256, 'a')));
}

TEST(Reference, OnlyLoopbackAddressesCountAsLoopback) {
  for (const char* registry :
       {"localhost", "localhost:5000", "127.0.0.1:5000", "127.9.8.7", "[::1]:1", "a.localhost:2"})
    EXPECT_TRUE(is_loopback(registry)) << registry;
  for (const char* registry : {"localhost.example.com", "127.0.0.1.example.com", "128.0.0.1", "127.0.0.256",
                               "127.0.0", "example.com", "[::2]:1", "0.0.0.0"})
    EXPECT_FALSE(is_loopback(registry)) << registry;
}

TEST(Reference, DockerHubHasItsApiElsewhere) {
  EXPECT_EQ(api_host("docker.io"), "registry-1.docker.io");
  EXPECT_EQ(api_host("ghcr.io"), "ghcr.io");
}

}  // namespace
}  // namespace wherry::oci
