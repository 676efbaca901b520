// Key sets of any bytes: no crash, and no set without a key.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "auth/key_set.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry::auth;
  const auto set = KeySet::parse({reinterpret_cast<const char*>(data), size}, "keys");
  if (!set) return 0;
  if (set->size() == 0) std::abort();
  for (const std::string_view name : {"RS256", "PS512", "ES256", "ES384", "EdDSA"})
    if (set->verify(*find_algorithm(name), "", "signed", std::string(64, 'x')) == KeySet::Verdict::kGood)
      std::abort();
  return 0;
}
