// Which cells of a row a model can do without, found by trying.
//
// Thread-safety: pure functions.
#pragma once

#include <vector>

#include "engine/plan.h"
#include "tensor/table.h"

namespace wherry::verify {

// Models of more columns are not tried column by column: each try is a prediction.
inline constexpr std::size_t kMostTried = 64;

// Per column, whether the plan answers the first row of `row` when that cell is missing (as a request's null
// is: NaN in number columns). All true when the row is answered with every cell missing; beyond kMostTried
// all false when it is not.
std::vector<bool> may_be_missing(const engine::Plan& plan, const tensor::Table& row);

// Whether the plan answers these rows at all.
bool answers(const engine::Plan& plan, const tensor::Table& rows);

}  // namespace wherry::verify
