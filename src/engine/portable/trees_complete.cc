#include "engine/trees_complete_kernel.h"

namespace wherry::engine {

CompleteKernel complete_kernel() {
  return {add_blocks, 3};
}

}  // namespace wherry::engine
