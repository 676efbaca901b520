// Doubles and floats ↔ decimal digits, exactly and faster than the library does: what a request of many
// numbers costs is mostly this. Private to module protocol.
//
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>

namespace wherry::protocol {

// digits × 10^exponent, correctly rounded (ties to even), by the algorithm of Lemire, "Number parsing at a
// gigabyte per second" (2021). Nothing where 128 bits do not decide: below the normal numbers, beyond the
// range.
std::optional<double> decimal_to_double(std::uint64_t digits, std::int64_t exponent);

// The shortest decimal which reads back as the same number, the nearest one among those, as std::to_chars
// writes it, but always with a point or an exponent (1.0): Giulietti, "The Schubfach way to render doubles"
// (2020). `value` is finite. Gives the end of what was written; `out` has room for kLongestDecimal.
inline constexpr int kLongestDecimal = 32;
char* write_shortest(double value, char* out);
char* write_shortest(float value, char* out);

}  // namespace wherry::protocol
