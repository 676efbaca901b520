// Whatever an API server, or somebody in between, answers: no crash, no endless loop.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "kube/api_status.h"
#include "kube/diagnosis.h"
#include "kube/revisions.h"
#include "kube/rollout.h"
#include "kube/service_status.h"
#include "text/json.h"

using namespace wherry;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const kube::ObjectName object{&kube::kinds::kDeployment, "ns", "fraud"};
  for (int code : {200, 400, 401, 403, 404, 409, 410, 422, 500}) {
    const kube::ApiStatus status = kube::parse_status(code, body);
    (void)kube::error_of(status, {"patch", object, "context 'x'"});
  }
  (void)kube::warnings_of({{"Warning", std::string(body)}});
  (void)kube::parse_time(body);
  const auto parsed = text::parse_json(body, "input", {1u << 20, 128});
  if (!parsed) return 0;
  (void)kube::judge_rollout(*parsed);
  // One document stands for all four, so that owner references and uids can meet.
  kube::Snapshot snapshot{*parsed, {*parsed}, {*parsed}, {*parsed}};
  if (parsed->is_object()) {
    if (const auto* list = text::find_array(*parsed, "replicaSets"))
      snapshot.replica_sets.assign(list->begin(), list->end());
    if (const auto* list = text::find_array(*parsed, "pods"))
      snapshot.pods.assign(list->begin(), list->end());
    if (const auto* list = text::find_array(*parsed, "events"))
      snapshot.events.assign(list->begin(), list->end());
    if (const auto* one = text::find_object(*parsed, "deployment")) snapshot.deployment = *one;
  }
  const kube::ServiceStatus status = kube::summarise(snapshot);
  for (const kube::Finding& finding : status.diagnosis.findings) (void)kube::describe(finding);
  for (const kube::Revision& revision : kube::revisions_of(snapshot.deployment, snapshot.replica_sets))
    (void)kube::rollback_object(snapshot.deployment, revision);
  return 0;
}
