#include "serve/flags.h"

namespace wherry::serve {

namespace {

std::string_view set_drain_delay(Options& options, std::string_view value) {
  const auto time = parse_duration(value);
  if (time) options.drain_delay = *time;
  return time ? "" : "a duration such as 5s or 500ms";
}
std::string_view set_grace(Options& options, std::string_view value) {
  const auto time = parse_duration(value);
  if (time) options.grace = *time;
  return time ? "" : "a duration such as 25s";
}

}  // namespace

std::span<const Flag> ending_flags() {
  static const std::vector<Flag> kFlags{
      {"--drain-delay",
       "TIME",
       {"WHERRY_DRAIN_DELAY"},
       "after SIGTERM, go on serving this long while readiness says no (0s)",
       set_drain_delay},
      {"--grace",
       "TIME",
       {"WHERRY_GRACE"},
       "then finish what is in flight, at most this long (25s)",
       set_grace},
  };
  return kFlags;
}

}  // namespace wherry::serve
