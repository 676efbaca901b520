#include "http/inbox.h"

#include <cstdint>
#include <sys/eventfd.h>
#include <unistd.h>

namespace wherry::http {

Inbox::Inbox() : file_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Inbox::~Inbox() {
  if (file_ >= 0) ::close(file_);
}

bool Inbox::post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (closed_) return false;
  waiting_.push_back(std::move(work));
  const std::uint64_t one = 1;
  // The only failure is a counter about to overflow, and then the reader is awake anyway.
  if (waiting_.size() == 1) (void)!::write(file_, &one, sizeof one);
  return true;
}

void Inbox::run() {
  std::vector<std::function<void()>> taken;
  {
    const std::lock_guard lock(mutex_);
    std::uint64_t count = 0;
    (void)!::read(file_, &count, sizeof count);
    taken.swap(waiting_);
  }
  for (const auto& work : taken) work();
}

void Inbox::close() {
  std::vector<std::function<void()>> dropped;  // outlives the lock: a Later among them would post again
  const std::lock_guard lock(mutex_);
  closed_ = true;
  dropped.swap(waiting_);
}

}  // namespace wherry::http
