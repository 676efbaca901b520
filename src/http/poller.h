// epoll(7), level-triggered. Internal to module http.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <sys/epoll.h>

namespace wherry::http {

// Not thread-safe.
class Poller {
 public:
  class Source {
   public:
    virtual void ready(std::uint32_t events) = 0;  // EPOLLIN, EPOLLOUT …

   protected:
    ~Source() = default;
  };

  Poller();
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  bool valid() const { return file_ >= 0; }
  // `source` must live until the file is closed and the span of the next wait() has been worked off. False:
  // the system has no memory for it.
  bool add(int file, Source& source, std::uint32_t events);
  void change(int file, Source& source, std::uint32_t events);

  // Waits for events, for ever where `timeout` is negative. The span is valid until the next call.
  std::span<const epoll_event> wait(std::chrono::milliseconds timeout);
  static Source& source_of(const epoll_event& event) { return *static_cast<Source*>(event.data.ptr); }

 private:
  int file_;
  std::array<epoll_event, 256> events_;
};

}  // namespace wherry::http
