#include "serve/service.h"

#include "serve/answers.h"

namespace wherry::serve {

namespace {

std::vector<std::string> names_of(const Routes& routes) {
  std::vector<std::string> names;
  for (const RouteRow& row : routes.rows()) names.emplace_back(row.name);
  return names;
}

}  // namespace

void SlowRequests::add(Entry entry) {
  const std::scoped_lock lock(mutex_);
  entries_.push_back(entry);
  if (entries_.size() > kMost) entries_.pop_front();
}

std::vector<SlowRequests::Entry> SlowRequests::list() const {
  const std::scoped_lock lock(mutex_);
  return {entries_.begin(), entries_.end()};
}

Service::Service(unsigned threads, bool access_log, int log_file, unsigned workers,
                 std::span<const RouteRow> first)
    : threads_(threads),
      catalog_(threads),
      routes_(all_routes(first)),
      metrics_(threads + workers, names_of(routes_)),
      logger_(log_file, telemetry::Level::kInfo),
      worker_ids_(workers),
      access_log_(access_log) {
  metrics_.add_collector([this](telemetry::Exposition& out) {
    if (extras_.exporter != nullptr) extras_.exporter->write_metrics(out);
    if (extras_.predictions != nullptr) extras_.predictions->write_metrics(out);
    write_models(out);
    write_drift(out);
  });
}

std::unique_ptr<repository::Attachment> Service::attach(const Model& model) {
  auto added = std::make_unique<Served>();
  added->observers = observe_model(model, metrics_, extras_.predictions, extras_.drift_window);
  return added;
}

std::string_view Service::shown_version() const {
  return extras_.authority == nullptr ? WHERRY_VERSION : "";
}

void Service::set_model(std::shared_ptr<Model> model) {
  if (!model->attachment) model->attachment = attach(*model);
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->complete = true;
  snapshot->index.push_back({model->name, model->version, repository::State::kReady, {}});
  snapshot->models.push_back({model->name, {model}});
  catalog_.publish(std::move(snapshot));
  set_loaded();
}

void Service::count(const repository::Event& event) {
  if (event.kind == repository::Event::Kind::kReady) loads_.fetch_add(1, std::memory_order_relaxed);
  if (event.kind == repository::Event::Kind::kFailed) failed_loads_.fetch_add(1, std::memory_order_relaxed);
}

void Service::tick(std::chrono::steady_clock::time_point now) {
  const auto models = catalog_.share();
  for (const repository::ModelVersions& model : models->models)
    for (const auto& version : model.versions)
      if (const auto& drift = served(*version).observers.drift; drift != nullptr) drift->advance(now);
}

void Service::write_models(telemetry::Exposition& out) const {
  using telemetry::Type;
  const auto models = catalog_.share();
  out.family("wherry_model_ready", Type::kGauge, "1 for each version of a model that is served.");
  for (const repository::VersionStatus& row : models->index)
    out.sample({{"model", row.name}, {"version", row.version}},
               std::uint64_t{row.state == repository::State::kReady ? 1U : 0U});
  out.family("wherry_model_loads", Type::kCounter,
             "Loads of models by how they ended; a failed one leaves what was served before.");
  out.sample({{"result", "ready"}}, loads_.load(std::memory_order_relaxed));
  out.sample({{"result", "failed"}}, failed_loads_.load(std::memory_order_relaxed));
  if (pool_ == nullptr) return;
  const schedule::PoolLoad load = pool_->load();
  out.family("wherry_queue_requests", Type::kGauge, "Requests waiting for a worker.");
  out.sample({}, std::uint64_t{load.waiting});
  out.family("wherry_busy_workers", Type::kGauge, "Workers which compute.");
  out.sample({}, std::uint64_t{load.running});
}

void Service::write_drift(telemetry::Exposition& out) const {
  const auto models = catalog_.share();
  std::vector<telemetry::DriftRow> rows;
  for (const repository::ModelVersions& model : models->models)
    for (const auto& version : model.versions) {
      telemetry::Drift* drift = served(*version).observers.drift.get();
      if (drift == nullptr) continue;
      drift->advance(std::chrono::steady_clock::now());
      rows.push_back({version->name, version->version, drift});
    }
  if (!rows.empty()) telemetry::write_drift(out, rows);
}

}  // namespace wherry::serve
