// Keeps the catalog in step with what lies on disk.
//
// Rules:
//   choice     The version policy says which of a model's versions are served; the newest ready one answers
//              requests that name none.
//   change     A version whose files changed is loaded again if its bundle.json or serving.json did. The old
//              content answers until the new one is ready, and goes on where that cannot be loaded.
//   retreat    Versions which are not chosen any more end when all chosen ones are ready.
//   failure    What could not be loaded is tried again when its files change, or when asked for.
//
// Thread-safety: one thread at a time (Background's, after start()); readers look at the Catalog.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "repository/catalog.h"
#include "repository/source.h"

#include "base/error.h"
#include "base/files.h"

namespace wherry::repository {

enum class Control : std::uint8_t {
  kNone,      // everything is loaded at the start, and stays; what cannot be loaded ends the start
  kPoll,      // the folders are looked at now and then
  kExplicit,  // models are loaded and unloaded on request
};

// Something to be logged and counted.
struct Event {
  enum class Kind : std::uint8_t { kReady, kFailed, kUnloaded, kFreed } kind = Kind::kReady;
  std::string name, version;
  std::string detail;  // the reason of a failure
  std::chrono::milliseconds took{0};
};

struct RepositoryOptions {
  Source source;
  Control control = Control::kNone;
  Settings defaults;
  std::uint64_t memory_limit = 0;  // bytes of all models, as estimated; 0: none
  unsigned threads = 1;            // which will write statistics
  std::vector<std::string> load;   // kExplicit: at the start; "*" is every model
  std::function<std::unique_ptr<Attachment>(const Model& model)> attach;
  std::function<void(const Event& event)> on_event;
};

class Repository {
 public:
  Repository(RepositoryOptions options, Catalog& catalog, base::FileSystem& files);

  // The first loading. Errors: those of scan(), and with Control::kNone the first model's that could not be
  // loaded.
  base::Status start();

  void poll();

  // kExplicit. The model's folder is looked at again, and what should be served is loaded, again if it could
  // not be before. Errors: "repository.not_explicit", "repository.not_found", "repository.load_failed".
  base::Status load(std::string_view name);

  // kExplicit. New requests do not find the model any more; it ends with its last request.
  base::Status unload(std::string_view name);

  // Frees what nobody uses any more; true when something is left to be freed.
  bool clean_up();

  Control control() const { return options_.control; }

 private:
  using Key = std::pair<std::string, std::uint64_t>;
  struct Row {  // one version that is on disk, served, or on its way out
    State state = State::kUnavailable;
    std::string reason;
    std::string fingerprint;  // of the files last loaded, or tried
    std::string digest;       // of their bundle.json and serving.json
    std::shared_ptr<const Model> model;
    std::vector<std::weak_ptr<const Model>> leaving;
    bool on_disk = false;
  };

  base::Result<std::vector<Found>> look();
  // One model's versions; gives the errors of those that should be ready and are not.
  struct NotReady {
    std::uint64_t version;
    base::Error error;
  };
  std::vector<NotReady> update(const std::string& name, std::span<const Found> found, bool again);
  base::Status load_version(const Found& found, Row& row, bool again);
  base::Result<Settings> settings_of(const Found& found, std::string& document);
  void fail(const Found& found, Row& row, const base::Error& error);
  void retire(const Key& key, Row& row);
  void publish();
  void tell(Event::Kind kind, const Key& key, std::string detail = {}, std::chrono::milliseconds took = {});
  bool is_wanted(const std::string& name) const;
  std::uint64_t bytes_in_use() const;
  std::string shown_name(const Key& key, const Row& row) const;

  RepositoryOptions options_;
  Catalog& catalog_;
  base::FileSystem& files_;
  std::map<Key, Row> rows_;
  std::set<std::string, std::less<>> wanted_;  // kExplicit
  bool all_wanted_ = false;
  bool complete_ = false;
};

}  // namespace wherry::repository
