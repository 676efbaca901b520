// One tree of a document. Private to module xgboost.
#pragma once

#include "import/xgboost/fields.h"
#include "import/xgboost/model.h"

namespace wherry::xgboost {

// Nodes come in an order of their own in the file; here every child follows its parent, and nodes which the
// root does not reach (pruned ones) are left out.
base::Result<Tree> read_tree(const Place& tree, std::int64_t features, std::int64_t leaf_width);

// tree_param.size_leaf_vector, where 0 (up to 1.7) means 1.
base::Result<std::int64_t> leaf_width(const Place& tree);

}  // namespace wherry::xgboost
