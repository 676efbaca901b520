// Token buckets, one per key or token subject.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace wherry::auth {

struct Rate {
  double per_second = 0;  // 0: no limit
  double burst = 0;       // requests which may come at once; at least 1 where there is a limit
  bool limited() const { return per_second > 0; }
  friend bool operator==(const Rate&, const Rate&) = default;
};

// The generic cell rate algorithm (ITU-T I.371 Annex A): a token bucket whose whole state is one time, so
// that taking is one compare-and-swap on a cache line of the key's own. Thread-safe, no locks.
class alignas(64) Bucket {
 public:
  explicit Bucket(Rate rate);

  struct Taken {
    bool allowed = true;
    std::uint64_t remaining = 0;           // requests which would be allowed right now
    std::chrono::nanoseconds retry_in{0};  // when not allowed
  };
  Taken take(std::chrono::steady_clock::time_point now);
  const Rate& rate() const { return rate_; }

 private:
  Rate rate_;
  std::int64_t interval_;             // nanoseconds per request
  std::int64_t tolerance_;            // burst × interval
  std::atomic<std::int64_t> due_{0};  // when the bucket is full again, nanoseconds of the steady clock
};

}  // namespace wherry::auth
