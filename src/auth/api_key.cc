#include "auth/api_key.h"

#include <algorithm>
#include <openssl/crypto.h>
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <sys/random.h>

#include "base/digest.h"
#include "base/text.h"

namespace wherry::auth {

using base::cat;
using base::Code;

Hash hash_of(std::string_view secret) {
  Hash hash{};
  SHA256(reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), hash.data());
  return hash;
}

bool equal_in_constant_time(const Hash& a, const Hash& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool is_key_name(std::string_view name) {
  constexpr std::size_t kMost = 64;
  return !name.empty() && name.size() <= kMost && std::ranges::all_of(name, [](char c) {
    return base::is_ascii_alphanumeric(c) || c == '.' || c == '_' || c == '-';
  });
}

base::Result<NewKey> make_key(std::string_view name) {
  if (!is_key_name(name))
    return base::fail(Code::kUsage, "auth.bad_key_name",
                      cat("the key's name is ", base::quoted(name),
                          ", but should be 1 to 64 letters, digits, '.', '_' or '-'"),
                      "name it after who will use it, such as \"checkout-service\"");
  std::array<char, 32> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
    return base::fail(Code::kUnavailable, "auth.no_random", "the system gave no random bytes",
                      "try again; in a sandbox, allow the system call getrandom");
  std::string encoded = base::base64_encode({random.data(), random.size()});
  OPENSSL_cleanse(random.data(), random.size());
  while (encoded.ends_with('=')) encoded.pop_back();
  std::ranges::replace(encoded, '+', '-');
  std::ranges::replace(encoded, '/', '_');
  NewKey made{cat(kKeyPrefix, encoded), {}};
  made.line =
      cat("key ", name, " sha256:", base::sha256_hex(made.key), " permissions=predict,metadata models=*");
  return made;
}

}  // namespace wherry::auth
