// A program which runs beside us for a while (the model server under `wherry up`).
#pragma once

#include <optional>
#include <signal.h>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/error.h"

namespace wherry::base {

// Ends with us: the child is told to terminate when our process dies, however it dies. It is in a process
// group of its own, so an interrupt typed at the terminal reaches only us, and we pass it on once. Move-only;
// not thread-safe.
class Child {
 public:
  // Standard streams are ours. Errors: "base.command_not_found", "base.command_failed".
  static Result<Child> start(const std::vector<std::string>& arguments);
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  ~Child();  // terminates and waits if it still runs

  std::optional<int> poll();  // its exit status (128 + signal) if it has ended
  // From now on SIGINT, SIGTERM and SIGHUP do not end us: wait() passes them on. To be called before the
  // world is told that the program runs, for a signal may come before wait() does.
  void keep_signals();
  int wait();  // keeps signals, passes them on, until it has ended

 private:
  explicit Child(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
  std::optional<int> status_;
  std::optional<sigset_t> before_;  // what was blocked when we began to keep signals
};

}  // namespace wherry::base
