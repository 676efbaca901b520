#include "http/machine.h"

namespace wherry::http {

const std::string& Shared::date() {
  const std::time_t second = std::time(nullptr);
  if (second != date_second_) {
    date_second_ = second;
    std::tm parts{};
    gmtime_r(&second, &parts);
    char text[64];
    date_line_.assign(text, std::strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts));
  }
  return date_line_;
}

std::span<char> Shared::scratch_space() {
  constexpr std::size_t kSize = 128u << 10;
  if (!scratch_) scratch_ = std::make_unique_for_overwrite<char[]>(kSize);
  return {scratch_.get(), kSize};
}

}  // namespace wherry::http
