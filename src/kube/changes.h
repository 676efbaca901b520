// What differs between two versions of an API object, as a list of fields.
//
// Thread-safety: pure.
#pragma once

#include <string>
#include <vector>

#include "text/json.h"

namespace wherry::kube {

// One differing field. `before` or `after` is null Json where the field is absent; `path` names list elements
// by their key: "spec.template.spec.containers[server].image".
struct Change {
  std::string path;
  text::Json before;
  text::Json after;
};

// Fields which the server keeps for itself (status, managedFields, resourceVersion, generation, …) are left
// out. An absent object is a null Json: then there is one Change with an empty path.
std::vector<Change> compare(const text::Json& before, const text::Json& after);

// "spec.replicas: 2 -> 3", one line.
std::string describe(const Change& change);

}  // namespace wherry::kube
