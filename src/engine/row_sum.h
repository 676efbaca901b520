// RowSum of program/ops.h.
#pragma once

#include <cstddef>

namespace wherry::engine {

// The sum of `count` contiguous numbers in the order of numpy's pairwise summation
// (numpy/core/src/umath/loops_utils.h.src, DOUBLE_pairwise_sum, stride of one element). 0.0 for none.
double row_sum(const double* values, std::size_t count);

}  // namespace wherry::engine
