// `wherry explain`: what an error id means.
#pragma once

#include "cli/command.h"

namespace wherry::cli {

Action define_explain(Options& options);

}  // namespace wherry::cli
