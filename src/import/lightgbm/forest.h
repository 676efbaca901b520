// Trees as the arrays of program::TreeEnsemble and program::LinearTrees. Private to module lightgbm.
#pragma once

#include "import/lightgbm/check.h"
#include "program/program.h"

namespace wherry::lightgbm {

// matrix [n, columns] → matrix [n, outputs]: the sums of the first `trees` trees.
Result<program::ValueId> add_forest(program::ProgramBuilder& builder, const Model& model,
                                    program::ValueId matrix, std::size_t trees);

}  // namespace wherry::lightgbm
