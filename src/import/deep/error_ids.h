// Error ids of module deep, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::deep {

inline constexpr base::ErrorId kErrorIds[] = {
    {"deep.too_many_axes", "An input or an output of the network has more axes than wherry takes."},
};

}  // namespace wherry::deep
