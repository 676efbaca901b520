#include "serve/deadline.h"

#include <charconv>
#include <cmath>

#include "rpc/call.h"

#include "base/text.h"

namespace wherry::serve {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

namespace {

constexpr double kMostSeconds = 86'400 * 365;

struct Unit {
  std::string_view suffix;
  double seconds;
};

}  // namespace

std::optional<nanoseconds> parse_timeout(std::string_view text) {
  static constexpr Unit kUnits[] = {{"", 1}, {"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"m", 60}};
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(number) || number <= 0) return std::nullopt;
  const std::string_view suffix = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& unit : kUnits)
    if (unit.suffix == suffix)
      return nanoseconds(static_cast<std::int64_t>(std::min(number * unit.seconds, kMostSeconds) * 1e9));
  return std::nullopt;
}

base::Result<steady_clock::time_point> deadline_of(const http::Request& request) {
  auto deadline = steady_clock::time_point::max();
  const auto take = [&](std::optional<nanoseconds> timeout) {
    if (timeout) deadline = std::min(deadline, request.received + *timeout);
  };
  if (const auto text = request.header("X-Request-Timeout"); !text.empty()) {
    const auto timeout = parse_timeout(text);
    if (!timeout)
      return base::fail(base::Code::kInvalidInput, "serve.bad_timeout",
                        base::cat("X-Request-Timeout is ", base::quoted(text), ", not a time"),
                        "send seconds (1.5), or a number with ms, s or m (250ms)");
    take(timeout);
  }
  if (const auto text = request.header("grpc-timeout"); !text.empty()) take(rpc::parse_timeout(text));
  if (const auto text = request.header("X-Envoy-Expected-Rq-Timeout-Ms"); !text.empty())
    if (const auto milliseconds = base::parse_unsigned(text); milliseconds && *milliseconds > 0)
      take(std::chrono::milliseconds(std::min<std::uint64_t>(*milliseconds, 86'400'000)));
  return deadline;
}

}  // namespace wherry::serve
