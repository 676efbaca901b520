#include "telemetry/log.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

namespace wherry::telemetry {

using base::append_json_string;
using base::cat;

namespace {

constexpr std::size_t kMostGathered = 16u << 10;
constexpr std::chrono::milliseconds kLongestWait{100};

void append_number(std::string& out, std::int64_t number) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

}  // namespace

std::optional<Level> find_level(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kLevelNames); ++i)
    if (kLevelNames[i] == name) return static_cast<Level>(i);
  return std::nullopt;
}

void write_all(int file_descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(file_descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

void Logger::event(Level level, std::string_view name, std::string_view members) const {
  if (!writes(level)) return;
  write_all(file_, cat(R"({"time":")", base::format_time(std::chrono::system_clock::now()), R"(","level":")",
                       kLevelNames[static_cast<std::size_t>(level)], R"(","event":")", name,
                       members.empty() ? "\"" : "\",", members, "}\n"));
}

std::string json_member(std::string_view name, std::string_view value) {
  std::string out = cat("\"", name, "\":");
  append_json_string(out, value);
  return out;
}

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
  if (!enabled()) return;
  std::string& out = lines_;
  out += R"({"time":")";
  append_time(now);
  out += R"(","request_id":)";
  append_json_string(out, entry.request_id);
  out += R"(,"method":)";
  append_json_string(out, entry.method);
  out += R"(,"path":)";
  append_json_string(out, entry.path);
  out += R"(,"status":)";
  append_number(out, entry.status);
  out += R"(,"bytes":)";
  append_number(out, static_cast<std::int64_t>(entry.bytes));
  out += R"(,"duration_us":)";
  append_number(out, entry.duration.count() / 1000);
  if (entry.trace_high != 0 || entry.trace_low != 0) {
    out += R"(,"trace_id":")";
    append_hex(out, entry.trace_high);
    append_hex(out, entry.trace_low);
    out += '"';
  }
  if (!entry.identity.empty()) {
    out += R"(,"identity":)";
    append_json_string(out, entry.identity);
  }
  if (!entry.reason.empty()) {
    out += R"(,"reason":)";
    append_json_string(out, entry.reason);
  }
  out += "}\n";
  if (out.size() < kMostGathered && now - last_flush_ < kLongestWait) return;
  last_flush_ = now;
  flush();
}

void AccessLog::flush() {
  write_all(logger_.file(), lines_);
  lines_.clear();
}

std::string_view usable_request_id(std::string_view given) {
  constexpr std::size_t kMost = 128;
  const auto printable = [](char c) { return c > 0x20 && c < 0x7f; };
  return given.size() <= kMost && std::ranges::all_of(given, printable) ? given : std::string_view();
}

std::string_view RequestIds::next() {
  text_.clear();
  append_hex(text_, ids_.next());
  return text_;
}

}  // namespace wherry::telemetry
