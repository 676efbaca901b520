#include "engine/x86_64/trees_complete.h"

#include "engine/trees_complete_kernel.h"

namespace wherry::engine {

CompleteKernel complete_kernel() {
  if (__builtin_cpu_supports("avx512f")) return {add_blocks_avx512, 6};
  if (__builtin_cpu_supports("avx2")) return {add_blocks_avx2, 4};
  return {add_blocks, 3};
}

}  // namespace wherry::engine
