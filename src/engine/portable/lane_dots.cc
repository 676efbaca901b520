#include "engine/lane_dots.h"

#include "engine/lane_dots_kernel.h"

namespace wherry::engine {

LaneDots lane_dots() {
  return fuse_lanes;
}

}  // namespace wherry::engine
