// What text vectorisers and vectorisers of records have in common. Private to module sklearn.
#pragma once

#include <string>
#include <string_view>

#include "import/sklearn/context.h"
#include "import/sklearn/registry.h"

namespace wherry::sklearn {

// The one column a vectoriser takes, as the columns of a model which begins with one.
Result<InputColumns> text_column(const View& estimator);
Result<InputColumns> record_column(const View& estimator);

// Checks that the flow is one column, and says that it is read as `type`.
Status take_one_column(Context& context, const View& estimator, const Flow& input, program::ColumnType type);

// `dtype`, which must be a float (or, with `counts`, int32 or int64): true for float32.
Result<bool> float32_values(const View& estimator, bool counts);

// n_features of the hashing vectorisers.
Result<std::int64_t> hash_width(const View& estimator);

// A list of strings as the weight of CountTerms and DictFeatures.
WeightId string_weight(Context& context, std::string_view name, std::vector<std::string> values);

}  // namespace wherry::sklearn
