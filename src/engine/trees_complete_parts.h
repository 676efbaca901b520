// What the vector code of CompleteTrees works on: plain data only. Private to module engine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wherry::engine {

inline constexpr std::size_t kCompleteRows = 8;  // of a block

struct CompleteNode {
  double threshold;
  std::uint32_t feature;    // times kCompleteRows
  std::uint32_t nan_right;  // 0 or 1
};

struct CompleteTree {
  std::uint32_t depth;  // at most 6
  std::uint32_t target;
  std::size_t nodes;   // of node 1, the root, less 1; the children of i are 2i and 2i + 1
  std::size_t leaves;  // of the leftmost
};

struct CompleteParts {
  const CompleteNode* nodes;
  const double* leaves;
  const CompleteTree* trees;
  bool sums_float32;
};

// What to add: the leaves of trees [first, last) to the sums of each block, [output][row], from its x,
// [feature][row].
struct CompleteWork {
  std::size_t first, last;
  const double* x;
  double* sums;
  std::size_t blocks;
  std::size_t next_x, next_sums;  // from one block to the next
  bool nan;                       // x has NaNs, and some node sends them right
};
using AddBlocks = void (*)(const CompleteParts& trees, const CompleteWork& work);

struct CompleteKernel {
  AddBlocks add;
  std::uint32_t deepest;  // up to which depth comparing all nodes is quicker than walking
};

// The best for the machine this runs on.
CompleteKernel complete_kernel();

}  // namespace wherry::engine
