#include "http/server.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "http/acceptor.h"
#include "http/coding_handler.h"

namespace wherry::http {

using std::chrono::milliseconds;

namespace {

// How long handshakes under way have to come to their end when the server stops.
constexpr milliseconds kHandshakesEnd{50};

// Runs `action` on the worker's thread and waits for it.
template <class Action>
void on_thread(Worker& worker, Action action) {
  std::mutex mutex;
  std::condition_variable done_changed;
  bool done = false;
  worker.post([&] {
    action();
    const std::lock_guard lock(mutex);
    done = true;
    done_changed.notify_one();
  });
  std::unique_lock lock(mutex);
  done_changed.wait(lock, [&] { return done; });
}

}  // namespace

struct Server::State {
  explicit State(const ServerOptions& given) : options(given) {
    if (options.listeners.empty()) options.listeners.push_back({.host = given.host, .port = given.port});
  }
  ServerOptions options;
  std::atomic<bool> draining{false};
  std::shared_ptr<MemoryBudget> memory = std::make_shared<MemoryBudget>(options.limits.most_large_bodies);
  Workers workers;
  std::vector<std::unique_ptr<Acceptor>> acceptors;  // belong to the first worker's thread
  std::vector<std::uint16_t> ports;
  bool running = false;

  std::size_t open_connections() const {
    std::size_t sum = 0;
    for (const auto& worker : workers) sum += worker->open();
    return sum;
  }

  base::Status start(const HandlerFactory& make) {
    for (unsigned i = 0; i < std::max(1u, options.threads); ++i) {
      std::unique_ptr<Handler> handler = make(i);
      if (options.content_codings) handler = with_content_codings(std::move(handler), options.limits, memory);
      workers.push_back(std::make_unique<Worker>(options.limits, std::move(handler), draining, memory));
    }
    bool valid = std::ranges::all_of(workers, [](const auto& worker) { return worker->valid(); });
    for (const Listener& listener : options.listeners) {
      TRY_ASSIGN(ListeningSocket socket, ListeningSocket::open(listener));
      ports.push_back(socket.port());
      const auto index = static_cast<unsigned>(acceptors.size());
      acceptors.push_back(std::make_unique<Acceptor>(std::move(socket), index, listener.tls.get(), workers));
      valid = valid && acceptors.back()->start();
    }
    if (!valid)
      return base::fail(base::Code::kUnavailable, "http.cannot_listen",
                        "the operating system gave no event queue (epoll, eventfd)",
                        "raise the limit of open files (ulimit -n) or of memory");
    for (const auto& worker : workers) worker->start_thread();
    running = true;
    return {};
  }

  std::size_t stop(milliseconds grace) {
    if (!std::exchange(running, false)) return 0;
    draining = true;
    on_thread(*workers.front(), [this] {
      for (const auto& acceptor : acceptors) acceptor->refuse_newcomers();
    });
    std::this_thread::sleep_for(kHandshakesEnd);
    on_thread(*workers.front(), [this] {
      for (const auto& acceptor : acceptors) {
        acceptor->accept_waiting();
        acceptor->close();
      }
    });
    for (const auto& worker : workers) worker->post([&worker = *worker] { worker.drain(); });
    const auto limit = std::chrono::steady_clock::now() + grace;
    while (open_connections() > 0 && std::chrono::steady_clock::now() < limit)
      std::this_thread::sleep_for(milliseconds{5});
    std::atomic<std::size_t> cut{0};
    if (open_connections() > 0)
      for (const auto& worker : workers) worker->post([&cut, &worker = *worker] { cut += worker.cut(); });
    for (const auto& worker : workers) worker->join();
    return cut;
  }
};

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() {
  state_->stop(milliseconds{0});
}

base::Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options,
                                                    const HandlerFactory& make) {
  auto state = std::make_unique<State>(options);
  TRY(state->start(make));
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

std::uint16_t Server::port(unsigned listener) const {
  return listener < state_->ports.size() ? state_->ports[listener] : std::uint16_t{0};
}
void Server::begin_drain() {
  state_->draining = true;
}
std::size_t Server::stop(milliseconds grace) {
  return state_->stop(grace);
}

}  // namespace wherry::http
