// How a deployed service is doing, as values for `wherry status`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "kube/client.h"
#include "kube/diagnosis.h"
#include "kube/rollout.h"
#include "text/json.h"

namespace wherry::kube {

struct PodStatus {
  std::string name;
  std::string phase;   // "Running"
  std::string reason;  // of its first container when waiting or ended: "ImagePullBackOff"; or "Terminating"
  std::string image;
  std::string node;
  std::string address;
  bool ready = false;
  bool newest = false;  // belongs to the newest version
  int restarts = 0;
};

struct ServiceStatus {
  std::string name;
  std::string namespace_name;
  std::string image;
  std::int64_t revision = 0;
  RolloutView rollout;
  std::vector<PodStatus> pods;  // newest version first
  Diagnosis diagnosis;          // empty when all is well
};

// Pure; any JSON is accepted.
ServiceStatus summarise(const Snapshot& snapshot);

base::Result<ServiceStatus> service_status(Client& client, const std::string& namespace_name,
                                           const std::string& name);

// The form of `--output json`.
text::Json to_json(const ServiceStatus& status);
text::Json to_json(const Finding& finding);

}  // namespace wherry::kube
