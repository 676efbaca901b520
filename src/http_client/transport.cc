#include "http_client/transport.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace wherry::http_client {

using base::Code;
using base::Result;

std::string_view Response::header(std::string_view name) const {
  const auto same = [](char a, char b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(a) == lower(b);
  };
  for (const auto& [key, value] : headers)
    if (std::ranges::equal(std::string_view(key), name, same)) return value;
  return {};
}

bool is_retryable(int status) {
  constexpr std::array kStatuses{408, 429, 499, 500, 502, 503, 504, 522};
  return std::ranges::find(kStatuses, status) != kStatuses.end();
}

Result<bool> LineSplitter::operator()(std::string_view piece) {
  while (true) {
    const std::size_t end = piece.find('\n');
    if (rest_.size() + std::min(end, piece.size()) > most_line_)
      return base::fail(Code::kLimit, "http_client.too_large",
                        base::cat("a line of the answer is longer than ", base::human_size(most_line_)));
    if (end == piece.npos) {
      rest_ += piece;
      return true;
    }
    std::string_view line = piece.substr(0, end);
    if (!rest_.empty()) line = rest_.append(line);
    if (line.ends_with('\r')) line.remove_suffix(1);
    TRY_ASSIGN(const bool more, on_line_(line));
    rest_.clear();
    if (!more) return false;
    piece.remove_prefix(end + 1);
  }
}

}  // namespace wherry::http_client
