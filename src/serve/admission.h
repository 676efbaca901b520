// Whether a request may have what it asks for, before the answer is made.
#pragma once

#include <optional>
#include <string_view>

#include "auth/gate.h"
#include "telemetry/metrics.h"

#include "http/message.h"

namespace wherry::serve {

// One thread's side of it. Not thread-safe.
class Admission {
 public:
  // `authority` null: everybody may do everything which is switched on at all.
  Admission(auth::Authority* authority, telemetry::ThreadMetrics& metrics);

  // Who asks, with their rate limit counted. False: `response` says 401, 429 or 503. Not to be called for
  // what needs no permission. identity() is valid until the next call.
  bool enter(const http::Request& request, http::Response& response);
  // Whether they may; for what concerns one model its name, decoded, else nothing. False: `response` says 401
  // or 403.
  bool permit(auth::Permission permission, std::optional<std::string_view> model, http::Response& response);

  // The next request is somebody else's.
  void leave() { identity_ = nullptr; }

  bool is_on() const { return gate_.has_value(); }
  const auth::Identity* identity() const { return identity_; }  // null where callers are not told apart

 private:
  void refuse(http::Response& response);

  std::optional<auth::Gate> gate_;
  telemetry::ThreadMetrics& metrics_;
  const auth::Identity* identity_ = nullptr;
};

// Whether the caller may be told which version of wherry this is: not when callers are told apart, and
// nobody knows this one.
bool may_know_version(const Admission& admission);

}  // namespace wherry::serve
