// Isotonic regression, also as calibrators use it. Private to module sklearn.
#pragma once

#include "import/sklearn/context.h"

namespace wherry::sklearn {

// IsotonicRegression.predict of a matrix [n, 1] of finite numbers: [n, 1].
Result<ValueId> isotonic(Context& context, const View& regression, ValueId x);

}  // namespace wherry::sklearn
