// Kernel functions and kernel machines: support vectors, Gaussian processes. See ops.h for the conventions.
#pragma once

#include "program/op_types.h"

namespace wherry::program {

using KernelsOps = OpList<>;

}  // namespace wherry::program
