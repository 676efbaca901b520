#include "auth/gate.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace wherry::auth {

using base::cat;

namespace {

constexpr std::size_t kMostRemembered = 1024;
constexpr std::size_t kMostKeyBytes = 512;
constexpr std::size_t kMostModelsOfToken = 256;
constexpr std::size_t kMostName = 128;
constexpr std::string_view kRealm = "Bearer realm=\"wherry\"";

// "Bearer TOKEN", the scheme's name in any case (RFC 9110 section 11.1); "" for another scheme.
std::string_view bearer(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size() ||
      base::to_lower(authorization.substr(0, kScheme.size())) != kScheme)
    return {};
  return base::trim(authorization.substr(kScheme.size()));
}

std::string display_name(const text::Json& claims) {
  for (const std::string_view claim : {"sub", "client_id", "azp"})
    if (const std::string* name = text::find_string(claims, claim); name != nullptr && !name->empty())
      return name->substr(0, kMostName);
  return "token";
}

bool matches(const TokenLine& line, const text::Json& claims) {
  if (line.claim.empty()) return true;
  const text::Json* claim = find_claim(claims, line.claim);
  if (claim == nullptr) return false;
  if (claim->is_string() && claim->get_ref<const std::string&>() == line.value) return true;
  const auto words = words_of_claim(*claim);
  return std::ranges::find(words, line.value) != words.end();
}

}  // namespace

std::size_t Gate::Hasher::operator()(const Hash& hash) const {
  std::size_t value = 0;
  std::memcpy(&value, hash.data(), sizeof value);
  return value;
}

const Identity* Gate::enter(const Credentials& credentials, const Now& now) {
  current_ = &policy_.current();
  if (version_ != policy_.version()) {
    tokens_.clear();
    version_ = policy_.version();
  }
  const Identity* identity = identify(credentials, now);
  if (identity == nullptr || identity->bucket == nullptr) return identity;
  const Bucket::Taken taken = identity->bucket->take(now.steady);
  if (taken.allowed) return identity;
  const Rate& rate = identity->bucket->rate();
  const auto wait =
      static_cast<std::uint64_t>(std::chrono::ceil<std::chrono::seconds>(taken.retry_in).count());
  const auto window = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(rate.burst / rate.per_second));
  refusal_ = {
      Reason::kRateLimited,
      429,
      cat("more requests than the limit of ", base::quoted(identity->name), " allows; try again in ", wait,
          " s"),
      {{"Retry-After", cat(wait)},
       {"RateLimit-Policy", cat("\"default\";q=", static_cast<std::uint64_t>(rate.burst), ";w=", window)},
       {"RateLimit", cat("\"default\";r=0;t=", wait)}}};
  return nullptr;
}

const Identity* Gate::identify(const Credentials& credentials, const Now& now) {
  if (!credentials.authorization.empty()) {
    const std::string_view secret = bearer(credentials.authorization);
    if (secret.empty()) return unauthenticated("Authorization should be: Bearer, and a key or token", true);
    return looks_like_token(secret) ? by_token(secret, now) : by_key(secret, now);
  }
  if (!credentials.api_key.empty()) return by_key(credentials.api_key, now);
  if (const Identity* identity = by_certificate(credentials)) return identity;
  return current_->anyone.get();
}

const Identity* Gate::by_key(std::string_view key, const Now& now) {
  if (key.size() > kMostKeyBytes) return unauthenticated("the key is not known", true);
  const Hash hash = hash_of(key);
  std::uint64_t prefix = 0;
  std::memcpy(&prefix, hash.data(), sizeof prefix);
  const auto [begin, end] = current_->keys.equal_range(prefix);
  for (auto row = begin; row != end; ++row)
    if (equal_in_constant_time(row->second.hash, hash)) {
      if (row->second.ends && now.wall >= *row->second.ends)
        return unauthenticated("the key has expired", true);
      return row->second.identity.get();
    }
  return unauthenticated("the key is not known", true);
}

