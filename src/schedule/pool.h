// Worker threads which compute what is too dear for the threads that talk to clients. See Dispatcher's rules
// for who runs when.
//
//   Pool pool({.workers = 2});
//   pool.submit(std::move(job));   // returns at once; the job's answer() comes from another thread, or from
//                                  // within submit() when it is refused
//
// Thread-safe.
#pragma once

#include <memory>

#include "schedule/job.h"

namespace wherry::schedule {

struct PoolOptions {
  unsigned workers = 2;
  // Added to the workers' nice value, so that the threads which talk to clients come first.
  int niceness = 5;
};

struct PoolLoad {
  std::size_t waiting = 0;  // requests
  std::size_t running = 0;  // batches
  nanoseconds predicted_wait{0};
};

class Pool {
 public:
  explicit Pool(const PoolOptions& options);
  ~Pool();  // drops what waits, and waits for what runs
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  unsigned workers() const;
  void submit(std::unique_ptr<Job> job);

  // From now on requests are refused, and those which wait are answered so; returns whether nothing ran any
  // more within `time`.
  bool stop(milliseconds time);

  PoolLoad load(const Target* target = nullptr) const;  // nullptr: of all models

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The workers of a server which may use so many processors: at least two, so that one is left for small
// requests while the other computes a large one.
unsigned workers_for(unsigned processors);

}  // namespace wherry::schedule
