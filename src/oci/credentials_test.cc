#include "oci/credentials.h"

#include <gtest/gtest.h>
#include <map>

#include "base/files.h"
#include "base/text.h"

namespace wherry::oci {
namespace {

class FakeFiles final : public base::FileSystem {
 public:
  std::map<std::string, std::string> content;
  base::Result<std::string> read(const std::filesystem::path& path, std::uint64_t) override {
    return content.at(path.string());
  }
  base::Status write(const std::filesystem::path&, std::string_view, bool) override { return {}; }
  bool exists(const std::filesystem::path& path) override { return content.contains(path.string()); }
  base::Status remove_all(const std::filesystem::path&) override { return {}; }
};

class FakeProcesses final : public base::Processes {
 public:
  base::CommandOutput output;
  std::vector<base::Command> commands;
  base::Result<base::CommandOutput> run(const base::Command& command) override {
    commands.push_back(command);
    return output;
  }
};

class CredentialsTest : public testing::Test {
 protected:
  base::Result<Credentials> find(std::string_view registry, std::string_view repository = "team/fraud") {
    const auto environment = [this](std::string_view name) -> std::optional<std::string> {
      const auto found = variables.find(std::string(name));
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    };
    return docker_credentials(environment, files, processes)->find(registry, repository);
  }
  void config(std::string_view text) { files.content["/home/ada/.docker/config.json"] = text; }

