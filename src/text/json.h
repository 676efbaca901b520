// JSON documents for configuration, bundles, manifests and API answers (RFC 8259). Requests to the model
// server have their own reader in module protocol. Order of keys is kept, so output is reproducible.
//
// Thread-safety: values; as safe as the standard containers.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace wherry::text {

using Json = nlohmann::ordered_json;

struct JsonLimits {
  std::size_t bytes = 64 << 20;
  std::size_t depth = 64;
};

// Errors: "text.json_syntax" with line and column, "text.json_limit". `what` names the document in messages.
base::Result<Json> parse_json(std::string_view document, std::string_view what,
                              const JsonLimits& limits = {});

// Compact when indent < 0. Invalid UTF-8 is replaced by U+FFFD, never thrown.
std::string write_json(const Json& value, int indent = -1);

// Typed member access without exceptions. The pointer is null when the key is absent or of another type;
// `object` may be anything.
const Json* find(const Json& object, std::string_view key);
const std::string* find_string(const Json& object, std::string_view key);
const Json* find_object(const Json& object, std::string_view key);
const Json* find_array(const Json& object, std::string_view key);
std::optional<std::int64_t> find_integer(const Json& object, std::string_view key);
std::optional<bool> find_bool(const Json& object, std::string_view key);

// As above, but a missing member is the error "text.json_member", naming `what` and the key.
base::Result<std::string> require_string(const Json& object, std::string_view key, std::string_view what);
base::Result<std::int64_t> require_integer(const Json& object, std::string_view key, std::string_view what);

}  // namespace wherry::text
