// Access files of any bytes: no crash, nobody gets a right which no line names.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "auth/access_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wherry::auth;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = parse_access_file(text, "access");
  if (!file) return 0;
  for (const KeyLine& line : file->keys) {
    if (line.rule.permissions.bits == 0 || line.rule.models.empty()) std::abort();
    if (line.rate.limited())
      (void)Bucket(line.rate).take(std::chrono::steady_clock::time_point(std::chrono::hours(9)));
  }
  if (file->anyone && file->anyone->permissions.has(Permission::kManage)) std::abort();
  return 0;
}
