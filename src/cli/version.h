// The version of wherry, as CMakeLists.txt states it.
#pragma once

#include <string_view>

namespace wherry::cli {

inline constexpr std::string_view kVersion = WHERRY_VERSION;

}  // namespace wherry::cli
