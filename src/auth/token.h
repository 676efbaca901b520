// JSON Web Tokens (RFC 7519) in the compact form of RFC 7515, checked by the rules of RFC 8725.
//
// Thread-safety: values and pure functions.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/key_set.h"

#include "base/error.h"
#include "text/json.h"

namespace wherry::auth {

inline constexpr std::size_t kMostTokenBytes = 12u << 10;

// Three parts with two dots between them: not whether they make sense.
bool looks_like_token(std::string_view text);

struct Token {
  const Algorithm* algorithm = nullptr;
  std::string key_id;            // "" where the header names none
  text::Json claims;             // an object
  std::string_view signed_part;  // borrowed from the text
  std::string signature;
};

// Not verified yet. The header's jku, jwk, x5u and x5c are never looked at: a token cannot bring its own key.
// "crit" is refused (RFC 7515 section 4.1.11: we understand no extension). Error "auth.bad_token" (kDenied)
// naming the part, never its content.
base::Result<Token> parse_token(std::string_view text);

struct TokenRules {
  std::string issuer;                  // "iss" must be this; empty: any
  std::vector<std::string> audiences;  // "aud" must have one of these; empty: any
  std::chrono::seconds leeway{60};     // for clocks which differ
  bool needs_expiry = true;
};

// exp, nbf, iat (not from the future), iss, aud (RFC 7519 section 4.1). Gives the time from which the token
// is not valid any more, leeway included. Errors as above.
base::Result<std::chrono::system_clock::time_point> check_claims(const text::Json& claims,
                                                                 const TokenRules& rules,
                                                                 std::chrono::system_clock::time_point now);

// "scope" or "realm_access.roles": member by member; a name with dots in it is found as such first. Null
// when absent.
const text::Json* find_claim(const text::Json& claims, std::string_view path);

// The strings of a claim: a string's words separated by spaces (RFC 8693 section 4.2, "scope"), or the
// strings in a list.
std::vector<std::string_view> words_of_claim(const text::Json& claim);

}  // namespace wherry::auth
