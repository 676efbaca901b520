#include "http/poller.h"

#include <algorithm>
#include <unistd.h>

namespace wherry::http {

Poller::Poller() : file_(::epoll_create1(EPOLL_CLOEXEC)) {}

Poller::~Poller() {
  if (file_ >= 0) ::close(file_);
}

bool Poller::add(int file, Source& source, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.ptr = &source}};
  return ::epoll_ctl(file_, EPOLL_CTL_ADD, file, &event) == 0;
}

void Poller::change(int file, Source& source, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.ptr = &source}};
  ::epoll_ctl(file_, EPOLL_CTL_MOD, file, &event);  // cannot fail for a file which was added
}

std::span<const epoll_event> Poller::wait(std::chrono::milliseconds timeout) {
  const int milliseconds = static_cast<int>(std::clamp<std::int64_t>(timeout.count(), -1, 1'000'000));
  const int count = ::epoll_wait(file_, events_.data(), static_cast<int>(events_.size()), milliseconds);
  return {events_.data(), static_cast<std::size_t>(std::max(count, 0))};
}

}  // namespace wherry::http
