#include "repository/background.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

namespace wherry::repository {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

namespace {

// Between looks whether the last request of an unloaded model has ended.
constexpr milliseconds kCleanUp{20};

}  // namespace

struct Background::State {
  struct Order {
    base::Status (Repository::*what)(std::string_view);
    std::string name;
    Done done;
  };

  void run();
  void give(Order order);

  std::unique_ptr<Repository> repository;
  milliseconds interval;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Order> orders;
  bool ending = false;
  std::thread thread;
};

void Background::State::run() {
  const bool polls = repository->control() == Control::kPoll;
  Clock::time_point next_poll = Clock::now() + interval;
  while (true) {
    const bool waiting = repository->clean_up();
    std::optional<Order> order;
    {
      std::unique_lock lock(mutex);
      const auto something = [this] { return ending || !orders.empty(); };
      if (waiting)
        changed.wait_for(lock, kCleanUp, something);
      else if (polls)
        changed.wait_until(lock, next_poll, something);
      else
        changed.wait(lock, something);
      if (ending) return;
      if (!orders.empty()) {
        order = std::move(orders.front());
        orders.pop_front();
      }
    }
    if (order) order->done(((*repository).*order->what)(order->name));
    if (polls && Clock::now() >= next_poll) {
      repository->poll();
      next_poll = Clock::now() + interval;
    }
  }
}

void Background::State::give(Order order) {
  const std::lock_guard lock(mutex);
  orders.push_back(std::move(order));
  changed.notify_one();
}

Background::Background(std::unique_ptr<Repository> repository, milliseconds interval)
    : state_(std::make_unique<State>()) {
  state_->repository = std::move(repository);
  state_->interval = interval;
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

Background::~Background() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->ending = true;
    state_->changed.notify_one();
  }
  state_->thread.join();
  for (const State::Order& order : state_->orders)
    order.done(base::fail(base::Code::kUnavailable, "repository.load_failed", "the server is ending"));
}

void Background::load(std::string name, Done done) {
  state_->give({&Repository::load, std::move(name), std::move(done)});
}

void Background::unload(std::string name, Done done) {
  state_->give({&Repository::unload, std::move(name), std::move(done)});
}

}  // namespace wherry::repository
