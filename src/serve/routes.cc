#include "serve/routes.h"

#include <array>

namespace wherry::serve {

namespace {

constexpr std::array<RouteRow, kRouteCount> kRoutes{{
    {Route::kPage, "page", "/", "GET"},
    {Route::kLive, "live", "/v2/health/live", "GET"},
    {Route::kReady, "ready", "/v2/health/ready", "GET"},
    {Route::kServerMetadata, "server_metadata", "/v2", "GET"},
    {Route::kModelMetadata, "model_metadata", "", "GET"},
    {Route::kModelReady, "model_ready", "", "GET"},
    {Route::kInfer, "infer", "", "POST"},
    {Route::kInvocations, "invocations", "/invocations", "POST"},
    {Route::kPing, "ping", "/ping", "GET"},
    {Route::kHealth, "health", "/health", "GET"},
    {Route::kVersion, "version", "/version", "GET"},
    {Route::kMetrics, "metrics", "/metrics", "GET"},
    {Route::kUnknown, "unknown", "", ""},
    {Route::kRefused, "refused", "", ""},
}};

// "a/b/c" → "a", leaving "b/c".
std::string_view take_segment(std::string_view& rest) {
  const std::size_t slash = rest.find('/');
  const std::string_view segment = rest.substr(0, slash);
  rest = slash == rest.npos ? std::string_view() : rest.substr(slash + 1);
  return segment;
}

Match find_model_route(std::string_view rest) {
  Match match;
  match.model = take_segment(rest);
  if (match.model.empty()) return {};
  std::string_view verb = take_segment(rest);
  if (verb == "versions") {
    match.version = take_segment(rest);
    if (match.version.empty()) return {};
    verb = take_segment(rest);
  }
  if (!rest.empty()) return {};
  if (verb.empty()) match.route = Route::kModelMetadata;
  if (verb == "ready") match.route = Route::kModelReady;
  if (verb == "infer") match.route = Route::kInfer;
  return match;
}

}  // namespace

const RouteRow& row_of(Route route) {
  return kRoutes[static_cast<std::size_t>(route)];
}

Match find_route(std::string_view path) {
  constexpr std::string_view kModels = "/v2/models/";
  if (path.size() > 2 && path.ends_with('/')) path.remove_suffix(1);
  if (path.starts_with(kModels)) return find_model_route(path.substr(kModels.size()));
  for (const RouteRow& row : kRoutes)
    if (!row.path.empty() && row.path == path) return {row.route, {}, {}};
  return {};
}

std::string_view allowed_methods(const RouteRow& row) {
  return row.method == "GET" ? "GET, HEAD" : row.method;
}

bool is_allowed(const RouteRow& row, std::string_view method) {
  return method == row.method || (method == "HEAD" && row.method == "GET");
}

}  // namespace wherry::serve
