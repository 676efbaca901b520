#include "engine/trees_complete_kernel.h"
#include "engine/x86_64/trees_complete.h"

namespace wherry::engine {

void add_blocks_avx512(const CompleteParts& trees, const CompleteWork& work) {
  add_blocks(trees, work);
}

}  // namespace wherry::engine
