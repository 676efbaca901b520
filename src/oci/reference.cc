#include "oci/reference.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/digest.h"
#include "base/text.h"

namespace wherry::oci {
namespace {

using base::cat;
using base::Result;

constexpr std::size_t kLongestReference = 1024;    // far above what registries accept
constexpr std::size_t kLongestRepository = 255;    // distribution/reference NameTotalLengthMax
constexpr std::size_t kLongestTag = 128;           // distribution-spec grammar
constexpr std::size_t kLongestHost = 253 + 1 + 5;  // RFC 1035 name, colon, port
constexpr std::string_view kDockerHub = "docker.io";

constexpr std::array<std::string_view, 7> kSchemes{"https://", "http://",      "docker://",      "oci://",
                                                   "oci:",     "oci-archive:", "docker-archive:"};

bool is_lower_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool is_alnum(char c) {
  return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

std::unexpected<base::Error> invalid(std::string_view text, std::string_view why, std::string hint) {
  return base::fail(base::Code::kUsage, "oci.reference_invalid",
                    cat("image reference ", base::quoted(text), ": ", why), std::move(hint));
}

// [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
bool is_valid_component(std::string_view part) {
  if (part.empty() || !is_lower_alnum(part.front()) || !is_lower_alnum(part.back())) return false;
  for (std::size_t i = 0; i < part.size();) {
    if (is_lower_alnum(part[i])) {
      ++i;
      continue;
    }
    std::size_t run = i;
    while (run < part.size() && part[run] == part[i]) ++run;
    const std::size_t length = run - i;
    const bool allowed = (part[i] == '.' && length == 1) || (part[i] == '_' && length <= 2) || part[i] == '-';
    if (!allowed || !is_lower_alnum(part[run])) return false;
    i = run;
  }
  return true;
}

bool is_valid_host_name(std::string_view host) {
  if (host.empty()) return false;
  for (std::string_view label : base::split(host, '.')) {
    if (label.empty() || label.size() > 63 || !is_alnum(label.front()) || !is_alnum(label.back()))
      return false;
    if (!std::ranges::all_of(label, [](char c) { return is_alnum(c) || c == '-' || c == '_'; })) return false;
  }
  return true;
}

bool is_valid_registry(std::string_view registry) {
  if (registry.size() > kLongestHost) return false;
  std::string_view host = registry;
  std::optional<std::string_view> port;
  if (registry.starts_with('[')) {
    const std::size_t close = registry.find(']');
    if (close == std::string_view::npos || close < 3) return false;
    host = registry.substr(1, close - 1);
    if (host.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) return false;
    const std::string_view rest = registry.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return false;
    if (!rest.empty()) port = rest.substr(1);
  } else {
    const std::size_t colon = registry.find(':');
    host = registry.substr(0, colon);
    if (colon != std::string_view::npos) port = registry.substr(colon + 1);
    if (!is_valid_host_name(host)) return false;
  }
  if (!port) return true;
  const auto number = base::parse_unsigned(*port);
  return number && *number >= 1 && *number <= 65535;
}

bool names_registry(std::string_view first) {
  return first.find_first_of(".:[") != std::string_view::npos || first == "localhost";
}

// The closest valid spelling of a repository: lower case, other characters as dashes.
std::string likely_repository(std::string_view name) {
  std::string likely;
  for (char c : base::to_lower(name)) {
    const bool kept = is_lower_alnum(c) || c == '/' || c == '.' || c == '_' || c == '-';
    likely += kept ? c : '-';
  }
  while (!likely.empty() && !is_lower_alnum(likely.back())) likely.pop_back();
  while (!likely.empty() && !is_lower_alnum(likely.front())) likely.erase(0, 1);
  return is_valid_repository(likely) ? likely : "";
}

std::string repository_hint(std::string_view name) {
  if (const std::string likely = likely_repository(name); !likely.empty())
    return cat("write it as ", base::quoted(likely));
  return "use lower-case letters and digits, separated by '.', '_', '-' and '/'";
}

std::string likely_tag(std::string_view tag) {
  std::string likely;
  for (char c : tag.substr(0, kLongestTag))
    likely += is_alnum(c) || c == '_' || c == '.' || c == '-' ? c : '-';
  while (!likely.empty() && !is_valid_tag(likely)) likely.erase(0, 1);
  return likely;
}

base::Status check_start(std::string_view text) {
  if (text.empty()) return invalid(text, "it is empty", "give one such as registry.example.com/team/fraud:1");
  if (text.size() > kLongestReference)
    return invalid(text, cat("it has ", text.size(), " characters"),
                   "image references are shorter than that");
  if (base::trim(text).size() != text.size())
    return invalid(text, "it begins or ends with white space", "remove the white space");
  for (std::string_view scheme : kSchemes)
    if (text.starts_with(scheme) && text.size() > scheme.size())
      return invalid(
          text, cat("it begins with ", base::quoted(scheme)),
          cat("leave ", base::quoted(scheme), " away: ", base::quoted(text.substr(scheme.size()))));
  return {};
}

Result<std::string> parse_digest(std::string_view text, std::string_view digest) {
  if (base::is_sha256_digest(digest)) return std::string(digest);
  if (digest.find(':') == std::string_view::npos && is_valid_tag(digest))
    return invalid(text, cat(base::quoted(digest), " is not a digest"),
                   cat("a tag is separated by ':', a digest (sha256:…) by '@': use ':", digest, "'"));
  return invalid(text, cat(base::quoted(digest), " is not a sha256 digest"),
                 "a digest is 'sha256:' and 64 lower-case hexadecimal digits");
}

Result<std::string> parse_tag(std::string_view text, std::string_view tag) {
  if (is_valid_tag(tag)) return std::string(tag);
  const std::string likely = likely_tag(tag);
  return invalid(text,
                 tag.empty() ? std::string("the tag after ':' is empty") : cat("bad tag ", base::quoted(tag)),
                 likely.empty() ? std::string("a tag is 1 to 128 letters, digits, '_', '.' and '-'")
                                : cat("write the tag as ", base::quoted(likely)));
}

}  // namespace

bool is_valid_repository(std::string_view name) {
  if (name.empty() || name.size() > kLongestRepository) return false;
  return std::ranges::all_of(base::split(name, '/'), is_valid_component);
}

bool is_valid_tag(std::string_view tag) {
  if (tag.empty() || tag.size() > kLongestTag || tag.front() == '.' || tag.front() == '-') return false;
  return std::ranges::all_of(tag, [](char c) { return is_alnum(c) || c == '_' || c == '.' || c == '-'; });
}

Result<Reference> parse_reference(std::string_view text) {
  TRY(check_start(text));
  Reference reference;
  std::string_view name = text;
  if (const std::size_t at = name.find('@'); at != std::string_view::npos) {
    TRY_ASSIGN(reference.digest, parse_digest(text, name.substr(at + 1)));
    name = name.substr(0, at);
  }
  const std::size_t slash = name.find('/');
  const std::size_t colon = name.rfind(':');
  const bool has_tag =
      colon != std::string_view::npos && (slash == std::string_view::npos || colon > name.rfind('/'));
  if (has_tag) {
    TRY_ASSIGN(reference.tag, parse_tag(text, name.substr(colon + 1)));
    name = name.substr(0, colon);
  }
  std::string_view repository = name;
  reference.registry = kDockerHub;
  if (slash != std::string_view::npos && names_registry(name.substr(0, slash))) {
    reference.registry = base::to_lower(name.substr(0, slash));
    repository = name.substr(slash + 1);
  }
  if (!is_valid_registry(reference.registry))
    return invalid(
        text, cat("bad registry ", base::quoted(reference.registry)),
        "a registry is a host name or address with an optional port, as in ghcr.io or localhost:5000");
  if (reference.registry == "index.docker.io" || reference.registry == "registry-1.docker.io")
    reference.registry = kDockerHub;
  if (repository.empty())
    return invalid(text, "the repository is missing", cat("add one: '", reference.registry, "/NAME:TAG'"));
  if (!is_valid_repository(repository))
    return invalid(text, cat("bad repository name ", base::quoted(repository)), repository_hint(repository));
  reference.repository = repository;
  if (reference.registry == kDockerHub && repository.find('/') == std::string_view::npos)
    reference.repository = cat("library/", repository);
  if (reference.tag.empty() && reference.digest.empty()) reference.tag = "latest";
  return reference;
}

std::string to_string(const Reference& reference) {
  std::string text = cat(reference.registry, "/", reference.repository);
  if (!reference.tag.empty()) text += cat(":", reference.tag);
  if (!reference.digest.empty()) text += cat("@", reference.digest);
  return text;
}

std::string pinned(const Reference& reference, std::string_view digest) {
  return cat(reference.registry, "/", reference.repository, "@", digest);
}

std::string_view manifest_name(const Reference& reference) {
  return reference.digest.empty() ? reference.tag : reference.digest;
}

std::string_view host_of(std::string_view registry) {
  if (registry.starts_with('[')) return registry.substr(1, registry.find(']') - 1);
  return registry.substr(0, registry.find(':'));
}

bool is_loopback(std::string_view registry) {
  const std::string_view host = host_of(registry);
  if (host == "localhost" || host.ends_with(".localhost") || host == "::1") return true;
  const auto parts = base::split(host, '.');
  if (parts.size() != 4 || parts[0] != "127") return false;
  return std::ranges::all_of(parts, [](std::string_view part) {
    const auto number = base::parse_unsigned(part);
    return number && *number <= 255 && part.size() <= 3;
  });
}

std::string_view api_host(std::string_view registry) {
  return registry == kDockerHub ? std::string_view("registry-1.docker.io") : registry;
}

}  // namespace wherry::oci
