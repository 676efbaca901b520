// A leaf's number is made of comparisons alone, so rows go through a tree eight at a time without a branch,
// and a single row through eight splits at a time; only the sums of leaves are taken one after the other,
// tree after tree. The code is compiled twice, the second time with AVX2 for processors which have it:
// comparisons and sums are the same either way.
#include "engine/oblivious.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace wherry::engine {
namespace {

constexpr std::size_t kLanes = 8;
constexpr std::size_t kFewRows = 16;  // transposed together
constexpr std::size_t kManyRows = 128;

using Floats [[gnu::vector_size(kLanes * sizeof(float))]] = float;
using Ints [[gnu::vector_size(kLanes * sizeof(std::int32_t))]] = std::int32_t;

// What all trees are made of, and where in it the next tree begins.
struct Cursor {
  const std::int32_t* features;
  const float* borders;
  const double* values;

  void pass_tree(std::size_t depth, std::size_t outputs) {
    features += depth;
    borders += depth;
    values += outputs << depth;
  }
};

// The leaves of kBlock rows in one tree; x holds kBlock rows of each feature. A depth known to the compiler
// keeps a tree's borders in registers.
template <std::size_t kDepth, std::size_t kBlock>
[[gnu::always_inline]] inline void leaves_of(const Cursor& tree, std::size_t depth, const float* x,
                                             std::int32_t* leaves) {
  constexpr std::size_t kMostDepth = kDepth == 0 ? 16 : kDepth;
  const std::size_t splits = kDepth == 0 ? depth : kDepth;
  const float* columns[kMostDepth];
  Floats borders[kMostDepth];
#pragma GCC unroll 8
  for (std::size_t d = 0; d < splits; ++d) {
    columns[d] = x + static_cast<std::size_t>(tree.features[d]) * kBlock;
    borders[d] = Floats{} + tree.borders[d];
  }
  for (std::size_t lane = 0; lane < kBlock; lane += kLanes) {
    Ints leaf{};
#pragma GCC unroll 8
    for (std::size_t i = 1; i <= splits; ++i) {  // the last split is the highest bit
      Floats values;
      std::memcpy(&values, columns[splits - i] + lane, sizeof values);
      leaf = leaf + leaf - (values > borders[splits - i]);
    }
    std::memcpy(leaves + lane, &leaf, sizeof leaf);
  }
}

// Four trees at once, so that a row's sum stays in a register for four additions.
template <std::size_t kDepth, std::size_t kBlock>
[[gnu::always_inline]] inline void add_four(Cursor& at, std::size_t depth, const float* x, std::size_t rows,
                                            double* out) {
  alignas(64) std::int32_t leaves[4][kBlock];
  const double* values[4];
#pragma GCC unroll 4
  for (std::size_t t = 0; t < 4; ++t) {
    leaves_of<kDepth, kBlock>(at, depth, x, leaves[t]);
    values[t] = at.values;
    at.pass_tree(depth, 1);
  }
  for (std::size_t row = 0; row < rows; ++row) {
    double sum = out[row];
#pragma GCC unroll 4
    for (std::size_t t = 0; t < 4; ++t) sum += values[t][leaves[t][row]];
    out[row] = sum;
  }
}

template <std::size_t kDepth, std::size_t kBlock>
[[gnu::always_inline]] inline void add_trees(Cursor& at, const ObliviousRun& run, const float* x,
                                             std::size_t rows, std::size_t outputs, double* out) {
  const std::size_t depth = kDepth == 0 ? run.depth : kDepth;
  std::size_t tree = 0;
  if (outputs == 1)
    for (; tree + 4 <= run.trees; tree += 4) add_four<kDepth, kBlock>(at, depth, x, rows, out);
  for (; tree < run.trees; ++tree) {
    alignas(64) std::int32_t leaves[kBlock];
    leaves_of<kDepth, kBlock>(at, depth, x, leaves);
    for (std::size_t row = 0; row < rows; ++row) {
      const double* leaf = at.values + static_cast<std::size_t>(leaves[row]) * outputs;
      for (std::size_t c = 0; c < outputs; ++c) out[row * outputs + c] += leaf[c];
    }
    at.pass_tree(depth, outputs);
  }
}

template <std::size_t kBlock>
[[gnu::always_inline]] inline void add_all(Cursor at, std::span<const ObliviousRun> runs, const float* x,
                                           std::size_t rows, std::size_t outputs, double* out) {
  for (const ObliviousRun& run : runs) {
    switch (run.depth) {
      case 2:
        add_trees<2, kBlock>(at, run, x, rows, outputs, out);
        break;
      case 3:
        add_trees<3, kBlock>(at, run, x, rows, outputs, out);
        break;
      case 4:
        add_trees<4, kBlock>(at, run, x, rows, outputs, out);
        break;
      case 5:
        add_trees<5, kBlock>(at, run, x, rows, outputs, out);
        break;
      case 6:
        add_trees<6, kBlock>(at, run, x, rows, outputs, out);
        break;
      case 8:
        add_trees<8, kBlock>(at, run, x, rows, outputs, out);
        break;
      default:
        add_trees<0, kBlock>(at, run, x, rows, outputs, out);
    }
  }
}

// One row; x holds one value of each feature.
void add_all_to_row(Cursor at, std::span<const ObliviousRun> runs, const float* x, std::size_t outputs,
                    double* out) {
  for (const ObliviousRun& run : runs) {
    for (std::size_t tree = 0; tree < run.trees; ++tree) {
      std::size_t leaf = 0;
      for (std::size_t d = 0; d < run.depth; ++d)
        leaf |= static_cast<std::size_t>(x[at.features[d]] > at.borders[d]) << d;
      for (std::size_t c = 0; c < outputs; ++c) out[c] += at.values[leaf * outputs + c];
      at.pass_tree(run.depth, outputs);
    }
  }
}

#if defined(__x86_64__)

template <std::size_t kBlock>
[[gnu::target("avx2")]] void add_all_avx2(Cursor at, std::span<const ObliviousRun> runs, const float* x,
                                          std::size_t rows, std::size_t outputs, double* out) {
  add_all<kBlock>(at, runs, x, rows, outputs, out);
}

// The results of splits become a stream of bits, of which each tree takes its own. The stream is 64 bits
// long: `ready` of them are waiting, and 32 are made when a tree (at most 16 deep) may want more.
[[gnu::target("avx2")]] void add_all_to_row_avx2(Cursor at, std::span<const ObliviousRun> runs,
                                                 const float* x, std::size_t outputs, double* out) {
  std::uint64_t bits = 0;
  std::size_t ready = 0;
  const std::int32_t* features = at.features;
  const float* borders = at.borders;
  for (const ObliviousRun& run : runs) {
    const std::uint64_t mask = (std::uint64_t{1} << run.depth) - 1;
    for (std::size_t tree = 0; tree < run.trees; ++tree) {
      if (ready < run.depth) {
#pragma GCC unroll 4
        for (std::size_t i = 0; i < 32; i += kLanes, features += kLanes, borders += kLanes) {
          const __m256i columns = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(features));
          const __m256 above =
              _mm256_cmp_ps(_mm256_i32gather_ps(x, columns, 4), _mm256_loadu_ps(borders), _CMP_GT_OQ);
          bits |= static_cast<std::uint64_t>(_mm256_movemask_ps(above)) << ready;
          ready += kLanes;
        }
      }
      const double* leaf = at.values + (bits & mask) * outputs;
      for (std::size_t c = 0; c < outputs; ++c) out[c] += leaf[c];
      bits >>= run.depth;
      ready -= run.depth;
      at.values += outputs << run.depth;
    }
  }
}

