#include "oci/answers.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/percent.h"
#include "base/text.h"
#include "oci/reference.h"
#include "text/json.h"

namespace wherry::oci {
namespace {

using base::cat;
using base::Code;
using base::Result;

constexpr std::size_t kLongestUrl = 16 << 10;    // presigned storage URLs reach a few kB
constexpr std::size_t kLargestError = 64 << 10;  // an error body, as go-containerregistry bounds it
constexpr std::size_t kLongestToken = 64 << 10;
constexpr std::size_t kMostErrors = 8;
constexpr std::size_t kMostChallenges = 16;
constexpr std::int64_t kLongestLifetime = 86'400;

bool is_url_char(char c) {
  return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7f && c != '"' &&
         c != '<' && c != '>' && c != '\\' && c != '#';
}

bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// First two bytes of an IPv4 literal, or nothing.
std::optional<std::array<unsigned, 2>> ipv4_start(std::string_view host) {
  const auto parts = base::split(host, '.');
  if (parts.size() != 4) return std::nullopt;
  std::array<unsigned, 4> bytes{};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto number = base::parse_unsigned(parts[i]);
    if (!number || *number > 255) return std::nullopt;
    bytes[i] = static_cast<unsigned>(*number);
  }
  return std::array{bytes[0], bytes[1]};
}

bool is_private_ipv4(std::array<unsigned, 2> start) {
  const auto [a, b] = start;
  return a == 0 || a == 10 || a == 127 || (a == 100 && b >= 64 && b < 128) || (a == 169 && b == 254) ||
         (a == 172 && b >= 16 && b < 32) || (a == 192 && b == 168) || a >= 224;
}

// Names and literals which lead into the caller's own machine or network. Numbers in forms other than four
// decimals ("2130706433", "0x7f.1") are taken for private: no registry is called so.
bool is_private_host(std::string_view host) {
  if (host == "localhost" || host.ends_with(".localhost")) return true;
  if (host.find(':') != std::string_view::npos) {
    constexpr std::array<std::string_view, 7> kPrefixes{"fe8", "fe9", "fea", "feb", "fc", "fd", "ff"};
    return host.starts_with("::") || host.find('.') != std::string_view::npos || host.starts_with("0:") ||
           std::ranges::any_of(kPrefixes, [&](std::string_view prefix) { return host.starts_with(prefix); });
  }
  if (const auto start = ipv4_start(host)) return is_private_ipv4(*start);
  const std::string_view last =
      host.substr(host.rfind('.') == std::string_view::npos ? 0 : host.rfind('.') + 1);
  return !last.empty() && (last.front() >= '0' && last.front() <= '9');
}

bool is_valid_authority(std::string_view authority) {
  if (authority.empty() || authority.find('@') != std::string_view::npos) return false;
  std::string_view rest = authority;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos || close < 3) return false;
    const std::string_view inside = authority.substr(1, close - 1);
    if (inside.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) return false;
    rest = authority.substr(close + 1);
    return rest.empty() ||
           (rest.front() == ':' && base::parse_unsigned(rest.substr(1)).value_or(0) - 1 < 65535);
  }
  const std::size_t colon = rest.find(':');
  const std::string_view host = rest.substr(0, colon);
  const auto is_host_char = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  };
  if (host.empty() || !std::ranges::all_of(host, is_host_char)) return false;
  return colon == std::string_view::npos ||
         base::parse_unsigned(rest.substr(colon + 1)).value_or(0) - 1 < 65535;
}

// Reads `token` or "quoted string" of an auth-param.
std::optional<std::string> take_value(std::string_view& text) {
  std::string value;
  if (!text.starts_with('"')) {
    while (!text.empty() && (is_token_char(text.front()) || text.front() == '/' || text.front() == ':')) {
      value += text.front();
      text.remove_prefix(1);
    }
    return value;
  }
  text.remove_prefix(1);
  while (!text.empty()) {
    char c = text.front();
    text.remove_prefix(1);
    if (c == '"') return value;
    if (c == '\\' && !text.empty()) {
      c = text.front();
      text.remove_prefix(1);
    }
    value += c;
  }
  return std::nullopt;
}

std::string take_token(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && is_token_char(text[end])) ++end;
  std::string token(text.substr(0, end));
  text.remove_prefix(end);
  return token;
}

void skip(std::string_view& text, std::string_view characters) {
  const std::size_t first = text.find_first_not_of(characters);
  text.remove_prefix(first == std::string_view::npos ? text.size() : first);
}

