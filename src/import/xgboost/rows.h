// From the columns of a request to the matrix a booster looks at. Private to module xgboost.
#pragma once

#include "import/xgboost/lower.h"

namespace wherry::xgboost {

// A matrix [n, features] where NaN is missing and categories are codes.
base::Result<program::ValueId> lower_rows(program::ProgramBuilder& builder, const Model& model,
                                          program::ValueId columns, const Options& options);

}  // namespace wherry::xgboost
