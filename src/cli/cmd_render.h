// `wherry render`: the Kubernetes objects of a service as YAML.
#pragma once

#include "cli/command.h"

namespace wherry::cli {

Action define_render(Options& options);

}  // namespace wherry::cli
