// One HTTP/1.1 connection (RFC 9112) as a pure machine. Internal to module http.
#pragma once

#include "http/chunks.h"
#include "http/machine.h"
#include "http/message_parser.h"
#include "http/owed.h"

namespace wherry::http {

inline constexpr std::size_t kFirstBuffer = 4u << 10;
inline constexpr std::size_t kSmallBuffer = 64u << 10;

class Connection final : public Machine, private Exchange, private Owed::Owner {
 public:
  // `outlet` hears of answers which come later; it must outlive the connection.
  Connection(Shared& shared, std::shared_ptr<const Peer> peer, Outlet& outlet);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  std::span<char> space() override;
  void received(std::size_t count) override;  // handles every request now complete, while output is bounded
  std::string& output() override { return output_; }
  void resume() override;  // goes on with requests already received
  void tick() override;    // 408 in the middle of a request past its time, else just the end
  Status status() const override;
  // HTTP/2, when the client began with its preface or asked for it.
  std::unique_ptr<Machine> successor() override { return std::move(successor_); }

 private:
  Later later() override;
  void answered(Owed& owed) override;

  void handle_buffered();
  bool take_head();                      // false: not complete, or refused
  bool take_body();                      // the same
  void answer();                         // calls the handler and appends its answer, if that comes at once
  bool upgrade(const Request& request);  // to HTTP/2; false: the client asked wrongly
  void next_message(std::size_t length);
  void refuse(int status, std::string_view reason);
  void write_answer(const Response& response, bool more);
  void write_response(const Response& response, bool without_body, bool close);
  bool reserve(std::size_t capacity);  // room in the buffer for this many bytes of the current message
  bool account(std::size_t capacity);  // false: over the common budget, nothing changed
  std::size_t message_length() const { return head_size_ + (head_.chunked ? 0 : head_.content_length); }
  void enter(Phase phase);

  Shared& shared_;
  std::shared_ptr<const Peer> peer_;
  Outlet& outlet_;
  ChunkDecoder chunks_;
  Head head_;
  Phase phase_ = Phase::kIdle;
  bool first_ = true;  // nothing was answered yet
  bool closing_ = false;
  bool waiting_for_output_ = false;
  bool without_body_ = false;  // the request being answered is a HEAD

  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;    // of the current message
  std::size_t end_ = 0;      // of what was received
  std::size_t scanned_ = 0;  // of the current message, searched for the head's end
  std::size_t head_size_ = 0;
  std::string chunked_body_;
  HeldMemory memory_;
  const Request* current_ = nullptr;  // during Handler::handle
  std::shared_ptr<Owed> owed_;        // the answer which comes later
  std::unique_ptr<Machine> successor_;
  SteadyTime started_;
  SteadyTime deadline_;
  std::string output_;
};

}  // namespace wherry::http
