#include "base/cpus.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <sched.h>
#include <string>

namespace wherry::base {

namespace {

namespace fs = std::filesystem;

// "200000 100000" is 2 processors, "max 100000" no limit.
std::optional<double> quota_v2(const fs::path& group) {
  std::ifstream file(group / "cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return std::nullopt;
  return std::strtod(quota.c_str(), nullptr) / period;
}

std::optional<double> quota_v1(const fs::path& group) {
  std::ifstream quota_file(group / "cpu.cfs_quota_us"), period_file(group / "cpu.cfs_period_us");
  double quota = 0, period = 0;
  if (!(quota_file >> quota) || !(period_file >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

// The least quota of `group` (as /proc/self/cgroup names it) and the groups above it, below `hierarchy`.
template <class Quota>
double least_quota(const fs::path& hierarchy, std::string group, Quota quota) {
  double least = HUGE_VAL;
  while (true) {
    least = std::min(least, quota(hierarchy / fs::path(group).relative_path()).value_or(HUGE_VAL));
    if (group.empty() || group == "/") return least;
    group.resize(group.rfind('/') == group.npos ? 0 : group.rfind('/'));
  }
}

}  // namespace

unsigned available_cpus(const fs::path& root) {
  cpu_set_t set;
  CPU_ZERO(&set);
  unsigned count = sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<unsigned>(CPU_COUNT(&set)) : 1;
  const fs::path groups = root / "sys/fs/cgroup";
  double quota = HUGE_VAL;
  std::ifstream file(root / "proc/self/cgroup");  // lines "hierarchy:controllers:path"
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1),
                      path = line.substr(second + 1);
    if (controllers.empty()) quota = std::min(quota, least_quota(groups, path, quota_v2));
    if (("," + controllers + ",").find(",cpu,") != std::string::npos)
      quota = std::min(quota, least_quota(groups / "cpu", path, quota_v1));
  }
  if (quota < count) count = static_cast<unsigned>(std::ceil(quota));
  return std::max(count, 1u);
}

}  // namespace wherry::base
