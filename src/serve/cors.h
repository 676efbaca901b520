// Cross-origin requests of browsers (fetch.spec.whatwg.org, "CORS protocol"). Off unless origins are named.
//
// Thread-safety: immutable once made.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace wherry::serve {

struct CorsOptions {
  std::vector<std::string> origins;  // exact: "https://app.example.com"; empty: off
  bool any = false;                  // "*"; credentials are never allowed then

  bool enabled() const { return any || !origins.empty(); }
};

// "*", or a list of origins separated by commas: scheme, host and port as browsers write them, without a
// path. False when it is neither.
bool parse_origins(std::string_view text, CorsOptions& options);

// Answers a preflight request (OPTIONS with Access-Control-Request-Method) of an allowed origin: 204. False:
// it is none, or not allowed, and `response` is as it was but for Vary.
bool answer_preflight(const CorsOptions& options, const http::Request& request, http::Response& response);

// Adds what lets an allowed origin read the answer.
void allow_origin(const CorsOptions& options, const http::Request& request, http::Response& response);

}  // namespace wherry::serve
