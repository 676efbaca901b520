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

Service::Service(unsigned threads, bool access_log, int log_file)
    : routes_(all_routes()),
      metrics_(threads, names_of(routes_)),
      logger_(log_file, telemetry::Level::kInfo),
      access_log_(access_log) {
  metrics_.add_collector([this](telemetry::Exposition& out) {
    if (extras_.exporter != nullptr) extras_.exporter->write_metrics(out);
    if (extras_.predictions != nullptr) extras_.predictions->write_metrics(out);
    const Model* model = this->model();
    if (model == nullptr || model->observers.drift == nullptr) return;
    model->observers.drift->advance(std::chrono::steady_clock::now());
    const telemetry::DriftRow row{model->name, model->labels.version, model->observers.drift.get()};
    telemetry::write_drift(out, {&row, 1});
  });
}

void Service::set_model(std::unique_ptr<Model> model) {
  model->observers = observe_model(*model, metrics_, extras_.predictions, extras_.drift_window);
  owned_ = std::move(model);
  model_.store(owned_.get(), std::memory_order_release);
}

void Service::tick(std::chrono::steady_clock::time_point now) {
  const Model* model = this->model();
  if (model != nullptr && model->observers.drift != nullptr) model->observers.drift->advance(now);
}

}  // namespace wherry::serve
