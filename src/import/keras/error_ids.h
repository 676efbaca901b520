// Error ids of module keras, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::keras {

inline constexpr base::ErrorId kErrorIds[] = {
    {"keras.bad_model",
     "The configuration in a Keras file is not what Keras writes: a part is missing, of another type, or "
     "names "
     "something that is not there."},
    {"keras.bad_weights",
     "The weights in a Keras file do not fit the layers it describes: too few, too many, or of another "
     "shape."},
    {"keras.no_model", "A Keras file holds weights only: which layers they belong to is not in it."},
    {"keras.unsupported_layer",
     "A Keras model has layers or operations that wherry cannot reproduce. Custom classes and Lambda layers "
     "are "
     "Python "
     "code, which is never run."},
    {"keras.unsupported_option",
     "A layer of a Keras model has an option whose exact result wherry cannot reproduce."},
    {"keras.limit", "A Keras model is nested deeper, or calls its layers more often, than the limit."},
};

}  // namespace wherry::keras
