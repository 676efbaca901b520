// How much memory all connections of a server may hold for large requests together: those of module http, and
// what a handler of streams keeps of them.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace wherry::http {

// Thread-safe.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t most) : most_(most) {}
  // False: nothing was taken.
  bool take(std::size_t bytes) {
    if (used_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= most_) return true;
    give_back(bytes);
    return false;
  }
  void give_back(std::size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::size_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  const std::size_t most_;
  std::atomic<std::size_t> used_{0};
};

// A share of a budget, given back at the end. Not thread-safe.
class HeldMemory {
 public:
  HeldMemory() = default;
  explicit HeldMemory(std::shared_ptr<MemoryBudget> budget) : budget_(std::move(budget)) {}
  HeldMemory(HeldMemory&& other) noexcept
      : budget_(other.budget_), bytes_(std::exchange(other.bytes_, 0)) {}  // `other` stays usable
  HeldMemory& operator=(HeldMemory&& other) noexcept {
    if (this == &other) return *this;
    release();
    budget_ = other.budget_;
    bytes_ = std::exchange(other.bytes_, 0);
    return *this;
  }
  ~HeldMemory() { release(); }

  std::size_t bytes() const { return bytes_; }
  // False: the share stays as it was. Less is always granted.
  bool resize(std::size_t bytes) {
    if (bytes > bytes_ && !budget_->take(bytes - bytes_)) return false;
    if (bytes < bytes_) budget_->give_back(bytes_ - bytes);
    bytes_ = bytes;
    return true;
  }

 private:
  void release() {
    if (bytes_ > 0) budget_->give_back(std::exchange(bytes_, 0));
  }

  std::shared_ptr<MemoryBudget> budget_;
  std::size_t bytes_ = 0;
};

}  // namespace wherry::http
