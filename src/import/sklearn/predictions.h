// From scores to what predict and predict_proba answer. Private to module sklearn.
#pragma once

#include <span>
#include <vector>

#include "import/sklearn/context.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {

// labels[argmax of each row]; the matrix must have as many columns as there are labels.
Result<Answer> predict_argmax(Context& context, ValueId scores, const Labels& labels, const View& estimator);

// labels[score > 0] of a matrix [n, 1] (score >= 0 when inclusive); there must be two labels.
Result<Answer> predict_sign(Context& context, ValueId score, const Labels& labels, const View& estimator,
                            bool inclusive = false);

// 1 for an inlier, where the score is above 0 (or 0 when inclusive), else -1.
Result<Answer> predict_inlier(Context& context, ValueId score, const View& estimator, bool inclusive);

// 1 where score > threshold, else 0, for each column: labels [n, k] of a multi-label target.
Result<Answer> predict_indicators(Context& context, ValueId scores, double threshold);

// The scores of all classes, or of the second of two as a vector: decision_function of most classifiers.
Result<Answer> decision(Context& context, ValueId scores, const Labels& labels);

// predict of a regressor from its matrix [n, outputs]: a vector when `vector`, which needs one output.
Result<Fitted> regression(Context& context, ValueId predictions, bool vector);

// One matrix [n, sum of class numbers] of per-output probabilities: predict_proba as a list of matrices, and
// predict by argmax of `scores`, which has the same layout.
Result<Fitted> classification(Context& context, ValueId probabilities, ValueId scores,
                              std::span<const Labels> labels, const View& estimator);

}  // namespace wherry::sklearn
