// The trees of a model as one operation. Private to module xgboost.
#pragma once

#include <cstdint>
#include <vector>

#include "import/xgboost/lower.h"

namespace wherry::xgboost {

// `base`: margin of each output before the first tree.
base::Result<program::ValueId> lower_trees(program::ProgramBuilder& builder, const Model& model,
                                           program::ValueId matrix, const std::vector<float>& base,
                                           const Options& options);

// Words of 32 bits for the largest category that a tree knows; 0 without any.
std::int64_t category_words(const Model& model);

// Per feature: whether trees split on it by category.
std::vector<bool> category_features(const Model& model);

}  // namespace wherry::xgboost
