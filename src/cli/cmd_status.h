// `wherry status`: how a deployed service is doing.
#pragma once

#include "cli/command.h"

namespace wherry::cli {

Action define_status(Options& options);

}  // namespace wherry::cli
