#include "serve/flags.h"

#include <array>
#include <limits>

#include "base/text.h"

namespace wherry::serve {

using std::chrono::milliseconds;

namespace {

struct Unit {
  std::string_view suffix;
  std::uint64_t factor;
};

// "250ms", "5s", "2m"; a bare number takes the empty suffix's factor.
std::optional<std::uint64_t> number_with_unit(std::string_view text, std::span<const Unit> units) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = base::parse_unsigned(text.substr(0, digits));
  if (!number) return std::nullopt;
  for (const Unit& unit : units)
    if (text.substr(digits) == unit.suffix &&
        *number <= std::numeric_limits<std::int64_t>::max() / unit.factor)
      return *number * unit.factor;
  return std::nullopt;
}

}  // namespace

std::span<const FlagGroup> flag_groups() {
  static const std::array kGroups{
      FlagGroup{"listening", listening_flags()}, FlagGroup{"access", access_flags()},
      FlagGroup{"observing", observe_flags()},   FlagGroup{"TLS", tls_flags()},
      FlagGroup{"models", model_flags()},        FlagGroup{"queues", batching_flags()},
      FlagGroup{"pages", page_flags()},          FlagGroup{"ending", ending_flags()},
  };
  return kGroups;
}

std::optional<milliseconds> parse_duration(std::string_view text) {
  static constexpr Unit kUnits[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60'000}};
  constexpr std::uint64_t kMost = 24 * 3600 * 1000;
  const auto number = number_with_unit(text, kUnits);
  if (!number || *number > kMost) return std::nullopt;
  return milliseconds(*number);
}

std::optional<std::chrono::microseconds> parse_microseconds(std::string_view text) {
  static constexpr Unit kUnits[] = {{"", 1}, {"us", 1}, {"ms", 1000}, {"s", 1'000'000}};
  constexpr std::uint64_t kMost = 3'600'000'000;
  const auto number = number_with_unit(text, kUnits);
  if (!number || *number > kMost) return std::nullopt;
  return std::chrono::microseconds(*number);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  static constexpr Unit kUnits[] = {{"", 1}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}};
  return number_with_unit(text, kUnits);
}

std::optional<bool> parse_switch(std::string_view text) {
  if (text == "on") return true;
  if (text == "off") return false;
  return std::nullopt;
}

}  // namespace wherry::serve
