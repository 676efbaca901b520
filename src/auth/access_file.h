// The access file: who may do what, one line each (docs/guides/security.md).
//
//   key NAME sha256:HEX          … an API key
//   token CLAIM=VALUE            … a verified token with that claim; "token *": any verified token
//   certificate PATTERN          … a verified client certificate with such a name
//   anyone                       … without any of these
//
// and behind each: permissions=predict,metadata,metrics,manage,debug|all, models=GLOB,… (default *; for
// tokens also claim:NAME: the globs stand in that claim), rate=NUMBER/s|m|h, burst=NUMBER, and for keys
// expires=YYYY-MM-DD (the last day, UTC). '#' starts a comment.
//
// Thread-safety: values and a pure function.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/api_key.h"
#include "auth/grant.h"
#include "auth/rate_limit.h"

#include "base/error.h"

namespace wherry::auth {

struct KeyLine {
  std::string name;
  Hash hash{};
  Rule rule;
  Rate rate;
  std::optional<std::chrono::system_clock::time_point> ends;  // from then on it is refused
};

struct TokenLine {
  std::string claim;  // "scope", "realm_access.roles"; empty: any token
  std::string value;
  Rule rule;
  std::string models_claim;  // not empty: rule.models come from there
  Rate rate;                 // per subject
};

struct CertificateLine {
  std::string pattern;  // of the common name or any subject alternative name
  Rule rule;
  Rate rate;
};

struct AccessFile {
  std::vector<KeyLine> keys;
  std::vector<TokenLine> tokens;
  std::vector<CertificateLine> certificates;
  std::optional<Rule> anyone;
  Rate anyone_rate;
};

inline constexpr std::size_t kMostAccessBytes = 4u << 20;

// Error "auth.bad_access_file" (kUsage) with the line's number; never with a hash or key. `what` names it.
base::Result<AccessFile> parse_access_file(std::string_view text, std::string_view what);

}  // namespace wherry::auth
