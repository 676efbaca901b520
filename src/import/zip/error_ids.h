// Error ids of module zip, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::zip {

inline constexpr base::ErrorId kErrorIds[] = {
    {"zip.bad_archive", "The zip archive is damaged: its directory or one of its files cannot be read."},
    {"zip.no_entry", "The zip archive lacks a file that its other files name."},
    {"zip.unsupported_entry",
     "A file in the zip archive is encrypted, or compressed by another method than deflate."},
    {"zip.limit_entries", "The zip archive has more files than the limit."},
    {"zip.limit_decompressed",
     "The files in the zip archive are larger than the limit, or so much larger than the archive that it "
     "must be "
     "made to exhaust memory."},
};

}  // namespace wherry::zip
