// Whether the rows of a tensor model have nothing to do with each other.
//
// Thread-safety: pure functions.
#pragma once

#include "engine/plan.h"

namespace wherry::verify {

// Tries it with made-up requests: what a row is answered must not change with the rows beside it, nor without
// them but for rounding. False where the model refuses them. Axis 0 may be time, say, whose steps depend on
// those before.
bool rows_are_independent(const engine::Plan& plan);

}  // namespace wherry::verify
