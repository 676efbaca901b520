// Error ids of module text, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::text {

inline constexpr base::ErrorId kErrorIds[] = {
    {"text.json_syntax", "A JSON document does not follow RFC 8259 at the line and column named."},
    {"text.json_limit", "A JSON document is larger or nested deeper than documents of its kind ever are."},
    {"text.json_member", "A JSON document lacks a member which its format requires, or it has another type."},
    {"text.yaml_syntax", "A YAML document is malformed at the line and column named."},
    {"text.yaml_limit", "A YAML document is larger, deeper, or expands to more nodes than is sensible."},
};

}  // namespace wherry::text
