// Running other programs (credential helpers, exec plugins).
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace wherry::base {

struct Command {
  std::vector<std::string> arguments;                            // [0] is looked up on the PATH; no shell
  std::string input;                                             // written to standard input, then closed
  std::vector<std::pair<std::string, std::string>> environment;  // added to our own
  std::chrono::milliseconds timeout{30'000};                     // then the process is killed
  std::size_t most_output = 4 << 20;                             // bytes kept of each stream
};

struct CommandOutput {
  int status = 0;  // exit status, or 128 + signal
  std::string out;
  std::string err;
};

// Implementations are thread-safe.
class Processes {
 public:
  virtual ~Processes() = default;
  // Ok whatever the exit status is; "base.command_not_found" and "base.command_failed" (not started, time
  // out).
  virtual Result<CommandOutput> run(const Command& command) = 0;
};

Processes& real_processes();  // stateless

}  // namespace wherry::base
