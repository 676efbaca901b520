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
#include "telemetry/drift.h"
#include "telemetry/exporter.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"
#include "telemetry/prediction_log.h"

#include "http/server.h"
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

// Lives as long as the server. `model` is set once, when it is loaded and checked; `draining` is set once,
// when the end begins. Thread-safe.
class Service {
 public:
  Service(unsigned threads, bool access_log, int log_file);

  // Null while the model is being loaded.
  const Model* model() const { return model_.load(std::memory_order_acquire); }
  void set_model(std::unique_ptr<Model> model);
  bool ready() const { return model() != nullptr && !draining_.load(std::memory_order_relaxed); }
  void begin_drain() { draining_.store(true, std::memory_order_relaxed); }

  const Extras& extras() const { return extras_; }
  void set_extras(const Extras& extras) { extras_ = extras; }  // before the first handler is made

  const Routes& routes() const { return routes_; }
  telemetry::Metrics& metrics() { return metrics_; }
  telemetry::Logger& logger() { return logger_; }
  bool access_log() const { return access_log_; }
  SlowRequests& slow_requests() { return slow_requests_; }
  std::chrono::steady_clock::time_point started() const { return started_; }

  // What every thread does now and then, cheap.
  void tick(std::chrono::steady_clock::time_point now);

 private:
  std::unique_ptr<const Model> owned_;
  std::atomic<const Model*> model_{nullptr};
  std::atomic<bool> draining_{false};
  Extras extras_;
  Routes routes_;
  telemetry::Metrics metrics_;
  telemetry::Logger logger_;
  bool access_log_;
  SlowRequests slow_requests_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

// Answers requests on one thread with that thread's workspaces, counters and log.
std::unique_ptr<http::Handler> make_handler(Service& service, unsigned thread);

}  // namespace wherry::serve
