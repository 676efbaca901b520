// The kinds of objects wherry speaks of, and where the API server keeps them. A table instead of discovery:
// one request less at every start, and no answer of the server decides which path is called.
//
// Thread-safety: pure.
#pragma once

#include <string>
#include <string_view>

#include "text/json.h"

namespace wherry::kube {

struct Kind {
  std::string_view api_version;  // "v1", "apps/v1"
  std::string_view kind;         // "Deployment"
  std::string_view plural;       // "deployments"
  bool namespaced = true;

  std::string_view group() const;    // "apps"; "" for the core group
  std::string_view version() const;  // "v1"
};

// Null when the table has no such row.
const Kind* find_kind(std::string_view api_version, std::string_view kind);
const Kind* find_kind(const text::Json& object);  // by its apiVersion and kind

namespace kinds {
extern const Kind kNamespace, kServiceAccount, kService, kPod, kEvent, kSecret, kConfigMap, kDeployment,
    kReplicaSet, kDisruptionBudget, kNetworkPolicy, kAutoscaler, kIngress, kHttpRoute, kResourceQuota;
}

// One object, or with an empty name all of a namespace, or with both empty all there are.
struct ObjectName {
  const Kind* kind = nullptr;  // never null when used
  std::string namespace_name;  // ignored for cluster-wide kinds
  std::string name;
};

// "/apis/apps/v1/namespaces/NS/deployments/NAME", every part percent-encoded.
std::string path_of(const ObjectName& object);

// "Deployment fraud in namespace prod": for messages.
std::string label_of(const ObjectName& object);

}  // namespace wherry::kube
