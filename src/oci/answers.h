// What registries and their token servers send back, read with suspicion (distribution-spec 1.1; RFC 7235
// challenges; the Docker token specification).
//
// Thread-safety: values; pure functions.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http_client/transport.h"

#include "base/error.h"

namespace wherry::oci {

struct Url {
  std::string scheme;  // "http" or "https"
  std::string host;    // lower case, with port if one is given: "ghcr.io", "[::1]:5000"
  std::string target;  // path with query, beginning with '/'
};

std::string to_string(const Url& url);

// Absolute http or https URL without user information, fragment, spaces or control characters.
std::optional<Url> parse_url(std::string_view text);

// `location` as the answer to a request to `base` means it (RFC 3986 section 5, what registries use of it).
std::optional<Url> resolve(const Url& base, std::string_view location);

// Adds a query parameter, with '?' or '&' as the URL needs it; `value` is percent-encoded.
void add_parameter(Url& url, std::string_view name, std::string_view value);

// Whether a registry at `base` may send us to `target` for a login or an upload: https (http only when the
// registry itself is used over http), and no address of a private, loopback or link-local network unless it
// is the registry's own host. Error: "oci.insecure_address".
base::Status check_target(const Url& base, const Url& target, std::string_view what);

struct Challenge {
  std::string scheme;  // lower case: "basic", "bearer", …
  std::string realm;
  std::string service;
  std::string scope;
};

// Every challenge of one WWW-Authenticate value; malformed ones are left out.
std::vector<Challenge> parse_challenges(std::string_view value);

// The first Basic or Bearer challenge of an answer. Error: "oci.challenge_invalid" when there is none.
base::Result<Challenge> choose_challenge(const http_client::Headers& headers, std::string_view registry);

struct Token {
  std::string text;
  std::chrono::seconds lifetime{60};  // what the token specification says when the answer does not
};

// Error: "oci.token_invalid".
base::Result<Token> parse_token(std::string_view document);

struct ApiError {
  std::string code;     // "MANIFEST_UNKNOWN"; as sent, so possibly anything
  std::string message;  // for people
};

// The list of errors in a body; empty when it is not the specified JSON.
std::vector<ApiError> parse_api_errors(std::string_view body);

// The texts of Warning headers of code 299 (distribution-spec "Warnings").
std::vector<std::string> parse_warnings(const http_client::Headers& headers);

// What was asked of a registry, for messages.
struct Asked {
  std::string_view what;      // "layer sha256:…", "manifest 'v1'"
  std::string_view registry;  // as in references
  std::string_view repository;
};

// A refusal as an Error: the registry's own code decides, else the status.
base::Error refusal(const http_client::Response& response, const Asked& asked);

// A failure of the transport with a hint which fits registries; the id stays the transport's, except that the
// broken connection with which Amazon ECR answers an unknown repository becomes "oci.repository_missing".
base::Error unreachable(base::Error error, const Asked& asked);

}  // namespace wherry::oci
