// The head of a gRPC call, and the ends of answers
// (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
//
// Thread-safety: pure functions; an Inflater belongs to one thread at a time.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "rpc/frame.h"

#include "http/coding.h"
#include "http/message.h"

namespace wherry::rpc {

inline constexpr std::string_view kEncodings = "identity, deflate, gzip";  // grpc-accept-encoding

// "application/grpc", "application/grpc+proto": what an answer to it may be begun with.
bool is_grpc(const http::Request& request);

struct CallHead {
  std::optional<std::chrono::steady_clock::time_point>
      deadline;                                   // from grpc-timeout, counted from `received`
  http::Coding coding = http::Coding::kIdentity;  // of compressed messages
};

// UNIMPLEMENTED for an unknown grpc-encoding, INVALID_ARGUMENT for a grpc-timeout which is none.
Result<CallHead> read_head(const http::Request& request);

// "250m", at most eight digits and one of H M S m u n; nullopt for anything else.
std::optional<std::chrono::nanoseconds> parse_timeout(std::string_view text);

// The messages of one call, decompressed where they are compressed.
class Inflater {
 public:
  // Valid until the next call. INTERNAL for a compressed message of a call without grpc-encoding, or one
  // which is not what it says; RESOURCE_EXHAUSTED when it would be larger than `most`.
  Result<std::string_view> message(const Frame& frame, http::Coding coding, std::size_t most);

 private:
  http::Coder coder_;
  http::DecodedBody decoded_;
};

// Ends an answer whose messages stand in response.body, if any: content type and status. An answer without
// message is "trailers-only". Names the encodings understood where the request's was not.
void finish(http::Response& response, const Status& status);

// The status alone, as trailers of a stream which has begun.
void add_trailers(http::Response& response, const Status& status);

}  // namespace wherry::rpc
