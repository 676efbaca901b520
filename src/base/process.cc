#include "base/process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

extern char** environ;

namespace wherry::base {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct Pipe {
  int read_end = -1;
  int write_end = -1;
  ~Pipe() {
    close_end(read_end);
    close_end(write_end);
  }
  static void close_end(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
  bool open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read_end = ends[0];
    write_end = ends[1];
    return true;
  }
};

std::vector<std::string> merged_environment(const Command& command) {
  std::vector<std::string> merged;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view key = text.substr(0, text.find('='));
    bool replaced = false;
    for (const auto& [name, value] : command.environment) replaced |= name == key;
    if (!replaced) merged.emplace_back(text);
  }
  for (const auto& [name, value] : command.environment) merged.push_back(cat(name, "=", value));
  return merged;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

Result<pid_t> start(const Command& command, Pipe& in, Pipe& out, Pipe& err) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read_end, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write_end, 1);
  posix_spawn_file_actions_adddup2(&actions, err.write_end, 2);
  std::vector<std::string> arguments = command.arguments;
  std::vector<std::string> environment = merged_environment(command);
  pid_t pid = -1;
  const int failure = ::posix_spawnp(&pid, arguments[0].c_str(), &actions, nullptr,
                                     pointers(arguments).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (failure == ENOENT)
    return fail(Code::kUnavailable, "base.command_not_found",
                cat("program ", quoted(arguments[0]), " not found"),
                cat("install ", arguments[0], " or put it on the PATH"));
  if (failure != 0)
    return fail(Code::kUnavailable, "base.command_failed",
                cat("cannot start ", quoted(arguments[0]), ": ", std::strerror(failure)),
                "check its permissions");
  return pid;
}

// Reads what is there into `sink`; closes the end at end of file.
void drain(int& fd, std::string& sink, std::size_t most) {
  char buffer[16384];
  const ssize_t count = ::read(fd, buffer, sizeof buffer);
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (count <= 0) return Pipe::close_end(fd);
  sink.append(buffer, std::min(static_cast<std::size_t>(count), most - std::min(most, sink.size())));
}

void feed(int& fd, std::string_view& rest) {
  if (!rest.empty()) {
    const ssize_t count = ::write(fd, rest.data(), rest.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (count < 0)
      rest = {};
    else
      rest.remove_prefix(static_cast<std::size_t>(count));
  }
  if (rest.empty()) Pipe::close_end(fd);
}

// False when the deadline passed first.
bool exchange(const Command& command, Pipe& in, Pipe& out, Pipe& err, CommandOutput& output,
              SteadyClock::time_point deadline) {
  ::fcntl(in.write_end, F_SETFL, O_NONBLOCK);
  std::string_view rest = command.input;
  if (rest.empty()) Pipe::close_end(in.write_end);
  while (out.read_end >= 0 || err.read_end >= 0) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now()).count();
    if (left <= 0) return false;
    std::array<pollfd, 3> ends{
        {{out.read_end, POLLIN, 0}, {err.read_end, POLLIN, 0}, {in.write_end, POLLOUT, 0}}};
    if (::poll(ends.data(), ends.size(), static_cast<int>(std::min<long long>(left, 1000))) <= 0) continue;
    if (ends[0].revents != 0) drain(out.read_end, output.out, command.most_output);
    if (ends[1].revents != 0) drain(err.read_end, output.err, command.most_output);
    if (ends[2].revents != 0) feed(in.write_end, rest);
  }
  return true;
}

class RealProcesses final : public Processes {
 public:
  Result<CommandOutput> run(const Command& command) override {
    if (command.arguments.empty())
      return fail(Code::kInternal, "base.command_failed", "empty command", "report this as a bug");
    Pipe in, out, err;
    if (!in.open() || !out.open() || !err.open())
      return fail(Code::kUnavailable, "base.command_failed",
                  cat("cannot make a pipe: ", std::strerror(errno)), "raise the limit of open files");
    TRY_ASSIGN(const pid_t pid, start(command, in, out, err));
    Pipe::close_end(in.read_end);
    Pipe::close_end(out.write_end);
    Pipe::close_end(err.write_end);
    CommandOutput output;
    const bool ended = exchange(command, in, out, err, output, SteadyClock::now() + command.timeout);
    if (!ended) ::kill(pid, SIGKILL);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!ended)
      return fail(Code::kUnavailable, "base.command_failed",
                  cat(quoted(command.arguments[0]), " did not end within ", command.timeout.count(), " ms"),
                  "run it by hand to see what it waits for");
    output.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return output;
  }
};

}  // namespace

Processes& real_processes() {
  static RealProcesses processes;
  return processes;
}

}  // namespace wherry::base
