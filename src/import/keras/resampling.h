// Images of another size, as tf.image.resize makes them (tensorflow/core/kernels/image: resize_bicubic_op.cc,
// resize_area_op.cc, scale_and_translate_op.cc). Private to module keras.
#pragma once

#include <string_view>
#include <vector>

#include "import/keras/lowering.h"

namespace wherry::keras {

// How much each of `from` pixels along one axis counts for each of `to`: [to, from], row by row, in the
// kernels' float32. Empty for an unknown method. Methods: "bilinear", "bicubic", "area", "lanczos3",
// "lanczos5", "gaussian", "mitchellcubic".
std::vector<float> resampling_weights(std::string_view method, bool antialias, std::int64_t from,
                                      std::int64_t to);

// x [n, c, rows, columns] with another number of rows and columns. Methods: also "nearest". A refusal where
// the size of x is not known and the method needs it.
ValueId resample(Lowering& l, const Layer& layer, ValueId x, std::int64_t rows, std::int64_t columns,
                 std::string_view method, bool antialias);

}  // namespace wherry::keras
