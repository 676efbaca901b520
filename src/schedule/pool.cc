#include "schedule/pool.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "schedule/dispatcher.h"
#include "schedule/runner.h"

namespace wherry::schedule {

namespace {

void empty(Outbox& out) {
  for (Dropped& dropped : out.dropped) {
    dropped.job->failed(dropped.why);
    dropped.job->answer();
  }
  for (const std::unique_ptr<Job>& job : out.answered) job->answer();
  out.dropped.clear();
  out.answered.clear();
}

void be_nice(int niceness) {
  const auto thread = static_cast<id_t>(::syscall(SYS_gettid));
  // Refused where the container forbids it: then all threads are equal.
  static_cast<void>(::setpriority(PRIO_PROCESS, thread, niceness));
}

// wait_until(max()) overflows in some clocks' conversions.
void wait(std::condition_variable& signal, std::unique_lock<std::mutex>& lock, Clock::time_point until) {
  if (until == Clock::time_point::max())
    signal.wait(lock);
  else
    signal.wait_until(lock, until);
}

}  // namespace

struct Pool::State {
  explicit State(const PoolOptions& given) : options(given), dispatcher(given.workers) {}

  void work(unsigned worker);
  void keep_time();

  const PoolOptions options;
  mutable std::mutex mutex;
  std::condition_variable more;     // for workers: something may run
  std::condition_variable sooner;   // for the timekeeper: something expires earlier
  std::condition_variable quieter;  // for stop(): a batch has ended
  Dispatcher dispatcher;
  std::size_t idle = 0;
  std::size_t running = 0;
  bool refusing = false;
  bool ending = false;
  std::vector<std::thread> threads;
};

void Pool::State::work(unsigned worker) {
  be_nice(options.niceness);
  Runner runner(worker);
  Outbox out;
  std::unique_lock lock(mutex);
  while (true) {
    std::optional<Batch> batch = dispatcher.next(Clock::now(), out);
    if (batch) {
      ++running;
      lock.unlock();
      empty(out);
      const nanoseconds took = runner.run(*batch);
      lock.lock();
      --running;
      dispatcher.finished(std::move(*batch), took, out);
      quieter.notify_all();
    }
    if (!out.dropped.empty() || !out.answered.empty()) {
      lock.unlock();
      empty(out);
      lock.lock();
      continue;
    }
    if (batch) continue;
    if (ending) return;
    ++idle;
    wait(more, lock, dispatcher.next_due());
    --idle;
  }
}

// All workers may be busy for long when a request's time is over.
void Pool::State::keep_time() {
  Outbox out;
  std::unique_lock lock(mutex);
  while (!ending) {
    const Clock::time_point next = dispatcher.next_expiry();
    if (next > Clock::now()) {
      wait(sooner, lock, next);
      continue;
    }
    dispatcher.expire(Clock::now(), out);
    lock.unlock();
    empty(out);
    lock.lock();
  }
}

Pool::Pool(const PoolOptions& options) : state_(std::make_unique<State>(options)) {
  State* state = state_.get();
  for (unsigned worker = 0; worker < std::max(options.workers, 1U); ++worker)
    state->threads.emplace_back([state, worker] { state->work(worker); });
  state->threads.emplace_back([state] { state->keep_time(); });
}

Pool::~Pool() {
  stop(milliseconds(0));
  {
    const std::lock_guard lock(state_->mutex);
    state_->ending = true;
  }
  state_->more.notify_all();
  state_->sooner.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
}

unsigned Pool::workers() const {
  return std::max(state_->options.workers, 1U);
}

void Pool::submit(std::unique_ptr<Job> job) {
  Outbox out;
  {
    const std::lock_guard lock(state_->mutex);
    const Clock::time_point before = state_->dispatcher.next_expiry();
    state_->dispatcher.submit(std::move(job), Clock::now(), out);
    if (state_->refusing) state_->dispatcher.drop_all(out);
    if (state_->dispatcher.next_expiry() < before) state_->sooner.notify_one();
    if (state_->idle > 0) state_->more.notify_one();
  }
  empty(out);
}

bool Pool::stop(milliseconds time) {
  Outbox out;
  {
    const std::lock_guard lock(state_->mutex);
    state_->refusing = true;
    state_->dispatcher.drop_all(out);
  }
  empty(out);
  std::unique_lock lock(state_->mutex);
  return state_->quieter.wait_for(lock, time, [this] { return state_->running == 0; });
}

PoolLoad Pool::load(const Target* target) const {
  const std::lock_guard lock(state_->mutex);
  const QueueLoad load = state_->dispatcher.load(target);
  return {load.waiting, load.running, load.predicted_wait};
}

unsigned workers_for(unsigned processors) {
  return std::max(processors, 2U);
}

}  // namespace wherry::schedule
