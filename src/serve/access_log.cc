#include "serve/access_log.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "http/message.h"

namespace wherry::serve {

namespace {

constexpr std::size_t kMostGathered = 16u << 10;
constexpr std::chrono::milliseconds kLongestWait{100};

void append_number(std::string& out, std::int64_t number) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

// Everything, or as much as the reader of a closed pipe lets us: a log which cannot be written must not stop
// the service.
void write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(file, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace

void AccessLog::append_time(std::chrono::system_clock::time_point now) {
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const std::time_t second = static_cast<std::time_t>(milliseconds / 1000);
  if (second != second_) {
    second_ = second;
    second_text_ = base::format_time(std::chrono::system_clock::from_time_t(second)).substr(0, 19);
  }
  const auto rest = static_cast<int>(milliseconds % 1000);
  const char digits[] = {'.', static_cast<char>('0' + rest / 100), static_cast<char>('0' + rest / 10 % 10),
                         static_cast<char>('0' + rest % 10), 'Z'};
  lines_ += second_text_;
  lines_.append(digits, sizeof digits);
}

void AccessLog::write(const AccessEntry& entry, std::chrono::system_clock::time_point now) {
  if (!enabled_) return;
  std::string& out = lines_;
  out += R"({"time":")";
  append_time(now);
  out += R"(","request_id":)";
  http::append_json_string(out, entry.request_id);
  out += R"(,"method":)";
  http::append_json_string(out, entry.method);
  out += R"(,"path":)";
  http::append_json_string(out, entry.path);
  out += R"(,"status":)";
  append_number(out, entry.status);
  out += R"(,"bytes":)";
  append_number(out, static_cast<std::int64_t>(entry.bytes));
  out += R"(,"duration_us":)";
  append_number(out, entry.duration.count() / 1000);
  if (!entry.reason.empty()) {
    out += R"(,"reason":)";
    http::append_json_string(out, entry.reason);
  }
  out += "}\n";
  if (out.size() < kMostGathered && now - last_flush_ < kLongestWait) return;
  last_flush_ = now;
  flush();
}

void AccessLog::flush() {
  write_all(file_, lines_);
  lines_.clear();
}

void log_event(int file_descriptor, std::string_view name, std::string_view members) {
  write_all(file_descriptor,
            base::cat(R"({"time":")", base::format_time(std::chrono::system_clock::now()), R"(","event":")",
                      name, members.empty() ? "\"" : "\",", members, "}\n"));
}

std::string_view usable_request_id(std::string_view given) {
  constexpr std::size_t kMost = 128;
  const auto printable = [](char c) { return c > 0x20 && c < 0x7f; };
  return given.size() <= kMost && std::ranges::all_of(given, printable) ? given : std::string_view();
}

RequestIds::RequestIds()
    : state_(static_cast<unsigned long long>(std::chrono::steady_clock::now().time_since_epoch().count())) {
  unsigned long long random = 0;
  if (::getrandom(&random, sizeof random, GRND_NONBLOCK) == sizeof random) state_ ^= random;
}

std::string_view RequestIds::next() {
  // splitmix64 (Steele, Lea, Flood 2014): a bijection of a counter, so ids of one thread never repeat.
  unsigned long long z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  z ^= z >> 31;
  for (char& c : text_) {
    c = "0123456789abcdef"[z & 15];
    z >>= 4;
  }
  return {text_, sizeof text_};
}

}  // namespace wherry::serve
