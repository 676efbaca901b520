#include "engine/oblivious.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace wherry::engine {

PackedOblivious::PackedOblivious(std::span<const std::uint8_t> depth, std::span<const std::int32_t> feature,
                                 std::span<const float> border, tensor::Tensor values,
                                 std::span<const std::uint8_t> nan_high)
    : features_(feature.begin(), feature.end()),
      borders_(border.begin(), border.end()),
      values_(std::move(values)),
      nan_high_(nan_high.begin(), nan_high.end()),
      outputs_(static_cast<std::size_t>(values_.shape()[1])),
      kernel_(oblivious_kernel()) {
  features_.resize(features_.size() + kPadding, 0);
  borders_.resize(borders_.size() + kPadding, 0);
  for (const std::uint8_t d : depth) {
    if (runs_.empty() || runs_.back().depth != d) runs_.push_back({d, 0});
    ++runs_.back().trees;
  }
}

// x[column * stride + row] = the row's number as the trees see it.
void PackedOblivious::fill(const double* in, std::size_t rows, std::size_t stride, float* x) const {
  const std::size_t width = nan_high_.size();
  for (std::size_t j = 0; j < width; ++j) {
    float* column = x + j * stride;
    for (std::size_t row = 0; row < rows; ++row) column[row] = static_cast<float>(in[row * width + j]);
    if (nan_high_[j] != 0)
      std::replace_if(
          column, column + rows, [](float value) { return std::isnan(value); },
          std::numeric_limits<float>::infinity());
    std::fill(column + rows, column + stride, 0.0f);
  }
}

ObliviousWork PackedOblivious::work(const float* x, std::size_t rows, double* out) const {
  return {{features_.data(), borders_.data(), values_.as<double>().data()},
          runs_.data(),
          runs_.size(),
          x,
          rows,
          outputs_,
          out};
}

void PackedOblivious::run_blocks(AddOblivious add, std::size_t block, const double* in, std::size_t rows,
                                 double* out, Buffers& buffers) const {
  const std::size_t width = nan_high_.size();
  float* x = at_least(buffers.floats, width * block);
  for (std::size_t row = 0; row < rows; row += block) {
    const std::size_t count = std::min(block, rows - row);
    fill(in + row * width, count, block, x);
    add(work(x, count, out + row * outputs_));
  }
}

void PackedOblivious::run(const double* in, std::size_t rows, double* out, Buffers& buffers) const {
  constexpr std::size_t kSingleRows = 3;
  const std::size_t width = nan_high_.size();
  std::fill_n(out, rows * outputs_, 0.0);
  if (rows > 2 * kFewRows) return run_blocks(kernel_.many, kManyRows, in, rows, out, buffers);
  if (rows > kSingleRows) return run_blocks(kernel_.few, kFewRows, in, rows, out, buffers);
  float* x = at_least(buffers.floats, width + 1);  // the padding reads feature 0
  for (std::size_t row = 0; row < rows; ++row) {
    fill(in + row * width, 1, 1, x);
    kernel_.one(work(x, 1, out + row * outputs_));
  }
}

}  // namespace wherry::engine
