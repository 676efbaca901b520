#include "cli/places.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.h"

namespace wherry::cli {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

std::filesystem::path cache_folder() {
  if (const auto own = variable("WHERRY_CACHE"); !own.empty()) return own;
  if (const auto xdg = variable("XDG_CACHE_HOME"); !xdg.empty()) return std::filesystem::path(xdg) / "wherry";
  if (const auto home = variable("HOME"); !home.empty())
    return std::filesystem::path(home) / ".cache" / "wherry";
  std::error_code ignored;
  return std::filesystem::temp_directory_path(ignored) / "wherry-cache";
}

base::Result<std::filesystem::path> server_binary() {
  std::error_code failure;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failure);
  const auto server = self.parent_path() / "wherry-server";
  if (failure || !std::filesystem::exists(server, failure))
    return base::fail(base::Code::kUnavailable, "cli.server_missing",
                      base::cat(server.string(), " is not there"),
                      "wherry and wherry-server belong in one folder; build or install both");
  return server;
}

std::int64_t source_date_epoch() {
  constexpr std::uint64_t kEndOfYear9999 = 253'402'300'799;
  return static_cast<std::int64_t>(
      std::min(base::parse_unsigned(variable("SOURCE_DATE_EPOCH")).value_or(0), kEndOfYear9999));
}

}  // namespace wherry::cli
