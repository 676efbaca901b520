// The server side of one connection as a pure machine: bytes in, bytes out, no socket and no clock, so that
// tests and the fuzzer drive exactly what the server runs. Internal to module http.
#pragma once

#include <atomic>
#include <ctime>
#include <memory>
#include <span>
#include <string>

#include "http/chunks.h"
#include "http/message_parser.h"

namespace wherry::http {

// What the connections of one thread share.
struct Shared {
  const Limits& limits;
  Handler& handler;
  const std::atomic<bool>& draining;
  std::atomic<std::size_t>& large_bytes;  // in buffers over kSmallBuffer, of all threads
  std::time_t date_second = -1;           // of the cached Date line
  std::string date_line;
  Response response;  // reused
};

inline constexpr std::size_t kFirstBuffer = 4u << 10;
inline constexpr std::size_t kSmallBuffer = 64u << 10;

// Not thread-safe.
class Connection {
 public:
  enum class Phase { kIdle, kHead, kBody };  // waiting for: the next request, the rest of a head, of a body

  explicit Connection(Shared& shared);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  std::span<char> space();           // where to receive next: never empty
  void received(std::size_t count);  // handles every request now complete, as far as output stays bounded
  void resume();                     // the output was sent: goes on with requests already received
  void timed_out();                  // a deadline passed: 408 in the middle of a request, else just the end

  std::string& output() { return output_; }  // to be sent; the caller clears it
  bool closing() const { return closing_; }  // after the output: no more requests are read
  Phase phase() const { return phase_; }

 private:
  void handle_buffered();
  bool take_head();  // false: not complete, or refused
  bool take_body();  // the same
  void answer();     // calls the handler and appends its answer
  void next_message(std::size_t length);
  void refuse(int status, std::string_view reason);
  void write_response(const Response& response, bool without_body, bool close);
  bool reserve(std::size_t capacity);  // room in the buffer for this many bytes of the current message
  void account(std::size_t capacity);

  Shared& shared_;
  ChunkDecoder chunks_;
  Head head_;
  Phase phase_ = Phase::kIdle;
  bool closing_ = false;
  bool waiting_for_output_ = false;

  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;    // of the current message
  std::size_t end_ = 0;      // of what was received
  std::size_t scanned_ = 0;  // of the current message, searched for the head's end
  std::size_t head_size_ = 0;
  std::size_t accounted_ = 0;
  std::string chunked_body_;
  std::chrono::steady_clock::time_point started_;
  std::string output_;
};

}  // namespace wherry::http
