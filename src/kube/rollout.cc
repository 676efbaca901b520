#include "kube/rollout.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "kube/json_path.h"

namespace wherry::kube {
namespace {

using base::cat;
using base::Code;
using base::Error;
using base::Result;
using std::chrono::milliseconds;
using std::chrono::seconds;
using text::Json;

// One wait: what is known, and until when.
class Wait {
 public:
  Wait(Client& client, base::Clock& clock, const std::string& namespace_name, const std::string& name,
       const RolloutOptions& options)
      : client_(client),
        clock_(clock),
        namespace_(namespace_name),
        name_(name),
        options_(options),
        started_(clock.steady_now()),
        selector_{{}, cat("metadata.name=", name)} {}

  Result<RolloutOutcome> run() {
    std::string version;  // empty: list first
    for (;;) {
      if (version.empty()) {
        TRY_ASSIGN(const Listed listed, client_.list(kinds::kDeployment, namespace_, selector_));
        if (listed.items.empty()) return missing();
        version = listed.resource_version;
        note(listed.items.front());
      }
      if (settled()) return outcome();
      TRY_ASSIGN(const bool hopeless, look_at_pods());
      if (hopeless) return finish(RolloutEnd::kFailed);
      if (elapsed() >= options_.timeout) return outcome();
      TRY(follow(version));
    }
  }

 private:
  milliseconds elapsed() const {
    return std::chrono::duration_cast<milliseconds>(clock_.steady_now() - started_);
  }
  bool settled() const { return view_.state != RolloutState::kWaiting; }

  std::unexpected<Error> missing() const {
    return base::fail(Code::kNotFound, "kube.object_missing",
                      cat("Deployment ", name_, " in namespace ", namespace_, " does not exist (",
                          client_.access().origin, ")"),
                      "check the name, --namespace and --context");
  }

  void note(const Json& deployment) {
    RolloutView next = judge_rollout(deployment);
    const bool news = next.message != view_.message;
    view_ = std::move(next);
    if (news && options_.on_progress) options_.on_progress(view_);
  }

  // One slice of the watch; the slices give the chance to look at the pods, which the Deployment says nothing
  // about.
  base::Status follow(std::string& version) {
    const auto left = std::chrono::ceil<seconds>(options_.timeout - elapsed());
    const seconds slice = std::clamp(options_.look_interval, seconds(1), std::max(left, seconds(1)));
    bool deleted = false;
    auto end = client_.watch(kinds::kDeployment, namespace_, selector_, version, slice,
                             [&](const WatchEvent& event) -> Result<bool> {
                               deleted = event.type == "DELETED";
                               if (!event.resource_version.empty()) version = event.resource_version;
                               if (!deleted) note(event.object);
                               return !deleted && !settled();
                             });
    if (deleted) return missing();
    if (!end) {
      // A watch may break at any time (proxies cut long answers); what matters is whether listing still
      // works.
      if (end.error().code != Code::kUnavailable) return std::unexpected(std::move(end).error());
      clock_.sleep_for(seconds(1));
      version.clear();
      return {};
    }
    if (*end == WatchEnd::kGone) version.clear();
    return {};
  }

  // True when a failure that does not heal has been seen for as long as our patience lasts.
  Result<bool> look_at_pods() {
    if (looked_ && clock_.steady_now() - *looked_ < options_.look_interval) return false;
    looked_ = clock_.steady_now();
    TRY_ASSIGN(const Snapshot snapshot, take_snapshot(client_, namespace_, name_));
    const Diagnosis diagnosis = diagnose(snapshot);
    const bool same = !diagnosis.findings.empty() && diagnosis.findings.front().cause == failing_cause_;
    if (!diagnosis.certain()) {
      if (!same) failing_since_.reset();  // a crash loop looks well now and then
      return false;
    }
    if (!failing_since_ || !same) failing_since_ = clock_.steady_now();
    failing_cause_ = diagnosis.findings.front().cause;
    return clock_.steady_now() - *failing_since_ >= options_.patience;
  }