void set_parameter(Challenge& challenge, const std::string& name, std::string value) {
  if (name == "realm") challenge.realm = std::move(value);
  if (name == "service") challenge.service = std::move(value);
  if (name == "scope") challenge.scope = std::move(value);
}

struct RefusalRow {
  std::string_view api_code;  // "" matches any
  int status;                 // 0 matches any
  Code code;
  std::string_view id;
  std::string_view saying;
  std::string_view hint;  // "" for the one which login_hint() or repository_hint() makes
};

// First match decides; the registry's code is more telling than the status.
constexpr std::array kRefusals{
    RefusalRow{"UNAUTHORIZED", 0, Code::kDenied, "oci.unauthorized", "the registry wants a login", ""},
    RefusalRow{"DENIED", 0, Code::kDenied, "oci.denied", "access denied", ""},
    RefusalRow{"NAME_UNKNOWN", 0, Code::kUnavailable, "oci.repository_missing",
               "the repository does not exist", ""},
    RefusalRow{"NAME_INVALID", 0, Code::kUsage, "oci.repository_missing",
               "the registry does not accept this repository name", "see the registry's rules for names"},
    RefusalRow{"MANIFEST_UNKNOWN", 0, Code::kUnavailable, "oci.manifest_missing", "there is no such image",
               "check the tag; push the image first"},
    RefusalRow{"BLOB_UNKNOWN", 0, Code::kUnavailable, "oci.blob_missing", "the blob is not there",
               "push the image again"},
    RefusalRow{"MANIFEST_BLOB_UNKNOWN", 0, Code::kUnavailable, "oci.manifest_rejected",
               "the registry misses a blob of the image", "push again; the registry may have collected it"},
    RefusalRow{"MANIFEST_INVALID", 0, Code::kUnavailable, "oci.manifest_rejected", "the manifest was refused",
               "the registry may be too old for OCI images, or keep tags immutable: use a new tag"},
    RefusalRow{"TAG_INVALID", 0, Code::kUnavailable, "oci.manifest_rejected", "the tag was refused",
               "the tag may exist and be immutable: use a new one"},
    RefusalRow{"DIGEST_INVALID", 0, Code::kUnavailable, "oci.blob_rejected",
               "what arrived does not have the announced digest", "push again"},
    RefusalRow{"SIZE_INVALID", 0, Code::kUnavailable, "oci.blob_rejected", "what arrived has another size",
               "push again"},
    RefusalRow{"TOOMANYREQUESTS", 0, Code::kUnavailable, "oci.rate_limited", "too many requests",
               "wait some minutes, or log in for a higher limit"},
    RefusalRow{"", 401, Code::kDenied, "oci.unauthorized", "the registry wants a login", ""},
    RefusalRow{"", 403, Code::kDenied, "oci.denied", "access denied", ""},
    RefusalRow{"", 404, Code::kUnavailable, "oci.repository_missing", "the registry does not know it", ""},
    RefusalRow{"", 413, Code::kUnavailable, "oci.blob_rejected",
               "it is larger than the registry or a proxy takes",
               "raise the body limit of the proxy in front of the registry"},
    RefusalRow{"", 429, Code::kUnavailable, "oci.rate_limited", "too many requests",
               "wait some minutes, or log in for a higher limit"},
    RefusalRow{"", 0, Code::kUnavailable, "oci.registry_error", "the registry failed",
               "try again; if it stays, ask whoever runs the registry"},
};

struct CloudRow {
  std::string_view host_part;
  std::string_view login;   // hint after a refused login
  std::string_view create;  // hint when the repository is missing
};
constexpr std::array kClouds{
    CloudRow{
        ".amazonaws.com", "run: aws ecr get-login-password | docker login --username AWS --password-stdin ",
        "Amazon ECR does not make repositories by itself; run: aws ecr create-repository --repository-name "},
    CloudRow{"-docker.pkg.dev", "run: gcloud auth configure-docker ",
             "Artifact Registry wants PROJECT/REPOSITORY/IMAGE; run: gcloud artifacts repositories create "
             "REPOSITORY --repository-format=docker, for "},
    CloudRow{".azurecr.io", "run: az acr login --name ", "check the name of the repository "},
    CloudRow{".icr.io", "run: ibmcloud cr login, for ",
             "the first part must be a namespace of yours; run: ibmcloud cr namespace-add, for "},
    CloudRow{"ghcr.io", "use a token with the scope write:packages; run: docker login ",
             "packages live below a user or organisation: ghcr.io/OWNER/NAME, not "},
    CloudRow{"", "run: docker login ", "make the repository in the registry first: "},
};

const CloudRow& cloud_of(std::string_view registry) {
  const std::string_view host = host_of(registry);
  return *std::ranges::find_if(kClouds, [&](const CloudRow& row) { return host.ends_with(row.host_part); });
}

