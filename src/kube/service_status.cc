#include "kube/service_status.h"

#include <algorithm>
#include <charconv>

#include "kube/json_path.h"

namespace wherry::kube {
namespace {

using base::Result;
using text::Json;

PodStatus look_at(const Json& pod) {
  PodStatus status;
  status.name = string_at(pod, {"metadata", "name"});
  status.phase = string_at(pod, {"status", "phase"});
  status.node = string_at(pod, {"spec", "nodeName"});
  status.address = string_at(pod, {"status", "podIP"});
  status.ready = string_at(condition(pod, "Ready"), {"status"}) == "True";
  const Json& specified = list_at(pod, {"spec", "containers"});
  if (!specified.empty()) status.image = string_at(specified.front(), {"image"});
  std::int64_t restarts = 0;
  for (const Json& container : list_at(pod, {"status", "containerStatuses"})) {
    restarts += std::clamp<std::int64_t>(integer_at(container, {"restartCount"}), 0, 1'000'000);
    for (const char* state : {"waiting", "terminated"})
      if (status.reason.empty()) status.reason = string_at(container, {"state", state, "reason"});
  }
  status.restarts = static_cast<int>(std::min<std::int64_t>(restarts, 1'000'000'000));
  if (!at(pod, {"metadata", "deletionTimestamp"}).is_null()) status.reason = "Terminating";
  return status;
}

std::string_view state_name(RolloutState state) {
  switch (state) {
    case RolloutState::kDone:
      return "done";
    case RolloutState::kDeadlineExceeded:
      return "failed";
    case RolloutState::kPaused:
      return "paused";
    default:
      return "waiting";
  }
}

}  // namespace

ServiceStatus summarise(const Snapshot& snapshot) {
  ServiceStatus status;
  status.name = string_at(snapshot.deployment, {"metadata", "name"});
  status.namespace_name = string_at(snapshot.deployment, {"metadata", "namespace"});
  const Json& containers = list_at(snapshot.deployment, {"spec", "template", "spec", "containers"});
  if (!containers.empty()) status.image = string_at(containers.front(), {"image"});
  const std::string revision =
      string_at(snapshot.deployment, {"metadata", "annotations", "deployment.kubernetes.io/revision"});
  std::from_chars(revision.data(), revision.data() + revision.size(), status.revision);
  status.rollout = judge_rollout(snapshot.deployment);
  const Json* newest = newest_replica_set(snapshot.deployment, snapshot.replica_sets);
  for (const Json& set : snapshot.replica_sets) {
    if (!is_owned_by(set, snapshot.deployment)) continue;
    for (const Json& pod : snapshot.pods) {
      if (!is_owned_by(pod, set)) continue;
      status.pods.push_back(look_at(pod));
      status.pods.back().newest = &set == newest;
    }
  }
  std::ranges::stable_sort(status.pods, std::greater<>{}, &PodStatus::newest);
  if (status.rollout.state != RolloutState::kDone) status.diagnosis = diagnose(snapshot);
  return status;
}

Result<ServiceStatus> service_status(Client& client, const std::string& namespace_name,
                                     const std::string& name) {
  TRY_ASSIGN(const Snapshot snapshot, take_snapshot(client, namespace_name, name));
  return summarise(snapshot);
}

Json to_json(const Finding& finding) {
  Json json{
      {"cause", name(finding.cause)},   {"object", finding.object},     {"container", finding.container},
      {"reason", finding.reason},       {"message", finding.message},   {"pods", finding.pods},
      {"exit_code", finding.exit_code}, {"restarts", finding.restarts}, {"certain", finding.certain}};
  json["log"] = finding.log;
  json["advice"] = advice(finding.cause);
  return json;
}

Json to_json(const ServiceStatus& status) {
  Json pods = Json::array();
  for (const PodStatus& pod : status.pods)
    pods.push_back({{"name", pod.name},
                    {"phase", pod.phase},
                    {"reason", pod.reason},
                    {"ready", pod.ready},
                    {"newest", pod.newest},
                    {"restarts", pod.restarts},
                    {"image", pod.image},
                    {"node", pod.node},
                    {"address", pod.address}});
  Json findings = Json::array();
  for (const Finding& finding : status.diagnosis.findings) findings.push_back(to_json(finding));
  return {{"name", status.name},
          {"namespace", status.namespace_name},
          {"image", status.image},
          {"revision", status.revision},
          {"rollout",
           {{"state", state_name(status.rollout.state)},
            {"message", status.rollout.message},
            {"desired", status.rollout.desired},
            {"updated", status.rollout.updated},
            {"available", status.rollout.available},
            {"total", status.rollout.total}}},
          {"pods", pods},
          {"findings", findings}};
}

}  // namespace wherry::kube
