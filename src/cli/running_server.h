// wherry-server as a child of this program, for `serve` and `up`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/child.h"
#include "cli/command.h"

namespace wherry::cli {

struct ServerRequest {
  std::filesystem::path bundle;
  std::string host = "127.0.0.1";
  std::int64_t port = 8080;
  std::vector<std::string> further;  // further flags of wherry-server
};

// "http://127.0.0.1:8080"; an address for all interfaces is shown as 127.0.0.1.
std::string address(const ServerRequest& request);

// Starts the server and waits until it says that it is ready; from then on signals wait for wait_for_end().
// Errors: "cli.port_taken", "cli.server_failed".
base::Result<base::Child> start_server(const ServerRequest& request, Context& context);

// Waits for its end, passing signals on; the exit status to end with.
int wait_for_end(base::Child server);

}  // namespace wherry::cli
