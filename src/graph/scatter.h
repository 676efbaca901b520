// Updates put together with what stands where they go.
//
// Thread-safety: as the Builder's.
#pragma once

#include <string_view>

#include "graph/builder.h"

namespace wherry::graph {

// As ScatterND with a reduction ("add", "mul", "max", "min"): x with updates[i…] put together with
// x[indices[i…]]. The last length of `indices` (int64) and x's rank must be known. Made of ScatterElements:
// ONNX Runtime's ScatterND works on the updates in parallel and loses some of several for one place.
ValueId scatter_reduced(Builder& b, ValueId x, ValueId indices, ValueId updates, std::string_view reduction);

}  // namespace wherry::graph
