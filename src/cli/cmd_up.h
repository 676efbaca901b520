// `wherry up`: from a model file to a running service with one command.
#pragma once

#include "cli/command.h"

namespace wherry::cli {

Action define_up(Options& options);

}  // namespace wherry::cli
