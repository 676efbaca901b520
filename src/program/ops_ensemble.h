// What several estimators say, put together: votes, pairs, chains. See ops.h for the conventions.
#pragma once

#include "program/op_types.h"

namespace wherry::program {

using EnsembleOps = OpList<>;

}  // namespace wherry::program
