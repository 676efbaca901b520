// Taking back that a tensor model is batched.
//
// Thread-safety: pure functions.
#pragma once

#include "base/error.h"
#include "program/program.h"

namespace wherry::program {

// The same program with Signature::batched false. Errors: "program.invalid" where operations on rows rely on
// the batch.
base::Result<Program> without_batch(const Program& program);

}  // namespace wherry::program
