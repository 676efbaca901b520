// Rollouts on a real control plane whose nodes are fake (kwok), where the image's name or a pod annotation
// decides a pod's fate (tests/e2e/kube/stages.yaml), or on a real node. Skipped unless WHERRY_TEST_KUBECONFIG
// is set; see api_scenarios_test.cc for the other variables.
//   WHERRY_TEST_REGISTRY  "127.0.0.1:PORT": the cluster has a real node, which pulls tests/e2e/kube's images
//   there WHERRY_ACCEPT=1       records the snapshots which diagnosis_test.cc reads
#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/text.h"
#include "kube/apply.h"
#include "kube/json_path.h"
#include "kube/manifests.h"
#include "kube/revisions.h"
#include "kube/rollout.h"
#include "kube/service_status.h"

namespace wherry::kube {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using text::Json;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

Json as_json(const std::vector<Json>& list) {
  Json array = Json::array();
  for (Json item : list) {
    item["metadata"].erase("managedFields");  // long, and read of Deployments only
    array.push_back(std::move(item));
  }
  return array;
}

class Cluster : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string config = variable("WHERRY_TEST_KUBECONFIG");
    if (config.empty())
      GTEST_SKIP() << "WHERRY_TEST_KUBECONFIG names no cluster; tests/e2e/kube_fake_nodes.sh does";
    auto access = find_access({{config, "", ""}, "", "", ""},
                              {base::real_files(), base::real_processes(), base::system_clock()});
    ASSERT_TRUE(access.has_value()) << access.error().message;
    client = std::make_unique<Client>(*access, base::system_clock());
    spec.name = base::cat("fraud-", static_cast<int>(::getpid()));
    spec.namespace_name = base::cat("wherry-test-", static_cast<int>(::getpid()), "-", counter++);
    spec.create_namespace = true;
    spec.image = "registry.example/fraud:1";
    spec.drain_seconds = 0;
    spec.grace_seconds = 2;
    options.timeout = seconds(60);
    options.patience = seconds(3);
    options.look_interval = seconds(1);
  }
  void TearDown() override {
    if (client) (void)client->remove({&kinds::kNamespace, "", spec.namespace_name});
  }

  // Applies what is rendered, the pod template changed by `spoil`, and waits.
  base::Result<RolloutOutcome> deploy(const std::function<void(Json&)>& spoil = {}) {
    TRY_ASSIGN(std::vector<Json> objects, render(spec));
    if (spoil) spoil(objects.back()["spec"]["template"]);
    ApplyAllOptions how;
    how.on_applied = [this](const AppliedObject& one) {
      for (const std::string& warning : one.warnings) warnings.push_back(warning);
    };
    TRY_ASSIGN(applied, apply_all(*client, objects, how));
    return wait_for_rollout(*client, base::system_clock(), spec.namespace_name, spec.name, options);
  }

  static std::function<void(Json&)> fate(const char* name) {
    return [name](Json& pod) { pod["metadata"]["annotations"]["fate.test/pod"] = name; };
  }

  // Expects that the rollout fails for this reason, and records what the server said.
  void expect_failure(const base::Result<RolloutOutcome>& outcome, Cause cause, const char* said,
                      const char* record_as) {
    ASSERT_TRUE(outcome.has_value()) << outcome.error().message;
    ASSERT_NE(outcome->end, RolloutEnd::kDone);
    ASSERT_FALSE(outcome->diagnosis.findings.empty()) << outcome->view.message;
    EXPECT_EQ(name(outcome->diagnosis.findings.front().cause), name(cause));
    const base::Error error = rollout_error(*outcome, spec.namespace_name, spec.name);
    EXPECT_THAT(error.message, HasSubstr(said));
    std::printf("%s: after %lld ms\n  error: %s\n  hint: %s\n", record_as,
                static_cast<long long>(outcome->took.count()), error.message.c_str(), error.hint.c_str());
    for (const std::string& line : outcome->diagnosis.findings.front().log)
      std::printf("  | %s\n", line.c_str());
    if (variable("WHERRY_ACCEPT").empty()) return;
    const auto snapshot = take_snapshot(*client, spec.namespace_name, spec.name);
    ASSERT_TRUE(snapshot.has_value());
    const std::string text = text::write_json({{"deployment", snapshot->deployment},
                                               {"replicaSets", as_json(snapshot->replica_sets)},
                                               {"pods", as_json(snapshot->pods)},
                                               {"events", as_json(snapshot->events)}});
    const std::string path =
        base::cat(WHERRY_SOURCE_DIR, "/src/kube/testdata/snapshots/", record_as, ".json");
    ASSERT_TRUE(base::real_files().write(path, text + "\n").has_value());
  }

  static inline int counter = 0;
  std::unique_ptr<Client> client;
  ServiceSpec spec;
  RolloutOptions options;
  std::vector<AppliedObject> applied;
  std::vector<std::string> warnings;
};

using FakeNodes = Cluster;

