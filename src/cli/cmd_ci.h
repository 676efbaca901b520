// `wherry ci`: writes the pipeline of an application for a CI/CD system.
#pragma once

#include "cli/command.h"

namespace wherry::cli {

Action define_ci(Options& options);

}  // namespace wherry::cli
