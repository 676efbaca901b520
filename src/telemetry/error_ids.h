// Error ids of module telemetry, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::telemetry {

inline constexpr base::ErrorId kErrorIds[] = {
    {"telemetry.bad_profile",
     "The training statistics of a bundle (profile.json) are malformed, or are not about this model's "
     "columns."},
    {"telemetry.bad_log_option",
     "An option of the prediction log cannot be used: a column the model does not have, columns to hash "
     "without a key file, or a key file with less than 16 bytes."},
    {"telemetry.log_unwritable", "The prediction log's file cannot be opened or written."},
};

}  // namespace wherry::telemetry
