// Text and records to features. See ops.h for the conventions.
#pragma once

#include "program/op_types.h"

namespace wherry::program {

using TextOps = OpList<>;

}  // namespace wherry::program
