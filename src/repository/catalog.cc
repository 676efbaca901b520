#include "repository/catalog.h"

#include <algorithm>

namespace wherry::repository {

std::string_view name(State state) {
  static constexpr std::string_view kNames[] = {"UNAVAILABLE", "LOADING", "READY", "UNLOADING"};
  return kNames[static_cast<std::size_t>(state)];
}

const std::shared_ptr<const Model>* ModelVersions::find(std::string_view version) const {
  for (const std::shared_ptr<const Model>& model : versions)
    if (model->version == version) return &model;
  return nullptr;
}

std::vector<std::string> ModelVersions::version_names() const {
  std::vector<std::string> names;
  for (const std::shared_ptr<const Model>& model : versions) names.push_back(model->version);
  return names;
}

const ModelVersions* Snapshot::find(std::string_view model) const {
  const auto found = std::ranges::lower_bound(models, model, {}, &ModelVersions::name);
  return found != models.end() && found->name == model ? &*found : nullptr;
}

const VersionStatus* Snapshot::status(std::string_view model, std::string_view version) const {
  for (const VersionStatus& row : index)
    if (row.name == model && (version.empty() || row.version == version)) return &row;
  return nullptr;
}

Catalog::Catalog(unsigned readers) : slots_(readers), owner_(std::make_shared<const Snapshot>()) {
  current_.store(owner_.get(), std::memory_order_seq_cst);
}

Catalog::Pin Catalog::pin(unsigned reader) const {
  std::atomic<const Snapshot*>& slot = slots_[reader].snapshot;
  if (const Snapshot* outer = slot.load(std::memory_order_relaxed)) return {nullptr, outer};
  const Snapshot* snapshot = current_.load(std::memory_order_acquire);
  while (true) {
    slot.store(snapshot, std::memory_order_seq_cst);
    // Read again: if it was replaced between the two lines above, reclaim() may not have seen the slot.
    const Snapshot* again = current_.load(std::memory_order_seq_cst);
    if (again == snapshot) return {&slot, snapshot};
    snapshot = again;
  }
}

std::shared_ptr<const Snapshot> Catalog::share() const {
  const std::lock_guard lock(mutex_);
  return owner_;
}

void Catalog::publish(std::shared_ptr<const Snapshot> snapshot) {
  {
    const std::lock_guard lock(mutex_);
    current_.store(snapshot.get(), std::memory_order_seq_cst);
    replaced_.push_back(std::exchange(owner_, std::move(snapshot)));
  }
  reclaim();
}

std::size_t Catalog::reclaim() {
  std::vector<std::shared_ptr<const Snapshot>> free;  // destroyed outside of the lock: models are large
  const std::lock_guard lock(mutex_);
  std::erase_if(replaced_, [&](std::shared_ptr<const Snapshot>& snapshot) {
    for (const Slot& slot : slots_)
      if (slot.snapshot.load(std::memory_order_seq_cst) == snapshot.get()) return false;
    free.push_back(std::move(snapshot));
    return true;
  });
  return replaced_.size();
}

}  // namespace wherry::repository
