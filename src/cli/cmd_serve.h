// `wherry serve`: serves a model on this machine.
#pragma once

#include "cli/command.h"

namespace wherry::cli {

Action define_serve(Options& options);

}  // namespace wherry::cli
