#include "kube/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "kube/test_support.h"

namespace wherry::kube {
namespace {

using ::testing::HasSubstr;

class Credentials : public ::testing::Test {
 protected:
  testing::FakeFiles files;
  testing::FakeProcesses processes;
  testing::FakeClock clock;
  Machine machine{files, processes, clock};
  Selection selection{{"prod", "prod", "me", ""}, {}, {}, "context 'prod' of config"};

  void SetUp() override { selection.cluster.server = "https://prod:6443/"; }

  void use_plugin(std::string version = "client.authentication.k8s.io/v1") {
    ExecPlugin plugin;
    plugin.api_version = std::move(version);
    plugin.command = "login";
    plugin.arguments = {"get-token"};
    plugin.environment = {{"PROFILE", "x"}};
    plugin.interactive_mode = "IfAvailable";
    plugin.install_hint = "brew install login\nmore words";
    selection.user.exec = plugin;
  }

  static base::CommandOutput token_answer(const std::string& token, const std::string& expires = {}) {
    text::Json status{{"token", token}};
    if (!expires.empty()) status["expirationTimestamp"] = expires;
    return {0,
            text::write_json({{"apiVersion", "client.authentication.k8s.io/v1"},
                              {"kind", "ExecCredential"},
                              {"status", status}}),
            ""};
  }