  std::map<std::string, std::string> variables{{"HOME", "/home/ada"}};
  FakeFiles files;
  FakeProcesses processes;
};

constexpr std::string_view kAda = R"({"auths":{"ghcr.io":{"auth":"YWRhOnNlOmNyZXQ="}}})";  // ada:se:cret

TEST_F(CredentialsTest, NoFileMeansAnonymous) {
  EXPECT_TRUE(find("ghcr.io")->is_anonymous());
}

TEST_F(CredentialsTest, LoginIsDecodedUpToTheFirstColon) {
  config(kAda);
  EXPECT_EQ(find("ghcr.io")->username, "ada");
  EXPECT_EQ(find("ghcr.io")->password, "se:cret");
  EXPECT_TRUE(find("quay.io")->is_anonymous());
}

TEST_F(CredentialsTest, PlacesAreSearchedInTheDocumentedOrder) {
  const auto with = [](std::string_view user) {
    return base::cat(R"({"auths":{"ghcr.io":{"username":")", user, R"(","password":"p"}}})");
  };
  files.content["/home/ada/.config/containers/auth.json"] = with("config");
  EXPECT_EQ(find("ghcr.io")->username, "config");
  variables["XDG_CONFIG_HOME"] = "/xdg";
  files.content["/xdg/containers/auth.json"] = with("xdg");
  EXPECT_EQ(find("ghcr.io")->username, "xdg");
  variables["XDG_RUNTIME_DIR"] = "/run/user/1";
  files.content["/run/user/1/containers/auth.json"] = with("runtime");
  EXPECT_EQ(find("ghcr.io")->username, "runtime");
  variables["REGISTRY_AUTH_FILE"] = "/auth.json";
  files.content["/auth.json"] = with("file");
  EXPECT_EQ(find("ghcr.io")->username, "file");
  config(with("docker"));
  EXPECT_EQ(find("ghcr.io")->username, "docker");
  variables["DOCKER_CONFIG"] = "/other";
  files.content["/other/config.json"] = with("other");
  EXPECT_EQ(find("ghcr.io")->username, "other");
}

TEST_F(CredentialsTest, DockerHubHasItsOldKey) {
  config(R"({"auths":{"https://index.docker.io/v1/":{"username":"hub","password":"p"}}})");
  EXPECT_EQ(find("docker.io")->username, "hub");
}

TEST_F(CredentialsTest, RepositoryKeyWinsOverRegistryKey) {
  config(
      R"({"auths":{"quay.io":{"username":"all","password":"p"},"quay.io/team":{"username":"team","password":"p"}}})");
  EXPECT_EQ(find("quay.io", "team/fraud")->username, "team");
  EXPECT_EQ(find("quay.io", "other/fraud")->username, "all");
}

TEST_F(CredentialsTest, TokensAreRecognised) {
  config(
      R"({"auths":{"a.io":{"identitytoken":"id"},"b.io":{"registrytoken":"rt"},"c.io":{"auth":"PHRva2VuPjppZDI="}}})");
  EXPECT_EQ(find("a.io")->identity_token, "id");
  EXPECT_EQ(find("b.io")->registry_token, "rt");
  EXPECT_EQ(find("c.io")->identity_token, "id2");  // user "<token>"
}

TEST_F(CredentialsTest, HelperIsAskedWithTheRawServerName) {
  config(R"({"credHelpers":{"a.io":"ecr-login"},"credsStore":"pass"})");
  processes.output = {0, R"({"ServerURL":"a.io","Username":"AWS","Secret":"s3"})", ""};
  EXPECT_EQ(find("a.io")->username, "AWS");
  EXPECT_EQ(find("a.io")->password, "s3");
  EXPECT_EQ(processes.commands.at(0).arguments,
            (std::vector<std::string>{"docker-credential-ecr-login", "get"}));
  EXPECT_EQ(processes.commands.at(0).input, "a.io");
}

TEST_F(CredentialsTest, StoreIsAskedForOtherRegistries) {
  config(R"({"credHelpers":{"a.io":"ecr-login"},"credsStore":"pass"})");
  processes.output = {0, R"({"ServerURL":"","Username":"<token>","Secret":"id"})", ""};
  EXPECT_EQ(find("docker.io")->identity_token, "id");
  EXPECT_EQ(processes.commands.at(0).arguments.at(0), "docker-credential-pass");
  EXPECT_EQ(processes.commands.at(0).input, "https://index.docker.io/v1/");
}

TEST_F(CredentialsTest, HelperWithoutLoginMeansTheFileThenAnonymous) {
  config(R"({"credsStore":"pass","auths":{"ghcr.io":{"auth":"YWRhOnNlY3JldA=="}}})");
  processes.output = {1, "credentials not found in native keychain\n", ""};
  EXPECT_EQ(find("ghcr.io")->username, "ada");
  EXPECT_TRUE(find("quay.io")->is_anonymous());
}

TEST_F(CredentialsTest, HelperFailureIsAnErrorWithWhatItSaid) {
  config(R"({"credsStore":"pass"})");
  processes.output = {1, "pass store is locked\n", ""};
  const auto found = find("ghcr.io");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().id, "oci.credential_helper");
  EXPECT_NE(found.error().message.find("pass store is locked"), std::string::npos);
}

TEST_F(CredentialsTest, HelperNameCannotBeAPath) {
  config(R"({"credsStore":"../../bin/sh"})");
  EXPECT_EQ(find("ghcr.io").error().id, "oci.credentials_invalid");
  EXPECT_TRUE(processes.commands.empty());
}

TEST_F(CredentialsTest, HelperIsAskedOncePerRegistry) {
  config(R"({"credsStore":"pass"})");
  processes.output = {0, R"({"Username":"u","Secret":"s"})", ""};
  const auto store = docker_credentials(
      [](std::string_view name) -> std::optional<std::string> {
        return name == "HOME" ? std::optional<std::string>("/home/ada") : std::nullopt;
      },
      files, processes);
  ASSERT_TRUE(store->find("a.io", "x"));
  ASSERT_TRUE(store->find("a.io", "y"));
  EXPECT_EQ(processes.commands.size(), 1);
}

class BadLogin : public CredentialsTest, public testing::WithParamInterface<const char*> {};

TEST_P(BadLogin, IsAnErrorWhichDoesNotShowTheSecret) {
  config(base::cat(R"({"auths":{"ghcr.io":)", GetParam(), "}}"));
  const auto found = find("ghcr.io");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().id, "oci.credentials_invalid");
  EXPECT_EQ(base::describe(found.error()).find("topsecret"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Ways, BadLogin,
                         testing::Values(R"({"auth":"topsecret!!"})", R"({"auth":"dG9wc2VjcmV0"})",
                                         R"({"auth":"OnRvcHNlY3JldA=="})",
                                         R"({"username":"a","password":"topsecret\r\nX: y"})",
                                         R"({"username":"a:b","password":"topsecret"})",
                                         R"({"registrytoken":"topsecret\n"})"));

TEST_F(CredentialsTest, BrokenFileIsAnError) {
  config("{\"auths\":");
  EXPECT_EQ(find("ghcr.io").error().id, "text.json_syntax");
}

}  // namespace
}  // namespace wherry::oci
