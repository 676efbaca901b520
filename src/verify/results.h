// The results of a run, as protocols write them.
#pragma once

#include <span>
#include <vector>

#include "engine/plan.h"
#include "tensor/view.h"

namespace wherry::verify {

// Views of one run's results; reused between runs without allocating. Not thread-safe.
class Results {
 public:
  // The outputs in `wanted` (which the last run of `workspace` computed), in the plan's order; valid until
  // the workspace runs again or the plan ends.
  std::span<const tensor::NamedResult> collect(const engine::Plan& plan, const engine::Workspace& workspace,
                                               engine::OutputSet wanted);

 private:
  std::vector<tensor::ResultView> views_;
  std::vector<tensor::NamedResult> results_;
};

}  // namespace wherry::verify
