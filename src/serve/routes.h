// Which of the server's addresses a path is. One table: what is not in it does not exist.
//
// Thread-safety: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace wherry::serve {

enum class Route : std::uint8_t {
  kPage,
  kLive,  // Open Inference Protocol V2 REST (inference_rest.md)
  kReady,
  kServerMetadata,
  kModelMetadata,
  kModelReady,
  kInfer,
  kInvocations,  // MLflow's scoring server, SageMaker
  kPing,
  kHealth,
  kVersion,
  kMetrics,
  kUnknown,  // 404
  kRefused,  // answered by the HTTP server itself
};
inline constexpr std::size_t kRouteCount = static_cast<std::size_t>(Route::kRefused) + 1;

struct RouteRow {
  Route route;
  std::string_view name;    // label in /metrics
  std::string_view path;    // exact; empty for routes below /v2/models/ and for the last two
  std::string_view method;  // GET (HEAD included) or POST
};

const RouteRow& row_of(Route route);

struct Match {
  Route route = Route::kUnknown;
  std::string_view model;    // segment as sent, percent-encoded; for routes below /v2/models/
  std::string_view version;  // the same; empty when not given
};

// One slash at the end is ignored. Prefixes are not: "/v2/models/m/infer/x" is kUnknown.
Match find_route(std::string_view path);

// "GET, HEAD" or "POST": the value of Allow.
std::string_view allowed_methods(const RouteRow& row);
bool is_allowed(const RouteRow& row, std::string_view method);

}  // namespace wherry::serve
