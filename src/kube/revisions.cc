#include "kube/revisions.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "kube/json_path.h"

namespace wherry::kube {
namespace {

using base::cat;
using base::Code;
using base::Result;
using text::Json;

std::int64_t revision_number(const Json& object) {
  const std::string text =
      string_at(object, {"metadata", "annotations", "deployment.kubernetes.io/revision"});
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Whether one of our Apply entries in managedFields has spec.replicas.
bool we_own_replicas(const Json& deployment) {
  for (const Json& entry : list_at(deployment, {"metadata", "managedFields"}))
    if (string_at(entry, {"manager"}) == kFieldManager && string_at(entry, {"operation"}) == "Apply" &&
        at(entry, {"fieldsV1", "f:spec", "f:replicas"}).is_object())
      return true;
  return false;
}

}  // namespace

std::vector<Revision> revisions_of(const Json& deployment, const std::vector<Json>& replica_sets) {
  std::vector<Revision> revisions;
  for (const Json& set : replica_sets) {
    if (!is_owned_by(set, deployment) || revision_number(set) <= 0) continue;
    Revision revision;
    revision.number = revision_number(set);
    revision.created_at = string_at(set, {"metadata", "creationTimestamp"});
    revision.pod_template = at(set, {"spec", "template"});
    if (!revision.pod_template.is_object()) continue;
    const auto metadata = revision.pod_template.find("metadata");
    if (metadata != revision.pod_template.end() && metadata->is_object()) {
      metadata->erase("creationTimestamp");
      const auto labels = metadata->find("labels");
      if (labels != metadata->end() && labels->is_object()) labels->erase("pod-template-hash");
    }
    const Json& containers = list_at(revision.pod_template, {"spec", "containers"});
    if (!containers.empty()) revision.image = string_at(containers.front(), {"image"});
    revisions.push_back(std::move(revision));
  }
  std::ranges::stable_sort(revisions, std::greater<>{}, &Revision::number);
  return revisions;
}

Json rollback_object(const Json& deployment, const Revision& revision) {
  Json metadata{{"name", string_at(deployment, {"metadata", "name"})},
                {"namespace", string_at(deployment, {"metadata", "namespace"})}};
  if (const Json& labels = at(deployment, {"metadata", "labels"}); labels.is_object())
    metadata["labels"] = labels;
  // The controller writes its own annotations; claiming them would be a conflict at every rollout.
  if (const Json& annotations = at(deployment, {"metadata", "annotations"}); annotations.is_object()) {
    Json ours = Json::object();
    for (const auto& [key, value] : annotations.items())
      if (!key.starts_with("deployment.kubernetes.io/") && !key.starts_with("kubectl.kubernetes.io/"))
        ours[key] = value;
    if (!ours.empty()) metadata["annotations"] = ours;
  }
  Json spec = Json::object();
  for (const char* key :
       {"progressDeadlineSeconds", "revisionHistoryLimit", "selector", "strategy", "minReadySeconds"})
    if (const Json& value = at(deployment, {"spec", key}); !value.is_null()) spec[key] = value;
  if (we_own_replicas(deployment)) spec["replicas"] = at(deployment, {"spec", "replicas"});
  spec["template"] = revision.pod_template;
  return {{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"metadata", metadata}, {"spec", spec}};
}

Result<Revision> roll_back(Client& client, const std::string& namespace_name, const std::string& name,
                           std::int64_t number) {
  const ObjectName object{&kinds::kDeployment, namespace_name, name};
  TRY_ASSIGN(const Json deployment, client.get(object));
  if (at(deployment, {"spec", "paused"}) == Json(true))
    return base::fail(
        Code::kUnavailable, "kube.rollout_paused", cat(label_of(object), " is paused"),
        cat("resume it first: kubectl -n ", namespace_name, " rollout resume deployment/", name));
  Selector selector;
  for (const auto& [key, value] : at(deployment, {"spec", "selector", "matchLabels"}).items())
    if (value.is_string())
      selector.labels += cat(selector.labels.empty() ? "" : ",", key, "=", value.get<std::string>());
  TRY_ASSIGN(const Listed sets, client.list(kinds::kReplicaSet, namespace_name, selector));
  const std::vector<Revision> revisions = revisions_of(deployment, sets.items);
  const auto wanted = number == 0 ? revisions.begin() + std::min<std::ptrdiff_t>(1, std::ssize(revisions))
                                  : std::ranges::find(revisions, number, &Revision::number);
  if (wanted == revisions.end()) {
    std::vector<std::string> known;
    for (const Revision& revision : revisions) known.push_back(cat(revision.number));
    return base::fail(Code::kNotFound, "kube.revision_missing",
                      cat(label_of(object), number == 0 ? std::string(" has no earlier revision")
                                                        : cat(" has no revision ", number)),
                      cat("it has revision ", base::join(known, ", ")));
  }
  TRY(client.apply(rollback_object(deployment, *wanted), {.force = true}));
  return *wanted;
}

}  // namespace wherry::kube
