#include "base/text.h"
#include "serve/flags.h"

namespace wherry::serve {

namespace {

std::string_view set_access(Options& options, std::string_view value) {
  options.access.file = value;
  return value.empty() ? "a file" : "";
}
std::string_view set_token_keys(Options& options, std::string_view value) {
  options.access.token_keys = value;
  return value.empty() ? "a file or URL" : "";
}
std::string_view set_issuer(Options& options, std::string_view value) {
  options.access.issuer = value;
  return "";
}
std::string_view set_audience(Options& options, std::string_view value) {
  options.access.audiences.clear();
  for (const std::string_view audience : base::split(value, ','))
    if (!audience.empty()) options.access.audiences.emplace_back(audience);
  return "";
}
std::string_view set_leeway(Options& options, std::string_view value) {
  const auto time = parse_duration(value);
  if (!time || *time > std::chrono::minutes(10)) return "a duration such as 60s, at most 10m";
  options.access.leeway = std::chrono::duration_cast<std::chrono::seconds>(*time);
  return "";
}

}  // namespace

std::span<const Flag> access_flags() {
  static const std::vector<Flag> kFlags{
      {"--access",
       "FILE",
       {"WHERRY_ACCESS"},
       "who may do what: API keys, tokens, client certificates (everybody everything)",
       set_access},
      {"--token-keys",
       "FILE|URL",
       {"WHERRY_TOKEN_KEYS"},
       "the issuer's keys (JWKS) which tokens are checked with; a URL is fetched again",
       set_token_keys},
      {"--token-issuer", "TEXT", {"WHERRY_TOKEN_ISSUER"}, "\"iss\" which tokens must have", set_issuer},
      {"--token-audience",
       "TEXT,…",
       {"WHERRY_TOKEN_AUDIENCE"},
       "\"aud\" of which tokens must have one",
       set_audience},
      {"--token-leeway", "TIME", {"WHERRY_TOKEN_LEEWAY"}, "by how much clocks may differ (60s)", set_leeway},
  };
  return kFlags;
}

}  // namespace wherry::serve
