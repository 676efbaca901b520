// The waiting requests of one model. Internal to module schedule; Dispatcher owns and drives it.
#pragma once

#include "schedule/dispatcher.h"

namespace wherry::schedule {

struct Level {  // requests of one priority
  Level() = default;
  Level(Level&&) = default;  // a deque of what cannot be copied says that it can be copied
  std::deque<Waiting> waiting;
  std::deque<Waiting> delayed;  // behind the others, their time being over
  std::size_t size() const { return waiting.size() + delayed.size(); }
};

struct Lane {
  std::vector<Level> levels;
  std::size_t requests = 0;
  double cost = 0;          // ns, predicted, of what waits
  double virtual_time = 0;  // ns of workers' time used, comparable between lanes that have work
  double scale = 1;         // what runs took ÷ what was predicted, lately
};

// The answers of one priority in the order of its requests.
struct Order {
  std::uint64_t next_sequence = 0;
  std::uint64_t next_answer = 0;
  std::map<std::uint64_t, std::unique_ptr<Job>> done;  // null: there is nothing to answer any more
};

struct Formed {
  std::size_t requests = 0;
  std::size_t rows = 0;
  nanoseconds cost{0};
  bool complete = false;  // of a preferred size, or no further request would fit
};

struct ModelQueue {
  explicit ModelQueue(const std::shared_ptr<const Target>& of);

  const Policy& policy() const { return key->policy; }
  const QueuePolicy& policy_of(unsigned level) const;
  unsigned level_of(unsigned priority) const;
  bool is_idle() const { return running == 0 && lanes[0].requests + lanes[1].requests == 0; }

  void arrived(Clock::time_point now);
  void push(Waiting request, std::size_t lane);
  // Takes one request out of its deque, keeping the sums.
  Waiting remove(std::size_t lane, std::deque<Waiting>& from, std::deque<Waiting>::iterator at);
  // The front of each level: no late ones, no abandoned ones, none whose time to be delayed has come.
  void clean_fronts(std::size_t lane, Clock::time_point now, Outbox& out);
  // What a batch taken now would hold.
  Formed form(std::size_t lane) const;
  // When the lane's front should run: in the past when at once. The lane has requests.
  Clock::time_point due(std::size_t lane) const;
  // The request will not be answered by a run.
  void drop(Waiting request, Failed why, Outbox& out);
  // Answers in order: this one is ready (null: nothing to say), and maybe others behind it.
  void release(unsigned level, std::uint64_t sequence, std::unique_ptr<Job> job, Outbox& out);
  // Applies `decide` to every waiting request: nullopt keeps it.
  template <class Decide>
  void sweep(Outbox& out, Decide decide) {
    for (std::size_t lane = 0; lane < lanes.size(); ++lane)
      for (Level& level : lanes[lane].levels)
        for (std::deque<Waiting>* requests : {&level.waiting, &level.delayed})
          for (std::size_t i = 0; i < requests->size();) {
            std::optional<Failed> why = decide((*requests)[i]);
            if (!why) {
              ++i;
              continue;
            }
            drop(remove(lane, *requests, requests->begin() + static_cast<std::ptrdiff_t>(i)), std::move(*why),
                 out);
          }
  }
  void delay_expired(Clock::time_point now, Outbox& out);

  std::weak_ptr<const Target> target;
  const Target* key;  // valid while requests wait or run
  unsigned running = 0;
  std::array<Lane, 2> lanes;
  std::vector<Order> orders;  // per level
  nanoseconds gap{0};         // between arrivals, lately; 0: not known
  Clock::time_point last_arrival;
  bool has_arrival = false;
};

std::optional<Failed> late_or_abandoned(const Waiting& request, Clock::time_point now);

}  // namespace wherry::schedule