TEST_F(FakeNodes, ADeploymentRollsOutAndASecondApplyChangesNothing) {
  const auto outcome = deploy();
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message;
  ASSERT_EQ(outcome->end, RolloutEnd::kDone)
      << rollout_error(*outcome, spec.namespace_name, spec.name).message;
  EXPECT_THAT(warnings, ::testing::IsEmpty());  // Pod Security "restricted" has nothing to say
  for (const AppliedObject& one : applied) EXPECT_EQ(one.result, ApplyResult::kCreated) << label_of(one.name);
  std::printf("rolled out after %lld ms\n", static_cast<long long>(outcome->took.count()));
  ASSERT_TRUE(deploy().has_value());
  for (const AppliedObject& one : applied)
    EXPECT_EQ(one.result, ApplyResult::kUnchanged) << label_of(one.name);
  const auto status = service_status(*client, spec.namespace_name, spec.name);
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(status->pods.size(), 2u);
  EXPECT_EQ(status->rollout.state, RolloutState::kDone);
}

TEST_F(FakeNodes, ASecondVersionRollsOutAndRollsBackWithoutAConflict) {
  ASSERT_EQ(deploy().value().end, RolloutEnd::kDone);
  spec.image = "registry.example/fraud:2";
  ASSERT_EQ(deploy().value().end, RolloutEnd::kDone);
  const auto back = roll_back(*client, spec.namespace_name, spec.name);
  ASSERT_TRUE(back.has_value()) << back.error().message;
  EXPECT_EQ(back->image, "registry.example/fraud:1");
  const auto outcome =
      wait_for_rollout(*client, base::system_clock(), spec.namespace_name, spec.name, options);
  ASSERT_EQ(outcome.value().end, RolloutEnd::kDone);
  EXPECT_EQ(service_status(*client, spec.namespace_name, spec.name)->image, "registry.example/fraud:1");
  spec.image = "registry.example/fraud:3";
  EXPECT_EQ(deploy().value().end, RolloutEnd::kDone);
  EXPECT_EQ(roll_back(*client, spec.namespace_name, spec.name, 99).error().id, "kube.revision_missing");
}

TEST_F(FakeNodes, AMissingImageIsExplainedWhileTheOldVersionServes) {
  ASSERT_EQ(deploy().value().end, RolloutEnd::kDone);
  spec.image = "registry.invalid/fraud:2";
  expect_failure(deploy(), Cause::kImage, "ImagePullBackOff", "image");
  EXPECT_EQ(service_status(*client, spec.namespace_name, spec.name)->rollout.available, 2);
}

TEST_F(FakeNodes, ACrashIsExplained) {
  spec.image = "registry.example/fraud:2-crash";
  expect_failure(deploy(), Cause::kCrash, "CrashLoopBackOff, exit code 1", "crash");
}

TEST_F(FakeNodes, OutOfMemoryIsExplained) {
  spec.image = "registry.example/fraud:2-oom";
  expect_failure(deploy(), Cause::kOutOfMemory, "OOMKilled", "oom");
}

TEST_F(FakeNodes, AMissingSecretIsExplained) {
  expect_failure(deploy(fate("CreateContainerConfigError")), Cause::kConfiguration,
                 "CreateContainerConfigError", "config");
}

TEST_F(FakeNodes, ARequestNoNodeCanMeetIsExplained) {
  spec.resources.cpu_request = "999";
  options.timeout = seconds(5);
  expect_failure(deploy(), Cause::kUnschedulable, "Insufficient cpu", "unschedulable");
}

TEST_F(FakeNodes, AQuotaIsExplained) {
  ASSERT_TRUE(client->apply(namespace_object(spec)).has_value());
  ASSERT_TRUE(client
                  ->apply({{"apiVersion", "v1"},
                           {"kind", "ResourceQuota"},
                           {"metadata", {{"name", "small"}, {"namespace", spec.namespace_name}}},
                           {"spec", {{"hard", {{"pods", "1"}}}}}})
                  .has_value());
  for (int i = 0; i < 50; ++i) {  // the quota counts only once its controller has seen it
    const auto quota = client->get({&kinds::kResourceQuota, spec.namespace_name, "small"});
    if (quota && at(*quota, {"status", "hard"}).is_object()) break;
    base::system_clock().sleep_for(std::chrono::milliseconds(100));
  }
  expect_failure(deploy(), Cause::kQuota, "exceeded quota: small", "quota");
}

TEST_F(FakeNodes, PodSecurityIsExplainedAndWarnedOf) {
  expect_failure(deploy([](Json& pod) { pod["spec"]["containers"][0].erase("securityContext"); }),
                 Cause::kPodSecurity, "violates PodSecurity \"restricted", "pod_security");
  EXPECT_THAT(warnings, ::testing::Contains(HasSubstr("would violate PodSecurity")));
}

TEST_F(FakeNodes, AMissingServiceAccountIsExplained) {
  spec.service_account = "absent";
  expect_failure(deploy(), Cause::kAdmission, "serviceaccount \"absent\" not found", "admission");
}

TEST_F(FakeNodes, AServerWhichNeverGetsReadyIsExplained) {
  spec.image = "registry.example/fraud:2-notready";
  options.timeout = seconds(6);
  expect_failure(deploy(), Cause::kNotReady, "statuscode: 503", "not_ready");
}

