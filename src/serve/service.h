// What every thread of the server shares.
#pragma once

#include <atomic>
#include <memory>

#include "http/server.h"
#include "serve/metrics.h"
#include "serve/model.h"
#include "serve/routes.h"

namespace wherry::serve {

// Lives as long as the server. `model` is set once, when it is loaded and checked; `draining` is set once,
// when the end begins. Thread-safe.
class Service {
 public:
  Service(unsigned threads, bool access_log, int log_file);

  // Null while the model is being loaded.
  const Model* model() const { return model_.load(std::memory_order_acquire); }
  void set_model(std::unique_ptr<const Model> model) {
    owned_ = std::move(model);
    model_.store(owned_.get(), std::memory_order_release);
  }
  bool ready() const { return model() != nullptr && !draining_.load(std::memory_order_relaxed); }
  void begin_drain() { draining_.store(true, std::memory_order_relaxed); }

  const Routes& routes() const { return routes_; }
  Metrics& metrics() { return metrics_; }
  bool access_log() const { return access_log_; }
  int log_file() const { return log_file_; }

 private:
  std::unique_ptr<const Model> owned_;
  std::atomic<const Model*> model_{nullptr};
  std::atomic<bool> draining_{false};
  Routes routes_;
  Metrics metrics_;
  bool access_log_;
  int log_file_;
};

// Answers requests on one thread with that thread's workspaces, counters and log.
std::unique_ptr<http::Handler> make_handler(Service& service, unsigned thread);

}  // namespace wherry::serve
