#include "telemetry/process_metrics.h"

#include <dirent.h>
#include <fstream>
#include <iterator>
#include <sstream>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

#include "base/text.h"

namespace wherry::telemetry {

namespace {

// Fields of /proc/self/stat behind the command name, which may contain anything; [0] is the state.
std::vector<std::string> process_stat() {
  std::ifstream file("/proc/self/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::istringstream rest(text.substr(std::min(text.rfind(')') + 2, text.size())));
  return {std::istream_iterator<std::string>(rest), {}};
}

double boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;)
    if (word == "btime") {
      double seconds = 0;
      file >> seconds;
      return seconds;
    }
  return 0;
}

// Without the one that lists them.
std::uint64_t open_descriptors() {
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  std::uint64_t count = 0;
  while (const dirent* entry = ::readdir(folder)) count += entry->d_name[0] == '.' ? 0 : 1;
  ::closedir(folder);
  return count > 0 ? count - 1 : 0;
}

}  // namespace

void write_process_metrics(Exposition& out) {
  const std::vector<std::string> stat = process_stat();
  constexpr std::size_t kUserTicks = 11, kSystemTicks = 12, kThreads = 17, kStartTicks = 19,
                        kVirtualBytes = 20, kResidentPages = 21;
  if (stat.size() <= kResidentPages) return;
  const auto number = [&](std::size_t i) { return base::parse_unsigned(stat[i]).value_or(0); };
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  out.family("process_cpu_seconds", Type::kCounter, "Total user and system CPU time spent in seconds.",
             "seconds");
  out.sample({}, static_cast<double>(number(kUserTicks) + number(kSystemTicks)) / ticks);
  out.family("process_resident_memory_bytes", Type::kGauge, "Resident memory size in bytes.", "bytes");
  out.sample({}, number(kResidentPages) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)));
  out.family("process_virtual_memory_bytes", Type::kGauge, "Virtual memory size in bytes.", "bytes");
  out.sample({}, number(kVirtualBytes));
  out.family("process_start_time_seconds", Type::kGauge,
             "Start time of the process since unix epoch in seconds.", "seconds");
  out.sample({}, boot_time() + static_cast<double>(number(kStartTicks)) / ticks);
  out.family("process_open_fds", Type::kGauge, "Number of open file descriptors.");
  out.sample({}, open_descriptors());
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    out.family("process_max_fds", Type::kGauge, "Maximum number of open file descriptors.");
    out.sample({}, static_cast<std::uint64_t>(limit.rlim_cur));
  }
  out.family("process_threads", Type::kGauge, "Number of threads.");
  out.sample({}, number(kThreads));
}

}  // namespace wherry::telemetry
