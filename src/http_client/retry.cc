#include <algorithm>
#include <ctime>
#include <optional>

#include "http_client/transport.h"

#include "base/text.h"

namespace wherry::http_client {

using base::Code;
using base::Result;
using std::chrono::milliseconds;

namespace {

// RFC 9110 section 10.2.3: delay-seconds or an IMF-fixdate.
std::optional<milliseconds> retry_after(const Response& response, base::Clock& clock) {
  const std::string_view text = base::trim(response.header("Retry-After"));
  if (text.empty()) return std::nullopt;
  if (const auto seconds = base::parse_unsigned(text))
    return milliseconds{1000 * std::min<std::uint64_t>(*seconds, 1'000'000)};
  std::tm date{};
  const std::string copy(text);
  const char* end = strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (end == nullptr || *end != '\0') return std::nullopt;
  // In seconds: a date after the year 2262 does not fit the system clock's nanoseconds.
  const std::int64_t wait = std::int64_t{timegm(&date)} - std::chrono::system_clock::to_time_t(clock.now());
  return milliseconds{1000 * std::clamp<std::int64_t>(wait, 0, 1'000'000)};
}

}  // namespace

Result<Response> send_with_retries(Transport& transport, base::Clock& clock, const Request& request,
                                   const RetryPolicy& policy) {
  bool delivered = false;
  Request attempt = request;
  if (request.sink)
    attempt.sink = [&](std::string_view piece) {
      delivered = true;
      return request.sink(piece);
    };
  for (std::size_t tried = 0;; ++tried) {
    if (attempt.source != nullptr) TRY(attempt.source->rewind());
    Result<Response> answer = transport.send(attempt);
    const bool again = answer ? is_retryable(answer->status) : answer.error().code == Code::kUnavailable;
    if (!again || delivered || tried == policy.waits.size()) return answer;
    milliseconds wait = policy.waits[tried];
    if (answer) {
      const auto asked = retry_after(*answer, clock);
      if (asked && *asked > policy.most_retry_after) return answer;
      wait = asked.value_or(wait);
    } else if (answer.error().id == "http_client.cancelled" ||
               answer.error().id == "http_client.body_unreadable") {
      return answer;
    }
    if (policy.on_retry)
      policy.on_retry(answer ? base::cat("the server answered ", answer->status) : answer.error().message,
                      wait);
    clock.sleep_for(wait);
  }
}

}  // namespace wherry::http_client
