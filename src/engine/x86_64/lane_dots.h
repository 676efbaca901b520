// Private to module engine.
#pragma once

#include <cstddef>

namespace wherry::engine {

// LaneDots of a processor with AVX2 and FMA.
void lane_dots_fma(const double* x, const double* lanes, std::size_t width, double* sums);

}  // namespace wherry::engine
