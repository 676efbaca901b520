// The flags of wherry-server as tables, one file per subject. Private to module serve.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "serve/options.h"

namespace wherry::serve {

struct Flag {
  std::string_view name;
  std::string_view value;  // what stands behind it, for --help; empty: nothing, it is a switch
  std::vector<std::string_view> variables;  // the first that is set counts
  std::string_view help;
  // Returns what the value should have been ("a port, 0 to 65535"), or "" when it was taken. A switch gets
  // "on"; from the environment also "off".
  std::string_view (*set)(Options& options, std::string_view value);
};

struct FlagGroup {
  std::string_view title;
  std::span<const Flag> flags;
};

std::span<const Flag> listening_flags();
std::span<const Flag> access_flags();
std::span<const Flag> observe_flags();
std::span<const Flag> tls_flags();
std::span<const Flag> model_flags();
std::span<const Flag> batching_flags();
std::span<const Flag> ending_flags();
std::span<const Flag> page_flags();

// All of them, in the order of --help.
std::span<const FlagGroup> flag_groups();

// "250ms", "5s", "2m"; a bare number is seconds; at most a day.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
// "50us", "2ms"; a bare number is microseconds; at most an hour.
std::optional<std::chrono::microseconds> parse_microseconds(std::string_view text);
// "64M", "512K", "1G" or bytes.
std::optional<std::uint64_t> parse_size(std::string_view text);
std::optional<bool> parse_switch(std::string_view text);  // "on", "off"

}  // namespace wherry::serve
