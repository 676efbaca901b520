// A model's serving.json: how it is served. Members have the names of Triton's model configuration:
//
//   {"version_policy": {"latest": {"num_versions": 2}},     or {"all": {}}, {"specific": {"versions": [1,
//   3]}}
//    "max_batch_size": 64,
//    "instance_group": [{"count": 2}],
//    "dynamic_batching": {
//      "preferred_batch_size": [16, 32], "max_queue_delay_microseconds": 500, "preserve_ordering": false,
//      "priority_levels": 2, "default_priority_level": 2,
//      "default_queue_policy": {"timeout_action": "REJECT", "default_timeout_microseconds": 0,
//                               "allow_timeout_override": false, "max_queue_size": 0},
//      "priority_queue_policy": {"1": {"max_queue_size": 10}}},
//    "inline_microseconds": 50,       predicted cost up to which a request is computed on the I/O thread
//    "max_queue_wait_seconds": 10}    predicted wait beyond which a request is refused
//
// Thread-safety: values, pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "schedule/policy.h"

#include "base/error.h"

namespace wherry::repository {

// Which of the versions on disk are served.
struct VersionPolicy {
  enum class Kind : std::uint8_t { kLatest, kAll, kSpecific } kind = Kind::kLatest;
  std::uint64_t latest = 1;
  std::vector<std::uint64_t> versions;  // for kSpecific

  // `found` ascending; what is served, ascending.
  std::vector<std::uint64_t> choose(const std::vector<std::uint64_t>& found) const;
};

struct Settings {
  VersionPolicy versions;
  schedule::Policy batching;
  std::chrono::microseconds inline_limit{50};
};

// `defaults` hold for members that are left out. `what` names the file in errors: "repository.bad_settings".
base::Result<Settings> read_settings(std::string_view document, std::string_view what,
                                     const Settings& defaults);

// "latest:2", "all" or "1,3", as the command line has it; nullopt otherwise.
std::optional<VersionPolicy> parse_version_policy(std::string_view text);

}  // namespace wherry::repository
