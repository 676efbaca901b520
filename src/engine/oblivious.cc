// A leaf's number is made of comparisons alone, so rows go through a tree eight at a time without a branch;
// only the sums of leaves are taken one row after the other. The code is compiled twice, the second time with
// AVX2 for processors which have it: comparisons and sums are the same either way.
#include "engine/oblivious.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace wherry::engine {
namespace {

constexpr std::size_t kLanes = 8;
constexpr std::size_t kBlock = 64;  // rows transposed together

using Floats [[gnu::vector_size(kLanes * sizeof(float))]] = float;
using Ints [[gnu::vector_size(kLanes * sizeof(std::int32_t))]] = std::int32_t;

// Where in the ensemble a run of trees begins.
struct Cursor {
  const ObliviousSplit* splits;
  const double* values;
};

// The leaves of kBlock rows in one tree; x holds kBlock rows of each feature.
template <std::size_t kDepth>
[[gnu::always_inline]] inline void leaves_of(const ObliviousSplit* splits, std::size_t depth, const float* x,
                                             std::int32_t* leaves) {
  for (std::size_t lane = 0; lane < kBlock; lane += kLanes) {
    Ints leaf{};
    for (std::size_t d = 0; d < (kDepth == 0 ? depth : kDepth); ++d) {
      Floats values;
      std::memcpy(&values, x + splits[d].feature * kBlock + lane, sizeof values);
      leaf |= (values > splits[d].border) & (std::int32_t{1} << d);
    }
    std::memcpy(leaves + lane, &leaf, sizeof leaf);
  }
}

template <std::size_t kDepth>
[[gnu::always_inline]] inline void add_trees(Cursor& at, const ObliviousRun& run, const float* x,
                                             std::size_t rows, std::size_t outputs, double* out) {
  const std::size_t depth = kDepth == 0 ? run.depth : kDepth;
  for (std::size_t tree = 0; tree < run.trees; ++tree) {
    alignas(64) std::int32_t leaves[kBlock];
    leaves_of<kDepth>(at.splits, depth, x, leaves);
    if (outputs == 1) {
      for (std::size_t row = 0; row < rows; ++row) out[row] += at.values[leaves[row]];
    } else {
      for (std::size_t row = 0; row < rows; ++row) {
        const double* leaf = at.values + static_cast<std::size_t>(leaves[row]) * outputs;
        for (std::size_t c = 0; c < outputs; ++c) out[row * outputs + c] += leaf[c];
      }
    }
    at.splits += depth;
    at.values += outputs << depth;
  }
}

[[gnu::always_inline]] inline void add_all(Cursor at, std::span<const ObliviousRun> runs, const float* x,
                                           std::size_t rows, std::size_t outputs, double* out) {
  for (const ObliviousRun& run : runs) {
    switch (run.depth) {
      case 2:
        add_trees<2>(at, run, x, rows, outputs, out);
        break;
      case 3:
        add_trees<3>(at, run, x, rows, outputs, out);
        break;
      case 4:
        add_trees<4>(at, run, x, rows, outputs, out);
        break;
      case 5:
        add_trees<5>(at, run, x, rows, outputs, out);
        break;
      case 6:
        add_trees<6>(at, run, x, rows, outputs, out);
        break;
      case 8:
        add_trees<8>(at, run, x, rows, outputs, out);
        break;
      default:
        add_trees<0>(at, run, x, rows, outputs, out);
    }
  }
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] void add_all_avx2(Cursor at, std::span<const ObliviousRun> runs, const float* x,
                                          std::size_t rows, std::size_t outputs, double* out) {
  add_all(at, runs, x, rows, outputs, out);
}
#endif

void add_all_baseline(Cursor at, std::span<const ObliviousRun> runs, const float* x, std::size_t rows,
                      std::size_t outputs, double* out) {
  add_all(at, runs, x, rows, outputs, out);
}

auto choose_add_all() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return add_all_avx2;
#endif
  return add_all_baseline;
}

// One row; x holds one value of each feature.
template <std::size_t kDepth>
void add_trees_to_row(Cursor& at, const ObliviousRun& run, const float* x, std::size_t outputs, double* out) {
  const std::size_t depth = kDepth == 0 ? run.depth : kDepth;
  for (std::size_t tree = 0; tree < run.trees; ++tree) {
    std::size_t leaf = 0;
    for (std::size_t d = 0; d < depth; ++d)
      leaf |= static_cast<std::size_t>(x[at.splits[d].feature] > at.splits[d].border) << d;
    const double* values = at.values + leaf * outputs;
    for (std::size_t c = 0; c < outputs; ++c) out[c] += values[c];
    at.splits += depth;
    at.values += outputs << depth;
  }
}

void add_all_to_row(Cursor at, std::span<const ObliviousRun> runs, const float* x, std::size_t outputs,
                    double* out) {
  for (const ObliviousRun& run : runs) {
    if (run.depth == 6)
      add_trees_to_row<6>(at, run, x, outputs, out);
    else if (run.depth == 3)
      add_trees_to_row<3>(at, run, x, outputs, out);
    else
      add_trees_to_row<0>(at, run, x, outputs, out);
  }
}

}  // namespace

PackedOblivious::PackedOblivious(std::span<const std::uint8_t> depth, std::span<const std::int32_t> feature,
                                 std::span<const float> border, tensor::Tensor values,
                                 std::span<const std::uint8_t> nan_high)
    : values_(std::move(values)),
      nan_high_(nan_high.begin(), nan_high.end()),
      outputs_(static_cast<std::size_t>(values_.shape()[1])) {
  for (std::size_t s = 0; s < feature.size(); ++s)
    splits_.push_back({border[s], static_cast<std::uint32_t>(feature[s])});
  for (const std::uint8_t d : depth) {
    if (runs_.empty() || runs_.back().depth != d) runs_.push_back({d, 0});
    ++runs_.back().trees;
  }
}

// x[column * stride + row] = the row's number as the trees see it.
void PackedOblivious::fill(const double* in, std::size_t rows, std::size_t stride, float* x) const {
  const std::size_t width = nan_high_.size();
  for (std::size_t j = 0; j < width; ++j) {
    const float nan =
        nan_high_[j] != 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
    float* column = x + j * stride;
    for (std::size_t row = 0; row < rows; ++row) {
      const auto value = static_cast<float>(in[row * width + j]);
      column[row] = std::isnan(value) ? nan : value;
    }
    std::fill(column + rows, column + stride, 0.0f);
  }
}

void PackedOblivious::run(const double* in, std::size_t rows, double* out, Buffers& buffers) const {
  static const auto add_all_best = choose_add_all();
  constexpr std::size_t kFewRows = 6;
  const std::size_t width = nan_high_.size();
  const Cursor start{splits_.data(), values_.as<double>().data()};
  std::fill_n(out, rows * outputs_, 0.0);
  if (rows < kFewRows) {
    float* x = at_least(buffers.floats, width);
    for (std::size_t row = 0; row < rows; ++row) {
      fill(in + row * width, 1, 1, x);
      add_all_to_row(start, runs_, x, outputs_, out + row * outputs_);
    }
    return;
  }
  float* x = at_least(buffers.floats, width * kBlock);
  for (std::size_t row = 0; row < rows; row += kBlock) {
    const std::size_t count = std::min(kBlock, rows - row);
    fill(in + row * width, count, kBlock, x);
    add_all_best(start, runs_, x, count, outputs_, out + row * outputs_);
  }
}

}  // namespace wherry::engine
