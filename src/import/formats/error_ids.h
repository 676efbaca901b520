// Error ids of module formats, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::formats {

inline constexpr base::ErrorId kErrorIds[] = {
    {"formats.folder", "A folder given as a model cannot be listed."},
    {"formats.unknown",
     "The file is of no format wherry knows. Give it the file the framework wrote, unchanged."},
    {"formats.not_served", "The file's format is recognised, but this version of wherry does not serve it."},
};

}  // namespace wherry::formats
