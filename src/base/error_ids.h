// Error ids of module base, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::base {

inline constexpr ErrorId kErrorIds[] = {
    {"base.truncated",
     "A binary structure ended before all the bytes it announces. The file is incomplete or corrupted."},
    {"base.file_not_found", "The named file or folder does not exist."},
    {"base.file_unreadable", "The operating system refused to open or read the file."},
    {"base.file_unwritable",
     "The operating system refused to create or write the file; nothing was left half-written."},
    {"base.file_too_large", "The file is larger than the limit for this kind of file."},
    {"base.command_not_found", "A helper program which wherry needs to run is not on the PATH."},
    {"base.command_failed", "A helper program could not be started or was killed by its time limit."},
};

}  // namespace wherry::base
