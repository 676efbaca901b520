// `wherry dockerfile`: the image as a Dockerfile.
#pragma once

#include "cli/command.h"

namespace wherry::cli {

Action define_dockerfile(Options& options);

}  // namespace wherry::cli
