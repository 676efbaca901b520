// How TensorFlow's kernels take the pixels of an axis for one of another length: in float32, by steps of
// their own. Keras' layers and TensorFlow's operators share them.
//
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/verbs.h"

namespace wherry::graph {

// Where a pixel is (tensorflow/core/util/image_resizer_state.h): the options align_corners and
// half_pixel_centers.
struct PixelGrid {
  bool aligned = false;
  bool half = true;
};

// Which of `in` pixels each of `out` shows (core/kernels/image/resize_nearest_neighbor_op.cc). Both positive.
Ints nearest_pixels(std::int64_t in, std::int64_t out, const PixelGrid& grid = {});

// How much each of `in` pixels counts for each of `out`: [out, in], row by row
// (core/kernels/image/resize_bicubic_op.cc). Both positive, their product is what it takes.
std::vector<float> cubic_weights(std::int64_t in, std::int64_t out, const PixelGrid& grid = {});

// Weights made to add up to 1, unless they are as good as none.
void normalise(std::span<float> weights);

}  // namespace wherry::graph