  base::Result<Credential> current() {
    TRY_ASSIGN(const Access access, access_from(selection, machine));
    return access.credentials->current();
  }
};

TEST_F(Credentials, ATokenBecomesABearerHeader) {
  selection.user.token = "abc";
  EXPECT_EQ(current()->authorization, "Bearer abc");
}

TEST_F(Credentials, NameAndPasswordBecomeABasicHeader) {
  selection.user.username = "me";
  selection.user.password = "pw";
  EXPECT_EQ(current()->authorization, "Basic bWU6cHc=");
}

TEST_F(Credentials, TheServersTrailingSlashIsDropped) {
  EXPECT_EQ(access_from(selection, machine)->server, "https://prod:6443");
}

TEST_F(Credentials, ImpersonationBecomesHeaders) {
  selection.user.act_as = "jane";
  selection.user.act_as_groups = {"a", "b"};
  const auto access = access_from(selection, machine);
  EXPECT_THAT(access->headers, ::testing::ElementsAre(::testing::Pair("Impersonate-User", "jane"),
                                                      ::testing::Pair("Impersonate-Group", "a"),
                                                      ::testing::Pair("Impersonate-Group", "b")));
}

TEST_F(Credentials, ATokenFileWinsAndIsReadAgainAfterAMinute) {
  selection.user.token = "old";
  selection.user.token_file = "/t";
  files.content["/t"] = " one \n";
  const auto access = access_from(selection, machine);
  EXPECT_EQ(access->credentials->current()->authorization, "Bearer one");
  files.content["/t"] = "two";
  EXPECT_EQ(access->credentials->current()->authorization, "Bearer one");
  clock.passed += std::chrono::minutes(1);
  EXPECT_EQ(access->credentials->current()->authorization, "Bearer two");
}

TEST_F(Credentials, ACertificateNeedsItsKey) {
  selection.user.certificate.data = testing::make_key_pair(clock.now() + std::chrono::hours(1)).first;
  EXPECT_EQ(current().error().id, "kube.certificate_invalid");
}

TEST_F(Credentials, ACertificateAndItsKeyAreUsed) {
  const auto [certificate, key] = testing::make_key_pair(clock.now() + std::chrono::hours(1));
  selection.user.certificate.data = certificate;
  files.content["/k"] = key;
  selection.user.key.file = "/k";
  const auto credential = current();
  ASSERT_TRUE(credential.has_value()) << credential.error().message;
  EXPECT_EQ(credential->certificate, certificate);
  EXPECT_EQ(credential->private_key, key);
}

TEST_F(Credentials, AKeyOfAnotherCertificateIsRefused) {
  selection.user.certificate.data = testing::make_key_pair(clock.now() + std::chrono::hours(1)).first;
  selection.user.key.data = testing::make_key_pair(clock.now() + std::chrono::hours(1)).second;
  EXPECT_THAT(current().error().message, HasSubstr("does not belong"));
}

TEST_F(Credentials, AnExpiredCertificateIsSaidToBeSoBeforeConnecting) {
  const auto [certificate, key] = testing::make_key_pair(clock.now() - std::chrono::hours(1));
  selection.user.certificate.data = certificate;
  selection.user.key.data = key;
  const auto credential = current();
  ASSERT_FALSE(credential.has_value());
  EXPECT_EQ(credential.error().id, "kube.certificate_expired");
  EXPECT_EQ(base::exit_status(credential.error().code), 3);
}

TEST_F(Credentials, AMissingCertificateFileIsNamed) {
  selection.cluster.authority.file = "/none.crt";
  EXPECT_THAT(access_from(selection, machine).error().message, HasSubstr("/none.crt"));
}

TEST_F(Credentials, AnAuthorityWhichIsNotPemIsRefused) {
  selection.cluster.authority.data = "ABC";
  EXPECT_EQ(access_from(selection, machine).error().id, "kube.certificate_invalid");
}

TEST_F(Credentials, APluginIsRunOnceWhileItsTokenLasts) {
  use_plugin();
  processes.answers = {token_answer("one", base::format_time(clock.now() + std::chrono::minutes(5))),
                       token_answer("two")};
  const auto access = access_from(selection, machine);
  EXPECT_EQ(access->credentials->current()->authorization, "Bearer one");
  EXPECT_EQ(access->credentials->current()->authorization, "Bearer one");
  clock.passed += std::chrono::minutes(6);
  EXPECT_EQ(access->credentials->current()->authorization, "Bearer two");
  EXPECT_EQ(processes.asked.size(), 2u);
}

TEST_F(Credentials, APluginIsRunAgainAfterItsTokenWasRefused) {
  use_plugin();
  processes.answers = {token_answer("one"), token_answer("two")};
  const auto access = access_from(selection, machine);
  ASSERT_TRUE(access->credentials->current().has_value());
  EXPECT_TRUE(access->credentials->forget());
  EXPECT_EQ(access->credentials->current()->authorization, "Bearer two");
}

TEST_F(Credentials, APluginIsToldWhatItIsAskedFor) {
  use_plugin();
  processes.answers = {token_answer("one")};
  ASSERT_TRUE(current().has_value());
  const base::Command& command = processes.asked.front();
  EXPECT_THAT(command.arguments, ::testing::ElementsAre("login", "get-token"));
  EXPECT_EQ(command.environment.front().second, "x");
  EXPECT_EQ(command.environment.back().first, "KUBERNETES_EXEC_INFO");
  EXPECT_EQ(
      command.environment.back().second,
      R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":false}})");
}

TEST_F(Credentials, APluginGetsTheClusterOnlyWhenItWantsIt) {
  use_plugin();
  selection.user.exec->provide_cluster_info = true;
  selection.cluster.exec_config = text::Json{{"audience", "x"}};
  selection.cluster.tls_server_name = "n";
  const text::Json info = exec_info(*selection.user.exec, selection.cluster, "ABC");
  EXPECT_EQ(info["spec"]["cluster"], (text::Json{{"server", "https://prod:6443/"},
                                                 {"tls-server-name", "n"},
                                                 {"certificate-authority-data", "QUJD"},
                                                 {"config", {{"audience", "x"}}}}));
}

TEST_F(Credentials, AMissingPluginGivesItsInstallHint) {
  use_plugin();
  processes.answers = {base::fail(base::Code::kUnavailable, "base.command_not_found", "x")};
  const auto credential = current();
  EXPECT_EQ(credential.error().id, "kube.exec_missing");
  EXPECT_EQ(credential.error().hint, "brew install login");
}

TEST_F(Credentials, AFailingPluginIsQuoted) {
  use_plugin();
  processes.answers = {base::CommandOutput{255, "", "Traceback\n\nThe SSO session has expired\n"}};
  const auto credential = current();
  EXPECT_EQ(credential.error().id, "kube.exec_failed");
  EXPECT_THAT(credential.error().message, HasSubstr("status 255: 'The SSO session has expired'"));
}

TEST_F(Credentials, APluginWhichNeedsATerminalIsNotRun) {
  use_plugin();
  selection.user.exec->interactive_mode = "Always";
  EXPECT_EQ(current().error().id, "kube.exec_failed");
  EXPECT_TRUE(processes.asked.empty());
}

struct BadAnswer {
  const char* what;
  const char* printed;
  const char* problem;
};

class BadExecAnswer : public ::testing::TestWithParam<BadAnswer> {};

TEST_P(BadExecAnswer, IsRefused) {
  ExecPlugin plugin;
  plugin.api_version = "client.authentication.k8s.io/v1";
  plugin.command = "login";
  const auto credential = parse_exec_answer(GetParam().printed, plugin);
  ASSERT_FALSE(credential.has_value());
  EXPECT_EQ(credential.error().id, "kube.exec_answer");
  EXPECT_THAT(credential.error().message, HasSubstr(GetParam().problem));
}

#define V1 R"("apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential")"
INSTANTIATE_TEST_SUITE_P(
    Credentials, BadExecAnswer,
    ::testing::Values(
        BadAnswer{"Text", "Logging in...", "not JSON"},
        BadAnswer{"Kind", R"({"kind":"Pod"})", "no ExecCredential"},
        BadAnswer{"Version",
                  R"({"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential"})",
                  "client.authentication.k8s.io/v1beta1"},
        BadAnswer{"NoStatus", "{" V1 "}", "no status"},
        BadAnswer{"Empty", "{" V1 R"(,"status":{}})", "neither"},
        BadAnswer{"HalfPair", "{" V1 R"(,"status":{"clientCertificateData":"x"}})", "only one of"},
        BadAnswer{"Time", "{" V1 R"(,"status":{"token":"x","expirationTimestamp":"soon"}})", "'soon'"},
        BadAnswer{"HeaderInjection", "{" V1 R"(,"status":{"token":"x\r\nHost: evil"}})", "line breaks"}),
    [](const auto& row) { return row.param.what; });

TEST_F(Credentials, InsideAPodTheMountedFilesAreUsed) {
  const std::string folder = "/var/run/secrets/kubernetes.io/serviceaccount/";
  files.content[folder + "token"] = "t";
  files.content[folder + "ca.crt"] = "CA";
  files.content[folder + "namespace"] = "models";
  const auto access = find_access({{"", "", "/home/none"}, "", "fd00::1", "443"}, machine);
  ASSERT_TRUE(access.has_value()) << access.error().message;
  EXPECT_EQ(access->server, "https://[fd00::1]:443");
  EXPECT_EQ(access->default_namespace, "models");
  EXPECT_EQ(access->credentials->current()->authorization, "Bearer t");
}

TEST_F(Credentials, OutsideAPodAMissingKubeconfigIsTheError) {
  EXPECT_EQ(find_access({{"", "", "/home/none"}, "", "", ""}, machine).error().id, "kube.config_missing");
}

TEST(ParseTime, ReadsRfc3339) {
  const auto base_time = std::chrono::system_clock::from_time_t(1'795'426'200);
  EXPECT_EQ(parse_time("2026-11-23T09:30:00Z"), base_time);
  EXPECT_EQ(parse_time("2026-11-23T09:30:00.123456Z"), base_time);
  EXPECT_EQ(parse_time("2026-11-23T11:30:00+02:00"), base_time);
  EXPECT_EQ(parse_time("2026-11-23T09:30:00"), std::nullopt);
  EXPECT_EQ(parse_time("yesterday"), std::nullopt);
}

}  // namespace
}  // namespace wherry::kube
