// The one door to the terminal: stdout carries data only, everything said to a person goes to stderr.
//
// Thread-safety: none; the command line runs in one thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace wherry::cli {

class Terminal {
 public:
  struct Sinks {
    std::function<void(std::string_view)> out;  // stdout
    std::function<void(std::string_view)> err;  // stderr
    bool err_is_terminal = false;
    bool colour = false;
  };
  explicit Terminal(Sinks sinks) : sinks_(std::move(sinks)) {}

  void set_quiet(bool quiet) { quiet_ = quiet; }

  void data(std::string_view text);      // to stdout, as it is
  void note(std::string_view line);      // a line to stderr; silent when quiet
  void warning(std::string_view line);   // "warning: …" to stderr, also when quiet
  void progress(std::string_view line);  // overwrites itself; only on a terminal, never when quiet
  void error(const base::Error& error);  // "error: …", "hint: …", the id

 private:
  void clear_progress();
  Sinks sinks_;
  bool quiet_ = false;
  bool progress_shown_ = false;
};

// Bound to this process's streams; honours NO_COLOR and CLICOLOR_FORCE.
Terminal real_terminal();

}  // namespace wherry::cli
