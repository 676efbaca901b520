// The 16-bit floating types as wider numbers, and back.
//
// Thread-safety: pure functions.
#pragma once

#include <bit>
#include <cmath>
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

// The nearest binary16, ties to even; beyond 65519.99… infinite. A NaN becomes the quiet one without payload.
inline std::uint16_t double_to_half(double number) {
  if (std::isnan(number)) return 0x7e00;
  const std::uint16_t sign = std::signbit(number) ? 0x8000 : 0;
  const double size = std::abs(number);
  if (size >= 65520) return sign | 0x7c00;
  if (size < 0x1p-14) return static_cast<std::uint16_t>(sign + std::nearbyint(size * 0x1p24));
  int exponent = 0;
  const double fraction = std::frexp(size, &exponent);  // [0.5, 1)
  const auto mantissa = static_cast<std::uint32_t>(std::nearbyint((fraction * 2 - 1) * 1024));
  return static_cast<std::uint16_t>(sign + (static_cast<std::uint32_t>(exponent + 14) << 10) + mantissa);
}

// By way of the nearest binary32; ties to even. A NaN as above.
inline std::uint16_t double_to_bfloat(double number) {
  if (std::isnan(number)) return 0x7fc0;
  const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(number));
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

}  // namespace wherry::tensor
