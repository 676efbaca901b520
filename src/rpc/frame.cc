#include "rpc/frame.h"

#include <algorithm>

#include "base/text.h"

namespace wherry::rpc {
namespace {

constexpr std::size_t kMostKept = std::size_t{1} << 20;  // capacity of a reader between messages

std::uint32_t length_of(std::string_view head) {
  std::uint32_t length = 0;
  for (std::size_t i = 1; i < kFrameHead; ++i) length = length << 8 | static_cast<unsigned char>(head[i]);
  return length;
}

std::unexpected<Status> broken(std::string message) {
  return std::unexpected(Status{Code::kInternal, std::move(message)});
}

}  // namespace

Result<Frame> only_frame(std::string_view body) {
  if (body.size() < kFrameHead) return broken("the request has no message");
  const unsigned flag = static_cast<unsigned char>(body[0]);
  if (flag > 1) return broken(base::cat("a message has flag ", flag, "; it is 0 or 1"));
  const std::uint32_t length = length_of(body);
  if (length != body.size() - kFrameHead)
    return broken(base::cat("a message says it has ", length, " bytes, but ", body.size() - kFrameHead,
                            " follow; a unary call has one message"));
  return Frame{flag == 1, body.substr(kFrameHead)};
}

std::size_t begin_frame(std::string& out) {
  out.append(kFrameHead, '\0');
  return out.size();
}

void end_frame(std::size_t mark, std::string& out) {
  const auto length = static_cast<std::uint32_t>(out.size() - mark);
  for (std::size_t i = 1; i < kFrameHead; ++i)
    out[mark - kFrameHead + i] = static_cast<char>(length >> (8 * (kFrameHead - 1 - i)));
}

Result<std::optional<Frame>> FrameReader::next(std::string_view& piece) {
  if (done_) {
    if (buffer_.capacity() > kMostKept) buffer_ = std::string();
    buffer_.clear();
    done_ = false;
  }
  const auto take = [&](std::size_t wanted) {
    const std::size_t count = std::min(wanted - buffer_.size(), piece.size());
    buffer_ += piece.substr(0, count);
    piece.remove_prefix(count);
    return buffer_.size() == wanted;
  };
  if (buffer_.size() < kFrameHead && !take(kFrameHead)) return std::nullopt;
  const unsigned flag = static_cast<unsigned char>(buffer_[0]);
  if (flag > 1) return broken(base::cat("a message has flag ", flag, "; it is 0 or 1"));
  const std::size_t length = length_of(buffer_);
  if (length > most_message_)
    return std::unexpected(
        Status{Code::kResourceExhausted, base::cat("a message of ", length, " bytes is larger than ",
                                                   most_message_, ", the most this server takes")});
  if (!take(kFrameHead + length)) return std::nullopt;
  done_ = true;
  return Frame{flag == 1, std::string_view(buffer_).substr(kFrameHead)};
}

}  // namespace wherry::rpc