const Identity* Gate::by_token(std::string_view text, const Now& now) {
  if (current_->key_set == nullptr) {
    if (authority_.config_.key_set.empty()) return unauthenticated("tokens are not accepted here", true);
    authority_.key_wanted_.store(true, std::memory_order_relaxed);
    refusal_ = {Reason::kKeysMissing,
                503,
                "the keys to check tokens with have not been fetched yet",
                {{"Retry-After", "2"}}};
    return nullptr;
  }
  const Hash hash = hash_of(text);
  if (const auto found = tokens_.find(hash); found != tokens_.end()) {
    if (now.wall < found->second.until) return found->second.identity.get();
    tokens_.erase(found);
  }
  const auto token = parse_token(text);
  if (!token) return unauthenticated(token.error().message, true);
  switch (current_->key_set->verify(*token->algorithm, token->key_id, token->signed_part, token->signature)) {
    case KeySet::Verdict::kBad:
      return unauthenticated("the token's signature is wrong", true);
    case KeySet::Verdict::kUnknownKey:
      authority_.key_wanted_.store(true, std::memory_order_relaxed);
      return unauthenticated("the token is signed by a key which is not known (yet)", true);
    case KeySet::Verdict::kGood:
      break;
  }
  const auto until = check_claims(token->claims, authority_.config_.token_rules, now.wall);
  if (!until) return unauthenticated(until.error().message, true);
  if (tokens_.size() >= kMostRemembered) tokens_.clear();
  return tokens_.insert_or_assign(hash, Remembered{identity_of(token->claims), *until})
      .first->second.identity.get();
}

// Rights of every line that matches; of their rates the highest.
std::shared_ptr<const Identity> Gate::identity_of(const text::Json& claims) {
  Identity identity{Identity::Kind::kToken, display_name(claims), {}, nullptr};
  Rate rate;
  bool unlimited = false;
  for (const TokenLine& line : current_->file.tokens) {
    if (!matches(line, claims)) continue;
    Rule rule = line.rule;
    if (!line.models_claim.empty())
      if (const text::Json* models = find_claim(claims, line.models_claim))
        for (const std::string_view model : words_of_claim(*models))
          if (rule.models.size() < kMostModelsOfToken) rule.models.emplace_back(model);
    identity.grant.rules.push_back(std::move(rule));
    if (!line.rate.limited()) unlimited = true;
    if (line.rate.per_second > rate.per_second) rate = line.rate;
  }
  if (!unlimited) identity.bucket = authority_.buckets_.of(cat("token ", identity.name), rate);
  return std::make_shared<const Identity>(std::move(identity));
}

const Identity* Gate::by_certificate(const Credentials& credentials) {
  if (credentials.certificate.empty() && credentials.alternative.empty()) return nullptr;
  const auto& lines = current_->file.certificates;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string& pattern = lines[i].pattern;
    if ((!credentials.certificate.empty() && matches_glob(pattern, credentials.certificate)) ||
        std::ranges::any_of(credentials.alternative,
                            [&](const std::string& name) { return matches_glob(pattern, name); }))
      return current_->certificates[i].get();
  }
  return nullptr;
}

const Identity* Gate::unauthenticated(std::string_view problem, bool given) {
  refusal_ = {Reason::kUnauthenticated,
              401,
              std::string(problem),
              {{"WWW-Authenticate", given ? cat(kRealm, ", error=\"invalid_token\"") : std::string(kRealm)}}};
  return nullptr;
}

bool Gate::forbidden(const Identity& identity, Permission permission, std::string_view model) {
  if (identity.is_anyone()) {
    unauthenticated("this needs a key or token: send Authorization: Bearer …, or X-API-Key", false);
    return false;
  }
  refusal_ = {Reason::kForbidden,
              403,
              cat(base::quoted(identity.name), " has no permission \"", name(permission), "\"",
                  model.empty() ? "" : " for the model ", model.empty() ? "" : base::quoted(model)),
              {{"WWW-Authenticate", cat(kRealm, ", error=\"insufficient_scope\"")}}};
  return false;
}

bool Gate::permits(const Identity& identity, Permission permission, std::string_view model) {
  return identity.grant.allows(permission, model) || forbidden(identity, permission, model);
}

bool Gate::permits(const Identity& identity, Permission permission) {
  return identity.grant.allows(permission) || forbidden(identity, permission, {});
}

}  // namespace wherry::auth
