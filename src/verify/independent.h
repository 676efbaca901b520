// Whether the rows of a tensor model have nothing to do with each other.
//
// Thread-safety: pure functions.
#pragma once

#include "engine/plan.h"

namespace wherry::verify {

// Tries it with made-up requests: rows computed together must be what each one is alone, up to rounding.
// False where the model refuses them. Axis 0 may be time, say, whose steps depend on those before.
bool rows_are_independent(const engine::Plan& plan);

}  // namespace wherry::verify
