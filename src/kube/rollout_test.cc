#include "kube/rollout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kube/fake_api.h"
#include "kube/test_support.h"

namespace wherry::kube {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using text::Json;

Json deployment(int generation, int observed, int desired, int total, int updated, int available) {
  return {{"metadata", {{"name", "fraud"}, {"uid", "d"}, {"generation", generation}}},
          {"spec", {{"replicas", desired}, {"selector", {{"matchLabels", {{"app", "fraud"}}}}}}},
          {"status",
           {{"observedGeneration", observed},
            {"replicas", total},
            {"updatedReplicas", updated},
            {"availableReplicas", available}}}};
}

Json past_deadline() {
  Json object = deployment(2, 2, 2, 3, 1, 2);
  object["status"]["conditions"] =
      Json::array({{{"type", "Progressing"}, {"status", "False"}, {"reason", "ProgressDeadlineExceeded"}}});
  return object;
}

struct Row {
  const char* what;
  Json object;
  RolloutState state;
  const char* message;
};

class Judgement : public ::testing::TestWithParam<Row> {};

TEST_P(Judgement, FollowsKubectl) {
  const RolloutView view = judge_rollout(GetParam().object);
  EXPECT_EQ(view.state, GetParam().state);
  EXPECT_EQ(view.message, GetParam().message);
}

Json paused() {
  Json object = deployment(2, 2, 2, 2, 0, 2);
  object["spec"]["paused"] = true;
  return object;
}
Json without_replicas() {
  Json object = deployment(1, 1, 1, 1, 1, 1);
  object["spec"].erase("replicas");
  return object;
}

INSTANTIATE_TEST_SUITE_P(
    Rollout, Judgement,
    ::testing::Values(
        Row{"Unobserved", deployment(2, 1, 2, 2, 2, 2), RolloutState::kWaiting,
            "waiting for the change to be observed"},
        Row{"Updating", deployment(2, 2, 3, 3, 1, 3), RolloutState::kWaiting,
            "1 of 3 new replicas have been updated"},
        Row{"OldOnes", deployment(2, 2, 2, 3, 2, 3), RolloutState::kWaiting,
            "1 old replicas are pending termination"},
        Row{"Unavailable", deployment(2, 2, 2, 2, 2, 1), RolloutState::kWaiting,
            "1 of 2 updated replicas are available"},
        Row{"Done", deployment(2, 2, 2, 2, 2, 2), RolloutState::kDone, "successfully rolled out"},
        Row{"Zero", deployment(2, 2, 0, 0, 0, 0), RolloutState::kDone, "successfully rolled out"},
        Row{"OneByDefault", without_replicas(), RolloutState::kDone, "successfully rolled out"},
        Row{"Deadline", past_deadline(), RolloutState::kDeadlineExceeded, "exceeded its progress deadline"},
        Row{"Paused", paused(), RolloutState::kPaused, "paused while 0 of 2 new replicas have been updated"},
        Row{"Nonsense", Json::array({1}), RolloutState::kWaiting, "0 of 1 new replicas have been updated"}),
    [](const auto& row) { return row.param.what; });

class Waiting : public ::testing::Test {
 protected:
  static constexpr const char* kPath = "/apis/apps/v1/namespaces/ns/deployments/fraud";
  testing::FakeApi api;
  testing::FakeClock clock;
  Client client{testing::fake_access(), clock,
                testing::options_with(
                    [this](const http_client::Request& request) -> base::Result<http_client::Response> {
                      TRY_ASSIGN(http_client::Response response, api.handle(request));
                      return testing::deliver(request, std::move(response));
                    })};
  std::vector<std::string> progress;
  RolloutOptions options{
      .timeout = seconds(100),
      .patience = seconds(20),
      .look_interval = seconds(2),
      .on_progress = [this](const RolloutView& view) { progress.push_back(view.message); }};

  void SetUp() override {
    api.put("/api/v1/namespaces/ns", Json::object());
    api.on_watch = [this] { clock.passed += seconds(2); };
  }
  base::Result<RolloutOutcome> wait() { return wait_for_rollout(client, clock, "ns", "fraud", options); }

