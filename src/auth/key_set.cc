#include "auth/key_set.h"

#include <algorithm>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "base/text.h"
#include "text/json.h"

namespace wherry::auth {

using base::cat;
using base::Code;

namespace {

constexpr std::size_t kMostKeys = 100;
constexpr std::size_t kMostId = 256;
constexpr int kLeastRsaBits = 2048, kMostRsaBits = 8192;
constexpr std::size_t kMostExponent = 8;  // bytes: a huge one only makes verifying slow

using Kind = Algorithm::Kind;
constexpr Algorithm kAlgorithms[] = {
    {"RS256", Kind::kRsa, "SHA256", "", 0},         {"RS384", Kind::kRsa, "SHA384", "", 0},
    {"RS512", Kind::kRsa, "SHA512", "", 0},         {"PS256", Kind::kRsaPss, "SHA256", "", 0},
    {"PS384", Kind::kRsaPss, "SHA384", "", 0},      {"PS512", Kind::kRsaPss, "SHA512", "", 0},
    {"ES256", Kind::kEcdsa, "SHA256", "P-256", 32}, {"ES384", Kind::kEcdsa, "SHA384", "P-384", 48},
    {"ES512", Kind::kEcdsa, "SHA512", "P-521", 66}, {"EdDSA", Kind::kEdDsa, "", "Ed25519", 0},
};

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using KeyPointer = std::shared_ptr<EVP_PKEY>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Deleter<BN_free>>;

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Number number(std::string_view big_endian) {
  return Number(BN_bin2bn(bytes(big_endian), static_cast<int>(big_endian.size()), nullptr));
}

KeyPointer make_key(const char* type, OSSL_PARAM_BLD* builder) {
  const std::unique_ptr<OSSL_PARAM, Deleter<OSSL_PARAM_free>> parameters(OSSL_PARAM_BLD_to_param(builder));
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
    return nullptr;
  KeyPointer made(key, EVP_PKEY_free);
  const Context check(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  return check && EVP_PKEY_public_check(check.get()) == 1 ? made : nullptr;
}

using Builder = std::unique_ptr<OSSL_PARAM_BLD, Deleter<OSSL_PARAM_BLD_free>>;

std::optional<std::string> member(const text::Json& key, std::string_view name) {
  const std::string* text = text::find_string(key, name);
  return text == nullptr ? std::nullopt : decode_base64url(*text);
}

KeyPointer rsa_key(const text::Json& json) {
  const auto modulus = member(json, "n"), exponent = member(json, "e");
  if (!modulus || !exponent || exponent->empty() || exponent->size() > kMostExponent ||
      modulus->size() > kMostRsaBits / 8 + 1)
    return nullptr;
  const Number n = number(*modulus), e = number(*exponent);
  if (!n || !e || BN_num_bits(n.get()) < kLeastRsaBits || BN_num_bits(n.get()) > kMostRsaBits ||
      !BN_is_odd(n.get()) || !BN_is_odd(e.get()) || BN_is_one(e.get()))
    return nullptr;
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    return nullptr;
  return make_key("RSA", builder.get());
}

KeyPointer ec_key(const text::Json& json, const std::string& curve) {
  const auto found = std::ranges::find(kAlgorithms, curve, &Algorithm::curve);
  if (found == std::end(kAlgorithms) || found->kind != Kind::kEcdsa) return nullptr;
  const auto x = member(json, "x"), y = member(json, "y");
  if (!x || !y || x->size() != found->coordinate || y->size() != found->coordinate) return nullptr;
  const std::string point = cat('\x04', *x, *y);  // uncompressed, SEC 1 section 2.3.3
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.c_str(), 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) !=
          1)
    return nullptr;
  return make_key("EC", builder.get());
}

KeyPointer ed25519_key(const text::Json& json, const std::string& curve) {
  const auto x = member(json, "x");
  if (curve != "Ed25519" || !x || x->size() != 32) return nullptr;
  return {EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes(*x), x->size()), EVP_PKEY_free};
}

// r and s, each of the curve's size, as the DER sequence which OpenSSL takes (RFC 7518 section 3.4).
std::optional<std::string> der_signature(std::string_view signature, std::size_t coordinate) {
  if (signature.size() != 2 * coordinate) return std::nullopt;
  const std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>> pair(ECDSA_SIG_new());
  Number r = number(signature.substr(0, coordinate)), s = number(signature.substr(coordinate));
  if (!pair || !r || !s || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return std::nullopt;
  [[maybe_unused]] BIGNUM* owned = r.release();  // by the pair now
  owned = s.release();
  unsigned char* out = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &out);
  if (size <= 0) return std::nullopt;
  std::string der(reinterpret_cast<char*>(out), static_cast<std::size_t>(size));
  OPENSSL_free(out);
  return der;
}

