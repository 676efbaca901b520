// CatBoost's own features. See ops.h for the conventions.
#pragma once

#include "program/op_types.h"

namespace wherry::program {

using CatboostOps = OpList<>;

}  // namespace wherry::program
