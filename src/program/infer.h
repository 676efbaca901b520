// Type rules of the operations. Private to module program.
#pragma once

#include <span>

#include "base/error.h"
#include "program/program.h"

namespace wherry::program {

// The type of `op` applied to the values `inputs` of `program`; "program.invalid" when types, weights or
// fields break the operation's contract in ops.h.
base::Result<ValueType> infer(const Op& op, std::span<const ValueId> inputs, const Program& program);

}  // namespace wherry::program
