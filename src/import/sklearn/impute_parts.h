// What all imputers have in common: sklearn/impute/_base.py. Private to module sklearn.
#pragma once

#include <cstdint>
#include <vector>

#include "import/sklearn/context.h"
#include "tensor/table.h"

namespace wherry::sklearn {

// The parameter missing_values.
Result<tensor::CellValue> missing_marker(const View& estimator);

// The columns `kept` of `input`, whose values are now `value`.
Flow kept_columns(const Flow& input, ValueId value, const std::vector<std::int64_t>& kept);

// `imputed`, followed by the columns of indicator_ when the estimator has add_indicator. `source`: the values
// of `input` before they were imputed.
Result<Flow> with_indicator(Context& context, const View& estimator, const tensor::CellValue& missing,
                            ValueId source, const Flow& input, Flow imputed);

}  // namespace wherry::sklearn
