// The loop of LaneDots, compiled once for each instruction set. Private to module engine.
#pragma once

#include <cmath>

#include "engine/lane_dots.h"

namespace wherry::engine {

inline void fuse_lanes(const double* x, const double* lanes, std::size_t width, double* sums) {
  double sum[kDotLanes] = {};
  for (std::size_t j = 0; j < width; ++j, lanes += kDotLanes)
    for (std::size_t l = 0; l < kDotLanes; ++l) sum[l] = std::fma(x[j], lanes[l], sum[l]);
  for (std::size_t l = 0; l < kDotLanes; ++l) sums[l] = sum[l];
}

}  // namespace wherry::engine
