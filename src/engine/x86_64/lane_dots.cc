#include "engine/x86_64/lane_dots.h"

#include "engine/lane_dots.h"
#include "engine/lane_dots_kernel.h"

namespace wherry::engine {

LaneDots lane_dots() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? lane_dots_fma : fuse_lanes;
}

}  // namespace wherry::engine
