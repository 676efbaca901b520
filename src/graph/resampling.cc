#include "graph/resampling.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

namespace wherry::graph {
namespace {

float scale_of(std::int64_t in, std::int64_t out, bool aligned) {
  return aligned && out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1)
                            : static_cast<float>(in) / static_cast<float>(out);
}

// Keys' cubic, of which the kernel keeps a table: polynomials in double, their arguments and results in
// float.
struct CubicTable {
  static constexpr std::int64_t kSteps = 1024;
  double a;

  static float at(std::int64_t step) { return static_cast<float>(static_cast<double>(step) * 1.0 / kSteps); }
  float near(std::int64_t step) const {
    const float x = at(step);
    return static_cast<float>(((a + 2) * x - (a + 3)) * x * x + 1);
  }
  float far(std::int64_t step) const {
    const auto x = static_cast<float>(at(step) + 1.0);
    return static_cast<float>(((a * x - 5 * a) * x + 8 * a) * x - 4 * a);
  }
};

}  // namespace

void normalise(std::span<float> weights) {
  constexpr float kTooSmall = 1000.0F * std::numeric_limits<float>::min();
  const float sum = std::accumulate(weights.begin(), weights.end(), 0.0F);
  if (std::abs(sum) < kTooSmall) return;
  const float factor = 1.0F / sum;
  for (float& weight : weights) weight *= factor;
}

Ints nearest_pixels(std::int64_t in, std::int64_t out, const PixelGrid& grid) {
  const float scale = scale_of(in, out, grid.aligned);
  Ints pixels(static_cast<std::size_t>(out));
  for (std::int64_t i = 0; i < out; ++i) {
    const float at = (static_cast<float>(i) + (grid.half ? 0.5F : 0.0F)) * scale;
    const auto pixel = static_cast<std::int64_t>(grid.aligned ? std::roundf(at) : std::floor(at));
    pixels[static_cast<std::size_t>(i)] = std::clamp<std::int64_t>(pixel, 0, in - 1);
  }
  return pixels;
}

std::vector<float> cubic_weights(std::int64_t in, std::int64_t out, const PixelGrid& grid) {
  const CubicTable table{grid.half ? -0.5 : -0.75};
  const float scale = scale_of(in, out, grid.aligned);
  std::vector<float> weights(static_cast<std::size_t>(in * out), 0.0F);
  for (std::int64_t i = 0; i < out; ++i) {
    const float at =
        grid.half ? (static_cast<float>(i) + 0.5F) * scale - 0.5F : static_cast<float>(i) * scale;
    const auto whole = static_cast<std::int64_t>(std::floor(at));
    const std::int64_t step = std::lrintf((at - static_cast<float>(whole)) * CubicTable::kSteps);
    std::array<float, 4> taps{table.far(step), table.near(step), table.near(CubicTable::kSteps - step),
                              table.far(CubicTable::kSteps - step)};
    if (grid.half) {  // pixels beyond the edge count for nothing, what is left for the whole
      for (std::int64_t tap = 0; tap < 4; ++tap)
        if (const std::int64_t pixel = whole - 1 + tap; pixel < 0 || pixel >= in)
          taps[static_cast<std::size_t>(tap)] = 0;
      normalise(taps);
    }
    for (std::int64_t tap = 0; tap < 4; ++tap) {
      const std::int64_t pixel = std::clamp<std::int64_t>(whole - 1 + tap, 0, in - 1);
      weights[static_cast<std::size_t>(i * in + pixel)] += taps[static_cast<std::size_t>(tap)];
    }
  }
  return weights;
}

}  // namespace wherry::graph
