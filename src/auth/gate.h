// Decides about one request after the other, on one thread.
//
//   const Identity* who = gate.enter(credentials, now);         // null: gate.refusal()
//   if (!gate.permits(*who, Permission::kPredict, "fraud")) …   // false: gate.refusal()
//
// A key costs one SHA-256 and one look-up; a token's signature is checked once per thread and remembered
// until it expires or the rules change. No lock that another thread could hold for long, and for keys no
// allocation.
//
// Thread-safety: one Gate per thread; the Authority must outlive it.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "auth/authority.h"

namespace wherry::auth {

enum class Reason : std::uint8_t { kUnauthenticated, kForbidden, kRateLimited, kKeysMissing };

// The answer to give instead: 401 with WWW-Authenticate (RFC 6750 section 3), 403, 429 with Retry-After and
// RateLimit fields (draft-ietf-httpapi-ratelimit-headers), 503 while there are no keys to check tokens with.
struct Refusal {
  Reason reason = Reason::kUnauthenticated;
  int status = 401;
  std::string message;
  std::vector<std::pair<std::string_view, std::string>> headers;
};

class Gate {
 public:
  explicit Gate(Authority& authority) : authority_(authority), policy_(authority.policy_) {}

  // Who it is; with no credentials at all "anyone". Counts against their rate limit. Null when the
  // credentials given are wrong (they are never ignored) or the limit is reached. Valid until the next call.
  const Identity* enter(const Credentials& credentials, const Now& now);

  // As Grant::allows; when not, refusal() is 401 for anyone and 403 for the rest.
  bool permits(const Identity& identity, Permission permission, std::string_view model);
  bool permits(const Identity& identity, Permission permission);

  const Refusal& refusal() const { return refusal_; }

 private:
  struct Hasher {
    std::size_t operator()(const Hash& hash) const;
  };
  struct Remembered {
    std::shared_ptr<const Identity> identity;
    std::chrono::system_clock::time_point until;
  };
  const Identity* identify(const Credentials& credentials, const Now& now);
  const Identity* by_key(std::string_view key, const Now& now);
  const Identity* by_token(std::string_view token, const Now& now);
  const Identity* by_certificate(const Credentials& credentials);
  std::shared_ptr<const Identity> identity_of(const text::Json& claims);
  const Identity* unauthenticated(std::string_view problem, bool given);
  bool forbidden(const Identity& identity, Permission permission, std::string_view model);

  Authority& authority_;
  Published<Policy>::Reader policy_;
  const Policy* current_ = nullptr;
  std::uint64_t version_ = 0;  // of the policy the remembered tokens were checked with
  std::unordered_map<Hash, Remembered, Hasher> tokens_;
  Refusal refusal_;
};

}  // namespace wherry::auth
