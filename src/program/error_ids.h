// Error ids of module program, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::program {

inline constexpr base::ErrorId kErrorIds[] = {
    {"program.invalid",
     "A model is inconsistent in itself: sizes which do not fit, children outside a tree, labels missing. "
     "The file was "
     "corrupted or made by hand."},
    {"program.bad_bundle",
     "A bundle folder is incomplete, of another format version, or its files do not belong together."},
    {"program.bad_safetensors", "A weights.safetensors file breaks the format's rules."},
};

}  // namespace wherry::program
