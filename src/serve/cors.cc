#include "serve/cors.h"

#include <algorithm>

#include "base/text.h"

namespace wherry::serve {

namespace {

constexpr std::string_view kMethods = "GET, HEAD, POST, PUT, DELETE";
constexpr std::string_view kRequestHeaders =
    "Authorization, Content-Encoding, Content-Type, If-None-Match, Inference-Header-Content-Length, "
    "X-API-Key, X-Request-Id, X-Request-Timeout, ce-id, ce-source, ce-specversion, ce-time, ce-type, "
    "traceparent, tracestate";
constexpr std::string_view kAnswerHeaders =
    "ETag, Inference-Header-Content-Length, RateLimit, Retry-After, X-Request-Id, ce-id, ce-source, "
    "ce-specversion, ce-type";
constexpr std::string_view kMaxAge = "7200";  // the longest Chromium keeps one

bool is_allowed(const CorsOptions& options, std::string_view origin) {
  if (origin.empty()) return false;
  return options.any ||
         std::find(options.origins.begin(), options.origins.end(), origin) != options.origins.end();
}

bool is_origin(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (scheme == text.npos || scheme == 0) return false;
  const std::string_view host = text.substr(scheme + 3);
  const bool lower = std::none_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  return lower && !host.empty() && host.find_first_of("/?#@ *\t\r\n") == host.npos;
}

// The headers of a preflight's answer and of the answer proper.
void add_origin(const CorsOptions& options, std::string_view origin, http::Response& response) {
  if (options.any) return response.add_header("Access-Control-Allow-Origin", "*");
  response.add_header("Access-Control-Allow-Origin", origin);
  response.add_header("Access-Control-Allow-Credentials", "true");
}

}  // namespace

bool parse_origins(std::string_view text, CorsOptions& options) {
  CorsOptions made;
  for (std::string_view one : base::split(text, ',')) {
    one = base::trim(one);
    if (one == "*")
      made.any = true;
    else if (is_origin(one))
      made.origins.emplace_back(one);
    else
      return false;
  }
  if (made.any && !made.origins.empty()) return false;
  options = std::move(made);
  return true;
}

bool answer_preflight(const CorsOptions& options, const http::Request& request, http::Response& response) {
  if (!options.enabled() || request.method != "OPTIONS" ||
      request.header("Access-Control-Request-Method").empty())
    return false;
  const std::string_view origin = request.header("Origin");
  if (!is_allowed(options, origin)) return false;
  if (!options.any) response.add_header("Vary", "Origin");
  response.status = 204;
  add_origin(options, origin, response);
  response.add_header("Access-Control-Allow-Methods", kMethods);
  response.add_header("Access-Control-Allow-Headers", kRequestHeaders);
  response.add_header("Access-Control-Max-Age", kMaxAge);
  return true;
}

void allow_origin(const CorsOptions& options, const http::Request& request, http::Response& response) {
  if (!options.enabled()) return;
  if (!options.any) response.add_header("Vary", "Origin");
  const std::string_view origin = request.header("Origin");
  if (!is_allowed(options, origin)) return;
  add_origin(options, origin, response);
  response.add_header("Access-Control-Expose-Headers", kAnswerHeaders);
}

}  // namespace wherry::serve
