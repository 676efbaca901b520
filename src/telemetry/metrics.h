// What the server counts: per thread, per model version, and how all of it is written for scrapers.
//
// Thread-safety: each thread writes its own ThreadMetrics and ModelThread without locks or locked
// instructions; everything else is thread-safe, and render() sees each counter at some recent value.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "telemetry/counter.h"
#include "telemetry/exposition.h"
#include "telemetry/trace.h"

namespace wherry::telemetry {

// The parts of a prediction. kQueue: waiting for a batch or a worker.
enum class Phase : std::uint8_t { kDecode, kQueue, kCompute, kEncode };
inline constexpr std::size_t kPhaseCount = 4;
inline constexpr std::string_view kPhaseNames[kPhaseCount] = {"decode", "queue", "compute", "encode"};

// Statuses which the server gives; others count as 0, "other".
inline constexpr std::array<int, 25> kStatuses{200, 204, 304, 400, 401, 403, 404, 405, 406,
                                               408, 409, 411, 413, 414, 415, 417, 422, 429,
                                               431, 500, 501, 503, 504, 505, 0};
using StatusCounters = std::array<Counter, kStatuses.size()>;
void count_status(StatusCounters& counters, int status);

// Why a request was turned away before it was worked on.
enum class Rejection : std::uint8_t {
  kQueueFull,
  kDeadline,  // its time was over, or would have been, before it was worked on
  kMemory,
  kDraining,
  kUnauthenticated,
  kForbidden,
  kRateLimited,
  kAbandoned,  // the client went away while it waited
};
inline constexpr std::string_view kRejectionNames[] = {"queue_full",   "deadline",        "memory",
                                                       "draining",     "unauthenticated", "forbidden",
                                                       "rate_limited", "abandoned"};

// What one thread counts about requests.
struct alignas(64) ThreadMetrics {
  explicit ThreadMetrics(std::size_t routes) : requests(routes) {}

  std::vector<StatusCounters> requests;  // by position of the route
  StatusCounters unknown;                // no such address, or not with this method
  StatusCounters refused;                // answered by the HTTP server itself
  std::array<Counter, std::size(kRejectionNames)> rejected;

  void reject(Rejection reason) { rejected[static_cast<std::size_t>(reason)].add(1); }
};

// What one thread counts about one model version.
struct alignas(64) ModelThread {
  Durations total;  // of predictions, from the first byte of the request to the answer
  std::array<ExemplarSlot, kDurationBounds.size() + 1> exemplars;  // of `total`
  std::array<Durations, kPhaseCount> phases;
  BatchSizes batch_rows;  // rows computed together
  Counter rows;
  // Those begun which neither succeeded nor failed are in flight; both may be counted by different threads.
  Counter begun, succeeded, failed;

  void ended(bool well) { (well ? succeeded : failed).add(1); }

  void observe(Phase phase, std::chrono::nanoseconds duration) {
    phases[static_cast<std::size_t>(phase)].observe(duration);
  }
  // `trace` of a sampled request: becomes the bucket's exemplar. `wall` is asked for then only.
  void observe_total(std::chrono::nanoseconds duration, const TraceContext* trace = nullptr);
};

struct ModelLabels {
  std::string name, framework, framework_version, digest;
  std::string version = "1";
};

// Kept by the model that is loaded; its counters go on when the same version is loaded again.
class ModelMetrics {
 public:
  ModelMetrics(ModelLabels labels, unsigned threads);
  ModelThread& of_thread(unsigned thread) { return *threads_[thread]; }
  const ModelThread& of_thread(unsigned thread) const { return *threads_[thread]; }
  std::size_t threads() const { return threads_.size(); }

 private:
  friend class Metrics;
  ModelLabels labels_;  // guarded by Metrics
  std::vector<std::unique_ptr<ModelThread>> threads_;
};

struct RenderOptions {
  Format format = Format::kText;
  bool triton_names = false;  // nv_inference_* as well
  std::string_view server_version;
  bool ready = false;
};

class Metrics {
 public:
  // `threads` that write: I/O threads and workers. `routes`: the label of each route; several may share one.
  Metrics(unsigned threads, std::vector<std::string> routes);

  unsigned threads() const { return static_cast<unsigned>(threads_.size()); }
  ThreadMetrics& of_thread(unsigned thread) { return *threads_[thread]; }

  // The counters of a model version, new or those it had. `labels.digest` and the rest become its labels.
  std::shared_ptr<ModelMetrics> model(const ModelLabels& labels);

  // Further families, each written by one function at every render(); on the thread that renders.
  using Collector = std::function<void(Exposition&)>;
  void add_collector(Collector collector);

  std::string render(const RenderOptions& options) const;

  // Sums over all threads, for GET …/stats and /debug.
  struct ModelTotals {
    ModelLabels labels;
    std::uint64_t succeeded = 0, failed = 0, rows = 0, executions = 0, in_flight = 0;
    std::uint64_t total_nanoseconds = 0;
    std::array<std::uint64_t, kPhaseCount> phase_nanoseconds{}, phase_count{};
  };
  std::vector<ModelTotals> totals() const;

 private:
  using Models = std::vector<std::pair<ModelLabels, std::shared_ptr<const ModelMetrics>>>;
  Models models() const;
  void write_requests(Exposition& out) const;

  std::vector<std::string> routes_;
  std::vector<std::unique_ptr<ThreadMetrics>> threads_;
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<ModelMetrics>>
      models_;  // by name and version
  std::vector<Collector> collectors_;
};

}  // namespace wherry::telemetry
