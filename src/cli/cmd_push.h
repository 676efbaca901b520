// `wherry push`: an image which exists already, from a layout or registry to a registry.
#pragma once

#include "cli/command.h"

namespace wherry::cli {

Action define_push(Options& options);

}  // namespace wherry::cli
