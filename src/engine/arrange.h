// Preparing a Program for quick loading.
//
// Thread-safety: pure functions.
#pragma once

#include "base/error.h"
#include "program/program.h"

namespace wherry::engine {

// The same program, predicting the same to the last bit, with the nodes of its tree ensembles in the order in
// which Plan::compile wants them; nodes which no tree reaches are gone. Compiling an arranged program is
// several times faster. Errors: "engine.tree_shape".
base::Result<program::Program> arranged(const program::Program& program);

}  // namespace wherry::engine
