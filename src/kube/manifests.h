// The Kubernetes objects of a model service, as pure functions from a ServiceSpec: no clock, no network, the
// same spec always gives the same bytes.
//
// Sources: Pod Security Standards "restricted" (pod-security-admission policies up to 1.36); apps/v1,
// policy/v1 and networking.k8s.io/v1 of Kubernetes 1.27 and newer (older servers by
// ServiceSpec::server_minor_version).
//
// Thread-safety: pure.
#pragma once

#include <string>
#include <vector>

#include "kube/service_spec.h"
#include "text/json.h"

namespace wherry::kube {

// Precondition of all: validate(spec) is ok.
text::Json namespace_object(const ServiceSpec& spec);
text::Json service_account(const ServiceSpec& spec);
text::Json service(const ServiceSpec& spec);
text::Json disruption_budget(const ServiceSpec& spec);
text::Json network_policy(const ServiceSpec& spec);
text::Json deployment(const ServiceSpec& spec);

// All of the above in the order in which they are to be applied: the namespace (when asked for) first, the
// Deployment last, so that a pod never starts before what guards it. Errors: those of validate().
base::Result<std::vector<text::Json>> render(const ServiceSpec& spec);

// A multi-document YAML text ("---" between documents), as kubectl reads it.
std::string to_yaml(const std::vector<text::Json>& objects);

// {"apiVersion": "v1", "kind": "List", "items": […]}.
text::Json to_list(const std::vector<text::Json>& objects);

}  // namespace wherry::kube
