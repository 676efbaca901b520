// `wherry convert`: a model file as a bundle folder.
#pragma once

#include "cli/command.h"

namespace wherry::cli {

Action define_convert(Options& options);

}  // namespace wherry::cli
