// Error ids of module tensor, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::tensor {

inline constexpr base::ErrorId kErrorIds[] = {
    {"tensor.bad_shape", "The sizes of a tensor are negative, too large, or do not agree with its data."},
};

}  // namespace wherry::tensor
