// `wherry deploy`: a service into a Kubernetes cluster, and the wait until it runs.
#pragma once

#include "cli/command.h"

namespace wherry::cli {

Action define_deploy(Options& options);

}  // namespace wherry::cli
