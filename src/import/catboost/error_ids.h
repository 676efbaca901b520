// Error ids of module catboost, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::catboost {

inline constexpr base::ErrorId kErrorIds[] = {
    {"catboost.damaged",
     "A CatBoost model file ends too early, or a table in it points outside the file. It was cut off while "
     "being "
     "copied, or made by hand."},
    {"catboost.inconsistent",
     "Parts of a CatBoost model contradict each other, such as the splits of the trees and the features they "
     "name. The file was damaged or made by hand."},
    {"catboost.too_large",
     "Parts of a CatBoost model file refer to each other so often that the model would be many times larger "
     "than "
     "the file. No model is saved like that; the file was made to exhaust memory."},
    {"catboost.unsupported_features",
     "The model uses text or embedding features, whose tokenisers and calculators wherry does not have."},
    {"catboost.unsupported_format",
     "The file is of a version of CatBoost's format which wherry does not know."},
};

}  // namespace wherry::catboost
