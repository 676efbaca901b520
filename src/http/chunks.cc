#include "http/chunks.h"

#include <algorithm>
#include <charconv>

namespace wherry::http {

namespace {

bool is_text(std::string_view line) {
  return std::ranges::none_of(
      line, [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; });
}

}  // namespace

bool ChunkDecoder::take_size(std::string_view line) {
  constexpr std::size_t kMostDigits = 15;  // cannot overflow
  const std::size_t end = std::min(line.find_first_not_of("0123456789abcdefABCDEF"), line.size());
  if (end == 0 || end > kMostDigits) return false;
  std::from_chars(line.data(), line.data() + end, left_, 16);
  line.remove_prefix(end);
  line.remove_prefix(
      std::min(line.find_first_not_of(" \t"), line.size()));  // "bad" white space, as RFC 9112 allows
  return line.empty() || (line.front() == ';' && is_text(line));
}

ChunkDecoder::Result ChunkDecoder::decode(std::string_view text, std::string& body, const ChunkLimits& limits,
                                          std::size_t& consumed) {
  consumed = 0;
  while (true) {
    const std::string_view rest = text.substr(consumed);
    if (state_ == State::kData) {
      const std::size_t count = std::min<std::uint64_t>(left_, rest.size());
      body += rest.substr(0, count);
      consumed += count;
      left_ -= count;
      if (left_ > 0) return Result::kMore;
      state_ = State::kDataEnd;
    } else if (state_ == State::kDataEnd) {
      if (!std::string_view("\r\n").starts_with(rest.substr(0, 2))) return Result::kMalformed;
      if (rest.size() < 2) return Result::kMore;
      consumed += 2;
      state_ = State::kSize;
    } else {
      const std::size_t end = rest.find('\n');
      const std::size_t size = end == rest.npos ? rest.size() : end + 1;
      if (size > (state_ == State::kSize ? limits.most_line : limits.most_trailers - trailers_))
        return Result::kMalformed;
      if (end == rest.npos) return Result::kMore;
      if (end == 0 || rest[end - 1] != '\r') return Result::kMalformed;
      const std::string_view line = rest.substr(0, end - 1);
      consumed += size;
      if (state_ == State::kTrailer) {
        if (line.empty()) return Result::kFinished;
        if (line.find(':') == line.npos || !is_text(line)) return Result::kMalformed;
        trailers_ += size;
      } else {
        if (!take_size(line)) return Result::kMalformed;
        if (left_ > limits.most_body - body.size()) return Result::kTooLarge;
        state_ = left_ == 0 ? State::kTrailer : State::kData;
      }
    }
  }
}

}  // namespace wherry::http
