// The arithmetic of PackedOblivious, for vectors of whatever width the including file is compiled for. A
// leaf's number is made of comparisons alone, so rows go through a tree eight at a time without a branch;
// only the sums of leaves are taken one after the other, tree after tree. Included as trees_complete_kernel.h
// is, and with its care. Private to module engine.
#pragma once

#include <cstring>

#include "engine/oblivious_parts.h"

namespace wherry::engine {
namespace {

constexpr std::size_t kLanes = 8;

using Floats [[gnu::vector_size(kLanes * sizeof(float))]] = float;
using Ints [[gnu::vector_size(kLanes * sizeof(std::int32_t))]] = std::int32_t;

inline void pass_tree(ObliviousCursor& at, std::size_t depth, std::size_t outputs) {
  at.features += depth;
  at.borders += depth;
  at.values += outputs << depth;
}

// The leaves of kBlock rows in one tree; x holds kBlock rows of each feature. A depth known to the compiler
// keeps a tree's borders in registers.
template <std::size_t kDepth, std::size_t kBlock>
[[gnu::always_inline]] inline void leaves_of(const ObliviousCursor& tree, std::size_t depth, const float* x,
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
[[gnu::always_inline]] inline void add_four(ObliviousCursor& at, std::size_t depth, const float* x,
                                            std::size_t rows, double* out) {
  alignas(64) std::int32_t leaves[4][kBlock];
  const double* values[4];
#pragma GCC unroll 4
  for (std::size_t t = 0; t < 4; ++t) {
    leaves_of<kDepth, kBlock>(at, depth, x, leaves[t]);
    values[t] = at.values;
    pass_tree(at, depth, 1);
  }
  for (std::size_t row = 0; row < rows; ++row) {
    double sum = out[row];
#pragma GCC unroll 4
    for (std::size_t t = 0; t < 4; ++t) sum += values[t][leaves[t][row]];
    out[row] = sum;
  }
}

template <std::size_t kDepth, std::size_t kBlock>
[[gnu::always_inline]] inline void add_trees(ObliviousCursor& at, const ObliviousRun& run, const float* x,
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
    pass_tree(at, depth, outputs);
  }
}

template <std::size_t kBlock>
void add_blocks(const ObliviousWork& work) {
  ObliviousCursor at = work.at;
  for (std::size_t r = 0; r < work.run_count; ++r) {
    const ObliviousRun& run = work.runs[r];
    switch (run.depth) {
      case 2:
        add_trees<2, kBlock>(at, run, work.x, work.rows, work.outputs, work.out);
        break;
      case 3:
        add_trees<3, kBlock>(at, run, work.x, work.rows, work.outputs, work.out);
        break;
      case 4:
        add_trees<4, kBlock>(at, run, work.x, work.rows, work.outputs, work.out);
        break;
      case 5:
        add_trees<5, kBlock>(at, run, work.x, work.rows, work.outputs, work.out);
        break;
      case 6:
        add_trees<6, kBlock>(at, run, work.x, work.rows, work.outputs, work.out);
        break;
      case 8:
        add_trees<8, kBlock>(at, run, work.x, work.rows, work.outputs, work.out);
        break;
      default:
        add_trees<0, kBlock>(at, run, work.x, work.rows, work.outputs, work.out);
    }
  }
}

// One row; x holds one value of each feature.
inline void add_to_row(const ObliviousWork& work) {
  ObliviousCursor at = work.at;
  for (std::size_t r = 0; r < work.run_count; ++r) {
    const ObliviousRun& run = work.runs[r];
    for (std::size_t tree = 0; tree < run.trees; ++tree) {
      std::size_t leaf = 0;
      for (std::size_t d = 0; d < run.depth; ++d)
        leaf |= static_cast<std::size_t>(work.x[at.features[d]] > at.borders[d]) << d;
      for (std::size_t c = 0; c < work.outputs; ++c) work.out[c] += at.values[leaf * work.outputs + c];
      pass_tree(at, run.depth, work.outputs);
    }
  }
}

}  // namespace
}  // namespace wherry::engine
