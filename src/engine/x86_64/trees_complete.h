// The kernels for x86-64. Private to module engine.
#pragma once

#include "engine/trees_complete_parts.h"

namespace wherry::engine {

// As AddBlocks; for processors with AVX-512F, and with AVX2.
void add_blocks_avx512(const CompleteParts& trees, const CompleteWork& work);
void add_blocks_avx2(const CompleteParts& trees, const CompleteWork& work);

}  // namespace wherry::engine
