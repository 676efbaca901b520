// `wherry verify`: does a model give the answers its golden examples state.
#pragma once

#include "cli/command.h"

namespace wherry::cli {

Action define_verify(Options& options);

}  // namespace wherry::cli
