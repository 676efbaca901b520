// The head of an HTTP/1.1 request: Boost.Beast's parser behind a small interface, made stricter where request
// smuggling hides (RFC 9112 sections 5.2, 6.1, 6.3, 11.2). Internal to module http.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "http/limits.h"
#include "http/message.h"

namespace wherry::http {

struct Head {
  std::string_view method, target;
  std::string_view h2c_settings;  // HTTP2-Settings, when the client asks to go on in HTTP/2; else ""
  std::vector<HeaderView> headers;
  std::uint64_t content_length = 0;
  bool has_length = false;
  bool chunked = false;
  bool http_1_1 = true;
  bool keep_alive = true;
  bool expects_continue = false;
};

// status 0: no objection.
struct Objection {
  int status = 0;
  std::string_view reason;
  explicit operator bool() const { return status != 0; }
};

// `text` is a whole head, blank line included. The views put into `head`, whose memory is reused, point into
// `text`. Pure function.
Objection parse_head(std::string_view text, const Limits& limits, Head& head);

// Path and query of an origin-form or absolute-form target (or of "*", for OPTIONS) into `request`, whose
// method must be set; false for anything else.
bool split_target(std::string_view target, Request& request);

}  // namespace wherry::http
