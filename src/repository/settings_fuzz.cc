// serving.json lies in folders that others may write to.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "repository/settings.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view document(reinterpret_cast<const char*>(data), size);
  static_cast<void>(wherry::repository::read_settings(document, "serving.json", {}));
  static_cast<void>(wherry::repository::parse_version_policy(document));
  return 0;
}
