// Distances to stored rows: neighbours, clusters, mixtures. See ops.h for the conventions.
#pragma once

#include "program/op_types.h"

namespace wherry::program {

using NeighborsOps = OpList<>;

}  // namespace wherry::program
