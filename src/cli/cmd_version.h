// `wherry version`.
#pragma once

#include "cli/command.h"

namespace wherry::cli {

Action define_version(Options& options);

}  // namespace wherry::cli
