// What feature selection asks of a fitted estimator. Private to module sklearn.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "import/sklearn/context.h"

namespace wherry::sklearn {

// sklearn/feature_selection/_base.py, _get_feature_importances with transform_func='norm': coef_ or
// feature_importances_ of `estimator`, or the attributes which `getter` names, as one number >= 0 for each of
// `columns`. Importances of trees are properties, so they are computed as sklearn/tree/_tree.pyx does.
Result<std::vector<double>> feature_importances(Context& context, const View& estimator,
                                                std::string_view getter, double norm_order,
                                                std::int64_t columns);

// The tag allow_nan of an estimator: whether NaN in X is its own affair.
bool allows_nan(const Context& context, const View& estimator, int depth = 0);

}  // namespace wherry::sklearn
