// The 64-bit string hash of CatBoost's categories.
#pragma once

#include <cstdint>
#include <string_view>

namespace wherry::engine {

// CityHash64 of CityHash 1.0 (2011): later releases of it give other numbers. A pure function.
std::uint64_t city_hash64(std::string_view text);

}  // namespace wherry::engine
