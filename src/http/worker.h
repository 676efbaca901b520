// One I/O thread: its event loop, its handler, its connections. Internal to module http.
#pragma once

#include <thread>

#include "http/session.h"

namespace wherry::http {

// Made and ended by the server's thread; what else may be called from other threads says so.
class Worker final : private SessionOwner, private Poller::Source {
 public:
  Worker(const Limits& limits, std::unique_ptr<Handler> handler, const std::atomic<bool>& draining,
         std::shared_ptr<MemoryBudget> memory);
  ~Worker();

  bool valid() const;  // false: the system gave no event queue
  void start_thread();
  void join();

  std::atomic<std::size_t>& open() { return open_; }  // connections; any thread
  // Runs work on the worker's thread; any thread.
  void post(std::function<void()> work) { shared_.inbox->post(std::move(work)); }

  // The rest on the worker's thread only.
  Poller& poller() override { return poller_; }
  const Limits& limits() const { return shared_.limits; }
  // Runs work about 50 ms from now.
  void retry_soon(std::function<void()> work);
  // The connection was counted in open() before. `tls`: null for a plain one.
  void adopt(int file, Peer peer, const TlsContext* tls);
  // Idle connections get Limits::drain_idle for one more request, and the thread ends behind the last one.
  void drain();
  // Closes everything; the number of connections which were in the middle of an exchange.
  std::size_t cut();

 private:
  using Sessions = boost::intrusive::list<Session, boost::intrusive::constant_time_size<false>>;

  Shared& shared() override { return shared_; }
  void ended(Session& session) override;
  void ready(std::uint32_t) override { shared_.inbox->run(); }
  void run();
  void tick();
  void bury();

  std::unique_ptr<Handler> handler_;
  Shared shared_;
  Poller poller_;
  Sessions sessions_;
  Sessions ended_;  // still to be destroyed
  std::atomic<std::size_t> open_{0};
  std::vector<std::function<void()>> retries_;
  bool stopping_ = false;
  SteadyTime next_tick_{};
  std::thread thread_;
};

}  // namespace wherry::http
