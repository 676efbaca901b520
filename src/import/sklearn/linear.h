// Linear models' scores and what classifiers make of them, for the families which have coef_ and intercept_.
// Private to module sklearn.
#pragma once

#include <cstdint>
#include <vector>

#include "import/sklearn/context.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {

struct Coefficients {
  std::int64_t outputs = 0;
  std::int64_t columns = 0;
  bool is_vector = false;  // coef_ has one dimension
  bool float32 = false;
  std::vector<double> values;     // [outputs, columns]
  std::vector<double> intercept;  // [outputs]
};

// coef_ and intercept_ of an estimator for `columns` columns; sparse coefficients too.
Result<Coefficients> read_coefficients(Context& context, const View& estimator, std::int64_t columns);

// X @ coef_.T + intercept_ of the checked input.
Result<ValueId> linear_scores(Context& context, const View& estimator, const Flow& input,
                              const Coefficients& coefficients);

struct Scored {
  ValueId scores = 0;
  Labels labels;
  bool float32 = false;
};

Result<Scored> classify_linear(Context& context, const View& estimator, const View& classes,
                               const Flow& input);

// predict and decision_function of LinearClassifierMixin.
Result<Fitted> with_scores(Context& context, const View& estimator, const Scored& scored);

// The probabilities of one sigmoid per class, or of two classes.
Result<ValueId> one_vs_rest(Context& context, const Scored& scored);

Result<ValueId> softmax_of_scores(Context& context, const Scored& scored);

}  // namespace wherry::sklearn
