// Error ids of module engine, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::engine {

inline constexpr base::ErrorId kErrorIds[] = {
    {"engine.beyond_knots",
     "A value lies outside the range the spline was fitted on, and the model was configured to refuse that."},
    {"engine.bad_record",
     "A cell which the model takes as an object or a list holds something else, or values its estimator does "
     "not take."},
    {"engine.category",
     "A cell of a categorical column is neither text nor an integer. CatBoost takes no other categories: a "
     "missing value must have been given a text of its own, in training and now."},
    {"engine.column_count", "A row has more or fewer columns than the model was trained with."},
    {"engine.graph_answer", "A tensor model answers another type or shape than its file declares."},
    {"engine.limit", "The model or the batch needs more memory for results than one run may use."},
    {"engine.missing_value",
     "A value is missing in a column which had none in training, and the estimator was configured to refuse "
     "that."},
    {"engine.no_neighbors",
     "A row has no stored row within the radius, or only neighbours of weight 0, which the estimator "
     "refuses."},
    {"engine.not_a_number", "A column which the model uses as a number contains text."},
    {"engine.not_finite",
     "The input contains NaN, infinity or a value beyond float32, which this estimator refuses as "
     "scikit-learn does."},
    {"engine.not_positive",
     "A value is zero or negative where the model takes logarithms, as the Box-Cox transformation does, or "
     "negative where it factorises non-negative numbers."},
    {"engine.not_text", "A text vectoriser met a missing value or a number where it takes text."},
    {"engine.operation",
     "The model uses a variant of an operation which this version of wherry does not know."},
    {"engine.out_of_range",
     "A value is outside of the range in which the estimator answers: below zero where it counts, beyond the "
     "categories or the knots it was fitted with."},
    {"engine.tensor_batch",
     "A tensor model was said to answer one row for each row of its inputs, and answered another number."},
    {"engine.tensor_input",
     "An input tensor of a request is missing, or its type or shape is not what the model takes."},
    {"engine.tree_shape",
     "The nodes of a tree ensemble do not form trees: a node is reached in more than one way."},
    {"engine.unknown_category",
     "An encoder met a category it was not fitted with and was configured to refuse such."},
};

}  // namespace wherry::engine