  void put_failing_pod(const char* reason) {
    const auto owned_by = [](const char* uid) { return Json::array({{{"uid", uid}}}); };
    api.put("/apis/apps/v1/namespaces/ns/replicasets/fraud-1",
            {{"metadata",
              {{"name", "fraud-1"},
               {"uid", "r"},
               {"labels", {{"app", "fraud"}}},
               {"annotations", {{"deployment.kubernetes.io/revision", "1"}}},
               {"ownerReferences", owned_by("d")}}}});
    api.put("/api/v1/namespaces/ns/pods/fraud-1-a",
            {{"metadata",
              {{"name", "fraud-1-a"},
               {"uid", "p"},
               {"labels", {{"app", "fraud"}}},
               {"ownerReferences", owned_by("r")}}},
             {"status",
              {{"phase", "Pending"},
               {"containerStatuses",
                Json::array(
                    {{{"name", "server"},
                      {"state", {{"waiting", {{"reason", reason}, {"message", "no such image"}}}}}}})}}}});
  }
};

TEST_F(Waiting, EndsWhenTheLastPodIsAvailable) {
  api.put(kPath, deployment(2, 1, 2, 2, 0, 2));
  int steps = 0;
  api.on_watch = [&] {
    clock.passed += seconds(2);
    const std::vector<Json> course{deployment(2, 2, 2, 3, 1, 2), deployment(2, 2, 2, 3, 2, 2),
                                   deployment(2, 2, 2, 2, 2, 2)};
    if (steps < 3) api.put(kPath, course[static_cast<std::size_t>(steps++)]);
  };
  const auto outcome = wait();
  ASSERT_TRUE(outcome.has_value()) << outcome.error().message;
  EXPECT_EQ(outcome->end, RolloutEnd::kDone);
  EXPECT_EQ(outcome->took, seconds(6));
  EXPECT_THAT(progress, ::testing::ElementsAre(
                            "waiting for the change to be observed", "1 of 2 new replicas have been updated",
                            "1 old replicas are pending termination", "successfully rolled out"));
}

TEST_F(Waiting, FailsWhenTheControllerGivesUp) {
  api.put(kPath, past_deadline());
  const auto outcome = wait();
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->end, RolloutEnd::kFailed);
  const base::Error error = rollout_error(*outcome, "ns", "fraud");
  EXPECT_EQ(error.id, "kube.rollout_failed");
  EXPECT_EQ(base::exit_status(error.code), 3);
}

TEST_F(Waiting, AFailureWhichDoesNotHealIsWatchedOnlyForAWhile) {
  api.put(kPath, deployment(1, 1, 1, 1, 1, 0));
  put_failing_pod("ImagePullBackOff");
  const auto outcome = wait();
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->end, RolloutEnd::kFailed);
  EXPECT_EQ(outcome->took, seconds(20));
  EXPECT_THAT(rollout_error(*outcome, "ns", "fraud").message,
              HasSubstr("pod fraud-1-a: ImagePullBackOff, no such image"));
}

TEST_F(Waiting, AFailureWhichHealsIsForgiven) {
  api.put(kPath, deployment(1, 1, 1, 1, 1, 0));
  put_failing_pod("ErrImagePull");
  api.on_watch = [&] {
    clock.passed += seconds(2);
    if (clock.passed > seconds(1015)) put_failing_pod("ContainerCreating");
    if (clock.passed > seconds(1030)) api.put(kPath, deployment(1, 1, 1, 1, 1, 1));
  };
  EXPECT_EQ(wait()->end, RolloutEnd::kDone);
}

TEST_F(Waiting, TimesOutWithTheLastState) {
  api.put(kPath, deployment(1, 1, 1, 1, 1, 0));
  const auto outcome = wait();
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->end, RolloutEnd::kTimedOut);
  const base::Error error = rollout_error(*outcome, "ns", "fraud");
  EXPECT_EQ(error.id, "kube.rollout_timeout");
  EXPECT_THAT(error.message, HasSubstr("not finished after 100 s: 0 of 1 updated replicas are available"));
}

TEST_F(Waiting, ForgottenHistoryMeansListingAgain) {
  api.put(kPath, deployment(1, 1, 1, 1, 1, 0));
  int watches = 0;
  api.on_watch = [&] {
    clock.passed += seconds(2);
    api.oldest_version = ++watches == 1 ? 1'000'000 : 1;
    if (watches == 1) api.put(kPath, deployment(1, 1, 1, 1, 1, 1));
  };
  EXPECT_EQ(wait()->end, RolloutEnd::kDone);
  EXPECT_EQ(watches, 1);
}

TEST_F(Waiting, ABrokenWatchIsTakenUpAgain) {
  api.put(kPath, deployment(1, 1, 1, 1, 1, 0));
  api.on_watch = [&] {
    clock.passed += seconds(2);
    if (clock.passed < seconds(1005))
      api.faults.assign(4,
                        base::fail(base::Code::kUnavailable, "http_client.interrupted", "connection reset"));
    else
      api.put(kPath, deployment(1, 1, 1, 1, 1, 1));
  };
  const auto outcome = wait();
  ASSERT_FALSE(outcome.has_value());  // four tries of the look at the pods fail: the server is gone
  EXPECT_EQ(outcome.error().id, "kube.unreachable");
}

TEST_F(Waiting, AServerWhichComesBackIsForgiven) {
  api.put(kPath, deployment(1, 1, 1, 1, 1, 0));
  api.on_watch = [&] {
    clock.passed += seconds(2);
    if (clock.passed < seconds(1005))
      api.faults.assign(3, base::fail(base::Code::kUnavailable, "http_client.refused", "connection refused"));
    else
      api.put(kPath, deployment(1, 1, 1, 1, 1, 1));
  };
  EXPECT_EQ(wait()->end, RolloutEnd::kDone);
}

TEST_F(Waiting, ADeletedDeploymentEndsTheWait) {
  api.put(kPath, deployment(1, 1, 1, 1, 1, 0));
  api.on_watch = [&] {
    clock.passed += seconds(2);
    (void)client.remove({&kinds::kDeployment, "ns", "fraud"});
  };
  EXPECT_EQ(wait().error().id, "kube.object_missing");
}

TEST_F(Waiting, APausedDeploymentIsNotWaitedFor) {
  api.put(kPath, paused());
  const auto outcome = wait();
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(rollout_error(*outcome, "ns", "fraud").id, "kube.rollout_paused");
}

}  // namespace
}  // namespace wherry::kube
