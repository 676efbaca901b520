// SHA-256 as OCI, bundles and manifests write it (FIPS 180-4; image-spec "digest": "sha256:<64 hex digits>").
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace wherry::base {

// Incremental hash. Not thread-safe; move-only.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(Bytes bytes);
  void update(std::string_view text) { update(as_bytes(text)); }
  std::string finish_hex();  // 64 lower-case hex digits; the object must not be used afterwards

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view data);
std::string sha256_digest(std::string_view data);  // "sha256:" + sha256_hex
bool is_sha256_digest(std::string_view text);      // exactly that form

}  // namespace wherry::base
