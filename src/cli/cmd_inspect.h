// `wherry inspect`: what is in a model file and whether it can be served.
#pragma once

#include "cli/command.h"

namespace wherry::cli {

Action define_inspect(Options& options);

}  // namespace wherry::cli
