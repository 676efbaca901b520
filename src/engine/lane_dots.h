// Dot products of one row with eight others, each summed as OpenBLAS's dgemm does it wherever processors
// fuse: sum = fma(x[j], y[j], sum), one column after the other. So products of more than one row are numpy's
// to the last bit, as long as a row is not longer than a block of OpenBLAS (about 384 columns). Private to
// module engine.
#pragma once

#include <cstddef>

namespace wherry::engine {

inline constexpr std::size_t kDotLanes = 8;

// sums[l] = x · lanes[·, l] with lanes [width, kDotLanes]. `sums` is overwritten.
using LaneDots = void (*)(const double* x, const double* lanes, std::size_t width, double* sums);

// The fastest of this processor; all give the same bits.
LaneDots lane_dots();

// One product in the same order.
double fused_dot(const double* x, const double* y, std::size_t width);

}  // namespace wherry::engine
