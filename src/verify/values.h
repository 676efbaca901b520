// Elements of results as golden examples hold them. Private to module verify.
#pragma once

#include <cstddef>

#include "protocol/golden.h"
#include "tensor/view.h"

namespace wherry::verify {

protocol::GoldenValue value_at(const tensor::ResultView& view, std::size_t i);

// The only row of a one-row result.
protocol::GoldenOutput output_of(const tensor::NamedResult& result);

}  // namespace wherry::verify
