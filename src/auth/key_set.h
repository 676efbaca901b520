// Public keys which sign tokens: a JSON Web Key Set (RFC 7517, RFC 7518 section 6, RFC 8037), and checking a
// signature with it.
//
// Thread-safety: a KeySet is immutable; any thread may verify with it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

struct evp_pkey_st;

namespace wherry::auth {

// One algorithm of RFC 7518 section 3.1 or RFC 8037 which we accept. There is no "none" and no HS*: a public
// key can never become a shared secret.
struct Algorithm {
  enum class Kind : std::uint8_t { kRsa, kRsaPss, kEcdsa, kEdDsa };
  std::string_view name;  // "ES256"
  Kind kind;
  std::string_view digest;     // "" for EdDSA
  std::string_view curve;      // "P-256"; "" for RSA
  std::size_t coordinate = 0;  // bytes of r and of s, ECDSA only
};
const Algorithm* find_algorithm(std::string_view name);  // null: not accepted

class KeySet {
 public:
  // Keys of other types or uses, symmetric ones, weak ones and malformed ones are left out, as RFC 7517
  // section 5 wants. Errors: "auth.bad_key_set", also when none is left.
  static base::Result<KeySet> parse(std::string_view json, std::string_view what);

  std::size_t size() const { return keys_.size(); }
  std::size_t left_out() const { return left_out_; }

  enum class Verdict : std::uint8_t { kGood, kBad, kUnknownKey };
  // `key_id` empty: any key of the algorithm's type may have signed. kUnknownKey: no key has that id, so a
  // newer set may.
  Verdict verify(const Algorithm& algorithm, std::string_view key_id, std::string_view signed_part,
                 std::string_view signature) const;

 private:
  struct Key {
    std::string id;
    std::string algorithm;  // the only one it may be used with; empty: any of its type
    bool is_rsa = false;
    std::string curve;  // "" for RSA
    std::shared_ptr<evp_pkey_st> key;
  };
  static bool fits(const Key& key, const Algorithm& algorithm);
  std::vector<Key> keys_;
  std::size_t left_out_ = 0;
};

inline constexpr std::size_t kMostKeySetBytes = 1u << 20;

// base64url without padding, as RFC 7515 section 2 wants it; nullopt for anything else.
std::optional<std::string> decode_base64url(std::string_view text);

}  // namespace wherry::auth
