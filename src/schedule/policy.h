// How requests for one model wait and are put together, with the names and meanings of Triton's
// ModelDynamicBatching and ModelQueuePolicy (model_config.proto). What differs from Triton is said so.
//
// Thread-safety: values.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/plan.h"
#include "tensor/table.h"

namespace wherry::schedule {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

enum class TimeoutAction : std::uint8_t {
  kReject,  // answered with an error at once
  kDelay,   // computed when nothing else of its priority waits
};

struct QueuePolicy {
  TimeoutAction timeout_action = TimeoutAction::kReject;
  microseconds default_timeout{0};      // 0: none
  bool allow_timeout_override = false;  // a request may lower the time, never raise it
  std::size_t max_queue_size = 0;       // waiting requests; 0: only most_wait bounds them
};

struct Policy {
  std::size_t max_batch_size = 1024;  // rows put together; a request with more runs alone, never split
  std::vector<std::size_t> preferred_batch_sizes;  // ascending; run at once when they can be formed
  // How long a request may be kept back for others to join. Unlike in Triton it is not kept back when, by the
  // arrivals seen so far, nobody is expected within that time.
  microseconds max_queue_delay{0};
  bool preserve_ordering = false;       // answers leave in the order in which requests of a priority came
  unsigned priority_levels = 0;         // 1 is the highest; 0: no priorities
  unsigned default_priority_level = 0;  // of requests which name none, or one that does not exist
  QueuePolicy default_queue_policy;
  std::map<unsigned, QueuePolicy> priority_queue_policy;  // of single levels
  unsigned instances = 0;                                 // runs at the same time; 0: as many as workers

  // Requests are not put together beyond this predicted time, or the first would wait for the last; 0: no
  // bound. Not Triton's.
  nanoseconds most_batch_time{2'000'000};
  // A request which would wait longer than this, as predicted, is refused; 0: no bound. Not Triton's.
  nanoseconds most_wait{10'000'000'000};
};

// What a run costs, as measured when the model was loaded.
struct Cost {
  nanoseconds first{0};      // of one row
  nanoseconds further{0};    // of each further row
  double texts_per_row = 0;  // bytes of text in the rows measured; longer texts cost in proportion
  double bytes_per_row = 0;  // of tensors in the rows measured; larger ones cost in proportion

  nanoseconds of(const tensor::Table& table) const;
};

// A model as the scheduler sees it. Immutable; requests share it, so that it lives as long as they do.
struct Target {
  std::string name;
  engine::Plan plan;
  Policy policy;
  Cost cost;
};

}  // namespace wherry::schedule
