// What an objective makes of raw scores. Private to module lightgbm.
#pragma once

#include "import/lightgbm/check.h"
#include "program/program.h"

namespace wherry::lightgbm {

// ConvertOutput of the model's objective (src/objective/*.hpp) applied to `raw` [n, outputs]; `raw` itself
// where there is none.
Result<program::ValueId> add_objective(program::ProgramBuilder& builder, const Model& model,
                                       program::ValueId raw);

}  // namespace wherry::lightgbm
