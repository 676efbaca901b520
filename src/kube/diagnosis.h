// Why pods of a Deployment's newest version do not become available: read from its ReplicaSet, pods and
// events.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "kube/client.h"
#include "text/json.h"

namespace wherry::kube {

// In order of gravity: the first one found is what the user is told.
enum class Cause {
  kPodSecurity,    // admission refuses the pods: Pod Security
  kQuota,          // … a ResourceQuota
  kAdmission,      // … a webhook, a missing service account, a LimitRange
  kImage,          // the image cannot be pulled
  kConfiguration,  // a Secret, ConfigMap or volume is missing, the container cannot be created
  kOutOfMemory,    // killed at its memory limit
  kCrash,          // the server exits
  kUnschedulable,  // no node has room, or matches
  kNotReady,       // runs, but its probes fail
};

struct Finding {
  Cause cause = Cause::kNotReady;
  std::string object;     // "pod fraud-5d9-abcde (and 2 more)", "ReplicaSet fraud-5d9"
  std::string container;  // "" when it is not about one
  std::string reason;     // Kubernetes' word: "ImagePullBackOff", "FailedCreate"
  std::string message;    // Kubernetes' sentence
  int exit_code = 0;      // of the last run, for kCrash and kOutOfMemory
  int restarts = 0;
  int pods = 1;                  // how many show the same
  std::vector<std::string> log;  // last lines of the container's last run
  std::string log_problem;       // why there is no log, when it was asked for
  bool certain = false;          // does not go away by waiting
};

struct Diagnosis {
  std::vector<Finding> findings;  // gravest first
  bool certain() const { return !findings.empty() && findings.front().certain; }
};

// The objects a diagnosis is made of, as the API server gave them.
struct Snapshot {
  text::Json deployment;
  std::vector<text::Json> replica_sets;  // any of the namespace; the Deployment's own are picked by owner
  std::vector<text::Json> pods;          // likewise
  std::vector<text::Json> events;        // about these objects
};

// Pure; any JSON is accepted.
Diagnosis diagnose(const Snapshot& snapshot);

// The newest ReplicaSet owned by the Deployment, by revision; null when there is none.
const text::Json* newest_replica_set(const text::Json& deployment,
                                     const std::vector<text::Json>& replica_sets);

// Lists what diagnose() needs. Events are left out when the identity may not read them.
base::Result<Snapshot> take_snapshot(Client& client, const std::string& namespace_name,
                                     const std::string& name);

// diagnose(), and for containers which crashed the last lines of their log.
base::Result<Diagnosis> find_cause(Client& client, const std::string& namespace_name,
                                   const std::string& name);

std::string_view name(Cause cause);            // "image", "crash": for JSON output
std::string describe(const Finding& finding);  // one line
std::string_view advice(Cause cause);          // what to do, one line

}  // namespace wherry::kube
