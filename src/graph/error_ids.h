// Error ids of module graph, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::graph {

inline constexpr base::ErrorId kErrorIds[] = {
    {"graph.invalid",
     "An operation of a neural network got inputs which do not fit: a wrong number, element type or shape. "
     "The "
     "model file is damaged, or wherry misread it."},
    {"graph.unknown_operator", "A tensor graph was built with an operator that ONNX does not have: a bug."},
    {"graph.limit_nodes", "The network has more operations, or larger folded constants, than the limit."},
};

}  // namespace wherry::graph
