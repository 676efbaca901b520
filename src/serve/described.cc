#include "serve/described.h"

#include <functional>

namespace wherry::serve {

Described::Described(const Snapshot& models) {
  for (const repository::ModelVersions& model : models.models) {
    protocol::ApiModel& made = models_.emplace_back();
    made.name = model.name;
    for (const auto& version : model.versions) made.versions.push_back(version->version);
    made.schema = &model.newest()->schema;
    made.card = &model.newest()->card;
  }
}

const protocol::ApiModel* Described::find(std::string_view name) const {
  for (const protocol::ApiModel& model : models_)
    if (name.empty() || model.name == name) return &model;
  return nullptr;
}

std::uint64_t generation(const Snapshot& models) {
  constexpr std::uint64_t kPrime = 0x100000001b3;  // of FNV-1a
  std::uint64_t made = 0xcbf29ce484222325;
  const auto add = [&](std::string_view text) {
    made = (made ^ std::hash<std::string_view>()(text)) * kPrime;
  };
  for (const repository::ModelVersions& model : models.models)
    for (const auto& version : model.versions) {
      add(version->name);
      add(version->version);
      add(version->labels.digest);
    }
  return made;
}

}  // namespace wherry::serve
