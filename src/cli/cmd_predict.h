// `wherry predict`: predictions for rows from a file or standard input.
#pragma once

#include "cli/command.h"

namespace wherry::cli {

Action define_predict(Options& options);

}  // namespace wherry::cli
