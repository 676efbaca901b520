// A traced request and its encoding as OTLP spans (opentelemetry-proto 1.x, collector/trace/v1; names of
// OpenTelemetry's semantic conventions 1.27 for HTTP and RPC).
//
// Thread-safety: values and pure functions.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "telemetry/metrics.h"
#include "telemetry/trace.h"

namespace wherry::telemetry {

using SteadyTime = std::chrono::steady_clock::time_point;

// One request from its first byte to its answer: a server span and, for a prediction, one span per phase. No
// header, query or body is kept.
struct RequestSpan {
  std::uint64_t trace_high = 0, trace_low = 0, id = 0, parent = 0;
  std::string state;
  std::string method, path, route;  // route: the pattern, "/v2/models/{model}/infer"
  std::string_view protocol_version = "1.1";
  std::string_view scheme = "http";
  std::string rpc_service, rpc_method;  // both set: a gRPC call
  int status = 200;                     // HTTP; of a gRPC call its grpc-status
  std::string model, version;
  std::uint64_t rows = 0;
  SteadyTime begin, end;
  struct Times {
    SteadyTime begin, end;  // equal: there was no such phase
  };
  std::array<Times, kPhaseCount> phases{};
};

using Attributes = std::vector<std::pair<std::string, std::string>>;

// ExportTraceServiceRequest. `wall` and `steady` are one moment on both clocks, by which times become
// wall-clock nanoseconds. `ids` names the phases' spans.
std::string encode_spans(std::span<const RequestSpan> spans, const Attributes& resource,
                         std::chrono::system_clock::time_point wall, SteadyTime steady, Ids& ids);

}  // namespace wherry::telemetry
