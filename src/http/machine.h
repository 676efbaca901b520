// The server side of one connection as a pure machine: bytes in, bytes out, no socket and no clock of its
// own, so that tests and fuzzers drive exactly what the server runs. Internal to module http.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "http/handler.h"
#include "http/inbox.h"
#include "http/limits.h"
#include "http/memory_budget.h"

namespace wherry::http {

using SteadyTime = std::chrono::steady_clock::time_point;

// What the connections of one thread share.
struct Shared {
  Shared(const Limits& given, Handler& handles, const std::atomic<bool>& is_draining,
         std::shared_ptr<MemoryBudget> budget)
      : limits(given), handler(handles), draining(is_draining), memory(std::move(budget)) {}

  const Limits& limits;
  Handler& handler;
  const std::atomic<bool>& draining;
  std::shared_ptr<MemoryBudget> memory;  // of all threads
  std::shared_ptr<Inbox> inbox = std::make_shared<Inbox>();
  SteadyTime now{};                         // when the events being handled were noticed
  SteadyTime idle_end = SteadyTime::max();  // when stopping: until when an idle connection is kept

  std::vector<char> scratch;  // where encrypted bytes are received

  SteadyTime tick_by = SteadyTime::max();  // a deadline which must not wait for the next regular tick
  Response response;                       // reused

  const std::string& date();  // "Date: …\r\n"
  void wake_by(SteadyTime when) { tick_by = std::min(tick_by, when); }
  // Where a machine may receive which never leaves anything unread.
  std::span<char> scratch_space();

 private:
  std::time_t date_second_ = -1;
  std::string date_line_;
  std::unique_ptr<char[]> scratch_;
};

// Who sends a machine's output.
class Outlet {
 public:
  virtual void output_ready() = 0;  // there is output, or the machine closes, without received() or tick()

 protected:
  ~Outlet() = default;
};

// Not thread-safe.
class Machine {
 public:
  // What the connection waits for: the next request, the rest of a head, of a body, its own answer.
  enum class Phase { kIdle, kHead, kBody, kAnswering };
  struct Status {
    Phase phase;
    bool closing;           // after the output: nothing more is read
    bool wants_input;       // false: what was received has to be dealt with first
    bool replaced = false;  // by successor(), which takes over output and input
  };

  virtual ~Machine() = default;
  virtual std::span<char> space() = 0;           // where to receive next: never empty
  virtual void received(std::size_t count) = 0;  // that much was put into space()
  virtual std::string& output() = 0;             // to be sent; the caller clears it when all of it was
  virtual void resume() = 0;                     // the output was sent and cleared: goes on
  virtual void tick() = 0;                       // looks at its deadlines
  virtual Status status() const = 0;
  virtual std::unique_ptr<Machine> successor() { return nullptr; }
};

}  // namespace wherry::http