bool is_signed_by(EVP_PKEY* key, const Algorithm& algorithm, std::string_view signed_part,
                  std::string_view signature) {
  const std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
  const EVP_MD* digest =
      algorithm.digest.empty() ? nullptr : EVP_get_digestbyname(std::string(algorithm.digest).c_str());
  EVP_PKEY_CTX* parameters = nullptr;
  if (!context || EVP_DigestVerifyInit(context.get(), &parameters, digest, nullptr, key) != 1) return false;
  // A salt of the digest's size: RFC 7518 section 3.5.
  if (algorithm.kind == Kind::kRsaPss &&
      (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) != 1))
    return false;
  std::optional<std::string> der;
  if (algorithm.kind == Kind::kEcdsa) {
    der = der_signature(signature, algorithm.coordinate);
    if (!der) return false;
    signature = *der;
  }
  return EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(signed_part),
                          signed_part.size()) == 1;
}

}  // namespace

const Algorithm* find_algorithm(std::string_view name) {
  const auto found = std::ranges::find(kAlgorithms, name, &Algorithm::name);
  return found == std::end(kAlgorithms) ? nullptr : &*found;
}

std::optional<std::string> decode_base64url(std::string_view text) {
  const auto is_digit = [](char c) { return base::is_ascii_alphanumeric(c) || c == '-' || c == '_'; };
  if (!std::ranges::all_of(text, is_digit)) return std::nullopt;
  return base::base64_decode(text);
}

base::Result<KeySet> KeySet::parse(std::string_view json, std::string_view what) {
  const auto bad = [&](std::string_view problem) {
    return base::fail(Code::kInvalidInput, "auth.bad_key_set", cat(what, problem),
                      "it should be what the token issuer publishes as its jwks_uri");
  };
  const auto parsed = text::parse_json(json, what, {.bytes = kMostKeySetBytes, .depth = 8});
  if (!parsed) return bad(cat(" is not JSON: ", parsed.error().message));
  const text::Json* list = text::find_array(*parsed, "keys");
  if (list == nullptr) return bad(" has no list \"keys\"");
  if (list->size() > kMostKeys) return bad(cat(" has more than ", kMostKeys, " keys"));
  KeySet set;
  for (const text::Json& row : *list) {
    const auto text = [&](std::string_view name) {
      const std::string* found = text::find_string(row, name);
      return found == nullptr ? std::string() : *found;
    };
    Key key{text("kid"), text("alg"), text("kty") == "RSA", text("crv"), nullptr};
    const std::string type = text("kty"), use = text("use");
    if (key.id.size() <= kMostId && (use.empty() || use == "sig")) {
      if (type == "RSA") key.key = rsa_key(row);
      if (type == "EC") key.key = ec_key(row, key.curve);
      if (type == "OKP") key.key = ed25519_key(row, key.curve);
    }
    if (key.key == nullptr) {
      ++set.left_out_;
      continue;
    }
    if (key.is_rsa) key.curve.clear();
    set.keys_.push_back(std::move(key));
  }
  ERR_clear_error();  // what was left out is no failure of ours
  if (set.keys_.empty()) return bad(" has no key which can check a signature");
  return set;
}

bool KeySet::fits(const Key& key, const Algorithm& algorithm) {
  return key.is_rsa == algorithm.curve.empty() && key.curve == algorithm.curve &&
         (key.algorithm.empty() || key.algorithm == algorithm.name);
}

KeySet::Verdict KeySet::verify(const Algorithm& algorithm, std::string_view key_id,
                               std::string_view signed_part, std::string_view signature) const {
  bool known = key_id.empty();
  for (const Key& key : keys_) {
    if (!key_id.empty() && key.id != key_id) continue;
    known = true;
    if (!fits(key, algorithm)) continue;
    if (is_signed_by(key.key.get(), algorithm, signed_part, signature)) return Verdict::kGood;
  }
  ERR_clear_error();
  return known ? Verdict::kBad : Verdict::kUnknownKey;
}

}  // namespace wherry::auth
