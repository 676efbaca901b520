#include "engine/x86_64/oblivious.h"

#include "engine/oblivious_kernel.h"

namespace wherry::engine {

ObliviousKernel oblivious_kernel() {
  if (__builtin_cpu_supports("avx2")) return oblivious_avx2();
  return {add_blocks<kFewRows>, add_blocks<kManyRows>, add_to_row};
}

}  // namespace wherry::engine
