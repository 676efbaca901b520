#include "engine/oblivious_kernel.h"

namespace wherry::engine {

ObliviousKernel oblivious_kernel() {
  return {add_blocks<kFewRows>, add_blocks<kManyRows>, add_to_row};
}

}  // namespace wherry::engine
