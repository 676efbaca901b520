// Shallow trees as complete binary trees, all nodes of which are compared for eight rows at once: no
// branches, no pointers, no gathers. Uses the widest vectors of the machine, chosen at run time; results are
// those of PackedTrees's walk to the last bit. Private to module engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/trees_arrange.h"
#include "engine/trees_complete_parts.h"

namespace wherry::engine {

// Immutable; used from any number of threads.
class CompleteTrees {
 public:
  // Nothing when the trees are too deep for this machine's vectors, have leaves wider than one, splits other
  // than comparisons, or would take more than 16 MiB.
  static std::optional<CompleteTrees> make(const TreeArrays& arrays, const std::vector<TreeSpan>& spans);

  // Rows from which a block of eight, some of them padding, is quicker than walking row by row.
  std::size_t worth_rows() const { return worth_rows_; }

  // Adds the leaves of all trees in ascending order, for `blocks` blocks of kCompleteRows rows. x:
  // [block][feature] [row], float32 features rounded already; sums: [block][output][row].
  void add(const double* x, std::size_t features, double* sums, std::size_t blocks) const;

 private:
  struct Group {  // trees [first, last) that fit the first-level cache together
    std::size_t first, last;
  };

  std::vector<CompleteNode> nodes_;
  std::vector<double> leaves_;
  std::vector<CompleteTree> trees_;
  std::vector<Group> groups_;
  std::size_t outputs_ = 1;
  bool nan_goes_right_ = false;  // somewhere
  bool sums_float32_ = false;
  std::size_t worth_rows_ = 1;
  AddBlocks add_ = nullptr;
};

}  // namespace wherry::engine
