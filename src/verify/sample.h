// Tensors which a model of tensors takes, made up.
//
// Thread-safety: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>

#include "program/program.h"
#include "tensor/table.h"

namespace wherry::verify {

struct SampleSize {
  std::int64_t batch = 1;    // of a batched model
  std::int64_t length = 16;  // of each other length which a request chooses
  std::uint64_t seed = 0;    // other numbers for another one
};

// How many elements the largest of its inputs has; SIZE_MAX when they cannot be counted.
std::size_t sample_elements(const program::Signature& signature, const SampleSize& size);

// One request: floating-point elements within [-1, 1), integers and texts as small as indices of anything are
// likely to be (0 and 1), booleans true. Deterministic on every machine.
tensor::Table sample_request(const program::Signature& signature, const SampleSize& size);

}  // namespace wherry::verify