TEST_F(FakeNodes, TheControllersOwnDeadlineEndsTheWait) {
  spec.image = "registry.example/fraud:2-notready";
  spec.startup_seconds = 1;
  spec.progress_deadline_seconds = 4;
  const auto outcome = deploy();
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->end, RolloutEnd::kFailed);
  EXPECT_THAT(rollout_error(*outcome, spec.namespace_name, spec.name).message,
              HasSubstr("exceeded its progress deadline"));
}

TEST_F(FakeNodes, AnotherManagersReplicasAreAConflictBeforeAnythingIsWritten) {
  ASSERT_EQ(deploy().value().end, RolloutEnd::kDone);
  ASSERT_TRUE(client
                  ->apply({{"apiVersion", "apps/v1"},
                           {"kind", "Deployment"},
                           {"metadata", {{"name", spec.name}, {"namespace", spec.namespace_name}}},
                           {"spec", {{"replicas", 3}}}},
                          {.force = true, .manager = "autoscaler"})
                  .has_value());
  spec.service_port = 8080;
  const auto outcome = deploy();
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().id, "kube.conflict");
  EXPECT_THAT(outcome.error().message, HasSubstr("spec.replicas (autoscaler)"));
  const auto service = client->get({&kinds::kService, spec.namespace_name, spec.name});
  EXPECT_EQ(list_at(*service, {"spec", "ports"})[0]["port"], 80);
  spec.replicas.reset();
  EXPECT_EQ(deploy().value().end, RolloutEnd::kDone);
}

TEST_F(FakeNodes, AServerWhichIsNotThereIsNamed) {
  Access access = client->access();
  access.server = "https://127.0.0.1:9";
  ClientOptions hasty;
  hasty.waits = {};
  Client nowhere(access, base::system_clock(), hasty);
  const auto applied_there = apply_all(nowhere, {namespace_object(spec)});
  ASSERT_FALSE(applied_there.has_value());
  EXPECT_EQ(applied_there.error().id, "kube.unreachable");
  EXPECT_THAT(applied_there.error().message, HasSubstr("https://127.0.0.1:9"));
}

TEST_F(FakeNodes, AnUnknownAuthorityIsNotTrusted) {
  Access access = client->access();
  access.tls.ca_data.clear();
  Client distrustful(access, base::system_clock());
  EXPECT_EQ(server_minor_version(distrustful).error().id, "kube.tls");
}

class RealNode : public Cluster {
 protected:
  void SetUp() override {
    Cluster::SetUp();
    registry = variable("WHERRY_TEST_REGISTRY");
    if (registry.empty())
      GTEST_SKIP() << "WHERRY_TEST_REGISTRY names no registry; tests/e2e/kube_real_node.sh does";
    options.timeout = seconds(60);
    options.patience = seconds(12);
    spec.replicas = 1;
  }
  std::string registry;
};

TEST_F(RealNode, AMissingTagIsExplained) {
  spec.image = registry + "/web:missing";
  expect_failure(deploy(), Cause::kImage, "not found", "real_image");
}

TEST_F(RealNode, ACrashIsExplainedWithItsLastLogLine) {
  spec.image = registry + "/web:crash";
  expect_failure(deploy(), Cause::kCrash, "exit code 3, last log line: 'no model to serve'", "real_crash");
}

TEST_F(RealNode, OutOfMemoryIsExplained) {
  spec.image = registry + "/web:eat";
  spec.resources.memory_request = "16Mi";
  spec.resources.memory_limit = "32Mi";
  expect_failure(deploy(), Cause::kOutOfMemory, "OOMKilled", "real_oom");
}

TEST_F(RealNode, AServerWhichAnswers503IsExplained) {
  spec.image = registry + "/web:notready";
  options.timeout = seconds(15);
  expect_failure(deploy(), Cause::kNotReady, "statuscode: 503", "real_not_ready");
}

TEST_F(RealNode, APodRunsUnderPodSecurityRestricted) {
  spec.image = registry + "/web:1";
  const auto outcome = deploy();
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message;
  ASSERT_EQ(outcome->end, RolloutEnd::kDone)
      << rollout_error(*outcome, spec.namespace_name, spec.name).message;
  EXPECT_THAT(warnings, ::testing::IsEmpty());
  const auto status = service_status(*client, spec.namespace_name, spec.name);
  ASSERT_EQ(status->pods.size(), 1u);
  const std::string address = status->pods.front().address;
  const auto page = http_client::make_transport()->send({.url = base::cat("http://", address, ":8080/")});
  ASSERT_TRUE(page.has_value()) << page.error().message;
  EXPECT_EQ(page->body, "version 1\n");
  std::printf("rolled out after %lld ms; http://%s:8080/ answered\n",
              static_cast<long long>(outcome->took.count()), address.c_str());
  const auto lines =
      log_tail(*client, {&kinds::kPod, spec.namespace_name, status->pods.front().name}, "server", false, 5);
  ASSERT_TRUE(lines.has_value()) << lines.error().message;
  EXPECT_THAT(*lines, ::testing::Contains("version 1 as uid 65532"));
}

}  // namespace
}  // namespace wherry::kube