  Result<RolloutOutcome> outcome() {
    switch (view_.state) {
      case RolloutState::kDone:
        return RolloutOutcome{RolloutEnd::kDone, view_, {}, elapsed()};
      case RolloutState::kWaiting:
        return finish(RolloutEnd::kTimedOut);
      default:
        return finish(RolloutEnd::kFailed);
    }
  }

  Result<RolloutOutcome> finish(RolloutEnd end) {
    RolloutOutcome result{end, view_, {}, elapsed()};
    TRY_ASSIGN(result.diagnosis, find_cause(client_, namespace_, name_));
    return result;
  }

  Client& client_;
  base::Clock& clock_;
  const std::string& namespace_;
  const std::string& name_;
  const RolloutOptions& options_;
  std::chrono::steady_clock::time_point started_;
  Selector selector_;
  RolloutView view_;
  std::optional<std::chrono::steady_clock::time_point> looked_, failing_since_;
  Cause failing_cause_ = Cause::kNotReady;
};

}  // namespace

RolloutView judge_rollout(const Json& deployment) {
  RolloutView view;
  const Json& replicas = at(deployment, {"spec", "replicas"});
  view.desired = replicas.is_null() ? 1 : integer_at(deployment, {"spec", "replicas"});
  view.updated = integer_at(deployment, {"status", "updatedReplicas"});
  view.available = integer_at(deployment, {"status", "availableReplicas"});
  view.total = integer_at(deployment, {"status", "replicas"});
  const bool observed = integer_at(deployment, {"metadata", "generation"}) <=
                        integer_at(deployment, {"status", "observedGeneration"});
  if (!observed) {
    view.message = "waiting for the change to be observed";
  } else if (string_at(condition(deployment, "Progressing"), {"reason"}) == "ProgressDeadlineExceeded") {
    view.state = RolloutState::kDeadlineExceeded;
    view.message = "exceeded its progress deadline";
  } else if (view.updated < view.desired) {
    view.message = cat(view.updated, " of ", view.desired, " new replicas have been updated");
  } else if (view.total > view.updated) {
    view.message = cat(view.total - view.updated, " old replicas are pending termination");
  } else if (view.available < view.updated) {
    view.message = cat(view.available, " of ", view.updated, " updated replicas are available");
  } else {
    view.state = RolloutState::kDone;
    view.message = "successfully rolled out";
  }
  if (observed && view.state == RolloutState::kWaiting && at(deployment, {"spec", "paused"}) == Json(true)) {
    view.state = RolloutState::kPaused;
    view.message = cat("paused while ", view.message);
  }
  return view;
}

Result<RolloutOutcome> wait_for_rollout(Client& client, base::Clock& clock, const std::string& namespace_name,
                                        const std::string& name, const RolloutOptions& options) {
  return Wait(client, clock, namespace_name, name, options).run();
}

Error rollout_error(const RolloutOutcome& outcome, const std::string& namespace_name,
                    const std::string& name) {
  Error error;
  error.code = Code::kUnavailable;
  const std::string who = cat("Deployment ", name, " in namespace ", namespace_name);
  if (outcome.view.state == RolloutState::kPaused) {
    error.id = "kube.rollout_paused";
    error.message = cat(who, " is ", outcome.view.message);
    error.hint = cat("resume it: kubectl -n ", namespace_name, " rollout resume deployment/", name);
    return error;
  }
  const bool timed_out = outcome.end == RolloutEnd::kTimedOut;
  error.id = timed_out ? "kube.rollout_timeout" : "kube.rollout_failed";
  error.message =
      cat("rollout of ", who, timed_out ? " not finished after " : " failed after ",
          std::chrono::duration_cast<seconds>(outcome.took).count(), " s: ", outcome.view.message);
  if (outcome.diagnosis.findings.empty()) {
    error.hint = cat("look at its pods: kubectl -n ", namespace_name,
                     " describe pods -l app.kubernetes.io/name=", name);
    return error;
  }
  const Finding& gravest = outcome.diagnosis.findings.front();
  error.message += cat("; ", describe(gravest));
  error.hint = std::string(advice(gravest.cause));
  return error;
}

}  // namespace wherry::kube
