// Elements of results as numbers. Private to module verify.
#pragma once

#include "tensor/view.h"

namespace wherry::verify {

// Element `i` of a view which holds no texts and is no table; integers beyond 2^53 are rounded.
double element(const tensor::ResultView& view, std::size_t i);

}  // namespace wherry::verify
