#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "base/percent.h"
#include "base/text.h"
#include "oci/registry.h"

namespace wherry::oci {
namespace {

using base::cat;
using base::Code;
using base::Result;
using base::Status;
using http_client::Response;

constexpr std::chrono::seconds kTokenMargin{10};  // a token about to expire is not used any more
constexpr std::uint64_t kLargestTokenAnswer = 256 << 10;
constexpr std::string_view kTlsOnlyAnswer = "HTTP request to an HTTPS server";  // what Go servers say
constexpr std::string_view kClientId = "wherry";

std::string basic(std::string_view username, std::string_view password) {
  return cat("Basic ", base::base64_encode(cat(username, ":", password)));
}

bool is_success(int status) {
  return status >= 200 && status < 300;
}

bool is_final(const base::Error& error) {
  return error.id == "http_client.refused" || error.id == "http_client.dns" ||
         error.id.starts_with("http_client.tls_untrusted");
}

std::string form(std::string_view name, std::string_view value) {
  return cat(name, "=", base::percent_encode(value));
}

}  // namespace

std::string to_string(const Scope& scope) {
  return cat("repository:", scope.repository, scope.push ? ":pull,push" : ":pull");
}

struct RegistrySession::State {
  struct Cached {
    std::string token;
    std::chrono::steady_clock::time_point ends;
  };

  std::string registry;
  RegistryServices services;
  RegistryOptions options;
  Url base;
  bool found = false;                  // the registry has answered GET /v2/
  std::optional<Challenge> challenge;  // how it wants to be logged in to; nothing: not at all
  std::map<std::string, Cached> tokens;
  std::set<std::string> warned;

  Result<Response> transfer(const http_client::Request& request, bool retry) {
    http_client::RetryPolicy policy = options.retry;
    if (!retry) policy.waits.clear();
    auto response = http_client::send_with_retries(services.transport, services.clock, request, policy);
    if (response && options.on_warning)
      for (const std::string& warning : parse_warnings(response->headers))
        if (warned.insert(warning).second) options.on_warning(warning);
    return response;
  }

  // Schemes in the order in which they are tried.
  std::vector<std::string_view> schemes() const {
    if (is_loopback(registry)) return {"http", "https"};
    if (options.insecure) return {"https", "http"};
    return {"https"};
  }

  Status find_registry() {
    if (found) return {};
    const std::vector<std::string_view> candidates = schemes();
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      base = {
          .scheme = std::string(candidates[i]), .host = std::string(api_host(registry)), .target = "/v2/"};
      http_client::Request request;
      request.url = to_string(base);
      const bool last = i + 1 == candidates.size();
      auto response = transfer(request, false);
      // No patience helps where nobody listens, and no other scheme unless it has another port.
      const bool other_port = !last && base.host == host_of(base.host);
      if (!response && !other_port && is_final(response.error()))
        return std::unexpected(std::move(response).error());
      const bool wrong_scheme =
          !response || (response->status == 400 && response->body.find(kTlsOnlyAnswer) != std::string::npos);
      if (wrong_scheme && !last) continue;
      if (!response || http_client::is_retryable(response->status)) response = transfer(request, true);
      if (!response) return std::unexpected(std::move(response).error());
      return judge_ping(*response);
    }
    std::unreachable();
  }

  Status judge_ping(const Response& response) {
    if (response.status == 401) {
      TRY_ASSIGN(challenge, choose_challenge(response.headers, registry));
    } else if (!is_success(response.status)) {
      const std::string_view hint = response.status == 404 || response.status == 405
                                        ? "check host and port; the registry may be served elsewhere"
                                        : "try again; if it stays, ask whoever runs the registry";
      return base::fail(Code::kUnavailable, "oci.not_a_registry",
                        cat(registry, ": GET ", to_string(base), " gave HTTP ", response.status,
                            ", not the answer of a registry"),
                        std::string(hint));
    }
    found = true;
    return {};
  }

  // --- tokens -------------------------------------------------------------------------------------------

  // `first` (a scope from a later challenge) leads: some token servers read only the first.
  static std::vector<std::string> scope_texts(const std::vector<Scope>& scopes, const std::string& first) {
    std::vector<std::string> texts;
    if (!first.empty()) texts.push_back(first);
    for (const Scope& scope : scopes)
      if (std::string text = to_string(scope); std::ranges::find(texts, text) == texts.end())
        texts.push_back(std::move(text));
    return texts;
  }

  Result<Url> realm() const {
    const auto url = parse_url(challenge->realm);
    if (!url)
      return base::fail(Code::kUnavailable, "oci.challenge_invalid",
                        cat("registry ", registry, " names the token server ", base::quoted(challenge->realm),
                            ", which is not an address"),
                        "ask whoever runs the registry");
    TRY(check_target(base, *url, "the token server"));
    return *url;
  }

  Result<Response> token_by_get(const Credentials& login, const std::vector<std::string>& scopes) {
    TRY_ASSIGN(Url url, realm());
    if (!challenge->service.empty()) add_parameter(url, "service", challenge->service);
    for (const std::string& scope : scopes) add_parameter(url, "scope", scope);
    http_client::Request request;
    request.url = to_string(url);
    request.most_response = kLargestTokenAnswer;
    if (!login.identity_token.empty())
      request.headers.emplace_back("Authorization", basic("<token>", login.identity_token));
    else if (!login.username.empty())
      request.headers.emplace_back("Authorization", basic(login.username, login.password));
    return transfer(request, true);
  }

