// The arithmetic of CompleteTrees, for vectors of whatever width the including file is compiled for. Only
// files which are compiled for one instruction set include this, and nothing else that has inline functions:
// the linker would be free to take these for everybody. Private to module engine.
#pragma once

#include "engine/trees_complete_parts.h"

namespace wherry::engine {
namespace {

// One number of each row. Passed by reference only: how it is passed by value depends on the instruction set.
using Vector [[gnu::vector_size(kCompleteRows * sizeof(double)), gnu::aligned(alignof(double))]] = double;
using Floats [[gnu::vector_size(kCompleteRows * sizeof(float))]] = float;

// One or two blocks of rows, which share what is read of the trees.
struct Blocks {
  const double* x;                // of the first block: [feature][row]
  double* sums;                   // [output][row]
  std::size_t next_x, next_sums;  // from one block to the next
};

// The leaf values of the rows of each block, below node `i` of a tree, `kDepth` steps above the leaves.
// `leaf` is the leftmost leaf below.
template <int kDepth, bool kNan, int kBlocks>
[[gnu::always_inline]] inline void leaf_below(const CompleteNode* nodes, const double* leaf, std::size_t i,
                                              const Blocks& blocks, Vector (&out)[kBlocks]) {
  if constexpr (kDepth == 0) {
    const double v = *leaf;
    for (Vector& each : out) each = Vector{v, v, v, v, v, v, v, v};
  } else {
    const CompleteNode& node = nodes[i];
    constexpr std::size_t kHalf = std::size_t{1} << (kDepth - 1);
    Vector left[kBlocks], right[kBlocks];
    leaf_below<kDepth - 1, kNan, kBlocks>(nodes, leaf, 2 * i, blocks, left);
    leaf_below<kDepth - 1, kNan, kBlocks>(nodes, leaf + kHalf, 2 * i + 1, blocks, right);
    const double t = node.threshold;
    const Vector threshold{t, t, t, t, t, t, t, t};
    for (int b = 0; b < kBlocks; ++b) {
      const Vector& value = *reinterpret_cast<const Vector*>(blocks.x + b * blocks.next_x + node.feature);
      auto goes_right = value > threshold;
      if constexpr (kNan) {
        if (node.nan_right != 0) goes_right = ~(value <= threshold);
      }
      out[b] = goes_right ? right[b] : left[b];
    }
  }
}

template <int kDepth, bool kNan, int kBlocks>
[[gnu::always_inline]] inline void add_tree(const CompleteParts& trees, const CompleteTree& tree,
                                            const Blocks& blocks) {
  Vector leaf[kBlocks];
  leaf_below<kDepth, kNan, kBlocks>(trees.nodes + tree.nodes, trees.leaves + tree.leaves, 1, blocks, leaf);
  for (int b = 0; b < kBlocks; ++b) {
    Vector& sum =
        *reinterpret_cast<Vector*>(blocks.sums + b * blocks.next_sums + tree.target * kCompleteRows);
    sum += leaf[b];
    if (trees.sums_float32) sum = __builtin_convertvector(__builtin_convertvector(sum, Floats), Vector);
  }
}

template <bool kNan, int kBlocks>
void add_group(const CompleteParts& trees, std::size_t first, std::size_t last, const Blocks& blocks) {
  for (std::size_t t = first; t < last; ++t) {
    const CompleteTree& tree = trees.trees[t];
    switch (tree.depth) {
      case 0:
        add_tree<0, kNan, kBlocks>(trees, tree, blocks);
        break;
      case 1:
        add_tree<1, kNan, kBlocks>(trees, tree, blocks);
        break;
      case 2:
        add_tree<2, kNan, kBlocks>(trees, tree, blocks);
        break;
      case 3:
        add_tree<3, kNan, kBlocks>(trees, tree, blocks);
        break;
      case 4:
        add_tree<4, kNan, kBlocks>(trees, tree, blocks);
        break;
      case 5:
        add_tree<5, kNan, kBlocks>(trees, tree, blocks);
        break;
      default:
        add_tree<6, kNan, kBlocks>(trees, tree, blocks);
        break;
    }
  }
}

void add_blocks(const CompleteParts& trees, const CompleteWork& work) {
  Blocks blocks{work.x, work.sums, work.next_x, work.next_sums};
  std::size_t left = work.blocks;
  const auto go_on = [&](std::size_t done) {
    blocks.x += done * blocks.next_x;
    blocks.sums += done * blocks.next_sums;
    left -= done;
  };
  if (work.nan) {
    for (; left > 0; go_on(1)) add_group<true, 1>(trees, work.first, work.last, blocks);
    return;
  }
  for (; left > 1; go_on(2)) add_group<false, 2>(trees, work.first, work.last, blocks);
  if (left > 0) add_group<false, 1>(trees, work.first, work.last, blocks);
}

}  // namespace
}  // namespace wherry::engine
