// Whether tensors are those a model takes. Private to module engine.
#pragma once

#include "base/error.h"
#include "program/program.h"
#include "tensor/table.h"

namespace wherry::engine {

// Their number, dtypes, shapes and sizes; that lengths of one name are equal, and that the batch is
// `input.rows`. "engine.tensor_input" otherwise. Allocates nothing for tensors which are right.
base::Status check_tensors(const program::Signature& signature, const tensor::Table& input);

}  // namespace wherry::engine
