// Which requests run next: queues per model, priorities, batches, fairness, deadlines. A pure machine without
// threads and clock. Internal to module schedule: Pool drives it.
//
// Rules:
//   lanes     A model's requests wait in two lanes, small and large (predicted above kLarge). All lanes of
//             all models share the workers fairly by the time they use, so neither a flood for one model nor
//             large requests keep small ones waiting; all workers but one run large ones at the same time.
//   order     Within a lane by priority, then first come first served. A batch takes from the front, and ends
//             before the first request that does not fit; requests are never split.
//   idle      A request which finds an idle worker runs at once, unless the model has a queue delay and
//             others are expected within it.
//   time      A request whose deadline is over is never computed.
//
// Not thread-safe.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "schedule/job.h"

namespace wherry::schedule {

inline constexpr nanoseconds kLarge{5'000'000};

struct Waiting {
  std::unique_ptr<Job> job;
  std::size_t rows = 0;
  nanoseconds cost{0};  // predicted
  Clock::time_point submitted;
  Clock::time_point deadline;    // rejected when over
  Clock::time_point delayed_at;  // moved behind the others when over
  unsigned level = 0;            // index of its priority
  std::uint64_t sequence = 0;    // within its level
  bool ordered = false;          // its answer leaves behind those of lower sequences
};

struct ModelQueue;

struct Batch {
  std::shared_ptr<const Target> target;
  ModelQueue* queue = nullptr;
  std::size_t lane = 0;
  std::vector<Waiting> requests;
  std::size_t rows = 0;
  nanoseconds cost{0};
};

// A request taken out of the queues without being computed.
struct Dropped {
  std::unique_ptr<Job> job;
  Failed why;
};

// What a call leaves to be done by the caller, outside of its lock.
struct Outbox {
  std::vector<Dropped> dropped;                // failed(), then answer()
  std::vector<std::unique_ptr<Job>> answered;  // computed or failed before: answer()
};

struct QueueLoad {
  std::size_t waiting = 0;  // requests
  std::size_t running = 0;
  nanoseconds predicted_wait{0};  // of a small request that came now
};

class Dispatcher {
 public:
  explicit Dispatcher(unsigned workers);
  ~Dispatcher();

  // Takes the job, or drops it. Abandoned requests make room first.
  void submit(std::unique_ptr<Job> job, Clock::time_point now, Outbox& out);

  // What a worker should run now. Requests found late or abandoned are dropped.
  std::optional<Batch> next(Clock::time_point now, Outbox& out);

  // A batch has run, and its jobs know it; `took` is the time of its computation.
  void finished(Batch batch, nanoseconds took, Outbox& out);

  // Drops late and abandoned requests wherever they wait.
  void expire(Clock::time_point now, Outbox& out);

  // When expire() should be called, or earlier; max(): never.
  Clock::time_point next_expiry() const { return next_expiry_; }
  Clock::time_point next_due() const;  // when next() may have something for an idle worker; max(): never

  void drop_all(Outbox& out);                  // kEnding
  QueueLoad load(const Target* target) const;  // nullptr: of all models

 private:
  ModelQueue& queue_of(const std::shared_ptr<const Target>& target);
  nanoseconds wait_of(const ModelQueue& queue, std::size_t lane) const;
  bool may_run(const ModelQueue& queue, std::size_t lane) const;
  std::optional<Batch> take(ModelQueue& queue, std::size_t lane, Clock::time_point now, Outbox& out);
  void forget_ended();

  unsigned workers_;
  unsigned running_large_ = 0;
  std::map<const Target*, std::unique_ptr<ModelQueue>> queues_;
  Clock::time_point next_expiry_ = Clock::time_point::max();
  Clock::time_point next_sweep_ = Clock::time_point::min();
  double clock_ = 0;  // virtual time: of the lane served last
};

}  // namespace wherry::schedule
