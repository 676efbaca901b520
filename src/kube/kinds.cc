#include "kube/kinds.h"

#include <array>

#include "http_client/transport.h"

#include "base/percent.h"
#include "base/text.h"

namespace wherry::kube {

using base::cat;

namespace kinds {
constexpr Kind kNamespace{"v1", "Namespace", "namespaces", false};
constexpr Kind kServiceAccount{"v1", "ServiceAccount", "serviceaccounts"};
constexpr Kind kService{"v1", "Service", "services"};
constexpr Kind kPod{"v1", "Pod", "pods"};
constexpr Kind kEvent{"v1", "Event", "events"};
constexpr Kind kSecret{"v1", "Secret", "secrets"};
constexpr Kind kConfigMap{"v1", "ConfigMap", "configmaps"};
constexpr Kind kResourceQuota{"v1", "ResourceQuota", "resourcequotas"};
constexpr Kind kDeployment{"apps/v1", "Deployment", "deployments"};
constexpr Kind kReplicaSet{"apps/v1", "ReplicaSet", "replicasets"};
constexpr Kind kDisruptionBudget{"policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"};
constexpr Kind kNetworkPolicy{"networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"};
constexpr Kind kIngress{"networking.k8s.io/v1", "Ingress", "ingresses"};
constexpr Kind kAutoscaler{"autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"};
constexpr Kind kHttpRoute{"gateway.networking.k8s.io/v1", "HTTPRoute", "httproutes"};
}  // namespace kinds

namespace {
constexpr std::array kKinds{
    &kinds::kNamespace,  &kinds::kServiceAccount, &kinds::kService,          &kinds::kPod,
    &kinds::kEvent,      &kinds::kSecret,         &kinds::kConfigMap,        &kinds::kResourceQuota,
    &kinds::kDeployment, &kinds::kReplicaSet,     &kinds::kDisruptionBudget, &kinds::kNetworkPolicy,
    &kinds::kIngress,    &kinds::kAutoscaler,     &kinds::kHttpRoute,
};
}  // namespace

std::string_view Kind::group() const {
  const auto slash = api_version.find('/');
  return slash == std::string_view::npos ? std::string_view{} : api_version.substr(0, slash);
}

std::string_view Kind::version() const {
  const auto slash = api_version.find('/');
  return slash == std::string_view::npos ? api_version : api_version.substr(slash + 1);
}

const Kind* find_kind(std::string_view api_version, std::string_view kind) {
  for (const Kind* row : kKinds)
    if (row->api_version == api_version && row->kind == kind) return row;
  return nullptr;
}

const Kind* find_kind(const text::Json& object) {
  const std::string* version = text::find_string(object, "apiVersion");
  const std::string* kind = text::find_string(object, "kind");
  return version == nullptr || kind == nullptr ? nullptr : find_kind(*version, *kind);
}

std::string path_of(const ObjectName& object) {
  using base::percent_encode;
  const Kind& kind = *object.kind;
  std::string path = cat(kind.group().empty() ? "/api/" : "/apis/", kind.api_version);
  if (kind.namespaced && !object.namespace_name.empty())
    path += cat("/namespaces/", percent_encode(object.namespace_name));
  path += cat("/", kind.plural);
  if (!object.name.empty()) path += cat("/", percent_encode(object.name));
  return path;
}

std::string label_of(const ObjectName& object) {
  const Kind& kind = *object.kind;
  std::string label = object.name.empty() ? std::string(kind.plural) : cat(kind.kind, " ", object.name);
  if (kind.namespaced && !object.namespace_name.empty())
    label += cat(" in namespace ", object.namespace_name);
  return label;
}

}  // namespace wherry::kube
