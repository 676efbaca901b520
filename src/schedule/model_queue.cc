#include "schedule/model_queue.h"

#include <algorithm>

#include "base/text.h"

namespace wherry::schedule {

namespace {

// Arrivals further apart say nothing about what comes next.
constexpr nanoseconds kLongestGap{10'000'000'000};

}  // namespace

std::optional<Failed> late_or_abandoned(const Waiting& request, Clock::time_point now) {
  if (request.job->abandoned())
    return Failed{Failure::kAbandoned,
                  base::Error{base::Code::kUnavailable, "schedule.abandoned", "the client went away", {}, {}},
                  {}};
  if (request.deadline <= now)
    return Failed{
        Failure::kLate,
        base::Error{base::Code::kUnavailable,
                    "schedule.deadline",
                    base::cat("the time given to the request was over after ",
                              std::chrono::duration_cast<milliseconds>(now - request.submitted).count(),
                              " ms in the queue, before it was computed"),
                    "allow more time, or send fewer requests at the same time",
                    {}},
        {}};
  return std::nullopt;
}

ModelQueue::ModelQueue(const std::shared_ptr<const Target>& of) : target(of), key(of.get()) {
  const std::size_t levels = std::max<std::size_t>(policy().priority_levels, 1);
  for (Lane& lane : lanes) lane.levels.resize(levels);
  orders.resize(levels);
}

unsigned ModelQueue::level_of(unsigned priority) const {
  const unsigned levels = policy().priority_levels;
  if (levels == 0) return 0;
  if (priority == 0 || priority > levels) priority = policy().default_priority_level;
  return std::clamp(priority, 1U, levels) - 1;
}

const QueuePolicy& ModelQueue::policy_of(unsigned level) const {
  const auto own = policy().priority_queue_policy.find(level + 1);
  return policy().priority_levels > 0 && own != policy().priority_queue_policy.end()
             ? own->second
             : policy().default_queue_policy;
}

void ModelQueue::arrived(Clock::time_point now) {
  if (has_arrival) {
    const nanoseconds latest = std::min<nanoseconds>(now - last_arrival, kLongestGap);
    gap = gap.count() == 0 ? latest : gap + (latest - gap) / 4;
    gap = std::max(gap, nanoseconds(1));
  }
  has_arrival = true;
  last_arrival = now;
}

void ModelQueue::push(Waiting request, std::size_t lane) {
  Order& order = orders[request.level];
  request.ordered = policy().preserve_ordering;
  request.sequence = order.next_sequence++;
  ++lanes[lane].requests;
  lanes[lane].cost += static_cast<double>(request.cost.count());
  lanes[lane].levels[request.level].waiting.push_back(std::move(request));
}

Waiting ModelQueue::remove(std::size_t lane, std::deque<Waiting>& from, std::deque<Waiting>::iterator at) {
  Waiting request = std::move(*at);
  from.erase(at);
  Lane& of = lanes[lane];
  --of.requests;
  of.cost = of.requests == 0 ? 0 : std::max(0.0, of.cost - static_cast<double>(request.cost.count()));
  return request;
}

void ModelQueue::drop(Waiting request, Failed why, Outbox& out) {
  if (request.ordered) release(request.level, request.sequence, nullptr, out);
  out.dropped.push_back({std::move(request.job), std::move(why)});
}

void ModelQueue::release(unsigned level, std::uint64_t sequence, std::unique_ptr<Job> job, Outbox& out) {
  Order& order = orders[level];
  order.done.emplace(sequence, std::move(job));
  while (!order.done.empty() && order.done.begin()->first == order.next_answer) {
    if (order.done.begin()->second) out.answered.push_back(std::move(order.done.begin()->second));
    order.done.erase(order.done.begin());
    ++order.next_answer;
  }
}

void ModelQueue::delay_expired(Clock::time_point now, Outbox& out) {
  for (Lane& lane : lanes)
    for (Level& level : lane.levels)
      for (std::size_t i = 0; i < level.waiting.size();) {
        if (level.waiting[i].delayed_at > now) {
          ++i;
          continue;
        }
        Waiting request = std::move(level.waiting[i]);
        level.waiting.erase(level.waiting.begin() + static_cast<std::ptrdiff_t>(i));
        if (request.ordered) release(request.level, request.sequence, nullptr, out);
        request.ordered = false;
        request.delayed_at = Clock::time_point::max();
        level.delayed.push_back(std::move(request));
      }
}

void ModelQueue::clean_fronts(std::size_t lane, Clock::time_point now, Outbox& out) {
  for (Level& level : lanes[lane].levels)
    for (std::deque<Waiting>* requests : {&level.waiting, &level.delayed})
      while (!requests->empty()) {
        auto why = late_or_abandoned(requests->front(), now);
        if (!why) break;
        drop(remove(lane, *requests, requests->begin()), std::move(*why), out);
      }
}

Formed ModelQueue::form(std::size_t lane) const {
  const std::size_t most_rows = std::max<std::size_t>(policy().max_batch_size, 1);
  const nanoseconds most_time = policy().most_batch_time;
  const nanoseconds saved = std::max(key->cost.first - key->cost.further, nanoseconds(0));
  Formed all, preferred;
  for (const Level& level : lanes[lane].levels)
    for (const std::deque<Waiting>* requests : {&level.waiting, &level.delayed})
      for (const Waiting& request : *requests) {
        const nanoseconds cost =
            all.requests == 0 ? request.cost : all.cost + std::max(request.cost - saved, nanoseconds(0));
        const bool fits = all.requests == 0 || (all.rows + request.rows <= most_rows &&
                                                (most_time.count() == 0 || cost <= most_time));
        if (!fits) {
          all.complete = true;
          return preferred.complete ? preferred : all;
        }
        all = {all.requests + 1, all.rows + request.rows, cost, all.rows + request.rows >= most_rows};
        if (std::ranges::binary_search(policy().preferred_batch_sizes, all.rows)) {
          preferred = all;
          preferred.complete = true;
        }
        if (all.complete) return preferred.complete ? preferred : all;
      }
  return preferred.complete ? preferred : all;
}

Clock::time_point ModelQueue::due(std::size_t lane) const {
  if (policy().max_queue_delay.count() == 0 || form(lane).complete) return Clock::time_point::min();
  Clock::time_point oldest = Clock::time_point::max();
  for (const Level& level : lanes[lane].levels)
    for (const std::deque<Waiting>* requests : {&level.waiting, &level.delayed})
      if (!requests->empty()) oldest = std::min(oldest, requests->front().submitted);
  const Clock::time_point latest = oldest + policy().max_queue_delay;
  if (gap.count() == 0 || last_arrival + gap > latest) return Clock::time_point::min();
  return std::min(latest, last_arrival + 2 * gap);  // overdue: the stream of requests has dried up
}

}  // namespace wherry::schedule
