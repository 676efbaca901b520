// The whole of wherry-server: options, listener, model, signals.
#pragma once

namespace wherry::serve {

// Runs until SIGTERM or SIGINT. Gives the exit status: 0 after a drained end, 1 when the model cannot be
// served, 2 for a wrong option, 3 when the port cannot be had. A second signal ends the process at once with
// 130.
int run_server(int argc, char** argv);

}  // namespace wherry::serve
