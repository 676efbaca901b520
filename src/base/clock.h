// Time, passed in so that tests can hold it still.
#pragma once

#include <chrono>
#include <string>

namespace wherry::base {

// Implementations are thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::chrono::system_clock::time_point now() = 0;         // wall clock, UTC
  virtual std::chrono::steady_clock::time_point steady_now() = 0;  // for durations
  virtual void sleep_for(std::chrono::milliseconds duration) = 0;
};

Clock& system_clock();  // stateless

// RFC 3339 in UTC with milliseconds: "2026-11-23T09:30:00.000Z".
std::string format_time(std::chrono::system_clock::time_point time);

}  // namespace wherry::base
