// Error ids of module xgboost, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::xgboost {

inline constexpr base::ErrorId kErrorIds[] = {
    {"xgboost.json_syntax", "An XGBoost model file begins like JSON, but is cut off or damaged further on."},
    {"xgboost.ubj_syntax",
     "An XGBoost model in UBJSON (a .ubj file, or the part of a pickle which holds the booster) is cut off "
     "or damaged."},
    {"xgboost.limit",
     "An XGBoost model is nested deeper, or has more values, than any real one. The file was made to exhaust "
     "memory."},
    {"xgboost.inconsistent",
     "Parts of an XGBoost model contradict each other, such as the number of nodes and of split conditions, "
     "or a node which is its own descendant. The file was damaged or made by hand."},
    {"xgboost.unsupported",
     "The XGBoost model uses something that wherry cannot reproduce exactly. Its message says what."},
    {"xgboost.unsupported_objective",
     "The objective of the XGBoost model is none that wherry knows, so how scores become predictions is "
     "unknown."},
};

}  // namespace wherry::xgboost
