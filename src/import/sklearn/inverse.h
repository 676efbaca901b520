// inverse_transform of the transformers a target is transformed with. Private to module sklearn.
#pragma once

#include "import/sklearn/context.h"

namespace wherry::sklearn {

// `matrix` [n, w] are the transformed values. "sklearn.unsupported_parameter" for a transformer without a
// known inverse.
Result<ValueId> inverse_transform(Context& context, const View& transformer, ValueId matrix);

}  // namespace wherry::sklearn