  Result<Response> token_by_refresh(const Credentials& login, const std::vector<std::string>& scopes) {
    TRY_ASSIGN(const Url url, realm());
    http_client::Request request;
    request.method = "POST";
    request.url = to_string(url);
    request.most_response = kLargestTokenAnswer;
    request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    request.body = cat("grant_type=refresh_token&", form("service", challenge->service), "&",
                       form("client_id", kClientId), "&", form("scope", base::join(scopes, " ")), "&",
                       form("refresh_token", login.identity_token));
    return transfer(request, true);
  }

  Result<Token> fetch_token(const Credentials& login, const std::vector<std::string>& scopes,
                            const std::string& repository) {
    Response response;
    if (!login.identity_token.empty()) {
      TRY_ASSIGN(response, token_by_refresh(login, scopes));
    }
    if (login.identity_token.empty() || response.status == 404 || response.status == 405) {
      TRY_ASSIGN(response, token_by_get(login, scopes));
    }
    if (!is_success(response.status))
      return std::unexpected(
          refusal(response, {.what = "login", .registry = registry, .repository = repository}));
    return parse_token(response.body);
  }

  // The Authorization header's value, or "". A token is kept for each set of scopes; `first` asks for a new
  // one.
  Result<std::string> authorization(const std::vector<Scope>& scopes, const std::string& first) {
    if (!challenge) return std::string();
    const std::string repository = scopes.empty() ? std::string() : scopes.front().repository;
    TRY_ASSIGN(const Credentials login, services.credentials.find(registry, repository));
    if (!login.registry_token.empty()) return cat("Bearer ", login.registry_token);
    if (challenge->scheme == "basic")
      return login.username.empty() ? std::string() : basic(login.username, login.password);
    const std::string key = base::join(scope_texts(scopes, ""), " ");
    const auto now = services.clock.steady_now();
    if (const auto cached = tokens.find(key);
        cached != tokens.end() && first.empty() && cached->second.ends > now)
      return cat("Bearer ", cached->second.token);
    TRY_ASSIGN(Token token, fetch_token(login, scope_texts(scopes, first), repository));
    Cached& kept = tokens[key] = {std::move(token.text), now + token.lifetime - kTokenMargin};
    return cat("Bearer ", kept.token);
  }

  http_client::Request to_request(const RegistryCall& call, const Url& url, const std::string& credentials) {
    http_client::Request request;
    request.method = call.method;
    request.url = to_string(url);
    request.headers = call.headers;
    request.body = call.body;
    request.source = call.source;
    request.sink = call.sink;
    request.most_response = call.most_response;
    request.timeouts.idle = call.idle;
    if (!credentials.empty()) request.headers.emplace_back("Authorization", credentials);
    return request;
  }
};

RegistrySession::RegistrySession(std::string registry, const RegistryServices& services,
                                 RegistryOptions options)
    : state_(new State{.registry = std::move(registry),
                       .services = services,
                       .options = std::move(options),
                       .base = {},
                       .challenge = {},
                       .tokens = {},
                       .warned = {}}) {}
RegistrySession::~RegistrySession() = default;

const std::string& RegistrySession::registry() const {
  return state_->registry;
}
const Url& RegistrySession::base_url() const {
  return state_->base;
}
base::Clock& RegistrySession::clock() const {
  return state_->services.clock;
}
const http_client::RetryPolicy& RegistrySession::retry_policy() const {
  return state_->options.retry;
}

Result<Response> RegistrySession::send(const RegistryCall& call) {
  State& state = *state_;
  const Asked asked{.what = call.what,
                    .registry = state.registry,
                    .repository = call.scopes.empty() ? std::string_view() : call.scopes.front().repository};
  if (Status ready = state.find_registry(); !ready)
    return std::unexpected(unreachable(std::move(ready).error(), {"", state.registry, ""}));
  Url url = call.url.value_or(Url{state.base.scheme, state.base.host, call.path});
  const bool own = url.scheme == state.base.scheme && url.host == state.base.host;
  std::string credentials;
  if (own) {
    TRY_ASSIGN(credentials, state.authorization(call.scopes, ""));
  }
  auto response = state.transfer(state.to_request(call, url, credentials), call.retry);
  if (response && response->status == 401 && own) {
    // Logged in for something else, too late, or not at all yet: the new challenge says what is wanted.
    auto challenge = choose_challenge(response->headers, state.registry);
    if (!challenge) return response;
    const bool repeated = state.challenge && challenge->scheme == "basic" && !credentials.empty();
    state.challenge = std::move(*challenge);
    if (repeated) return response;
    TRY_ASSIGN(credentials, state.authorization(call.scopes, state.challenge->scope));
    if (credentials.empty()) return response;
    response = state.transfer(state.to_request(call, url, credentials), call.retry);
  }
  if (!response) return std::unexpected(unreachable(std::move(response).error(), asked));
  return response;
}

}  // namespace wherry::oci
