// Values worth trying in each input column of a program. Private to module verify.
#pragma once

#include <vector>

#include "program/program.h"
#include "tensor/table.h"

namespace wherry::verify {

// Per input column, the most telling values first: what imputers fill in, means and spreads of scalers,
// thresholds of trees, categories of encoders; never empty. Deterministic.
std::vector<std::vector<tensor::CellValue>> candidates(const program::Program& program);

}  // namespace wherry::verify
