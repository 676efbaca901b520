// Length-prefixed messages (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md): a byte which
// says whether the message is compressed, four of length, big-endian, and the message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rpc/status.h"

namespace wherry::rpc {

inline constexpr std::size_t kFrameHead = 5;

struct Frame {
  bool compressed = false;
  std::string_view bytes;
};

// The only message of a unary call. INTERNAL when the body is not exactly one, as other servers answer.
Result<Frame> only_frame(std::string_view body);

// Leaves room for the head; the caller appends the message, then end_frame() fills the head in.
std::size_t begin_frame(std::string& out);
void end_frame(std::size_t mark, std::string& out);

// Puts the messages of a stream together from the pieces they arrive in. Not thread-safe.
class FrameReader {
 public:
  explicit FrameReader(std::size_t most_message) : most_message_(most_message) {}

  // The next whole message, nothing while it is incomplete. It is valid until the next call. `piece` is what
  // arrived; what was looked at is removed from it, so that the caller goes on until it is empty.
  Result<std::optional<Frame>> next(std::string_view& piece);
  std::size_t held() const { return buffer_.capacity(); }        // bytes of memory
  bool at_boundary() const { return buffer_.empty() || done_; }  // no message is incomplete

 private:
  std::size_t most_message_;
  std::string buffer_;  // head and bytes of the current message
  bool done_ = false;   // it was handed out
};

}  // namespace wherry::rpc
