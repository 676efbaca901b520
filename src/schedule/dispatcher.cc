#include "schedule/dispatcher.h"

#include <algorithm>

#include "schedule/model_queue.h"

#include "base/text.h"

namespace wherry::schedule {

using base::cat;

namespace {

// Looking for abandoned requests in a full queue takes time which an overloaded server does not have.
constexpr milliseconds kBetweenSweeps{10};

constexpr std::size_t kSmallLane = 0, kLargeLane = 1;

// At least a second: what Retry-After can say; at most what a client may be asked to remember.
std::chrono::seconds retry_after(nanoseconds wait) {
  return std::clamp(std::chrono::ceil<std::chrono::seconds>(wait), std::chrono::seconds(1),
                    std::chrono::seconds(60));
}

Failed full(const Target& target, std::size_t waiting, nanoseconds wait) {
  return {Failure::kFull,
          base::Error{base::Code::kUnavailable,
                      "schedule.queue_full",
                      cat("too many requests wait for model ", base::quoted(target.name), ": ", waiting,
                          ", about ", std::chrono::duration_cast<milliseconds>(wait).count(), " ms of work"),
                      "try again later, or send fewer at the same time",
                      {}},
          retry_after(wait)};
}

Clock::time_point after(Clock::time_point now, nanoseconds time) {
  return time < Clock::time_point::max() - now ? now + time : Clock::time_point::max();
}

}  // namespace

Dispatcher::Dispatcher(unsigned workers) : workers_(std::max(workers, 1U)) {}
Dispatcher::~Dispatcher() = default;

ModelQueue& Dispatcher::queue_of(const std::shared_ptr<const Target>& target) {
  const auto found = queues_.find(target.get());
  // Another model may stand where one that has ended stood.
  if (found != queues_.end() && !found->second->target.expired()) return *found->second;
  forget_ended();
  auto& queue = queues_[target.get()];
  queue = std::make_unique<ModelQueue>(target);
  return *queue;
}

void Dispatcher::forget_ended() {
  std::erase_if(queues_, [](const auto& row) { return row.second->target.expired(); });
}

nanoseconds Dispatcher::wait_of(const ModelQueue& queue, std::size_t lane) const {
  std::size_t busy = queue.lanes[lane].requests == 0 ? 1 : 0;
  for (const auto& [key, other] : queues_)
    for (const Lane& one : other->lanes) busy += one.requests > 0 ? 1 : 0;
  unsigned parallel = lane == kLargeLane && workers_ > 1 ? workers_ - 1 : workers_;
  if (queue.policy().instances > 0) parallel = std::min(parallel, queue.policy().instances);
  const double share = std::min<double>(parallel, static_cast<double>(workers_) / static_cast<double>(busy));
  const double wait = queue.lanes[lane].cost * queue.lanes[lane].scale / std::max(share, 1e-3);
  return nanoseconds(static_cast<std::int64_t>(std::min(wait, 1e18)));
}

void Dispatcher::submit(std::unique_ptr<Job> job, Clock::time_point now, Outbox& out) {
  ModelQueue& queue = queue_of(job->target);
  const Policy& policy = queue.policy();
  Waiting request;
  request.rows = job->table->rows;
  request.cost = job->target->cost.of(*job->table);
  request.submitted = now;
  request.level = queue.level_of(job->priority);
  const QueuePolicy& rules = queue.policy_of(request.level);
  const bool delays = rules.timeout_action == TimeoutAction::kDelay;
  microseconds limit = rules.default_timeout;
  if (job->timeout.count() > 0 && rules.allow_timeout_override &&
      (limit.count() == 0 || job->timeout < limit))
    limit = job->timeout;
  const auto over = limit.count() > 0 ? after(now, limit) : Clock::time_point::max();
  request.delayed_at = delays ? over : Clock::time_point::max();
  request.deadline = delays ? job->deadline : std::min(job->deadline, over);
  // A request's own timeout is its client's word even where the policy does not let it choose the queue's.
  if (job->timeout.count() > 0 && !(delays && rules.allow_timeout_override))
    request.deadline = std::min(request.deadline, after(now, job->timeout));
  request.job = std::move(job);
  if (auto why = late_or_abandoned(request, now)) {
    out.dropped.push_back({std::move(request.job), std::move(*why)});
    return;
  }

  const std::size_t lane = policy.preserve_ordering || request.cost > kLarge ? kLargeLane : kSmallLane;
  const auto waiting = [&] {
    return queue.lanes[kSmallLane].levels[request.level].size() +
           queue.lanes[kLargeLane].levels[request.level].size();
  };
  const auto is_full = [&] {
    return (rules.max_queue_size > 0 && waiting() >= rules.max_queue_size) ||
           (policy.most_wait.count() > 0 && wait_of(queue, lane) > policy.most_wait);
  };
  if (is_full() && now >= next_sweep_) {
    queue.sweep(out, [&](const Waiting& other) { return late_or_abandoned(other, now); });
    next_sweep_ = now + kBetweenSweeps;
  }
  if (is_full()) {
    Failed why = full(*request.job->target, waiting(), wait_of(queue, lane));
    out.dropped.push_back({std::move(request.job), std::move(why)});
    return;
  }
  queue.arrived(now);
  if (queue.lanes[lane].requests == 0)
    queue.lanes[lane].virtual_time = std::max(queue.lanes[lane].virtual_time, clock_);
  next_expiry_ = std::min({next_expiry_, request.deadline, request.delayed_at});
  queue.push(std::move(request), lane);
}

bool Dispatcher::may_run(const ModelQueue& queue, std::size_t lane) const {
  if (queue.lanes[lane].requests == 0) return false;
  if (queue.policy().instances > 0 && queue.running >= queue.policy().instances) return false;
  return lane != kLargeLane || workers_ == 1 || running_large_ < workers_ - 1;
}

std::optional<Batch> Dispatcher::next(Clock::time_point now, Outbox& out) {
  while (true) {
    ModelQueue* best = nullptr;
    std::size_t best_lane = 0;
    for (const auto& [key, queue] : queues_)
      for (std::size_t lane = 0; lane < queue->lanes.size(); ++lane) {
        if (!may_run(*queue, lane) || queue->due(lane) > now) continue;
        if (best != nullptr && best->lanes[best_lane].virtual_time <= queue->lanes[lane].virtual_time)
          continue;
        best = queue.get();
        best_lane = lane;
      }
    if (best == nullptr) return std::nullopt;
    if (auto batch = take(*best, best_lane, now, out)) return batch;
  }
}

std::optional<Batch> Dispatcher::take(ModelQueue& queue, std::size_t lane, Clock::time_point now,
                                      Outbox& out) {
  queue.delay_expired(now, out);
  queue.clean_fronts(lane, now, out);
  std::size_t left = queue.form(lane).requests;
  if (left == 0) return std::nullopt;
  Batch batch{.target = nullptr, .queue = &queue, .lane = lane, .requests = {}, .rows = 0, .cost = {}};
  for (Level& level : queue.lanes[lane].levels)
    for (std::deque<Waiting>* requests : {&level.waiting, &level.delayed})
      for (; left > 0 && !requests->empty(); --left) {
        Waiting request = queue.remove(lane, *requests, requests->begin());
        if (auto why = late_or_abandoned(request, now)) {
          queue.drop(std::move(request), std::move(*why), out);
          continue;
        }
        batch.rows += request.rows;
        batch.requests.push_back(std::move(request));
      }
  if (batch.requests.empty()) return std::nullopt;  // all abandoned just now
  batch.target = batch.requests.front().job->target;
  const nanoseconds saved = std::max(queue.key->cost.first - queue.key->cost.further, nanoseconds(0));
  for (const Waiting& request : batch.requests) batch.cost += std::max(request.cost - saved, nanoseconds(0));
  batch.cost += std::min(saved, batch.requests.front().cost);
  Lane& from = queue.lanes[lane];
  clock_ = std::max(clock_, from.virtual_time);
  from.virtual_time += static_cast<double>(batch.cost.count()) * from.scale;
  ++queue.running;
  if (lane == kLargeLane) ++running_large_;
  return batch;
}

void Dispatcher::finished(Batch batch, nanoseconds took, Outbox& out) {
  ModelQueue& queue = *batch.queue;
  Lane& lane = queue.lanes[batch.lane];
  --queue.running;
  if (batch.lane == kLargeLane) --running_large_;
  const double predicted = std::max(1.0, static_cast<double>(batch.cost.count()));
  const double took_ns = static_cast<double>(std::max<std::int64_t>(took.count(), 1));
  lane.virtual_time += took_ns - predicted * lane.scale;
  lane.scale = std::clamp(lane.scale + (took_ns / predicted - lane.scale) / 8, 1e-3, 1e3);
  for (Waiting& request : batch.requests) {
    if (request.ordered)
      queue.release(request.level, request.sequence, std::move(request.job), out);
    else
      out.answered.push_back(std::move(request.job));
  }
}

void Dispatcher::expire(Clock::time_point now, Outbox& out) {
  for (const auto& [key, queue] : queues_) {
    if (queue->is_idle()) continue;
    queue->sweep(out, [now](const Waiting& request) { return late_or_abandoned(request, now); });
    queue->delay_expired(now, out);
  }
  forget_ended();
  next_expiry_ = Clock::time_point::max();
  for (const auto& [key, queue] : queues_)
    for (const Lane& lane : queue->lanes)
      for (const Level& level : lane.levels) {
        for (const Waiting& request : level.waiting)
          next_expiry_ = std::min({next_expiry_, request.deadline, request.delayed_at});
        for (const Waiting& request : level.delayed) next_expiry_ = std::min(next_expiry_, request.deadline);
      }
}

Clock::time_point Dispatcher::next_due() const {
  Clock::time_point next = Clock::time_point::max();
  for (const auto& [key, queue] : queues_)
    for (std::size_t lane = 0; lane < queue->lanes.size(); ++lane)
      if (may_run(*queue, lane)) next = std::min(next, queue->due(lane));
  return next;
}

void Dispatcher::drop_all(Outbox& out) {
  for (const auto& [key, queue] : queues_)
    queue->sweep(out, [](const Waiting&) -> std::optional<Failed> {
      return Failed{Failure::kEnding,
                    base::Error{base::Code::kUnavailable,
                                "schedule.ending",
                                "the server is ending",
                                "send the request to another one",
                                {}},
                    std::chrono::seconds(1)};
    });
}

QueueLoad Dispatcher::load(const Target* target) const {
  QueueLoad load;
  for (const auto& [key, queue] : queues_) {
    if ((target != nullptr && key != target) || queue->is_idle()) continue;
    load.running += queue->running;
    for (const Lane& lane : queue->lanes) load.waiting += lane.requests;
    load.predicted_wait = std::max(load.predicted_wait, wait_of(*queue, kSmallLane));
  }
  return load;
}

}  // namespace wherry::schedule
