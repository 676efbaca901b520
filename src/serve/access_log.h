// One JSON line per request on standard error. Bodies, queries and headers are never written.
#pragma once

#include <chrono>
#include <ctime>
#include <string>
#include <string_view>

namespace wherry::serve {

struct AccessEntry {
  std::string_view request_id;
  std::string_view method;
  std::string_view path;
  int status = 0;
  std::size_t bytes = 0;
  std::chrono::nanoseconds duration{0};
  std::string_view reason;  // why the HTTP server refused; else empty
};

// Lines are gathered under load and written when there are many, when the last write was a while ago, or by
// flush(). One per thread; not thread-safe.
class AccessLog {
 public:
  AccessLog(int file_descriptor, bool enabled) : file_(file_descriptor), enabled_(enabled) {}
  ~AccessLog() { flush(); }
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  void write(const AccessEntry& entry, std::chrono::system_clock::time_point now);
  void flush();

 private:
  void append_time(std::chrono::system_clock::time_point now);

  int file_;
  bool enabled_;
  std::string lines_;
  std::chrono::system_clock::time_point last_flush_{};
  std::time_t second_ = -1;
  std::string second_text_;
};

// Writes a line {"time": …, "event": NAME, …members…}; `members` is JSON like "\"port\":8080" or empty.
void log_event(int file_descriptor, std::string_view name, std::string_view members = {});

// The client's X-Request-Id when it is 1 to 128 characters of the printable ASCII kind, else "".
std::string_view usable_request_id(std::string_view given);

// Sixteen hexadecimal digits, different for every call. One per thread.
class RequestIds {
 public:
  RequestIds();
  std::string_view next();  // valid until the next call

 private:
  unsigned long long state_;
  char text_[16];
};

}  // namespace wherry::serve
