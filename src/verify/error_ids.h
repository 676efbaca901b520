// Error ids of module verify, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::verify {

inline constexpr base::ErrorId kErrorIds[] = {
    {"verify.not_this_model",
     "Golden examples name columns or outputs which the model does not have: they were recorded for another "
     "model."},
    {"verify.no_rows",
     "wherry could not make up a single row which the model accepts, so there is nothing to record. Record "
     "golden "
     "examples with the framework instead."},
};

}  // namespace wherry::verify
