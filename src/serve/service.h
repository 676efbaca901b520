// What every thread of the server shares.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "auth/authority.h"
#include "repository/background.h"
#include "schedule/pool.h"
#include "telemetry/drift.h"
#include "telemetry/exporter.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"
#include "telemetry/prediction_log.h"

#include "http/memory_budget.h"
#include "http/server.h"
#include "serve/cors.h"
#include "serve/document.h"
#include "serve/model.h"
#include "serve/routes.h"

namespace wherry::serve {

// What may be switched on; null is off. All of it outlives the Service's requests.
struct Extras {
  auth::Authority* authority = nullptr;
  telemetry::Exporter* exporter = nullptr;
  telemetry::PredictionLog* predictions = nullptr;
  std::chrono::seconds drift_window{3600};
  bool triton_names = false;  // in /metrics
  bool debug = false;         // /debug
};

// The last slow requests, for /debug. Thread-safe.
class SlowRequests {
 public:
  struct Entry {
    std::chrono::system_clock::time_point time;
    std::string_view route;
    int status = 0;
    std::chrono::nanoseconds duration{0};
  };
  void add(Entry entry);
  std::vector<Entry> list() const;  // newest last

 private:
  static constexpr std::size_t kMost = 50;
  mutable std::mutex mutex_;
  std::deque<Entry> entries_;
};

// What the messages of streams may take: a single one, and all which wait together.
struct StreamLimits {
  std::size_t most_message = 64u << 20;
  std::shared_ptr<http::MemoryBudget> memory = std::make_shared<http::MemoryBudget>(std::size_t{1} << 29);
};

// Lives as long as the server. Thread-safe, but for the setters which say that they come before requests.
class Service {
 public:
  // `threads` talk to clients, `workers` are those of the pool.
  // `first`: addresses which go before those of all_routes().
  Service(unsigned threads, bool access_log, int log_file, unsigned workers = 0,
          std::span<const RouteRow> first = {});

  // Which models there are. I/O thread `n` is reader `n`.
  repository::Catalog& catalog() { return catalog_; }
  // What this module adds to a model that is being loaded (repository::LoadRequest::attach).
  std::unique_ptr<repository::Attachment> attach(const Model& model);
  void set_model(std::shared_ptr<Model> model);                          // the only one, and all is loaded
  void set_loaded() { loaded_.store(true, std::memory_order_relaxed); }  // the first loading is over
  bool loaded() const { return loaded_.load(std::memory_order_relaxed); }
  void count(const repository::Event& event);

  bool ready() const { return loaded() && !draining_.load(std::memory_order_relaxed); }
  void begin_drain() { draining_.store(true, std::memory_order_relaxed); }

  // Null: everything is computed on the thread it comes to. Set before requests.
  schedule::Pool* pool() const { return pool_; }
  void set_pool(schedule::Pool* pool) { pool_ = pool; }
  // Null: models are not loaded on request.
  repository::Background* background() const { return background_.load(std::memory_order_acquire); }
  void set_background(repository::Background* background) {
    background_.store(background, std::memory_order_release);
  }

  const Extras& extras() const { return extras_; }
  void set_extras(const Extras& extras) { extras_ = extras; }  // before the first handler is made

  const StreamLimits& stream_limits() const { return stream_limits_; }
  void set_stream_limits(StreamLimits limits) { stream_limits_ = std::move(limits); }

  // Of wherry, in documents which all callers get alike: nothing where callers are told apart.
  std::string_view shown_version() const;

  const Routes& routes() const { return routes_; }
  telemetry::Metrics& metrics() { return metrics_; }
  telemetry::Logger& logger() { return logger_; }
  unsigned threads() const { return threads_; }
  unsigned workers() const { return static_cast<unsigned>(worker_ids_.size()); }
  telemetry::Ids& worker_ids(unsigned worker) { return worker_ids_[worker]; }  // that worker's own

  DocumentCache& documents() { return documents_; }  // about the models

  const CorsOptions& cors() const { return cors_; }
  void set_cors(CorsOptions cors) { cors_ = std::move(cors); }  // before the first request

  bool access_log() const { return access_log_; }
  SlowRequests& slow_requests() { return slow_requests_; }
  std::chrono::steady_clock::time_point started() const { return started_; }

  // What every thread does now and then, cheap.
  void tick(std::chrono::steady_clock::time_point now);

 private:
  void write_models(telemetry::Exposition& out) const;
  void write_drift(telemetry::Exposition& out) const;

  unsigned threads_;
  repository::Catalog catalog_;
  std::atomic<bool> loaded_{false};
  std::atomic<bool> draining_{false};
  schedule::Pool* pool_ = nullptr;
  std::atomic<repository::Background*> background_{nullptr};
  std::atomic<std::uint64_t> loads_{0}, failed_loads_{0};
  Extras extras_;
  StreamLimits stream_limits_;
  Routes routes_;
  telemetry::Metrics metrics_;
  telemetry::Logger logger_;
  std::vector<telemetry::Ids> worker_ids_;
  DocumentCache documents_;
  CorsOptions cors_;
  bool access_log_;
  SlowRequests slow_requests_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

// Answers requests on one thread with that thread's workspaces, counters and log.
std::unique_ptr<http::Handler> make_handler(Service& service, unsigned thread);

}  // namespace wherry::serve
