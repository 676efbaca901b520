// A value which one thread replaces now and then and many read all the time, without a lock or a shared
// reference count on the readers' way. Private to module auth.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

namespace wherry::auth {

// Thread-safe.
template <class T>
class Published {
 public:
  explicit Published(std::shared_ptr<const T> value) : value_(std::move(value)) {}

  void publish(std::shared_ptr<const T> value) {
    const std::scoped_lock lock(mutex_);
    value_ = std::move(value);
    version_.fetch_add(1, std::memory_order_release);
  }
  std::shared_ptr<const T> get() const {
    const std::scoped_lock lock(mutex_);
    return value_;
  }

  // One per thread. What current() gives stays alive until its next call.
  class Reader {
   public:
    explicit Reader(const Published& published) : published_(published) { refresh(); }
    const T& current() {
      if (published_.version_.load(std::memory_order_acquire) != version_) refresh();
      return *value_;
    }
    std::uint64_t version() const { return version_; }  // of what current() gave

   private:
    void refresh() {
      const std::scoped_lock lock(published_.mutex_);
      value_ = published_.value_;
      version_ = published_.version_.load(std::memory_order_relaxed);
    }
    const Published& published_;
    std::shared_ptr<const T> value_;
    std::uint64_t version_ = 0;
  };

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
  std::atomic<std::uint64_t> version_{0};
};

}  // namespace wherry::auth
