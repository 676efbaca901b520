#include "auth/rate_limit.h"

#include <algorithm>

namespace wherry::auth {

Bucket::Bucket(Rate rate)
    : rate_(rate),
      interval_(std::max<std::int64_t>(1, static_cast<std::int64_t>(1e9 / rate.per_second))),
      tolerance_(static_cast<std::int64_t>(static_cast<double>(interval_) * std::max(rate.burst, 1.0))) {}

Bucket::Taken Bucket::take(std::chrono::steady_clock::time_point now) {
  const std::int64_t time =
      std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
  std::int64_t due = due_.load(std::memory_order_relaxed);
  for (;;) {
    const std::int64_t after = std::max(due, time) + interval_;
    const std::int64_t used = after - time;
    if (used > tolerance_) return {false, 0, std::chrono::nanoseconds(used - tolerance_)};
    if (due_.compare_exchange_weak(due, after, std::memory_order_relaxed))
      return {true, static_cast<std::uint64_t>((tolerance_ - used) / interval_), {}};
  }
}

}  // namespace wherry::auth
