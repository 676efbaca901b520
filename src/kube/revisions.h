// Earlier versions of a Deployment, and the way back to one.
//
// Sources: kubectl pkg/polymorphichelpers/{history,rollback}.go. Unlike kubectl's rollback, which patches as
// another field manager, ours applies the earlier template as our own, so that the next deploy meets no
// conflict.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "kube/client.h"
#include "text/json.h"

namespace wherry::kube {

struct Revision {
  std::int64_t number = 0;
  std::string image;        // of the first container
  std::string created_at;   // of its ReplicaSet, as the server writes it
  text::Json pod_template;  // without the pod-template-hash label
};

// Newest first. Pure.
std::vector<Revision> revisions_of(const text::Json& deployment, const std::vector<text::Json>& replica_sets);

// The object which, applied by us, makes the Deployment run `revision` again. Everything but the pod template
// stays as it is; `replicas` is named only when we own it already (an autoscaler may). Pure.
text::Json rollback_object(const text::Json& deployment, const Revision& revision);

// Goes back to revision `number`, or with 0 to the one before the current. Nothing is waited for.
// Errors: "kube.revision_missing", "kube.rollout_paused", those of apply.
base::Result<Revision> roll_back(Client& client, const std::string& namespace_name, const std::string& name,
                                 std::int64_t number = 0);

}  // namespace wherry::kube
