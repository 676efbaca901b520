#include "base/child.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "base/text.h"

namespace wherry::base {
namespace {

int exit_code(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

sigset_t kept_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&set, number);
  return set;
}

// Between fork and exec: reports the reason through `failure_pipe` if the program cannot be started.
[[noreturn]] void become(std::vector<char*>& arguments, int failure_pipe, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(0);
  ::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);  // what we block, the child must still hear
  ::execvp(arguments[0], arguments.data());
  const int reason = errno;
  const ssize_t written = ::write(failure_pipe, &reason, sizeof reason);
  ::_exit(written == sizeof reason ? 127 : 126);
}

}  // namespace

Result<Child> Child::start(const std::vector<std::string>& arguments) {
  std::vector<std::string> copies = arguments;
  std::vector<char*> pointers;
  for (std::string& copy : copies) pointers.push_back(copy.data());
  pointers.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return fail(Code::kUnavailable, "base.command_failed", cat("cannot make a pipe: ", std::strerror(errno)),
                "raise the limit of open files");
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(pointers, ends[1], parent);
  ::close(ends[1]);
  int reason = pid < 0 ? errno : 0;
  if (pid > 0 && ::read(ends[0], &reason, sizeof reason) == sizeof reason) ::waitpid(pid, nullptr, 0);
  ::close(ends[0]);
  if (reason == ENOENT)
    return fail(Code::kUnavailable, "base.command_not_found",
                cat("program ", quoted(arguments[0]), " not found"), "install it or put it on the PATH");
  if (reason != 0)
    return fail(Code::kUnavailable, "base.command_failed",
                cat("cannot start ", quoted(arguments[0]), ": ", std::strerror(reason)),
                "check its permissions");
  return Child(pid);
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      status_(other.status_),
      before_(std::exchange(other.before_, std::nullopt)) {}

Child::~Child() {
  if (pid_ >= 0 && !status_) {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  if (before_) ::sigprocmask(SIG_SETMASK, &*before_, nullptr);
}

std::optional<int> Child::poll() {
  int status = 0;
  if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = exit_code(status);
  return status_;
}

void Child::keep_signals() {
  if (before_) return;
  const sigset_t kept = kept_signals();
  ::sigprocmask(SIG_BLOCK, &kept, &before_.emplace());
}

int Child::wait() {
  keep_signals();
  const sigset_t kept = kept_signals();
  while (!poll()) {
    int number = 0;
    if (::sigwait(&kept, &number) == 0 && number != SIGCHLD)
      ::kill(pid_, number == SIGHUP ? SIGTERM : number);
  }
  ::sigprocmask(SIG_SETMASK, &*before_, nullptr);
  before_.reset();
  return *status_;
}

}  // namespace wherry::base
