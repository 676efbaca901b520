// Error ids of module cli, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::cli {

inline constexpr base::ErrorId kErrorIds[] = {
    {"cli.unknown_command", "There is no such command; 'wherry help' lists them."},
    {"cli.usage", "An option is unknown, lacks its value, or has a value which is not allowed."},
    {"cli.unknown_error_id", "There is no error with that id."},
    {"cli.server_missing",
     "The program wherry-server, which serves and travels in images, is not beside wherry."},
    {"cli.server_failed", "The server ended before it was ready; what it printed stands above."},
    {"cli.port_taken", "Another program listens on the port already."},
    {"cli.verify_failed", "The model does not give the answers its golden examples state. Do not deploy it."},
};

}  // namespace wherry::cli
