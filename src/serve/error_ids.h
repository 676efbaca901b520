// Error ids of module serve, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::serve {

inline constexpr base::ErrorId kErrorIds[] = {
    {"serve.bad_option",
     "An option of wherry-server or an environment variable it reads is unknown or has a value "
     "which cannot be used."},
    {"serve.bad_log_setting",
     "A setting sent to /v2/logging is unknown or has a value which wherry's log does not take."},
    {"serve.golden_mismatch",
     "At start the model did not give the answers its golden predictions state, so it is not served: the "
     "bundle was "
     "changed, or this machine computes differently."},
};

}  // namespace wherry::serve
