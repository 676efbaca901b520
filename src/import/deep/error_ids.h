// Error ids of module deep, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::deep {

inline constexpr base::ErrorId kErrorIds[] = {
    {"deep.unknown_shape",
     "It is not known how many axes an input or an output of the network has, so that no request could be "
     "checked "
     "and no answer described."},
    {"deep.too_many_axes", "An input or an output of the network has more axes than wherry takes."},
};

}  // namespace wherry::deep
