// From command-line arguments to an exit status.
#pragma once

#include <span>
#include <string>

#include "cli/command.h"

namespace wherry::cli {

// Runs `arguments` (without the program's name) and prints what there is to say. Exit status: 0 ok, 1 the
// request failed, 2 usage or configuration, 3 environment, 70 a bug.
int run(std::span<const std::string> arguments, Context& context);

// The whole program: real terminal, disk, clock, processes and network.
int run_main(int argc, char** argv);

}  // namespace wherry::cli
