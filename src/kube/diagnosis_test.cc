#include "kube/diagnosis.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/text.h"
#include "kube/revisions.h"
#include "kube/service_status.h"
#include "kube/test_support.h"

namespace wherry::kube {
namespace {

using ::testing::HasSubstr;
using text::Json;

// Recorded from a real control plane by real_cluster_test.cc.
Snapshot recorded(const std::string& name) {
  const std::string path = base::cat(WHERRY_SOURCE_DIR, "/src/kube/testdata/snapshots/", name, ".json");
  const auto text = base::real_files().read(path, 4u << 20);
  EXPECT_TRUE(text.has_value()) << path;
  const auto json = text::parse_json(text.value_or("{}"), path);
  EXPECT_TRUE(json.has_value());
  Snapshot snapshot;
  snapshot.deployment = json->at("deployment");
  for (const Json& item : json->at("replicaSets")) snapshot.replica_sets.push_back(item);
  for (const Json& item : json->at("pods")) snapshot.pods.push_back(item);
  for (const Json& item : json->at("events")) snapshot.events.push_back(item);
  return snapshot;
}

struct Recorded {
  const char* name;
  Cause cause;
  const char* reason;
  const char* said;  // part of the description
  bool certain;
};

class RecordedFailure : public ::testing::TestWithParam<Recorded> {};

TEST_P(RecordedFailure, IsUnderstood) {
  const Diagnosis diagnosis = diagnose(recorded(GetParam().name));
  ASSERT_FALSE(diagnosis.findings.empty());
  const Finding& gravest = diagnosis.findings.front();
  EXPECT_EQ(name(gravest.cause), name(GetParam().cause));
  EXPECT_EQ(gravest.reason, GetParam().reason);
  EXPECT_THAT(describe(gravest), HasSubstr(GetParam().said));
  EXPECT_EQ(diagnosis.certain(), GetParam().certain);
}

INSTANTIATE_TEST_SUITE_P(
    Diagnosis, RecordedFailure,
    ::testing::Values(
        Recorded{"image", Cause::kImage, "ImagePullBackOff", "registry.invalid/fraud", true},
        Recorded{"crash", Cause::kCrash, "CrashLoopBackOff", "exit code 1", true},
        Recorded{"oom", Cause::kOutOfMemory, "CrashLoopBackOff", "OOMKilled", true},
        Recorded{"config", Cause::kConfiguration, "CreateContainerConfigError", "secret", true},
        Recorded{"unschedulable", Cause::kUnschedulable, "Unschedulable", "Insufficient cpu", false},
        Recorded{"quota", Cause::kQuota, "FailedCreate", "exceeded quota: small", true},
        Recorded{"pod_security", Cause::kPodSecurity, "FailedCreate", "violates PodSecurity", true},
        Recorded{"admission", Cause::kAdmission, "FailedCreate", "serviceaccount", true},
        Recorded{"not_ready", Cause::kNotReady, "ContainersNotReady", "statuscode: 503", false},
        Recorded{"real_image", Cause::kImage, "ImagePullBackOff", "not found", true},
        Recorded{"real_crash", Cause::kCrash, "CrashLoopBackOff",
                 "exit code 3, last log line: 'no model to serve'", true},
        Recorded{"real_oom", Cause::kOutOfMemory, "CrashLoopBackOff", "OOMKilled", true},
        Recorded{"real_not_ready", Cause::kNotReady, "ContainersNotReady", "statuscode: 503", false}),
    [](const auto& row) { return row.param.name; });

TEST(Diagnosis, OldPodsWhichServeAreNoFinding) {
  const ServiceStatus status = summarise(recorded("image"));
  EXPECT_EQ(status.rollout.available, 2);
  ASSERT_EQ(status.diagnosis.findings.size(), 1u);
  EXPECT_TRUE(status.pods.front().newest);
  EXPECT_FALSE(status.pods.back().newest);
}

TEST(Diagnosis, ManyPodsWithOneTroubleAreOneFinding) {
  Snapshot snapshot = recorded("unschedulable");
  Json second = snapshot.pods.front();
  second["metadata"]["name"] = "other";
  snapshot.pods.push_back(second);
  const Diagnosis diagnosis = diagnose(snapshot);
  ASSERT_EQ(diagnosis.findings.size(), 1u);
  EXPECT_THAT(describe(diagnosis.findings.front()), HasSubstr(" more: Unschedulable"));
}

TEST(Diagnosis, NothingIsFoundWithoutReplicaSets) {
  Snapshot snapshot = recorded("image");
  snapshot.replica_sets.clear();
  EXPECT_TRUE(diagnose(snapshot).findings.empty());
}

TEST(Diagnosis, EveryCauseHasANameAndAdvice) {
  for (int i = 0; i <= static_cast<int>(Cause::kNotReady); ++i) {
    EXPECT_FALSE(name(static_cast<Cause>(i)).empty());
    EXPECT_FALSE(advice(static_cast<Cause>(i)).empty());
  }
}

TEST(Revisions, AreNewestFirstWithTheirImages) {
  const Snapshot snapshot = recorded("image");
  const auto revisions = revisions_of(snapshot.deployment, snapshot.replica_sets);
  ASSERT_EQ(revisions.size(), 2u);
  EXPECT_EQ(revisions[0].number, 2);
  EXPECT_EQ(revisions[0].image, "registry.invalid/fraud:2");
  EXPECT_EQ(revisions[1].image, "registry.example/fraud:1");
}

TEST(Revisions, TheWayBackKeepsEverythingButTheTemplate) {
  const Snapshot snapshot = recorded("image");
  const auto revisions = revisions_of(snapshot.deployment, snapshot.replica_sets);
  const Json object = rollback_object(snapshot.deployment, revisions.at(1));
  EXPECT_EQ(object["spec"]["template"]["spec"]["containers"][0]["image"], "registry.example/fraud:1");
  EXPECT_FALSE(object["spec"]["template"]["metadata"]["labels"].contains("pod-template-hash"));
  EXPECT_EQ(object["spec"]["selector"], snapshot.deployment["spec"]["selector"]);
  EXPECT_EQ(object["spec"]["replicas"], 2);
  EXPECT_FALSE(object["metadata"].contains("annotations"));
}

TEST(Revisions, ReplicasOfAnAutoscalerAreLeftToIt) {
  Snapshot snapshot = recorded("image");
  snapshot.deployment["metadata"].erase("managedFields");
  const auto revisions = revisions_of(snapshot.deployment, snapshot.replica_sets);
  EXPECT_FALSE(rollback_object(snapshot.deployment, revisions.at(1))["spec"].contains("replicas"));
}

TEST(ServiceStatus, AsJsonHasWhatTheValuesHave) {
  const Json json = to_json(summarise(recorded("crash")));
  EXPECT_EQ(json["findings"][0]["cause"], "crash");
  EXPECT_EQ(json["rollout"]["state"], "waiting");
  EXPECT_FALSE(json["pods"].empty());
}

}  // namespace
}  // namespace wherry::kube
