// Error ids of module hdf5, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::hdf5 {

inline constexpr base::ErrorId kErrorIds[] = {
    {"hdf5.bad_file",
     "An HDF5 file contradicts itself: an address, a length or a signature in it is not what it must be. The "
     "file "
     "is damaged or incomplete."},
    {"hdf5.not_found", "An HDF5 file lacks a group, a dataset or an attribute that its other parts name."},
    {"hdf5.unsupported",
     "An HDF5 file uses a feature that files of weights do not need, and that wherry therefore does not "
     "read."},
    {"hdf5.limit", "An HDF5 file has more objects, deeper nesting or larger contents than the limit."},
};

}  // namespace wherry::hdf5
