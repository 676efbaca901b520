// A request on its way through the scheduler.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>

#include "schedule/policy.h"

#include "base/error.h"
#include "tensor/view.h"

namespace wherry::schedule {

enum class Failure : std::uint8_t {
  kModel,      // the model refuses the rows: the error is engine's
  kFull,       // 429, RESOURCE_EXHAUSTED
  kLate,       // 504, DEADLINE_EXCEEDED
  kAbandoned,  // nobody is there to answer
  kEnding,     // 503, UNAVAILABLE
};

struct Failed {
  Failure failure = Failure::kModel;
  base::Error error;
  std::chrono::seconds retry_after{0};  // for kFull: when the queue should have emptied
};

// What happened to a request that was computed.
struct Timing {
  Clock::time_point submitted, started, finished;
  std::size_t batch_rows = 0;
  bool first_of_batch = true;  // of the requests computed in the same run
  unsigned worker = 0;         // on whose thread computed() is called: 0 … Pool's workers - 1
};

// Implemented by who submits. The scheduler owns it from submit() on and destroys it behind answer(). Calls
// come one after another, from different threads: computed() or failed() once, then answer() once.
class Job {
 public:
  virtual ~Job() = default;
  // Encodes the results, which end with the call. On a worker's thread.
  virtual void computed(std::span<const tensor::NamedResult> results, const Timing& timing) = 0;
  // Encodes the error. On a worker's, the timekeeper's or (refused) the submitting thread.
  virtual void failed(const Failed& failed) = 0;
  // Sends what was encoded.
  virtual void answer() = 0;
  // True when nobody waits for the answer any more. Any thread, at any time.
  virtual bool abandoned() const = 0;

  // Set before submit(), and not changed behind it.
  std::shared_ptr<const Target> target;
  const tensor::Table* table = nullptr;  // lives as long as the job, its texts too
  engine::OutputSet wanted = 0;
  unsigned priority = 0;                                  // 0: the model's default
  microseconds timeout{0};                                // the request's own; 0: none
  Clock::time_point deadline = Clock::time_point::max();  // the client's
};

}  // namespace wherry::schedule