const bool kHasAvx2 = __builtin_cpu_supports("avx2");

#endif

template <std::size_t kBlock>
void add_all_best(Cursor at, std::span<const ObliviousRun> runs, const float* x, std::size_t rows,
                  std::size_t outputs, double* out) {
#if defined(__x86_64__)
  if (kHasAvx2) return add_all_avx2<kBlock>(at, runs, x, rows, outputs, out);
#endif
  add_all<kBlock>(at, runs, x, rows, outputs, out);
}

void add_all_to_row_best(Cursor at, std::span<const ObliviousRun> runs, const float* x, std::size_t outputs,
                         double* out) {
#if defined(__x86_64__)
  if (kHasAvx2) return add_all_to_row_avx2(at, runs, x, outputs, out);
#endif
  add_all_to_row(at, runs, x, outputs, out);
}

}  // namespace

PackedOblivious::PackedOblivious(std::span<const std::uint8_t> depth, std::span<const std::int32_t> feature,
                                 std::span<const float> border, tensor::Tensor values,
                                 std::span<const std::uint8_t> nan_high)
    : features_(feature.begin(), feature.end()),
      borders_(border.begin(), border.end()),
      values_(std::move(values)),
      nan_high_(nan_high.begin(), nan_high.end()),
      outputs_(static_cast<std::size_t>(values_.shape()[1])) {
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

template <std::size_t kBlock>
void PackedOblivious::run_blocks(const double* in, std::size_t rows, double* out, Buffers& buffers) const {
  const std::size_t width = nan_high_.size();
  float* x = at_least(buffers.floats, width * kBlock);
  for (std::size_t row = 0; row < rows; row += kBlock) {
    const std::size_t count = std::min(kBlock, rows - row);
    fill(in + row * width, count, kBlock, x);
    add_all_best<kBlock>({features_.data(), borders_.data(), values_.as<double>().data()}, runs_, x, count,
                         outputs_, out + row * outputs_);
  }
}

void PackedOblivious::run(const double* in, std::size_t rows, double* out, Buffers& buffers) const {
  constexpr std::size_t kSingleRows = 3;
  const std::size_t width = nan_high_.size();
  std::fill_n(out, rows * outputs_, 0.0);
  if (rows > 2 * kFewRows) return run_blocks<kManyRows>(in, rows, out, buffers);
  if (rows > kSingleRows) return run_blocks<kFewRows>(in, rows, out, buffers);
  float* x = at_least(buffers.floats, width + 1);  // the padding reads feature 0
  for (std::size_t row = 0; row < rows; ++row) {
    fill(in + row * width, 1, 1, x);
    add_all_to_row_best({features_.data(), borders_.data(), values_.as<double>().data()}, runs_, x, outputs_,
                        out + row * outputs_);
  }
}

}  // namespace wherry::engine
