#include "kube/diagnosis.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/text.h"
#include "kube/json_path.h"

namespace wherry::kube {
namespace {

using base::cat;
using base::Result;
using text::Json;

struct CauseRow {
  Cause cause;
  std::string_view name;
  std::string_view advice;
};

constexpr std::array<CauseRow, 9> kCauses{{
    {Cause::kPodSecurity, "pod_security",
     "the namespace's Pod Security level forbids these pods; 'wherry render' output passes level restricted"},
    {Cause::kQuota, "quota", "lower replicas or resource requests, or raise the namespace's ResourceQuota"},
    {Cause::kAdmission, "admission", "change what the message names, or ask those who run the cluster"},
    {Cause::kImage, "image",
     "check that the image was pushed under this very name and that the cluster may pull it (--pull-secret)"},
    {Cause::kConfiguration, "configuration", "create what the message names, or correct the name"},
    {Cause::kOutOfMemory, "out_of_memory", "raise the memory limit (--memory)"},
    {Cause::kCrash, "crash", "read the log lines; 'wherry verify' replays the same start on this machine"},
    {Cause::kUnschedulable, "unschedulable", "lower the requests, or add nodes which fit"},
    {Cause::kNotReady, "not_ready",
     "the server runs but does not pass its readiness check: read its log ('kubectl logs')"},
}};

const CauseRow& row_of(Cause cause) {
  return *std::ranges::find(kCauses, cause, &CauseRow::cause);
}

// Reasons a container waits for, as the kubelet writes them (pkg/kubelet/images, kuberuntime, container).
struct WaitingRow {
  std::string_view reason;
  Cause cause;
};
constexpr std::array<WaitingRow, 12> kWaiting{{
    {"ErrImagePull", Cause::kImage},
    {"ImagePullBackOff", Cause::kImage},
    {"InvalidImageName", Cause::kImage},
    {"ErrImageNeverPull", Cause::kImage},
    {"ImageInspectError", Cause::kImage},
    {"RegistryUnavailable", Cause::kImage},
    {"SignatureValidationFailed", Cause::kImage},
    {"CreateContainerConfigError", Cause::kConfiguration},
    {"CreateContainerError", Cause::kConfiguration},
    {"RunContainerError", Cause::kConfiguration},
    {"CrashLoopBackOff", Cause::kCrash},
    {"PostStartHookError", Cause::kCrash},
}};

int small(std::int64_t number) {
  return static_cast<int>(std::clamp<std::int64_t>(number, INT32_MIN, INT32_MAX));
}

std::string one_line(std::string text) {
  std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return std::string(base::trim(text));
}

// The newest event about the object (by uid) with one of the reasons and, when given, this text in its
// message.
std::string event_message(const Snapshot& snapshot, const Json& object,
                          std::initializer_list<std::string_view> reasons, std::string_view containing = {}) {
  const std::string uid = string_at(object, {"metadata", "uid"});
  std::string newest_time, message;
  for (const Json& event : snapshot.events) {
    if (string_at(event, {"involvedObject", "uid"}) != uid) continue;
    const std::string reason = string_at(event, {"reason"});
    if (std::ranges::find(reasons, reason) == reasons.end()) continue;
    const std::string text = string_at(event, {"message"});
    if (text.find(containing) == std::string::npos) continue;
    std::string time = string_at(event, {"lastTimestamp"});
    if (time.empty()) time = string_at(event, {"eventTime"});
    if (!message.empty() && time < newest_time) continue;
    newest_time = time;
    message = text;
  }
  return one_line(message);
}

// Pods which were never made: the ReplicaSet's controller says why in its condition.
std::optional<Finding> refused_pods(const Json& replica_set) {
  const Json& failure = condition(replica_set, "ReplicaFailure");
  if (string_at(failure, {"status"}) != "True") return std::nullopt;
  Finding finding;
  finding.object = cat("ReplicaSet ", string_at(replica_set, {"metadata", "name"}));
  finding.reason = string_at(failure, {"reason"});
  finding.message = one_line(string_at(failure, {"message"}));
  const bool security = finding.message.find("violates PodSecurity") != std::string::npos;
  const bool quota = finding.message.find("exceeded quota") != std::string::npos ||
                     finding.message.find("failed quota") != std::string::npos;
  finding.cause = security ? Cause::kPodSecurity : quota ? Cause::kQuota : Cause::kAdmission;
  finding.certain = true;
  return finding;
}

// The container's end: now, or in its last run. Null when it never ended.
const Json& termination(const Json& status) {
  const Json& now = at(status, {"state", "terminated"});
  return now.is_object() ? now : at(status, {"lastState", "terminated"});
}

void add_termination(Finding& finding, const Json& status) {
  const Json& end = termination(status);
  if (!end.is_object()) return;
  finding.exit_code = small(integer_at(end, {"exitCode"}));
  finding.restarts = small(integer_at(status, {"restartCount"}));
  if (string_at(end, {"reason"}) == "OOMKilled") finding.cause = Cause::kOutOfMemory;
  // With terminationMessagePolicy FallbackToLogsOnError these are the last lines of the log.
  const std::string message = string_at(end, {"message"});
  for (std::string_view line : base::split(message, '\n'))
    if (line = base::trim(line); !line.empty()) finding.log.emplace_back(line.substr(0, 400));
  if (finding.log.size() > 10) finding.log.erase(finding.log.begin(), finding.log.end() - 10);
}

std::optional<Finding> look_at_container(const Snapshot& snapshot, const Json& pod, const Json& status) {
  Finding finding;
  finding.container = string_at(status, {"name"});
  const Json& waiting = at(status, {"state", "waiting"});
  if (waiting.is_object()) {
    finding.reason = string_at(waiting, {"reason"});
    const auto row = std::ranges::find(kWaiting, finding.reason, &WaitingRow::reason);
    if (row == kWaiting.end()) return std::nullopt;  // ContainerCreating, PodInitializing
    finding.cause = row->cause;
    finding.message = one_line(string_at(waiting, {"message"}));
    if (finding.cause == Cause::kImage) {
      const std::string detail = event_message(snapshot, pod, {"Failed"}, "Failed to pull image");
      if (!detail.empty()) finding.message = detail;
    }
    if (finding.cause == Cause::kCrash) add_termination(finding, status);
    finding.certain = true;
    return finding;
  }
  const Json& end = at(status, {"state", "terminated"});
  if (end.is_object()) {
    finding.cause = Cause::kCrash;
    finding.reason = string_at(end, {"reason"});
    add_termination(finding, status);
    finding.certain = finding.restarts > 0;
    return finding;
  }
  // Between two crashes the container runs for a moment; what ended its last run will end this one.
  const Json& last = at(status, {"lastState", "terminated"});
  if (last.is_object() && at(status, {"ready"}) != Json(true)) {
    finding.cause = Cause::kCrash;
    finding.reason = string_at(last, {"reason"});
    add_termination(finding, status);
    finding.certain = finding.restarts > 1;
    return finding;
  }
  return std::nullopt;
}

std::optional<Finding> look_at_pod(const Snapshot& snapshot, const Json& pod) {
  for (std::string_view list : {"initContainerStatuses", "containerStatuses"})
    for (const Json& status : list_at(pod, {"status", list}))
      if (auto finding = look_at_container(snapshot, pod, status)) return finding;
  Finding finding;
  const Json& scheduled = condition(pod, "PodScheduled");
  if (string_at(scheduled, {"status"}) == "False") {
    finding.cause = Cause::kUnschedulable;
    finding.reason = string_at(scheduled, {"reason"});
    finding.message = one_line(string_at(scheduled, {"message"}));
    return finding;
  }
  if (string_at(pod, {"status", "phase"}) == "Failed") {
    finding.cause = Cause::kCrash;
    finding.reason = string_at(pod, {"status", "reason"});  // "Evicted"
    finding.message = one_line(string_at(pod, {"status", "message"}));
    return finding;
  }
  finding.message =
      event_message(snapshot, pod, {"FailedMount", "FailedCreatePodSandBox", "FailedAttachVolume"});
  if (!finding.message.empty() && string_at(pod, {"status", "phase"}) == "Pending") {
    finding.cause = Cause::kConfiguration;
    finding.reason = "FailedMount";
    finding.certain = finding.message.find("not found") != std::string::npos;
    return finding;
  }
  const Json& ready = condition(pod, "Ready");
  if (string_at(ready, {"status"}) == "False" && string_at(pod, {"status", "phase"}) == "Running") {
    finding.cause = Cause::kNotReady;
    finding.reason = string_at(ready, {"reason"});
    finding.message = event_message(snapshot, pod, {"Unhealthy", "ProbeError"});
    if (finding.message.empty()) finding.message = one_line(string_at(ready, {"message"}));
    return finding;
  }
  return std::nullopt;
}

// Many pods fail alike: one finding for all of them.
void add(std::vector<Finding>& findings, Finding finding) {
  for (Finding& known : findings) {
    if (known.cause != finding.cause || known.container != finding.container) continue;
    ++known.pods;
    known.certain |= finding.certain;
    if (known.restarts < finding.restarts) known.restarts = finding.restarts;
    return;
  }
  findings.push_back(std::move(finding));
}

std::int64_t revision_of(const Json& object) {
  const std::string text =
      string_at(object, {"metadata", "annotations", "deployment.kubernetes.io/revision"});
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string field_selector(const Json& object) {
  return cat("involvedObject.uid=", string_at(object, {"metadata", "uid"}));
}

}  // namespace

const Json* newest_replica_set(const Json& deployment, const std::vector<Json>& replica_sets) {
  const Json* newest = nullptr;
  for (const Json& candidate : replica_sets)
    if (is_owned_by(candidate, deployment) &&
        (newest == nullptr || revision_of(candidate) > revision_of(*newest)))
      newest = &candidate;
  return newest;
}

Diagnosis diagnose(const Snapshot& snapshot) {
  Diagnosis diagnosis;
  const Json* newest = newest_replica_set(snapshot.deployment, snapshot.replica_sets);
  if (newest == nullptr) return diagnosis;
  if (auto finding = refused_pods(*newest)) diagnosis.findings.push_back(std::move(*finding));
  for (const Json& pod : snapshot.pods) {
    if (!is_owned_by(pod, *newest) || !at(pod, {"metadata", "deletionTimestamp"}).is_null()) continue;
    auto finding = look_at_pod(snapshot, pod);
    if (!finding) continue;
    finding->object = cat("pod ", string_at(pod, {"metadata", "name"}));
    add(diagnosis.findings, std::move(*finding));
  }
  std::ranges::stable_sort(diagnosis.findings, {}, &Finding::cause);
  return diagnosis;
}

Result<Snapshot> take_snapshot(Client& client, const std::string& namespace_name, const std::string& name) {
  Snapshot snapshot;
  TRY_ASSIGN(snapshot.deployment, client.get({&kinds::kDeployment, namespace_name, name}));
  Selector selector;
  for (const auto& [key, value] : at(snapshot.deployment, {"spec", "selector", "matchLabels"}).items())
    if (value.is_string())
      selector.labels += cat(selector.labels.empty() ? "" : ",", key, "=", value.get<std::string>());
  TRY_ASSIGN(Listed sets, client.list(kinds::kReplicaSet, namespace_name, selector));
  snapshot.replica_sets = std::move(sets.items);
  TRY_ASSIGN(Listed pods, client.list(kinds::kPod, namespace_name, selector));
  snapshot.pods = std::move(pods.items);
  const Json* newest = newest_replica_set(snapshot.deployment, snapshot.replica_sets);
  if (newest == nullptr) return snapshot;
  // Events only sharpen the message, so a role without them is no obstacle; three pods tell as much as
  // thirty.
  int asked = 0;
  for (const Json& pod : snapshot.pods) {
    if (!is_owned_by(pod, *newest) || string_at(condition(pod, "Ready"), {"status"}) == "True" || ++asked > 3)
      continue;
    auto events = client.list(kinds::kEvent, namespace_name, {{}, field_selector(pod)});
    if (!events && events.error().id == "kube.forbidden") break;
    if (!events) return std::unexpected(std::move(events).error());
    for (Json& event : events->items) snapshot.events.push_back(std::move(event));
  }
  return snapshot;
}

Result<Diagnosis> find_cause(Client& client, const std::string& namespace_name, const std::string& name) {
  TRY_ASSIGN(const Snapshot snapshot, take_snapshot(client, namespace_name, name));
  Diagnosis diagnosis = diagnose(snapshot);
  for (Finding& finding : diagnosis.findings) {
    if (finding.cause != Cause::kCrash && finding.cause != Cause::kOutOfMemory) continue;
    if (!finding.log.empty() || finding.container.empty() || !finding.object.starts_with("pod ")) continue;
    const ObjectName pod{&kinds::kPod, namespace_name, finding.object.substr(4)};
    auto lines = log_tail(client, pod, finding.container, finding.restarts > 0, 10);
    if (lines)
      finding.log = std::move(*lines);
    else
      finding.log_problem = lines.error().message;
  }
  return diagnosis;
}

std::string_view name(Cause cause) {
  return row_of(cause).name;
}

std::string_view advice(Cause cause) {
  return row_of(cause).advice;
}

std::string describe(const Finding& finding) {
  std::string text = finding.object;
  if (finding.pods > 1) text += cat(" and ", finding.pods - 1, " more");
  text += cat(": ", finding.reason);
  if (finding.cause == Cause::kCrash && finding.exit_code != 0)
    text += cat(", exit code ", finding.exit_code);
  if (finding.cause == Cause::kOutOfMemory && finding.reason != "OOMKilled") text += ", OOMKilled";
  const bool ended = finding.cause == Cause::kCrash || finding.cause == Cause::kOutOfMemory;
  if (!finding.log.empty())
    text += cat(", last log line: ", base::quoted(finding.log.back(), 300));
  else if (!finding.message.empty() && (!ended || finding.exit_code == 0))  // "back-off 10s restarting …"
    text += cat(", ", finding.message.substr(0, 600));
  return text;
}

}  // namespace wherry::kube
