#include "cli/terminal.h"

#include <cstdio>
#include <cstdlib>
#include <unistd.h>

#include "base/text.h"

namespace wherry::cli {

using base::cat;

void Terminal::clear_progress() {
  if (progress_shown_) sinks_.err("\r\x1b[K");
  progress_shown_ = false;
}

void Terminal::data(std::string_view text) {
  clear_progress();
  sinks_.out(text);
}

void Terminal::note(std::string_view line) {
  if (quiet_) return;
  clear_progress();
  sinks_.err(cat(line, "\n"));
}

void Terminal::warning(std::string_view line) {
  clear_progress();
  sinks_.err(cat(sinks_.colour ? "\x1b[33mwarning:\x1b[0m " : "warning: ", line, "\n"));
}

void Terminal::progress(std::string_view line) {
  if (quiet_ || !sinks_.err_is_terminal) return;
  clear_progress();
  sinks_.err(line);
  progress_shown_ = true;
}

void Terminal::error(const base::Error& error) {
  clear_progress();
  sinks_.err(cat(sinks_.colour ? "\x1b[1;31merror:\x1b[0m " : "error: ", base::describe(error), " [",
                 error.id, "]\n"));
  if (!error.hint.empty())
    sinks_.err(cat(sinks_.colour ? "\x1b[36mhint:\x1b[0m " : "hint: ", error.hint, "\n"));
}

Terminal real_terminal() {
  const bool is_terminal = ::isatty(STDERR_FILENO) == 1;
  const auto set = [](const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0';
  };
  Terminal::Sinks sinks;
  sinks.out = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); };
  sinks.err = [](std::string_view text) {
    std::fflush(stdout);
    std::fwrite(text.data(), 1, text.size(), stderr);
  };
  sinks.err_is_terminal = is_terminal;
  sinks.colour = !set("NO_COLOR") && (is_terminal || set("CLICOLOR_FORCE"));
  return Terminal(std::move(sinks));
}

}  // namespace wherry::cli
