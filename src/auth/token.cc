#include "auth/token.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace wherry::auth {

using base::cat;
using base::Result;
using std::chrono::system_clock;

namespace {

constexpr std::size_t kMostHeaderBytes = 2u << 10;
constexpr std::size_t kMostWords = 1000;

std::unexpected<base::Error> bad(std::string_view problem) {
  return base::fail(base::Code::kDenied, "auth.bad_token", std::string(problem),
                    "get a new token from its issuer");
}

Result<text::Json> part(std::string_view encoded, std::string_view what, std::size_t most,
                        std::size_t depth) {
  const auto decoded = decode_base64url(encoded);
  if (!decoded) return bad(cat("the token's ", what, " is not base64url"));
  if (!base::is_valid_utf8(*decoded)) return bad(cat("the token's ", what, " is not UTF-8"));
  auto json = text::parse_json(*decoded, what, {.bytes = most, .depth = depth});
  if (!json || !json->is_object()) return bad(cat("the token's ", what, " is not a JSON object"));
  return std::move(*json);
}

// NumericDate: seconds, possibly with a fraction, of years which system_clock can say.
Result<std::optional<system_clock::time_point>> date(const text::Json& claims, std::string_view name) {
  constexpr double kMost = 9e9;  // in the year 2255
  const text::Json* claim = text::find(claims, name);
  if (claim == nullptr) return std::nullopt;
  const double seconds = claim->is_number() ? claim->get<double>() : std::nan("");
  if (!(seconds >= 0 && seconds <= kMost)) return bad(cat("the token's \"", name, "\" is not a time"));
  return system_clock::time_point(
      std::chrono::duration_cast<system_clock::duration>(std::chrono::duration<double>(seconds)));
}

bool is_for(const text::Json& claims, const std::vector<std::string>& audiences) {
  const text::Json* given = text::find(claims, "aud");
  if (given == nullptr) return false;
  const auto is_one = [&](const text::Json& value) {
    const std::string* text = value.is_string() ? value.get_ptr<const std::string*>() : nullptr;
    return text != nullptr && std::ranges::find(audiences, *text) != audiences.end();
  };
  return given->is_array() ? std::ranges::any_of(*given, is_one) : is_one(*given);
}

}  // namespace

bool looks_like_token(std::string_view text) {
  return std::ranges::count(text, '.') == 2;
}

Result<Token> parse_token(std::string_view text) {
  if (text.size() > kMostTokenBytes)
    return bad(cat("the token is larger than ", base::human_size(kMostTokenBytes)));
  const std::size_t first = text.find('.');
  const std::size_t second = text.find('.', first == text.npos ? first : first + 1);
  if (second == text.npos || text.find('.', second + 1) != text.npos)
    return bad("the token is not header.claims.signature; encrypted tokens are not accepted");
  TRY_ASSIGN(const text::Json header, part(text.substr(0, first), "header", kMostHeaderBytes, 4));
  Token token;
  const std::string* algorithm = text::find_string(header, "alg");
  token.algorithm = algorithm == nullptr ? nullptr : find_algorithm(*algorithm);
  if (token.algorithm == nullptr)
    return bad("the token's algorithm is not one of RS256 to 512, PS256 to 512, ES256 to 512, EdDSA");
  if (text::find(header, "crit") != nullptr)
    return bad("the token's header wants an extension (\"crit\"), and none is known");
  if (const text::Json* id = text::find(header, "kid")) {
    if (!id->is_string()) return bad("the token's \"kid\" is not a string");
    token.key_id = id->get_ref<const std::string&>();
  }
  TRY_ASSIGN(token.claims, part(text.substr(first + 1, second - first - 1), "claims", kMostTokenBytes, 16));
  const auto signature = decode_base64url(text.substr(second + 1));
  if (!signature || signature->empty()) return bad("the token's signature is not base64url");
  token.signature = *signature;
  token.signed_part = text.substr(0, second);
  return token;
}

Result<system_clock::time_point> check_claims(const text::Json& claims, const TokenRules& rules,
                                              system_clock::time_point now) {
  TRY_ASSIGN(const auto expires, date(claims, "exp"));
  TRY_ASSIGN(const auto not_before, date(claims, "nbf"));
  TRY_ASSIGN(const auto issued, date(claims, "iat"));
  if (!expires && rules.needs_expiry) return bad("the token has no \"exp\": it would hold for ever");
  if (expires && now >= *expires + rules.leeway) return bad("the token has expired");
  if (not_before && now + rules.leeway < *not_before) return bad("the token is not valid yet (\"nbf\")");
  if (issued && now + rules.leeway < *issued) return bad("the token was issued in the future (\"iat\")");
  if (!rules.issuer.empty()) {
    const std::string* issuer = text::find_string(claims, "iss");
    if (issuer == nullptr || *issuer != rules.issuer) return bad("the token is from another issuer");
  }
  if (!rules.audiences.empty() && !is_for(claims, rules.audiences))
    return bad("the token was made for another audience");
  return expires ? *expires + rules.leeway : system_clock::time_point::max();
}

const text::Json* find_claim(const text::Json& claims, std::string_view path) {
  if (const text::Json* direct = text::find(claims, path)) return direct;
  // A namespaced claim such as "https://example.com/roles" has dots, too: each dot may be the one.
  for (std::size_t dot = path.find('.'); dot != path.npos; dot = path.find('.', dot + 1))
    if (const text::Json* outer = text::find(claims, path.substr(0, dot)))
      if (const text::Json* found = find_claim(*outer, path.substr(dot + 1))) return found;
  return nullptr;
}

std::vector<std::string_view> words_of_claim(const text::Json& claim) {
  std::vector<std::string_view> words;
  if (claim.is_string()) {
    for (const std::string_view word : base::split(claim.get_ref<const std::string&>(), ' '))
      if (!word.empty() && words.size() < kMostWords) words.push_back(word);
  } else if (claim.is_array()) {
    for (const text::Json& element : claim)
      if (element.is_string() && words.size() < kMostWords)
        words.push_back(element.get_ref<const std::string&>());
  } else if (claim.is_boolean()) {
    words.push_back(claim.get<bool>() ? "true" : "false");
  }
  return words;
}

}  // namespace wherry::auth
