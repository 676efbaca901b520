// Sends traced requests to an OpenTelemetry collector: in batches, from a thread of its own, with bounded
// memory. What finds no room, or cannot be delivered, is counted and forgotten; no request ever waits for it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "telemetry/exposition.h"
#include "telemetry/span.h"

#include "base/error.h"

namespace wherry::telemetry {

// As the OpenTelemetry specification names its environment variables.
struct TraceOptions {
  bool enabled = false;  // an endpoint is given
  std::string endpoint;  // with /v1/traces
  Attributes headers;
  Attributes resource;  // service.name and the rest
  Sampler sampler;
  std::chrono::milliseconds delay{5000};  // OTEL_BSP_SCHEDULE_DELAY
  std::size_t most_queued = 2048;         // OTEL_BSP_MAX_QUEUE_SIZE
  std::size_t most_batch = 512;           // OTEL_BSP_MAX_EXPORT_BATCH_SIZE
  std::vector<std::string> warnings;      // about what was not understood and therefore not used
};
// OTEL_SDK_DISABLED, OTEL_TRACES_EXPORTER, OTEL_EXPORTER_OTLP[_TRACES]_ENDPOINT, …_HEADERS, …_PROTOCOL,
// OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER[_ARG], OTEL_BSP_*. A value which is not
// understood becomes a warning and the default, as the specification wants. Headers are never in a warning.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;
TraceOptions read_trace_options(const Environment& environment, std::string_view server_version);

// POST of a body; called on the exporter's thread only.
struct PostRequest {
  std::string url;
  Attributes headers;
  std::string body;
};
using Post = std::function<base::Result<int>(const PostRequest& request)>;  // gives the status

// Thread-safe but for start() and stop(), which one thread calls.
class Exporter {
 public:
  Exporter(TraceOptions options, Post post);
  ~Exporter();

  const Sampler& sampler() const { return options_.sampler; }
  void add(RequestSpan span);  // dropped and counted when the queue is full

  // One batch: encodes and sends what waits, at most most_batch. Gives how long to wait before the next call;
  // zero when more is waiting. What the background thread does.
  std::chrono::milliseconds step(std::chrono::system_clock::time_point wall, SteadyTime steady);
  void start();
  void stop();  // sends what waits, once

  std::uint64_t exported() const { return exported_.load(std::memory_order_relaxed); }
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  void write_metrics(Exposition& out) const;

 private:
  bool deliver(std::string body);

  const TraceOptions options_;
  const Post post_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<RequestSpan> waiting_;
  bool stopping_ = false;
  std::atomic<std::uint64_t> exported_{0}, dropped_{0};

  // Of the background thread.
  std::vector<RequestSpan> batch_;
  unsigned failures_ = 0;  // in a row, of the batch at hand
  Ids ids_;
  std::thread thread_;
};

}  // namespace wherry::telemetry
