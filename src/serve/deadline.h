// How long a client waits for its answer, as the headers of its request say:
//
//   X-Request-Timeout                    "250ms", "1.5s", "2m", "800us"; a bare number is seconds
//   grpc-timeout                         at most eight digits and H, M, S, m, u or n (PROTOCOL-HTTP2.md)
//   X-Envoy-Expected-Rq-Timeout-Ms       milliseconds, as Envoy tells its upstreams; 0 is none
//
// Thread-safety: pure functions.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "http/message.h"

namespace wherry::serve {

// The earliest of those there are, counted from the request's first byte; max() without any. Errors:
// "serve.bad_timeout", for X-Request-Timeout only: the others are set by proxies, not by people.
base::Result<std::chrono::steady_clock::time_point> deadline_of(const http::Request& request);

// nullopt for what is none, and for zero and less.
std::optional<std::chrono::nanoseconds> parse_timeout(std::string_view text);

}  // namespace wherry::serve
