#include "kube/manifests.h"

#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/text.h"
#include "kube/json_path.h"

namespace wherry::kube {
namespace {

using text::Json;

const std::string kDigest = "sha256:" + std::string(64, 'a');

ServiceSpec minimal() {
  ServiceSpec spec;
  spec.name = "fraud";
  spec.image = "registry.example/fraud@" + kDigest;
  return spec;
}

ServiceSpec everything() {
  ServiceSpec spec = minimal();
  spec.namespace_name = "prod";
  spec.create_namespace = true;
  spec.image = "127.0.0.1:5000/team/fraud:7";
  spec.port = 9000;
  spec.service_port = 8080;
  spec.replicas.reset();
  spec.resources.cpu_limit = "2";
  spec.labels = {{"team", "risk"}};
  spec.annotations = {{"example.com/owner", "risk@example.com"}};
  spec.pod_annotations = {{"sidecar.istio.io/inject", "false"}};
  spec.environment = {{"LOG_LEVEL", "debug", "", ""}, {"TOKEN", "", "fraud-token", "token"}};
  spec.arguments = {"--max-batch=64"};
  spec.drain_seconds = 10;
  spec.grace_seconds = 45;
  spec.startup_seconds = 121;
  spec.pull_secrets = {"registry-login"};
  spec.priority_class = "high";
  return spec;
}

ServiceSpec old_server() {
  ServiceSpec spec = minimal();
  spec.server_minor_version = 25;
  return spec;
}

struct Golden {
  const char* name;
  ServiceSpec (*spec)();
};

class GoldenManifest : public ::testing::TestWithParam<Golden> {};

// WHERRY_ACCEPT=1 rewrites the files; look at the difference before committing it.
TEST_P(GoldenManifest, IsWhatTheFileSays) {
  const auto objects = render(GetParam().spec());
  ASSERT_TRUE(objects.has_value()) << objects.error().message;
  const std::string path = base::cat(WHERRY_SOURCE_DIR, "/src/kube/testdata/", GetParam().name, ".yaml");
  if (std::getenv("WHERRY_ACCEPT") != nullptr) {
    ASSERT_TRUE(base::real_files().write(path, to_yaml(*objects)).has_value());
  }
  const auto expected = base::real_files().read(path, 1u << 20);
  ASSERT_TRUE(expected.has_value());
  EXPECT_EQ(to_yaml(*objects), *expected);
}

INSTANTIATE_TEST_SUITE_P(Manifests, GoldenManifest,
                         ::testing::Values(Golden{"minimal", minimal}, Golden{"everything", everything},
                                           Golden{"old_server", old_server}),
                         [](const auto& row) { return row.param.name; });

TEST(Manifests, EveryObjectIsAKindTheClientCanApply) {
  const auto objects = render(everything());
  ASSERT_TRUE(objects.has_value());
  std::vector<std::string> kinds;
  for (const Json& object : *objects) kinds.push_back(string_at(object, {"kind"}));
  EXPECT_THAT(kinds, ::testing::ElementsAre("Namespace", "ServiceAccount", "Service", "PodDisruptionBudget",
                                            "NetworkPolicy", "Deployment"));
}

TEST(Manifests, SelectorsDoNotDependOnTheVersion) {
  ServiceSpec next = minimal();
  next.image = "registry.example/fraud:8";
  next.labels = {{"team", "new"}};
  EXPECT_EQ(at(deployment(minimal()), {"spec", "selector"}), at(deployment(next), {"spec", "selector"}));
  EXPECT_EQ(at(service(minimal()), {"spec", "selector"}), at(service(next), {"spec", "selector"}));
}

TEST(Manifests, SelectorsMatchThePodLabels) {
  const Json pod_labels = at(deployment(minimal()), {"spec", "template", "metadata", "labels"});
  for (const Json& selector : {at(deployment(minimal()), {"spec", "selector", "matchLabels"}),
                               at(service(minimal()), {"spec", "selector"}),
                               at(disruption_budget(minimal()), {"spec", "selector", "matchLabels"}),
                               at(network_policy(minimal()), {"spec", "podSelector", "matchLabels"})})
    for (const auto& [key, value] : selector.items())
      EXPECT_EQ(string_at(pod_labels, {key}), value.get<std::string>());
}

TEST(Manifests, AnImageByTagIsPulledAtEveryStart) {
  ServiceSpec spec = minimal();
  spec.image = "registry.example/fraud:7";
  const Json object = deployment(spec);
  EXPECT_EQ(list_at(object, {"spec", "template", "spec", "containers"})[0]["imagePullPolicy"], "Always");
}

TEST(Manifests, ListHoldsTheSameObjects) {
  const auto objects = render(minimal());
  EXPECT_EQ(to_list(*objects)["items"].size(), objects->size());
}

TEST(VersionLabel, IsTheTagOrTheStartOfTheDigest) {
  EXPECT_EQ(version_label("127.0.0.1:5000/fraud:1.2"), "1.2");
  EXPECT_EQ(version_label("fraud:7@" + kDigest), "7");
  EXPECT_EQ(version_label("fraud@" + kDigest), std::string(12, 'a'));
  EXPECT_EQ(version_label("127.0.0.1:5000/fraud"), "");
  EXPECT_EQ(version_label("fraud:" + std::string(100, 'v')), std::string(63, 'v'));
}

struct Refusal {
  const char* what;
  void (*spoil)(ServiceSpec&);
  const char* message;  // part of it
};

class SpecRefusal : public ::testing::TestWithParam<Refusal> {};

TEST_P(SpecRefusal, NamesWhatIsWrong) {
  ServiceSpec spec = minimal();
  GetParam().spoil(spec);
  const auto result = render(spec);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().id, "kube.spec_invalid");
  EXPECT_THAT(result.error().message, ::testing::HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Spec, SpecRefusal,
    ::testing::Values(
        Refusal{"UpperCaseName", [](ServiceSpec& s) { s.name = "Fraud"; }, "service name 'Fraud'"},
        Refusal{"LongName", [](ServiceSpec& s) { s.name = std::string(64, 'a'); }, "DNS label"},
        Refusal{"DigitFirst", [](ServiceSpec& s) { s.name = "7fraud"; }, "starts with a digit"},
        Refusal{"Namespace", [](ServiceSpec& s) { s.namespace_name = "a_b"; }, "namespace 'a_b'"},
        Refusal{"NoImage", [](ServiceSpec& s) { s.image = ""; }, "image"},
        Refusal{"ImageWithSpace", [](ServiceSpec& s) { s.image = "a b"; }, "image 'a b'"},
        Refusal{"ShortDigest", [](ServiceSpec& s) { s.image = "a@sha256:12"; }, "sha256 digest"},
        Refusal{"LowPort", [](ServiceSpec& s) { s.port = 80; }, "port 80"},
        Refusal{"Replicas", [](ServiceSpec& s) { s.replicas = -1; }, "replicas -1"},
        Refusal{"Quantity", [](ServiceSpec& s) { s.resources.memory_limit = "64MB"; }, "memory limit '64MB'"},
        Refusal{"Grace", [](ServiceSpec& s) { s.grace_seconds = s.drain_seconds; }, "grace period"},
        Refusal{"Deadline", [](ServiceSpec& s) { s.progress_deadline_seconds = s.startup_seconds; },
                "progress deadline"},
        Refusal{"Label", [](ServiceSpec& s) { s.labels = {{"team", "a b"}}; }, "label 'team'"},
        Refusal{"OwnLabel", [](ServiceSpec& s) { s.labels = {{"app.kubernetes.io/name", "x"}}; },
                "set by wherry"},
        Refusal{"Annotation", [](ServiceSpec& s) { s.annotations = {{"a/b/c", "x"}}; }, "annotation"},
        Refusal{"Variable", [](ServiceSpec& s) { s.environment = {{"7UP", "x", "", ""}}; }, "variable '7UP'"},
        Refusal{"Secret", [](ServiceSpec& s) { s.environment = {{"A", "", "secret", ""}}; },
                "secret with its key"}),
    [](const auto& row) { return row.param.what; });

TEST(Quantity, FollowsTheApimachineryGrammar) {
  for (const char* good : {"0", "1", "100m", "0.5", ".5", "64Mi", "1.5Gi", "10k"})
    EXPECT_TRUE(is_quantity(good)) << good;
  for (const char* bad : {"", "m", "-1", "1mi", "64MB", "1 Gi", "1.2.3", "."})
    EXPECT_FALSE(is_quantity(bad)) << bad;
}

}  // namespace
}  // namespace wherry::kube
