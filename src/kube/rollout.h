// Is the new version running? kubectl's own predicate on a watch, ended early when the pods show that it
// never will be.
//
// Source: kubectl pkg/polymorphichelpers/rollout_status.go (DeploymentStatusViewer).
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "kube/client.h"
#include "kube/diagnosis.h"
#include "text/json.h"

namespace wherry::kube {

enum class RolloutState {
  kWaiting,
  kDone,
  kDeadlineExceeded,  // condition Progressing with reason ProgressDeadlineExceeded
  kPaused,            // spec.paused and not done: nothing will happen
};

struct RolloutView {
  RolloutState state = RolloutState::kWaiting;
  std::string message;  // kubectl's sentence: "1 of 2 updated replicas are available"
  std::int64_t desired = 0;
  std::int64_t updated = 0;
  std::int64_t available = 0;
  std::int64_t total = 0;  // old pods included
};

// Pure; any JSON is accepted, a value which is missing or of another type counts as zero.
RolloutView judge_rollout(const text::Json& deployment);

struct RolloutOptions {
  std::chrono::seconds timeout{600};
  // For so long a failure which does not heal by itself (image not found, crash, refused by admission) is
  // watched before the wait is given up; an image registry or a quota may come back.
  std::chrono::seconds patience{20};
  std::chrono::seconds look_interval{2};                     // how often the pods are looked at meanwhile
  std::function<void(const RolloutView&)> on_progress = {};  // called when the message changed
};

enum class RolloutEnd { kDone, kFailed, kTimedOut };

struct RolloutOutcome {
  RolloutEnd end = RolloutEnd::kDone;
  RolloutView view;     // the last one
  Diagnosis diagnosis;  // what was found in the pods; empty when done
  std::chrono::milliseconds took{0};
};

// Waits for the Deployment. An error is a failure to find out (API, permissions); a failed rollout is an
// outcome.
base::Result<RolloutOutcome> wait_for_rollout(Client& client, base::Clock& clock,
                                              const std::string& namespace_name, const std::string& name,
                                              const RolloutOptions& options = {});

// The one error for an outcome which is not kDone: "kube.rollout_failed", "kube.rollout_timeout" or
// "kube.rollout_paused", its message ending in the gravest finding.
base::Error rollout_error(const RolloutOutcome& outcome, const std::string& namespace_name,
                          const std::string& name);

}  // namespace wherry::kube
