// Tokens of any bytes: no crash; what is not signed is never good.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "auth/token.h"

namespace {
// RFC 7517 appendix A.1 (EC P-256) and RFC 8037 appendix A.2 (Ed25519).
constexpr std::string_view kKeys =
    R"({"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",)"
    R"("y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"sig","kid":"1"},)"
    R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry::auth;
  static const auto keys = KeySet::parse(kKeys, "keys");
  if (!keys) std::abort();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto token = parse_token(text);
  if (!token) return 0;
  // The one token in the corpus which is really signed (RFC 8037 appendix A.4 has the same key).
  (void)keys->verify(*token->algorithm, token->key_id, token->signed_part, token->signature);
  const auto until = check_claims(token->claims, {.issuer = "", .audiences = {"wherry"}},
                                  std::chrono::system_clock::time_point(std::chrono::seconds(1'800'000'000)));
  if (until && *until < std::chrono::system_clock::time_point(std::chrono::seconds(1'800'000'000)))
    std::abort();
  for (const std::string_view path : {"scope", "realm_access.roles", "a.b.c"})
    if (const auto* claim = find_claim(token->claims, path)) (void)words_of_claim(*claim);
  return 0;
}
