// Nonlinear preprocessing of columns and matrix decompositions that solve for each row. See ops.h for the
// conventions.
#pragma once

#include "program/op_types.h"

namespace wherry::program {

using PreprocessOps = OpList<>;

}  // namespace wherry::program
