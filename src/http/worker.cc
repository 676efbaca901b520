#include "http/worker.h"

#include <algorithm>
#include <unistd.h>

namespace wherry::http {

using std::chrono::milliseconds;

namespace {

milliseconds tick_length(const Limits& limits) {
  const milliseconds shortest = std::min({limits.head, limits.body, limits.write, limits.idle, limits.linger,
                                          limits.drain_idle, milliseconds{1000}});
  return std::max(shortest / 4, milliseconds{5});
}

}  // namespace

Worker::Worker(const Limits& limits, std::unique_ptr<Handler> handler, const std::atomic<bool>& draining,
               std::shared_ptr<MemoryBudget> memory)
    : handler_(std::move(handler)), shared_(limits, *handler_, draining, std::move(memory)) {}

Worker::~Worker() {
  shared_.inbox->close();
  sessions_.clear_and_dispose(std::default_delete<Session>());
  ended_.clear_and_dispose(std::default_delete<Session>());
}

bool Worker::valid() const {
  return poller_.valid() && shared_.inbox->file() >= 0;
}

void Worker::start_thread() {
  thread_ = std::thread([this] { run(); });
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::run() {
  poller_.add(shared_.inbox->file(), *this, EPOLLIN);
  while (!stopping_ || open_ > 0) {
    // A server without connections does not wake up.
    const auto until_tick =
        std::max(std::min(next_tick_, shared_.tick_by) - shared_.now, SteadyTime::duration::zero());
    const auto timeout = sessions_.empty() && retries_.empty() ? milliseconds{-1}
                                                               : std::chrono::ceil<milliseconds>(until_tick);
    const auto events = poller_.wait(timeout);
    shared_.now = std::chrono::steady_clock::now();
    for (const epoll_event& event : events) Poller::source_of(event).ready(event.events);
    if (shared_.now >= std::min(next_tick_, shared_.tick_by)) tick();
    bury();
  }
  shared_.inbox->close();
  handler_->tick();
}

void Worker::tick() {
  next_tick_ = shared_.now + tick_length(shared_.limits);
  shared_.tick_by = SteadyTime::max();
  for (auto it = sessions_.begin(); it != sessions_.end();) (it++)->tick();
  for (const auto& retry : std::exchange(retries_, {})) retry();
  handler_->tick();
}

void Worker::retry_soon(std::function<void()> work) {
  retries_.push_back(std::move(work));
  next_tick_ = std::min(next_tick_, shared_.now + milliseconds{50});
}

void Worker::bury() {
  if (ended_.empty()) return;
  ended_.clear_and_dispose([this](Session* session) {
    delete session;
    --open_;
  });
  if (sessions_.empty()) handler_->tick();
}

void Worker::adopt(int file, Peer peer, const TlsContext* tls) {
  SessionOwner& owner = *this;
  auto session = std::make_unique<Session>(file, std::move(peer), tls, owner);
  if (!session->start()) {
    --open_;
    return;
  }
  if (sessions_.empty() && retries_.empty()) next_tick_ = shared_.now + tick_length(shared_.limits);
  sessions_.push_back(*session.release());
}

void Worker::ended(Session& session) {
  sessions_.erase(sessions_.iterator_to(session));
  ended_.push_back(session);
}

void Worker::drain() {
  stopping_ = true;
  shared_.idle_end = shared_.now + shared_.limits.drain_idle;
}

std::size_t Worker::cut() {
  std::size_t busy = 0;
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    Session& session = *it++;
    if (!session.idle()) ++busy;
    session.close();
  }
  return busy;
}

}  // namespace wherry::http
