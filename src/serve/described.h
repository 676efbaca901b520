// The models being served as documents about them need them.
//
// Thread-safety: belongs to one thread; borrows from the snapshot.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "protocol/openapi.h"
#include "serve/model.h"

namespace wherry::serve {

class Described {
 public:
  explicit Described(const Snapshot& models);  // the newest version of each

  std::span<const protocol::ApiModel> models() const { return models_; }
  // The one of this name; the first without a name; null where there is no such.
  const protocol::ApiModel* find(std::string_view name) const;

 private:
  std::vector<protocol::ApiModel> models_;
};

// Another number when the models are others, by their names, versions and digests.
std::uint64_t generation(const Snapshot& models);

}  // namespace wherry::serve
