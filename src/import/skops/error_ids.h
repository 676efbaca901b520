// Error ids of module skops, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::skops {

inline constexpr base::ErrorId kErrorIds[] = {
    {"skops.bad_schema",
     "The schema.json of a skops file is not what skops writes: a part is missing or of another type."},
    {"skops.unknown_node",
     "The schema.json of a skops file has a kind of object that wherry does not know, from a newer skops or "
     "from "
     "another package."},
    {"skops.bad_array", "An array in a skops file is not in numpy's format, or of an unknown dtype."},
    {"skops.too_deep", "The objects of a skops file are nested deeper than the limit."},
};

}  // namespace wherry::skops
