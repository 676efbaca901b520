// Error ids of module lightgbm, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::lightgbm {

inline constexpr base::ErrorId kErrorIds[] = {
    {"lightgbm.bad_model",
     "A LightGBM text model or JSON dump is not written as LightGBM writes it: a line, a number or a member "
     "is missing or malformed. The file was cut off, edited or converted."},
    {"lightgbm.inconsistent",
     "Parts of a LightGBM model contradict each other: lists of different lengths, children outside their "
     "tree, features the model does not have. The file was damaged or made by hand."},
    {"lightgbm.unsupported_version",
     "The model was written by a LightGBM before 2.3, whose format wherry has never compared with the "
     "original. Load it with a newer LightGBM and save it again."},
    {"lightgbm.unsupported_objective",
     "The model names an objective LightGBM itself does not have, so what its scores become is unknown."},
    {"lightgbm.ambiguous_categories",
     "The model was trained on pandas columns of categories, but its file does not say which columns these "
     "were, and more than one choice fits."},
    {"lightgbm.too_large",
     "A LightGBM model asks for more memory than its file can justify, or is larger than the limit."},
};

}  // namespace wherry::lightgbm