std::string hint_for(const RefusalRow& row, const Asked& asked) {
  if (!row.hint.empty()) return std::string(row.hint);
  const CloudRow& cloud = cloud_of(asked.registry);
  if (row.id == "oci.repository_missing") return cat(cloud.create, asked.repository);
  const std::string login = cat(cloud.login, asked.registry);
  if (row.id == "oci.denied") return cat("the login needs the right to this repository; ", login);
  return login;
}

}  // namespace

std::string to_string(const Url& url) {
  return cat(url.scheme, "://", url.host, url.target);
}

std::optional<Url> parse_url(std::string_view text) {
  if (text.size() > kLongestUrl || !std::ranges::all_of(text, is_url_char)) return std::nullopt;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  Url url;
  url.scheme = base::to_lower(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https") return std::nullopt;
  text.remove_prefix(colon + 3);
  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  if (!is_valid_authority(text.substr(0, end))) return std::nullopt;
  url.host = base::to_lower(text.substr(0, end));
  url.target = text.substr(end);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  return url;
}

std::optional<Url> resolve(const Url& base, std::string_view location) {
  if (location.empty() || location.size() > kLongestUrl) return std::nullopt;
  if (location.find("://") < location.find_first_of("/?")) return parse_url(location);
  if (location.starts_with("//")) return parse_url(cat(base.scheme, ":", location));
  if (location.starts_with("/")) return parse_url(cat(base.scheme, "://", base.host, location));
  const std::string_view path = std::string_view(base.target).substr(0, base.target.find('?'));
  if (location.starts_with("?")) return parse_url(cat(base.scheme, "://", base.host, path, location));
  return parse_url(cat(base.scheme, "://", base.host, path.substr(0, path.rfind('/') + 1), location));
}

void add_parameter(Url& url, std::string_view name, std::string_view value) {
  const bool has_query = url.target.find('?') != std::string::npos;
  const bool at_start = url.target.ends_with('?') || url.target.ends_with('&');
  url.target += cat(has_query ? (at_start ? "" : "&") : "?", name, "=", base::percent_encode(value));
}

base::Status check_target(const Url& base, const Url& target, std::string_view what) {
  const auto refuse = [&](std::string_view why) {
    return base::fail(
        Code::kDenied, "oci.insecure_address",
        cat(what, " of registry ", base.host, " is ", base::quoted(to_string(target), 200), ", ", why),
        "if you trust this registry and its network, use --insecure with its own address");
  };
  if (target.scheme != "https" && base.scheme != "http") return refuse("which is not encrypted");
  const std::string_view host = host_of(target.host);
  if (host == host_of(base.host)) return {};
  if (is_private_host(host)) return refuse("an address of a private network");
  return {};
}

std::vector<Challenge> parse_challenges(std::string_view text) {
  std::vector<Challenge> challenges;
  while (!text.empty() && challenges.size() < kMostChallenges) {
    skip(text, " \t,");
    std::string name = take_token(text);
    if (name.empty()) break;
    const bool spaced = text.starts_with(' ') || text.starts_with('\t');
    skip(text, " \t");
    if (!text.starts_with('=')) {  // a scheme, not a parameter
      challenges.push_back({.scheme = base::to_lower(name), .realm = {}, .service = {}, .scope = {}});
      continue;
    }
    if (challenges.empty() || (spaced && text.starts_with("=="))) break;
    text.remove_prefix(1);
    skip(text, " \t");
    auto value = take_value(text);
    if (!value) {
      challenges.pop_back();
      break;
    }
    set_parameter(challenges.back(), base::to_lower(name), std::move(*value));
  }
  return challenges;
}

Result<Challenge> choose_challenge(const http_client::Headers& headers, std::string_view registry) {
  std::string offered;
  for (const auto& [name, value] : headers) {
    if (base::to_lower(name) != "www-authenticate") continue;
    for (Challenge& challenge : parse_challenges(value)) {
      if (challenge.scheme == "basic" || (challenge.scheme == "bearer" && !challenge.realm.empty()))
        return std::move(challenge);
      offered += cat(offered.empty() ? "" : ", ", challenge.scheme);
    }
  }
  return base::fail(
      Code::kUnavailable, "oci.challenge_invalid",
      cat("registry ", registry, " asks for authentication ",
          offered.empty() ? std::string("without saying how") : cat("by ", base::quoted(offered))),
      "wherry knows Basic and Bearer; check that the address is a registry");
}

Result<Token> parse_token(std::string_view document) {
  const auto invalid = [](std::string_view why) {
    return base::fail(Code::kUnavailable, "oci.token_invalid", cat("the token server's answer ", why),
                      "try again; if it stays, ask whoever runs the registry");
  };
  const auto json = text::parse_json(document, "token", {.bytes = kLongestToken * 4, .depth = 16});
  if (!json) return invalid("is not JSON");
  Token token;
  for (const char* name : {"token", "access_token"})
    if (const std::string* value = text::find_string(*json, name); value != nullptr && token.text.empty())
      token.text = *value;
  if (token.text.empty()) return invalid("has no token");
  const bool sendable = std::ranges::all_of(token.text, [](char c) { return c > 0x20 && c < 0x7f; });
  if (token.text.size() > kLongestToken || !sendable) return invalid("has a token which cannot be sent");
  if (const auto seconds = text::find_integer(*json, "expires_in"); seconds && *seconds > 0)
    token.lifetime = std::chrono::seconds(std::min(*seconds, kLongestLifetime));
  return token;
}

std::vector<ApiError> parse_api_errors(std::string_view body) {
  std::vector<ApiError> errors;
  const auto json = text::parse_json(body, "registry error", {.bytes = kLargestError, .depth = 32});
  const text::Json* list = json ? text::find_array(*json, "errors") : nullptr;
  if (list == nullptr) return errors;
  for (const text::Json& item : *list) {
    if (errors.size() == kMostErrors) break;
    const std::string* code = text::find_string(item, "code");
    const std::string* message = text::find_string(item, "message");
    if (code == nullptr && message == nullptr) continue;
    errors.push_back({code == nullptr ? "" : *code, message == nullptr ? "" : *message});
  }
  return errors;
}

std::vector<std::string> parse_warnings(const http_client::Headers& headers) {
  std::vector<std::string> warnings;
  for (const auto& [name, value] : headers) {
    constexpr std::string_view kStart = "299 - ";
    if (base::to_lower(name) != "warning" || !value.starts_with(kStart)) continue;
    std::string_view rest = std::string_view(value).substr(kStart.size());
    if (auto text = take_value(rest); text && !text->empty()) warnings.push_back(std::move(*text));
  }
  return warnings;
}

base::Error refusal(const http_client::Response& response, const Asked& asked) {
  const std::vector<ApiError> errors = parse_api_errors(response.body);
  const ApiError first = errors.empty() ? ApiError{} : errors.front();
  const RefusalRow& row = *std::ranges::find_if(kRefusals, [&](const RefusalRow& candidate) {
    return (candidate.api_code.empty() || candidate.api_code == first.code) &&
           (candidate.status == 0 || candidate.status == response.status);
  });
  const std::string_view slash = asked.repository.empty() ? "" : "/";
  std::string message = cat(asked.registry, slash, asked.repository, ": ", asked.what, ": ", row.saying,
                            " (HTTP ", response.status);
  if (!first.code.empty()) message += cat(", ", base::quoted(first.code, 40));
  if (!first.message.empty()) message += cat(": ", base::quoted(first.message, 200));
  return base::fail(row.code, row.id, message + ")", hint_for(row, asked)).error();
}

base::Error unreachable(base::Error error, const Asked& asked) {
  constexpr std::array<std::string_view, 7> kKnownHosts{"docker.io", "ghcr.io",        "quay.io",  "gcr.io",
                                                        "icr.io",    "public.ecr.aws", "localhost"};
  const bool is_ecr = host_of(asked.registry).find(".dkr.ecr.") != std::string_view::npos;
  if (error.id == "http_client.interrupted" && is_ecr && !asked.repository.empty())
    return base::fail(
               Code::kUnavailable, "oci.repository_missing",
               cat(asked.registry, "/", asked.repository, ": ", asked.what,
                   ": the registry closed the connection, as Amazon ECR does for unknown repositories"),
               cat(cloud_of(asked.registry).create, asked.repository))
        .error();
  const auto likely = base::nearest(host_of(asked.registry), kKnownHosts);
  if (error.id == "http_client.dns" && likely && *likely != host_of(asked.registry))
    error.hint = cat("did you mean ", *likely, "?");
  if (error.id == "http_client.refused") error.hint = "check host and port, and that the registry is running";
  if (error.id.starts_with("http_client.tls"))
    error.hint = cat("if ", asked.registry, " speaks plain HTTP or has a certificate of its own: --insecure");
  error.context.push_back(asked.what.empty() ? cat("while connecting to registry ", asked.registry)
                                             : cat("while asking ", asked.registry, " for ", asked.what));
  return error;
}

}  // namespace wherry::oci
