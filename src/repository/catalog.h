// Which models are served right now: an immutable snapshot that is swapped as a whole.
//
// Reading is for the I/O threads' hot path: no lock, no counter shared between threads. Each reader has a
// slot of its own in which it notes the snapshot it looks at while it looks at it (a hazard pointer); whoever
// publishes keeps a replaced snapshot until no slot names it. So an idle thread holds nothing, and a model
// which is not served any more is freed when its last request ends. Who needs a model for longer than its
// pin (a request that waits in a queue) copies the shared pointer.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "repository/model.h"

namespace wherry::repository {

// The states of Triton's repository index.
enum class State : std::uint8_t { kUnavailable, kLoading, kReady, kUnloading };
std::string_view name(State state);  // "READY"

struct VersionStatus {
  std::string name, version;
  State state = State::kUnavailable;
  std::string reason;  // why it is not ready, or what else there is to say
};

struct ModelVersions {
  std::string name;
  std::vector<std::shared_ptr<const Model>> versions;  // ready ones by number, ascending; never empty

  const std::shared_ptr<const Model>& newest() const { return versions.back(); }
  const std::shared_ptr<const Model>* find(std::string_view version) const;  // null: not ready, or unknown
  std::vector<std::string> version_names() const;
};

struct Snapshot {
  std::vector<ModelVersions> models;  // by name
  std::vector<VersionStatus> index;   // by name and version: all that is known, ready or not
  bool complete = false;              // the first loading is over

  const ModelVersions* find(std::string_view model) const;
  // The model of requests which cannot name one: the only one, else null.
  const ModelVersions* only() const { return models.size() == 1 ? &models.front() : nullptr; }
  const VersionStatus* status(std::string_view model, std::string_view version) const;
};

class Catalog {
 public:
  explicit Catalog(unsigned readers);
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;

  class Pin {
   public:
    Pin(Pin&&) = delete;
    ~Pin() {
      if (slot_ != nullptr) slot_->store(nullptr, std::memory_order_release);
    }
    const Snapshot& operator*() const { return *snapshot_; }
    const Snapshot* operator->() const { return snapshot_; }

   private:
    friend class Catalog;
    Pin(std::atomic<const Snapshot*>* slot, const Snapshot* snapshot) : slot_(slot), snapshot_(snapshot) {}
    std::atomic<const Snapshot*>* slot_;  // null: an outer pin of the same reader clears it
    const Snapshot* snapshot_;
  };

  // On the thread of reader 0 … readers - 1 only. Wait-free but for publications in the very moment.
  Pin pin(unsigned reader) const;

  // Any thread; takes a lock. Give the result a name before looping over its members: a range-for ends a
  // temporary before its first turn.
  std::shared_ptr<const Snapshot> share() const;

  // Any thread. Frees what is replaced and looked at by nobody.
  void publish(std::shared_ptr<const Snapshot> snapshot);

  // Frees replaced snapshots which nobody looks at any more; gives how many are left.
  std::size_t reclaim();

 private:
  struct alignas(64) Slot {
    mutable std::atomic<const Snapshot*> snapshot{nullptr};
  };
  std::vector<Slot> slots_;
  std::atomic<const Snapshot*> current_;
  mutable std::mutex mutex_;  // of what follows
  std::shared_ptr<const Snapshot> owner_;
  std::vector<std::shared_ptr<const Snapshot>> replaced_;
};

}  // namespace wherry::repository
