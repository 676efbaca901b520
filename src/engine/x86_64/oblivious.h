// The kernels for x86-64. Private to module engine.
#pragma once

#include "engine/oblivious_parts.h"

namespace wherry::engine {

// For processors with AVX2.
ObliviousKernel oblivious_avx2();

}  // namespace wherry::engine
