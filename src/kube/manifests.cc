#include "kube/manifests.h"

#include <algorithm>

#include "base/text.h"
#include "text/yaml.h"

namespace wherry::kube {
namespace {

using base::cat;
using text::Json;

constexpr int kUser = 65532;  // the image's numeric user; runAsNonRoot can only be checked for a numeric one

// Which pods belong to the service. The Deployment's selector is immutable, so these two never change; a
// second Deployment behind the same Service (a canary) differs in its instance only.
Json name_selector(const ServiceSpec& spec) {
  return {{"app.kubernetes.io/name", spec.name}};
}
Json instance_selector(const ServiceSpec& spec) {
  return {{"app.kubernetes.io/name", spec.name}, {"app.kubernetes.io/instance", spec.name}};
}

Json labels(const ServiceSpec& spec) {
  Json result = instance_selector(spec);
  if (const std::string version = version_label(spec.image); !version.empty())
    result["app.kubernetes.io/version"] = version;
  result["app.kubernetes.io/managed-by"] = "wherry";
  for (const auto& [key, value] : spec.labels) result[key] = value;
  return result;
}

Json pairs(const StringPairs& list) {
  Json result = Json::object();
  for (const auto& [key, value] : list) result[key] = value;
  return result;
}

Json metadata(const ServiceSpec& spec) {
  Json result{{"name", spec.name}, {"namespace", spec.namespace_name}, {"labels", labels(spec)}};
  if (!spec.annotations.empty()) result["annotations"] = pairs(spec.annotations);
  return result;
}

Json resources(const Resources& from) {
  Json requests = Json::object();
  Json limits = Json::object();
  const auto put = [](Json& into, const char* key, const std::string& value) {
    if (!value.empty()) into[key] = value;
  };
  put(requests, "cpu", from.cpu_request);
  put(requests, "memory", from.memory_request);
  put(requests, "ephemeral-storage", from.ephemeral_storage_request);
  put(limits, "cpu", from.cpu_limit);
  put(limits, "memory", from.memory_limit);
  put(limits, "ephemeral-storage", from.ephemeral_storage_limit);
  return {{"requests", requests}, {"limits", limits}};
}

Json environment(const ServiceSpec& spec) {
  Json list = Json::array();
  for (const EnvironmentVariable& variable : spec.environment) {
    if (variable.secret.empty())
      list.push_back({{"name", variable.name}, {"value", variable.value}});
    else
      list.push_back(
          {{"name", variable.name},
           {"valueFrom", {{"secretKeyRef", {{"name", variable.secret}, {"key", variable.secret_key}}}}}});
  }
  return list;
}

Json probe(const char* path, int period, int failures) {
  return {{"httpGet", {{"path", path}, {"port", "http"}}},
          {"periodSeconds", period},
          {"timeoutSeconds", 2},
          {"failureThreshold", failures}};
}

// A tag can be moved, so it is looked up at every start; a digest cannot.
const char* pull_policy(const std::string& image) {
  return image.find('@') == std::string::npos ? "Always" : "IfNotPresent";
}

Json container(const ServiceSpec& spec) {
  constexpr int kStartupPeriod = 2;
  // One second is left to end in, before the kubelet's SIGKILL.
  const int in_flight_seconds = std::max(1, spec.grace_seconds - spec.drain_seconds - 1);
  Json arguments =
      Json::array({cat("--drain-delay=", spec.drain_seconds, "s"), cat("--grace=", in_flight_seconds, "s")});
  if (spec.port != 8080) arguments.push_back(cat("--port=", spec.port));
  for (const std::string& argument : spec.arguments) arguments.push_back(argument);
  Json result{
      {"name", "server"},
      {"image", spec.image},
      {"imagePullPolicy", pull_policy(spec.image)},
      {"args", arguments},
      {"ports", Json::array({{{"name", "http"}, {"containerPort", spec.port}, {"protocol", "TCP"}}})},
  };
  if (!spec.environment.empty()) result["env"] = environment(spec);
  // Readiness and liveness differ: an overloaded or draining server is taken out of the Service, not killed.
  result["startupProbe"] =
      probe("/v2/health/ready", kStartupPeriod, (spec.startup_seconds + kStartupPeriod - 1) / kStartupPeriod);
  result["livenessProbe"] = probe("/v2/health/live", 10, 3);
  result["readinessProbe"] = probe("/v2/health/ready", 5, 2);
  result["resources"] = resources(spec.resources);
  result["securityContext"] = {{"allowPrivilegeEscalation", false},
                               {"readOnlyRootFilesystem", true},
                               {"runAsNonRoot", true},
                               {"capabilities", {{"drop", Json::array({"ALL"})}}},
                               {"seccompProfile", {{"type", "RuntimeDefault"}}}};
  // The last log lines of a crash then stand in the pod's status, where a rollout's diagnosis finds them.
  result["terminationMessagePolicy"] = "FallbackToLogsOnError";
  return result;
}

Json spread(const ServiceSpec& spec, const char* topology) {
  Json result{{"maxSkew", 1},
              {"topologyKey", topology},
              {"whenUnsatisfiable", "ScheduleAnyway"},
              {"labelSelector", {{"matchLabels", instance_selector(spec)}}}};
  // Counts the pods of the new version alone during a rollout; beta and on by default since 1.27.
  if (spec.server_minor_version >= 27) result["matchLabelKeys"] = Json::array({"pod-template-hash"});
  return result;
}

Json pod(const ServiceSpec& spec) {
  Json result{
      {"serviceAccountName", spec.service_account.empty() ? spec.name : spec.service_account},
      {"automountServiceAccountToken", false},
      {"enableServiceLinks", false},
      {"securityContext",
       {{"runAsNonRoot", true},
        {"runAsUser", kUser},
        {"runAsGroup", kUser},
        {"fsGroup", kUser},
        {"seccompProfile", {{"type", "RuntimeDefault"}}}}},
      {"terminationGracePeriodSeconds", spec.grace_seconds},
      {"topologySpreadConstraints",
       Json::array({spread(spec, "topology.kubernetes.io/zone"), spread(spec, "kubernetes.io/hostname")})},
  };
  if (!spec.priority_class.empty()) result["priorityClassName"] = spec.priority_class;
  if (!spec.pull_secrets.empty()) {
    Json secrets = Json::array();
    for (const std::string& secret : spec.pull_secrets) secrets.push_back({{"name", secret}});
    result["imagePullSecrets"] = secrets;
  }
  result["containers"] = Json::array({container(spec)});
  return result;
}

}  // namespace

Json namespace_object(const ServiceSpec& spec) {
  return {{"apiVersion", "v1"},
          {"kind", "Namespace"},
          {"metadata",
           {{"name", spec.namespace_name},
            {"labels",
             {{"pod-security.kubernetes.io/enforce", "restricted"},
              {"pod-security.kubernetes.io/audit", "restricted"},
              {"pod-security.kubernetes.io/warn", "restricted"}}}}}};
}

Json service_account(const ServiceSpec& spec) {
  return {{"apiVersion", "v1"},
          {"kind", "ServiceAccount"},
          {"metadata", metadata(spec)},
          {"automountServiceAccountToken", false}};
}

Json service(const ServiceSpec& spec) {
  return {{"apiVersion", "v1"},
          {"kind", "Service"},
          {"metadata", metadata(spec)},
          {"spec",
           {{"type", "ClusterIP"},
            {"selector", name_selector(spec)},
            {"ports", Json::array({{{"name", "http"},
                                    {"port", spec.service_port},
                                    {"targetPort", "http"},
                                    {"protocol", "TCP"},
                                    {"appProtocol", "http"}}})}}}};
}

Json disruption_budget(const ServiceSpec& spec) {
  // maxUnavailable 1 lets a drained node go even when there is one replica; minAvailable 1 would block it for
  // ever.
  Json rules{{"maxUnavailable", 1}};
  if (spec.server_minor_version >= 27) rules["unhealthyPodEvictionPolicy"] = "AlwaysAllow";
  rules["selector"] = {{"matchLabels", name_selector(spec)}};
  return {{"apiVersion", "policy/v1"},
          {"kind", "PodDisruptionBudget"},
          {"metadata", metadata(spec)},
          {"spec", rules}};
}

Json network_policy(const ServiceSpec& spec) {
  // The model is in the image: the server opens no connection of its own, so not even DNS goes out.
  return {
      {"apiVersion", "networking.k8s.io/v1"},
      {"kind", "NetworkPolicy"},
      {"metadata", metadata(spec)},
      {"spec",
       {{"podSelector", {{"matchLabels", name_selector(spec)}}},
        {"policyTypes", Json::array({"Ingress", "Egress"})},
        {"ingress", Json::array({{{"ports", Json::array({{{"port", spec.port}, {"protocol", "TCP"}}})}}})}}}};
}

Json deployment(const ServiceSpec& spec) {
  StringPairs pod_annotations{{"prometheus.io/scrape", "true"},
                              {"prometheus.io/port", cat(spec.port)},
                              {"prometheus.io/path", "/metrics"}};
  for (const auto& pair : spec.pod_annotations) pod_annotations.push_back(pair);
  Json rules = Json::object();
  if (spec.replicas) rules["replicas"] = *spec.replicas;
  rules["progressDeadlineSeconds"] = spec.progress_deadline_seconds;
  rules["revisionHistoryLimit"] = 5;
  rules["selector"] = {{"matchLabels", instance_selector(spec)}};
  rules["strategy"] = {{"type", "RollingUpdate"},
                       {"rollingUpdate", {{"maxUnavailable", 0}, {"maxSurge", 1}}}};
  rules["template"] = {{"metadata", {{"labels", labels(spec)}, {"annotations", pairs(pod_annotations)}}},
                       {"spec", pod(spec)}};
  return {{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"metadata", metadata(spec)}, {"spec", rules}};
}

base::Result<std::vector<Json>> render(const ServiceSpec& spec) {
  TRY(validate(spec));
  std::vector<Json> objects;
  if (spec.create_namespace) objects.push_back(namespace_object(spec));
  if (spec.service_account.empty()) objects.push_back(service_account(spec));
  objects.push_back(service(spec));
  objects.push_back(disruption_budget(spec));
  objects.push_back(network_policy(spec));
  objects.push_back(deployment(spec));
  return objects;
}

std::string to_yaml(const std::vector<Json>& objects) {
  std::string out;
  for (const Json& object : objects) {
    if (!out.empty()) out += "---\n";
    out += text::write_yaml(object);
  }
  return out;
}

Json to_list(const std::vector<Json>& objects) {
  Json items = Json::array();
  for (const Json& object : objects) items.push_back(object);
  return {{"apiVersion", "v1"}, {"kind", "List"}, {"items", items}};
}

}  // namespace wherry::kube
