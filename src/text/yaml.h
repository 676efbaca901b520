// YAML (1.2 core schema as kubectl and Docker tools use it), read into and written from Json.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "text/json.h"

namespace wherry::text {

struct YamlLimits {
  std::size_t bytes = 4 << 20;
  std::size_t depth = 64;
  std::size_t nodes = 200'000;  // after aliases are expanded: bounds "billion laughs"
};

// The first document. Plain scalars become null, bool, integer or float by the core schema; quoted ones stay
// strings. Errors: "text.yaml_syntax" with line and column, "text.yaml_limit". `what` names the document.
base::Result<Json> parse_yaml(std::string_view document, std::string_view what,
                              const YamlLimits& limits = {});

// Block style, two spaces, keys in the order of `value`; strings are quoted only where YAML needs it.
// parse_yaml(write_yaml(x)) == x.
std::string write_yaml(const Json& value);

}  // namespace wherry::text
