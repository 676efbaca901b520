// Error ids of module pytext, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::pytext {

inline constexpr base::ErrorId kErrorIds[] = {
    {"pytext.unsupported_pattern",
     "A regular expression of Python's re uses something which wherry does not match exactly as Python does, "
     "or is none at all."},
    {"pytext.pattern_limit",
     "Matching a regular expression against this text takes too many steps: the expression tries a number of "
     "ways that grows exponentially with the text."},
    {"pytext.bad_text", "A text is not valid UTF-8."},
};

}  // namespace wherry::pytext
