// Percent-encoding (RFC 3986 section 2.1).
//
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace wherry::base {

// All but the unreserved characters (letters, digits, "-._~") as %XX: one path segment or query component.
std::string percent_encode(std::string_view text);

}  // namespace wherry::base
