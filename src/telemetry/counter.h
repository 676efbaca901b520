// Numbers which one thread writes and any thread may read.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

namespace wherry::telemetry {

// Written by one thread, without locked instructions.
class Counter {
 public:
  void add(std::uint64_t count) { value_.store(value() + count, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Upper bounds in nanoseconds: from what a tree costs to what a client waits for.
inline constexpr std::array<std::uint64_t, 18> kDurationBounds{
    5'000,      10'000,      25'000,      50'000,      100'000,       250'000,
    500'000,    1'000'000,   2'500'000,   5'000'000,   10'000'000,    25'000'000,
    50'000'000, 100'000'000, 250'000'000, 500'000'000, 1'000'000'000, 5'000'000'000};
inline constexpr std::array<std::uint64_t, 11> kBatchBounds{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};

// Written by one thread.
template <const auto& Bounds>
class Histogram {
 public:
  // Gives the bucket, for an exemplar.
  std::size_t observe(std::uint64_t value) {
    std::size_t bucket = 0;
    while (bucket < Bounds.size() && value > Bounds[bucket]) ++bucket;
    buckets_[bucket].add(1);
    sum_.add(value);
    return bucket;
  }
  std::size_t observe(std::chrono::nanoseconds duration) {
    return observe(static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0)));
  }
  std::uint64_t bucket(std::size_t i) const {
    return buckets_[i].value();
  }  // not cumulative; the last is +Inf
  std::uint64_t sum() const { return sum_.value(); }

 private:
  std::array<Counter, Bounds.size() + 1> buckets_;
  Counter sum_;
};
using Durations = Histogram<kDurationBounds>;
using BatchSizes = Histogram<kBatchBounds>;

// One observation of a bucket and the trace it belongs to.
struct Exemplar {
  std::uint64_t trace_high = 0, trace_low = 0, span = 0;
  std::uint64_t value = 0;        // as observed
  std::int64_t milliseconds = 0;  // since the epoch
};

// The last exemplar of one bucket: written by one thread, read by any without tearing (a sequence lock).
class ExemplarSlot {
 public:
  void set(const Exemplar& exemplar) {
    const std::uint32_t sequence = sequence_.load(std::memory_order_relaxed);
    sequence_.store(sequence + 1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_release);
    words_[0].store(exemplar.trace_high, std::memory_order_relaxed);
    words_[1].store(exemplar.trace_low, std::memory_order_relaxed);
    words_[2].store(exemplar.span, std::memory_order_relaxed);
    words_[3].store(exemplar.value, std::memory_order_relaxed);
    words_[4].store(static_cast<std::uint64_t>(exemplar.milliseconds), std::memory_order_relaxed);
    sequence_.store(sequence + 2, std::memory_order_release);
  }
  // Nothing when none was set, or while it is being set.
  std::optional<Exemplar> get() const {
    const std::uint32_t before = sequence_.load(std::memory_order_acquire);
    if (before == 0 || before % 2 != 0) return std::nullopt;
    const Exemplar read{words_[0].load(std::memory_order_relaxed), words_[1].load(std::memory_order_relaxed),
                        words_[2].load(std::memory_order_relaxed), words_[3].load(std::memory_order_relaxed),
                        static_cast<std::int64_t>(words_[4].load(std::memory_order_relaxed))};
    std::atomic_thread_fence(std::memory_order_acquire);
    return sequence_.load(std::memory_order_relaxed) == before ? std::optional(read) : std::nullopt;
  }

 private:
  std::atomic<std::uint32_t> sequence_{0};
  std::array<std::atomic<std::uint64_t>, 5> words_{};
};

}  // namespace wherry::telemetry
