// The answer to a request of ours, as it arrives (RFC 9112); a pure machine. Internal to module http.
#pragma once

#include <string>
#include <string_view>

#include "http/chunks.h"
#include "http/fetch.h"

namespace wherry::http {

// Not thread-safe.
class AnswerReader {
 public:
  enum class Progress { kMore, kDone, kMalformed, kTooLarge };
  static constexpr std::size_t kMostHead = 32u << 10;
  static constexpr std::size_t kMostHeaders = 100;

  // `most_body` as FetchRequest::most_answer; `without_body`: the request was a HEAD.
  AnswerReader(std::size_t most_body, bool without_body)
      : most_body_(most_body), without_body_(without_body) {}

  // More bytes from the connection. After anything but kMore it must not be called again.
  Progress received(std::string_view bytes);
  // The server closed the connection.
  Progress ended();

  bool begun() const { return begun_; }          // a byte has come
  bool can_reuse() const { return can_reuse_; }  // after kDone: the connection is good for another request
  std::string_view objection() const { return objection_; }  // after kMalformed; static storage
  FetchAnswer& answer() { return answer_; }

 private:
  enum class Body { kNone, kLength, kChunked, kUntilEnd };
  Progress take_head();
  bool parse_head(std::string_view head);
  bool parse_status(std::string_view line);
  bool take_header(std::string_view name, std::string_view value);
  Progress take_body();
  Progress malformed(std::string_view why);

  const std::size_t most_body_;
  const bool without_body_;
  FetchAnswer answer_;
  std::string buffer_;
  bool begun_ = false, in_body_ = false, can_reuse_ = false;
  bool http_1_1_ = true, close_ = false, keep_ = false, chunked_ = false, coded_ = false, has_length_ = false;
  int informational_ = 0;
  Body body_ = Body::kNone;
  std::uint64_t length_ = 0;
  ChunkDecoder chunks_;
  std::string_view objection_;
};

}  // namespace wherry::http
