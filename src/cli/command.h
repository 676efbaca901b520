// What a command is: one row of the table in commands.cc and one file pair cmd_NAME.{h,cc}. `define` declares
// the options and returns what to do with them, so declaring, doing and printing stay apart and tests can
// call either.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "http_client/transport.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/process.h"
#include "cli/options.h"
#include "cli/terminal.h"

namespace wherry::cli {

// Everything a command may touch. Borrowed; outlives the command.
struct Context {
  Terminal& terminal;
  base::FileSystem& files;
  base::Processes& processes;
  base::Clock& clock;
  // Registries, clusters and clouds each want their own certificates.
  std::function<std::unique_ptr<http_client::Transport>(http_client::TransportOptions)> make_transport;
};

// The exit status, usually 0; 1 for "difference found" or "check failed" where that is not an error of its
// own.
using Action = std::function<base::Result<int>(Context&)>;

struct Command {
  std::string_view name;
  std::string_view group;    // heading in the list of commands
  std::string_view summary;  // one line, lower case, no full stop
  std::string_view details;  // paragraphs for --help
  std::string_view example;  // console lines for --help and the reference
  Action (*define)(Options& options);
};

std::span<const Command> commands();

}  // namespace wherry::cli
