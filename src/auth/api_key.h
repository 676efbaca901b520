// API keys: "wherry_" and 256 random bits in base64url. Being random, a key cannot be guessed from its
// SHA-256, so that is what is kept; a slow password hash would only slow the server down.
//
// Thread-safety: pure functions, and the system's random source.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace wherry::auth {

using Hash = std::array<std::uint8_t, 32>;

Hash hash_of(std::string_view secret);  // SHA-256
bool equal_in_constant_time(const Hash& a, const Hash& b);

inline constexpr std::string_view kKeyPrefix = "wherry_";

struct NewKey {
  std::string key;   // shown once, to whoever will use it
  std::string line;  // for the access file
};
// Errors: "auth.bad_key_name" (kUsage), "auth.no_random" (kUnavailable).
base::Result<NewKey> make_key(std::string_view name);

bool is_key_name(std::string_view name);

}  // namespace wherry::auth
