#include "repository/repository.h"

#include <algorithm>
#include <malloc.h>

#include "base/digest.h"
#include "base/text.h"

namespace wherry::repository {

using base::cat;
using base::Code;
using base::Result;
using base::Status;
using std::chrono::milliseconds;

namespace {

constexpr std::uint64_t kMostSettings = 1u << 20;
constexpr std::uint64_t kMostBundleJson = 64u << 20;

std::string megabytes(std::uint64_t bytes) {
  return cat((bytes + (1u << 20) - 1) >> 20, " MiB");
}

std::string in_words(const base::Error& error) {
  return error.hint.empty() ? base::describe(error) : cat(base::describe(error), "; ", error.hint);
}

}  // namespace

Repository::Repository(RepositoryOptions options, Catalog& catalog, base::FileSystem& files)
    : options_(std::move(options)), catalog_(catalog), files_(files) {
  for (const std::string& name : options_.load) {
    all_wanted_ = all_wanted_ || name == "*";
    wanted_.insert(name);
  }
}

bool Repository::is_wanted(const std::string& name) const {
  return options_.control != Control::kExplicit || all_wanted_ || wanted_.contains(name);
}

std::string Repository::shown_name(const Key& key, const Row& row) const {
  if (!key.first.empty()) return key.first;  // a single bundle's own name is known when it was read
  return row.model ? row.model->name : std::string("model");
}

// What is on disk, with a row for each.
Result<std::vector<Found>> Repository::look() {
  TRY_ASSIGN(std::vector<Found> found, scan(options_.source));
  for (auto& [key, row] : rows_) row.on_disk = false;
  for (const Found& one : found) {
    Row& row = rows_[{one.name, one.version}];
    row.on_disk = true;
    if (row.state == State::kUnavailable && row.fingerprint.empty()) row.reason = "not loaded";
  }
  return found;
}

Status Repository::start() {
  const auto found = look();
  if (!found) return std::unexpected(found.error());
  Status status;
  for (auto from = found->begin(); from != found->end();) {
    const auto to =
        std::find_if(from, found->end(), [&](const Found& one) { return one.name != from->name; });
    if (is_wanted(from->name)) {
      const auto failed = update(from->name, std::span(from, to), false);
      if (!failed.empty() && status && options_.control == Control::kNone)
        status = from->name.empty()
                     ? Status(std::unexpected(failed.front().error))
                     : base::with_context(failed.front().error,
                                          cat("model ", from->name, ", version ", failed.front().version));
    }
    from = to;
  }
  if (found->empty() && options_.control == Control::kNone)
    status = base::fail(Code::kNotFound, "repository.not_found",
                        cat("there is no model in ", base::quoted(options_.source.repository.string())),
                        "give a folder which holds NAME/VERSION/bundle.json");
  for (const std::string& name : wanted_)
    if (name != "*" && status && std::ranges::find(*found, name, &Found::name) == found->end())
      status = base::fail(Code::kNotFound, "repository.not_found",
                          cat("there is no model ", base::quoted(name), " to be loaded at the start"));
  complete_ = true;
  publish();
  return status;
}

void Repository::poll() {
  const auto found = look();
  if (!found) return;  // a volume being mounted again: what is served goes on
  std::set<std::string> names;
  for (const auto& [key, row] : rows_) names.insert(key.first);
  for (const std::string& name : names) {
    const auto [from, to] = std::ranges::equal_range(*found, name, {}, &Found::name);
    if (is_wanted(name)) static_cast<void>(update(name, std::span(from, to), false));  // told as events
  }
}

Status Repository::load(std::string_view name) {
  if (options_.control != Control::kExplicit)
    return base::fail(Code::kUsage, "repository.not_explicit", "models are not loaded on request here",
                      "start the server with --model-control explicit");
  TRY_ASSIGN(const std::vector<Found> found, look());
  const auto [from, to] = std::ranges::equal_range(found, name, {}, &Found::name);
  if (from == to)
    return base::fail(Code::kNotFound, "repository.not_found",
                      cat("the repository has no model ", base::quoted(name)));
  wanted_.emplace(name);
  const auto failed = update(std::string(name), std::span(from, to), true);
  if (failed.empty()) return {};
  std::vector<std::string> reasons;
  for (const NotReady& one : failed)
    reasons.push_back(cat("version ", one.version, ": ", in_words(one.error)));
  const bool memory =
      std::ranges::all_of(failed, [](const NotReady& one) { return one.error.id == "repository.memory"; });
  return base::fail(memory ? Code::kLimit : Code::kInvalidInput,
                    memory ? "repository.memory" : "repository.load_failed",
                    cat("failed to load ", base::quoted(name), ": ", base::join(reasons, "; ")));
}

Status Repository::unload(std::string_view name) {
  if (options_.control != Control::kExplicit)
    return base::fail(Code::kUsage, "repository.not_explicit", "models are not unloaded on request here",
                      "start the server with --model-control explicit");
  const auto named = [&](const auto& row) { return row.first.first == name; };
  if (std::ranges::none_of(rows_, named))
    return base::fail(Code::kNotFound, "repository.not_found",
                      cat("the repository has no model ", base::quoted(name)));
  if (all_wanted_) {
    all_wanted_ = false;
    for (const auto& [key, row] : rows_) wanted_.insert(key.first);
  }
  if (const auto found = wanted_.find(name); found != wanted_.end()) wanted_.erase(found);
  for (auto& [key, row] : rows_)
    if (key.first == name) retire(key, row);
  publish();
  return {};
}

std::vector<Repository::NotReady> Repository::update(const std::string& name, std::span<const Found> found,
                                                     bool again) {
  std::vector<std::uint64_t> numbers;
  for (const Found& one : found) numbers.push_back(one.version);
  VersionPolicy policy = options_.defaults.versions;
  std::string document;
  if (!found.empty())
    if (const auto settings = settings_of(found.back(), document)) policy = settings->versions;
  const std::vector<std::uint64_t> chosen = policy.choose(numbers);
  std::vector<NotReady> failed;
  for (const Found& one : found) {
    Row& row = rows_[{name, one.version}];
    if (!std::ranges::binary_search(chosen, one.version)) {
      if (!row.model) row.reason = "not chosen by the version policy";
      continue;
    }
    if (const Status loaded = load_version(one, row, again); !loaded)
      failed.push_back({one.version, loaded.error()});
  }
  if (failed.empty())
    for (auto& [key, row] : rows_)
      if (key.first == name && !std::ranges::binary_search(chosen, key.second)) retire(key, row);
  publish();
  return failed;
}

Result<Settings> Repository::settings_of(const Found& found, std::string& document) {
  if (found.settings.empty()) return options_.defaults;
  TRY_ASSIGN(document, files_.read(found.settings, kMostSettings));
  return read_settings(document, found.settings.string(), options_.defaults);
}

void Repository::fail(const Found& found, Row& row, const base::Error& error) {
  row.reason = row.model ? cat("newer content could not be loaded, the earlier goes on: ", in_words(error))
                         : in_words(error);
  if (!row.model) row.state = State::kUnavailable;
  tell(Event::Kind::kFailed, {found.name, found.version}, row.reason);
}

Status Repository::load_version(const Found& found, Row& row, bool again) {
  const Key key{found.name, found.version};
  const bool unchanged = row.fingerprint == found.fingerprint;
  if (unchanged && row.model && row.reason.empty()) return {};
  if (unchanged && !again) return base::fail(Code::kInvalidInput, "repository.load_failed", row.reason);
  row.fingerprint = found.fingerprint;

  std::string document;
  const auto attempt = [&]() -> Result<std::shared_ptr<const Model>> {
    TRY_ASSIGN(const Settings settings, settings_of(found, document));
    TRY_ASSIGN(const std::string head, files_.read(found.folder / "bundle.json", kMostBundleJson));
    const std::string digest = base::sha256_digest(cat(head, "\n", document));
    if (row.model && row.digest == digest) return row.model;
    const std::uint64_t used = bytes_in_use(), needed = estimate_bytes(found.folder);
    if (options_.memory_limit > 0 && used + needed > options_.memory_limit)
      return base::fail(Code::kLimit, "repository.memory",
                        cat("the model needs about ", megabytes(needed), ", ", megabytes(used),
                            " are in use, and models may take ", megabytes(options_.memory_limit)),
                        "unload another model, or allow more with --model-memory");
    if (!row.model) row.state = State::kLoading;
    row.reason = row.model ? "newer content is being loaded" : "";
    publish();
    TRY_ASSIGN(auto model, load_model({.folder = found.folder,
                                       .name = found.name,
                                       .version = cat(found.version),
                                       .settings = settings,
                                       .threads = options_.threads,
                                       .copy_weights = options_.control != Control::kNone,
                                       .attach = options_.attach},
                                      files_));
    row.digest = digest;
    return model;
  };
  auto model = attempt();
  if (!model) {
    fail(found, row, model.error());
    return std::unexpected(model.error());
  }
  row.reason.clear();
  if (row.model == *model) return {};
  if (row.model) row.leaving.emplace_back(row.model);
  row.model = std::move(*model);
  row.state = State::kReady;
  tell(Event::Kind::kReady, key, row.model->golden_summary,
       std::chrono::duration_cast<milliseconds>(row.model->load_time));
  return {};
}

void Repository::retire(const Key& key, Row& row) {
  row.fingerprint.clear();
  if (!row.model) return;
  row.state = State::kUnloading;
  row.reason = "its last requests are being answered";
  row.leaving.emplace_back(row.model);
  row.model.reset();
  tell(Event::Kind::kUnloaded, key);
}

std::uint64_t Repository::bytes_in_use() const {
  std::uint64_t bytes = 0;
  for (const auto& [key, row] : rows_) {
    if (row.model) bytes += row.model->bytes;
    for (const std::weak_ptr<const Model>& model : row.leaving)
      if (const auto alive = model.lock()) bytes += alive->bytes;
  }
  return bytes;
}

bool Repository::clean_up() {
  catalog_.reclaim();
  bool freed = false, waiting = false, changed = false;
  for (auto& [key, row] : rows_) {
    if (row.leaving.empty()) continue;
    const auto ended = std::erase_if(row.leaving, [](const auto& model) { return model.expired(); });
    for (std::size_t i = 0; i < ended; ++i) tell(Event::Kind::kFreed, key);
    freed = freed || ended > 0;
    waiting = waiting || !row.leaving.empty();
    if (row.leaving.empty() && row.state == State::kUnloading) {
      row.state = State::kUnavailable;
      row.reason = "unloaded";
      changed = true;
    }
  }
  changed = std::erase_if(rows_,
                          [](const auto& entry) {
                            const Row& row = entry.second;
                            return !row.on_disk && !row.model && row.leaving.empty();
                          }) > 0 ||
            changed;
  if (changed) publish();
  if (freed) ::malloc_trim(0);  // to the system: models are large, and the next may not come soon
  return waiting;
}

void Repository::publish() {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->complete = complete_;
  for (const auto& [key, row] : rows_) {
    snapshot->index.push_back({shown_name(key, row), cat(key.second), row.state, row.reason});
    if (!row.model) continue;
    if (snapshot->models.empty() || snapshot->models.back().name != row.model->name)
      snapshot->models.push_back({row.model->name, {}});
    snapshot->models.back().versions.push_back(row.model);
  }
  catalog_.publish(std::move(snapshot));
}

void Repository::tell(Event::Kind kind, const Key& key, std::string detail, milliseconds took) {
  const auto row = rows_.find(key);
  const std::string name = row == rows_.end() ? key.first : shown_name(key, row->second);
  if (options_.on_event) options_.on_event({kind, name, cat(key.second), std::move(detail), took});
}

}  // namespace wherry::repository
