// What a model service looks like to Kubernetes, as plain values: the input of manifests.h.
//
// Thread-safety: values.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace wherry::kube {

using StringPairs = std::vector<std::pair<std::string, std::string>>;  // in the order given

// Kubernetes quantities ("100m", "64Mi"). Empty: the line is left out. A CPU limit is left out by default,
// since throttling costs latency and protects nobody whom the request does not protect already.
struct Resources {
  std::string cpu_request = "100m";
  std::string cpu_limit;
  std::string memory_request = "64Mi";
  std::string memory_limit = "256Mi";
  std::string ephemeral_storage_request = "16Mi";
  std::string ephemeral_storage_limit = "64Mi";
};

// One environment variable: a literal value, or one key of a Secret when `secret` is set.
struct EnvironmentVariable {
  std::string name;
  std::string value;
  std::string secret;
  std::string secret_key;
};

struct ServiceSpec {
  std::string name;                        // DNS label, at most 63 characters; names every object
  std::string namespace_name = "default";  // DNS label
  bool create_namespace = false;           // also emit the Namespace, enforcing Pod Security "restricted"
  std::string image;                       // reference by digest (best) or tag
  int port = 8080;                         // where the server listens in the pod
  int service_port = 80;
  std::optional<int> replicas = 2;  // none: the field is left to an autoscaler
  Resources resources;
  StringPairs labels;  // added to every object and pod; app.kubernetes.io/{name,instance,managed-by} are ours
  StringPairs annotations;  // added to every object (not to pods: they would restart)
  StringPairs pod_annotations;
  std::vector<EnvironmentVariable> environment;
  std::vector<std::string> arguments;  // after the image's entry point
  int drain_seconds = 5;   // how long the server keeps serving, unready, after SIGTERM, until proxies noticed
  int grace_seconds = 30;  // until SIGKILL; must exceed drain_seconds
  int startup_seconds = 60;  // longest time until the model is loaded and its golden examples replayed
  int progress_deadline_seconds = 300;
  std::vector<std::string> pull_secrets;
  std::string priority_class;
  std::string service_account;     // an existing one; empty: our own, named like the service
  int server_minor_version = 999;  // of Kubernetes 1.x; fields newer than that are left out
};

// Checks what the API server would refuse, so that the message names our flag and nothing is sent.
// Errors: "kube.spec_invalid".
base::Status validate(const ServiceSpec& spec);

// "1.2" of "registry/fraud:1.2"; for a digest reference without a tag its first 12 hex digits; made fit for a
// label value. Empty when there is neither.
std::string version_label(const std::string& image);

bool is_dns_label(const std::string& text);  // RFC 1123 label: [a-z0-9]([-a-z0-9]*[a-z0-9])?, 1..63
bool is_label_value(const std::string& text);
bool is_quantity(const std::string& text);  // apimachinery resource.Quantity, non-negative

}  // namespace wherry::kube
