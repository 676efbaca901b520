// The 16-bit floating types as wider numbers.
//
// Thread-safety: pure functions.
#pragma once

#include <bit>
#include <cstdint>

namespace wherry::tensor {

// IEEE 754 binary16 → binary64; exact. A NaN stays one.
inline double half_to_double(std::uint16_t bits) {
  const std::uint64_t sign = static_cast<std::uint64_t>(bits >> 15) << 63;
  const unsigned exponent = bits >> 10 & 31;
  const std::uint64_t fraction = bits & 0x3ff;
  if (exponent == 31) return std::bit_cast<double>(sign | std::uint64_t{0x7ff} << 52 | fraction << 42);
  if (exponent != 0)
    return std::bit_cast<double>(sign | std::uint64_t{exponent + 1008} << 52 | fraction << 42);
  const double magnitude = static_cast<double>(fraction) * 0x1p-24;
  return sign != 0 ? -magnitude : magnitude;
}

// bfloat16: the upper half of a binary32; exact.
inline double bfloat_to_double(std::uint16_t bits) {
  return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16));
}

}  // namespace wherry::tensor
