#include "kube/kubeconfig.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "kube/test_support.h"

namespace wherry::kube {
namespace {

using ::testing::HasSubstr;

constexpr const char* kTwoClusters = R"(apiVersion: v1
kind: Config
current-context: prod
clusters:
- name: prod
  cluster: {server: "https://prod:6443/", certificate-authority: pki/ca.crt, tls-server-name: kube.prod}
- name: lab
  cluster: {server: "https://lab:6443", insecure-skip-tls-verify: true, certificate-authority-data: QUJD}
users:
- name: me
  user: {token: secret}
- name: robot
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      command: ./bin/login
      args: [get-token, --cluster, prod]
      env: [{name: PROFILE, value: prod}]
      provideClusterInfo: true
      installHint: brew install login
contexts:
- name: prod
  context: {cluster: prod, user: me, namespace: models}
- name: lab
  context: {cluster: lab, user: robot}
)";

Kubeconfig parsed(const std::string& document) {
  auto config = parse_kubeconfig(document, "config", "/home/me/.kube");
  EXPECT_TRUE(config.has_value()) << (config ? "" : config.error().message);
  return config ? *config : Kubeconfig{};
}

TEST(Kubeconfig, CurrentContextIsChosenByDefault) {
  const auto selection = select_context(parsed(kTwoClusters), "");
  ASSERT_TRUE(selection.has_value());
  EXPECT_EQ(selection->context.namespace_name, "models");
  EXPECT_EQ(selection->cluster.server, "https://prod:6443/");
  EXPECT_EQ(selection->cluster.tls_server_name, "kube.prod");
  EXPECT_EQ(selection->user.token, "secret");
}

TEST(Kubeconfig, RelativePathsBelongToTheFilesFolder) {
  const Kubeconfig config = parsed(kTwoClusters);
  EXPECT_EQ(config.clusters[0].authority.file, "/home/me/.kube/pki/ca.crt");
  EXPECT_EQ(config.users[1].exec->command, "/home/me/.kube/./bin/login");
}

TEST(Kubeconfig, DataIsDecodedFromBase64) {
  EXPECT_EQ(parsed(kTwoClusters).clusters[1].authority.data, "ABC");
}

TEST(Kubeconfig, ExecPluginOfV1beta1MayAskByDefault) {
  const ExecPlugin plugin = *parsed(kTwoClusters).users[1].exec;
  EXPECT_EQ(plugin.interactive_mode, "IfAvailable");
  EXPECT_THAT(plugin.arguments, ::testing::ElementsAre("get-token", "--cluster", "prod"));
  EXPECT_EQ(plugin.environment.front(), std::make_pair(std::string("PROFILE"), std::string("prod")));
  EXPECT_TRUE(plugin.provide_cluster_info);
}

TEST(Kubeconfig, JsonIsYamlToo) {
  EXPECT_EQ(parsed(R"({"current-context": "x", "contexts": [{"name": "x", "context": {"cluster": "c"}}]})")
                .contexts.front()
                .cluster,
            "c");
}

TEST(Kubeconfig, AMisspeltContextGetsTheNearestName) {
  const auto selection = select_context(parsed(kTwoClusters), "prd");
  ASSERT_FALSE(selection.has_value());
  EXPECT_EQ(selection.error().id, "kube.context_unknown");
  EXPECT_EQ(selection.error().hint, "did you mean 'prod'?");
}

TEST(Kubeconfig, WithoutCurrentContextTheChoicesAreListed) {
  Kubeconfig config = parsed(kTwoClusters);
  config.current_context.clear();
  const auto selection = select_context(config, "");
  ASSERT_FALSE(selection.has_value());
  EXPECT_THAT(selection.error().hint, HasSubstr("prod, lab"));
}

struct Bad {
  const char* what;
  const char* document;
  const char* id;
  const char* message;
};

class BadKubeconfig : public ::testing::TestWithParam<Bad> {};

TEST_P(BadKubeconfig, SaysWhatIsWrong) {
  const auto config = parse_kubeconfig(GetParam().document, "config", "/");
  const auto result = config ? select_context(*config, "") : std::unexpected(config.error());
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().id, GetParam().id);
  EXPECT_THAT(result.error().message, HasSubstr(GetParam().message));
  EXPECT_FALSE(result.error().hint.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Kubeconfig, BadKubeconfig,
    ::testing::Values(
        Bad{"Text", "hello", "kube.config_invalid", "not a mapping"},
        Bad{"Kind", "kind: Pod", "kube.config_invalid", "'Pod'"},
        Bad{"ClustersNoList", "clusters: {}", "kube.config_invalid", "clusters is not a list"},
        Bad{"NoName", "users: [{user: {}}]", "kube.config_invalid", "without a name"},
        Bad{"NumericToken", "users: [{name: a, user: {token: 5}}]", "kube.config_invalid",
            "'a'.token is not a string"},
        Bad{"Base64", "clusters: [{name: a, cluster: {certificate-authority-data: '?'}}]",
            "kube.config_invalid", "certificate-authority-data is not base64"},
        Bad{"ExecVersion", "users: [{name: a, user: {exec: {apiVersion: v9, command: x}}}]",
            "kube.config_invalid", "'v9'"},
        Bad{"ExecV1WithoutMode",
            "users: [{name: a, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: x}}}]",
            "kube.config_invalid", "interactiveMode"},
        Bad{"ExecWithoutCommand",
            "users: [{name: a, user: {exec: {apiVersion: client.authentication.k8s.io/v1beta1}}}]",
            "kube.config_invalid", "command is missing"},
        Bad{"Empty", "", "kube.context_unknown", "no current-context"},
        Bad{"NoCluster", "current-context: a\ncontexts: [{name: a, context: {cluster: c}}]",
            "kube.config_dangling", "cluster 'c'"},
        Bad{"NoUser",
            "current-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]\n"
            "clusters: [{name: c, cluster: {server: 'https://x'}}]",
            "kube.config_dangling", "user 'u'"},
        Bad{"NoServer",
            "current-context: a\ncontexts: [{name: a, context: {cluster: c}}]\nclusters: [{name: c}]",
            "kube.config_dangling", "no server"},
        Bad{"NoUrl",
            "current-context: a\ncontexts: [{name: a, context: {cluster: c}}]\n"
            "clusters: [{name: c, cluster: {server: 'prod:6443'}}]",
            "kube.config_invalid", "'prod:6443' is not a URL"},
        Bad{"AuthProvider",
            "current-context: a\ncontexts: [{name: a, context: {cluster: c, user: u}}]\n"
            "clusters: [{name: c, cluster: {server: 'https://x'}}]\nusers: [{name: u, user: {auth-provider: "
            "{name: gcp}}}]",
            "kube.config_unsupported", "'gcp'"},
        Bad{"Proxy",
            "current-context: a\ncontexts: [{name: a, context: {cluster: c}}]\n"
            "clusters: [{name: c, cluster: {server: 'https://x', proxy-url: 'http://p'}}]",
            "kube.config_unsupported", "proxy-url"}),
    [](const auto& row) { return row.param.what; });

TEST(KubeconfigMerge, TheFirstFileWinsAnEntryWhole) {
  const Kubeconfig merged = merge(
      {parsed("clusters: [{name: c, cluster: {server: 'https://one'}}]"),
       parsed(
           "current-context: x\nclusters: [{name: c, cluster: {server: 'https://two', tls-server-name: n}}]"),
       parsed("current-context: y")});
  ASSERT_EQ(merged.clusters.size(), 1u);
  EXPECT_EQ(merged.clusters[0].server, "https://one");
  EXPECT_EQ(merged.clusters[0].tls_server_name, "");
  EXPECT_EQ(merged.current_context, "x");
}

TEST(KubeconfigLoad, MissingFilesOfTheListAreSkipped) {
  testing::FakeFiles files;
  files.content["/b"] = "current-context: b";
  const auto config = load_kubeconfig(files, {"", "/a::/b", "/home/me"});
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->current_context, "b");
}

TEST(KubeconfigLoad, AnExplicitFileMustExist) {
  testing::FakeFiles files;
  files.content["/b"] = "current-context: b";
  const auto config = load_kubeconfig(files, {"/a", "/b", "/home/me"});
  ASSERT_FALSE(config.has_value());
  EXPECT_EQ(config.error().id, "base.file_not_found");
}

TEST(KubeconfigLoad, TheHomeFolderIsLookedAtLast) {
  testing::FakeFiles files;
  files.content["/home/me/.kube/config"] = "current-context: h";
  EXPECT_EQ(load_kubeconfig(files, {"", "", "/home/me"})->current_context, "h");
}

TEST(KubeconfigLoad, NothingFoundNamesThePlacesAndTheCloudsCommands) {
  testing::FakeFiles files;
  const auto config = load_kubeconfig(files, {"", "/a:/b", ""});
  ASSERT_FALSE(config.has_value());
  EXPECT_EQ(config.error().id, "kube.config_missing");
  EXPECT_THAT(config.error().message, HasSubstr("at /a or /b"));
  EXPECT_THAT(config.error().hint, HasSubstr("aws eks update-kubeconfig"));
}

}  // namespace
}  // namespace wherry::kube
