// `wherry build`: from a model file to an image in a registry or on disk.
#pragma once

#include "cli/command.h"

namespace wherry::cli {

Action define_build(Options& options);

}  // namespace wherry::cli
