// Error ids of module sklearn, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::sklearn {

inline constexpr base::ErrorId kErrorIds[] = {
    {"sklearn.not_an_estimator",
     "The file holds something else than a scikit-learn estimator: a dictionary, a list, an array or a data "
     "frame. Save the fitted Pipeline or estimator itself."},
    {"sklearn.unknown_class",
     "A step of the model is an instance of a class which is not part of scikit-learn. Its code is not in "
     "the "
     "file, and wherry never runs Python, so what it computes is unknown."},
    {"sklearn.unsupported_estimator", "wherry cannot predict with this scikit-learn estimator yet."},
    {"sklearn.no_inference",
     "This estimator only describes the rows it was fitted on and has no prediction for new ones."},
    {"sklearn.unfitted",
     "The estimator was saved before fit() was called, so there is nothing to predict with."},
    {"sklearn.unsupported_parameter",
     "A parameter of an estimator asks for something that wherry cannot reproduce exactly, such as a Python "
     "function of one's own."},
    {"sklearn.inconsistent",
     "Parts of the model contradict each other, such as the number of classes and of coefficients. The file "
     "was damaged or made by hand."},
    {"sklearn.refused_global",
     "The file would call a function that has no place in a model when Python loads it, which is how "
     "malicious "
     "pickles work. wherry executes nothing of it, and refuses it."},
    {"sklearn.too_deep", "Estimators are nested in each other deeper, or in larger number, than the limit."},
    {"sklearn.too_large",
     "Parts of the file refer to each other so often that the model would be many times larger than the "
     "file. "
     "No model is saved like that; the file was made to exhaust memory."},
    {"sklearn.unknown_columns",
     "Nothing in the file says how many columns the model takes. Estimators say so since scikit-learn 0.24, "
     "dummy estimators later."},
    {"sklearn.no_method",
     "The model has none of predict, predict_proba, decision_function, score_samples and transform."},
};

}  // namespace wherry::sklearn
