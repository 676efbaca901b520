// The results of a run as protocols write them, of all its rows or of some.
#pragma once

#include <limits>
#include <span>
#include <vector>

#include "engine/plan.h"
#include "tensor/view.h"

namespace wherry::engine {

// Rows [first, first + count) of a run.
struct RowRange {
  std::size_t first = 0;
  std::size_t count = std::numeric_limits<std::size_t>::max();  // cut to what there is
};

// Views of one run's results; reused between runs without allocating, but for tables of mixed cells of which
// only some rows are wanted: these are copied. Not thread-safe.
class Results {
 public:
  // The outputs in `wanted` (which the last run of `workspace` computed), in the plan's order; valid until
  // the next call, until the workspace runs again or the plan ends.
  std::span<const tensor::NamedResult> collect(const Plan& plan, const Workspace& workspace, OutputSet wanted,
                                               RowRange rows = {});

 private:
  std::vector<tensor::ResultView> views_;
  std::vector<tensor::NamedResult> results_;
  std::vector<tensor::Table> tables_;
};

}  // namespace wherry::engine
