// Counters and histograms of one server, as Prometheus reads them (text exposition format 0.0.4).
//
// Thread-safety: each thread writes its own ThreadMetrics without locks or locked instructions; render() may
// run on any thread at any time and sees each counter at some recent value.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "serve/routes.h"

namespace wherry::serve {

// Written by one thread.
class Counter {
 public:
  void add(std::uint64_t count) { value_.store(value() + count, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Histogram {
 public:
  // Upper bounds in microseconds: from what a tree costs to what a client waits for.
  static constexpr std::array<std::uint64_t, 18> kBounds{
      5,     10,     25,     50,     100,     250,     500,     1'000,     2'500,
      5'000, 10'000, 25'000, 50'000, 100'000, 250'000, 500'000, 1'000'000, 5'000'000};
  void observe(std::chrono::nanoseconds duration);

  std::array<Counter, kBounds.size() + 1> buckets;  // not cumulative; the last one is +Inf
  Counter nanoseconds;
};

enum class Phase : std::uint8_t { kDecode, kCompute, kEncode };
inline constexpr std::size_t kPhaseCount = 3;

// Statuses which the server gives; others count as 0, "other".
inline constexpr std::array<int, 18> kStatuses{200, 204, 400, 403, 404, 405, 408, 411, 413,
                                               414, 415, 417, 431, 500, 501, 503, 505, 0};

using StatusCounters = std::array<Counter, kStatuses.size()>;
void count_status(StatusCounters& counters, int status);

struct alignas(64) ThreadMetrics {
  explicit ThreadMetrics(std::size_t routes) : requests(routes) {}

  std::vector<StatusCounters> requests;  // by position in Routes::rows()
  StatusCounters unknown;                // no such address, or not with this method
  StatusCounters refused;                // answered by the HTTP server itself
  Histogram total;  // of predictions, from the first byte of the request to the answer's last
  std::array<Histogram, kPhaseCount> phases;
  Counter rows;
  std::atomic<std::uint32_t> in_flight{0};
};

// What render() says about the model; empty texts while it is being loaded.
struct ModelLabels {
  std::string name, framework, framework_version, digest;
};

class Metrics {
 public:
  Metrics(unsigned threads, const Routes& routes);  // keeps a reference to `routes`
  ThreadMetrics& of_thread(unsigned thread) { return *threads_[thread]; }
  std::string render(const ModelLabels& model, bool ready, std::string_view version) const;

 private:
  void render_requests(std::string& out) const;

  const Routes& routes_;
  std::vector<std::unique_ptr<ThreadMetrics>> threads_;
};

}  // namespace wherry::serve
