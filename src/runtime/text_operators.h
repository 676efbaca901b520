// The operators of domain ai.wherry (tftext/operators.h) as custom operators of ONNX Runtime. Private to
// module runtime.
#pragma once

#include "runtime/library.h"

namespace wherry::runtime {

// Makes the operators known to a session that is made with these options. They live as long as the process.
base::Status add_text_operators(const Library& library, OrtSessionOptions* options);

}  // namespace wherry::runtime
