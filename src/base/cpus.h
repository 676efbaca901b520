// How many processors this process may use.
#pragma once

#include <filesystem>

namespace wherry::base {

// The smaller of the scheduling affinity and the control group's CPU quota rounded up, at least 1. The quota
// is cgroup v2's cpu.max or v1's cpu.cfs_quota_us, of the process's own group or any above it. `root` stands
// for
// "/" in tests.
unsigned available_cpus(const std::filesystem::path& root = "/");

}  // namespace wherry::base
