// JSON lines on standard error: events with a level, and one line per request. Bodies, queries and headers
// are never written.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "telemetry/trace.h"

namespace wherry::telemetry {

enum class Level : std::uint8_t { kError, kWarning, kInfo, kDebug };
inline constexpr std::string_view kLevelNames[] = {"error", "warning", "info", "debug"};
std::optional<Level> find_level(std::string_view name);

// Thread-safe. A line is one write, so lines of several threads do not mix (up to PIPE_BUF in a pipe).
class Logger {
 public:
  Logger(int file_descriptor, Level level) : file_(file_descriptor), level_(level) {}

  int file() const { return file_; }
  Level level() const { return level_.load(std::memory_order_relaxed); }
  void set_level(Level level) { level_.store(level, std::memory_order_relaxed); }
  bool writes(Level level) const { return level <= this->level(); }

  // {"time": …, "level": …, "event": NAME, …members…}; `members` is JSON like "\"port\":8080" or empty.
  void event(Level level, std::string_view name, std::string_view members = {}) const;

 private:
  int file_;
  std::atomic<Level> level_;
};

// "\"name\":\"value\"", escaped.
std::string json_member(std::string_view name, std::string_view value);

struct AccessEntry {
  std::string_view request_id;
  std::string_view method;
  std::string_view path;
  int status = 0;
  std::size_t bytes = 0;
  std::chrono::nanoseconds duration{0};
  std::string_view reason;                      // why the HTTP server refused; else empty
  std::uint64_t trace_high = 0, trace_low = 0;  // 0: not traced
  std::string_view identity;                    // who asked, where that is known; never a key or token
};

// Lines are gathered under load and written when there are many, when the last write was a while ago, or by
// flush(). One per thread; not thread-safe.
class AccessLog {
 public:
  AccessLog(const Logger& logger, bool enabled) : logger_(logger), enabled_(enabled) {}
  ~AccessLog() { flush(); }
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  bool enabled() const { return enabled_ && logger_.writes(Level::kInfo); }
  void write(const AccessEntry& entry, std::chrono::system_clock::time_point now);
  void flush();

 private:
  void append_time(std::chrono::system_clock::time_point now);

  const Logger& logger_;
  bool enabled_;
  std::string lines_;
  std::chrono::system_clock::time_point last_flush_{};
  std::time_t second_ = -1;
  std::string second_text_;
};

// The client's X-Request-Id when it is 1 to 128 characters of the printable ASCII kind, else "".
std::string_view usable_request_id(std::string_view given);

// Sixteen hexadecimal digits, different for every call. One per thread.
class RequestIds {
 public:
  std::string_view next();  // valid until the next call

 private:
  Ids ids_;
  std::string text_;
};

// Everything, or as much as the reader of a closed pipe lets us: a log which cannot be written must not stop
// the service.
void write_all(int file_descriptor, std::string_view text);

}  // namespace wherry::telemetry
