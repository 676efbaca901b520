// Names for the outputs of an exported program. Internal to module torch.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace wherry::torch {

// One name per leaf of a pytree spec (torch/utils/_pytree.py, treespec_dumps protocol 1) of what forward
// returned: dict keys and fields by name, items of tuples by number, nested ones joined by '_'; "output" for
// a lone tensor and "output_N" for the items of the outermost tuple. Empty when the spec is none that wherry
// reads.
std::vector<std::string> output_names(std::string_view spec);

}  // namespace wherry::torch
