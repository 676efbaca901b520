// All error ids of all modules, for `wherry explain`.
#pragma once

#include <vector>

#include "base/error.h"

namespace wherry::cli {

std::vector<base::ErrorId> all_error_ids();  // sorted by id

}  // namespace wherry::cli
