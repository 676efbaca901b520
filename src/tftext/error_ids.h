// Error ids of module tftext, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::tftext {

inline constexpr base::ErrorId kErrorIds[] = {
    {"tftext.unsupported_pattern",
     "A regular expression of TensorFlow (RE2) uses something which wherry does not match exactly as RE2 "
     "does, "
     "or is none at all."},
    {"tftext.pattern_limit", "Matching a regular expression against this text takes too many steps."},
    {"tftext.bad_text", "A text is not valid UTF-8."},
    {"tftext.bad_number", "A text which the model reads as a number is none."},
};

}  // namespace wherry::tftext
