// What a service implements to answer requests, and how it answers later than at once. The same for HTTP/1.1
// and HTTP/2.
#pragma once

#include <functional>
#include <memory>

#include "http/message.h"

namespace wherry::http {

struct Owed;

// The right and the duty to answer one request after Handler::handle has returned. Moves from thread to
// thread; each of its functions may be called on any one thread at a time. May outlive the server.
class Later {
 public:
  explicit Later(std::shared_ptr<Owed> owed);  // for the connections of module http
  Later(Later&&) noexcept = default;
  Later& operator=(Later&&) noexcept;
  ~Later();  // unanswered: the client gets a 500

  const Request& request() const;    // valid until answer()
  bool abandoned() const;            // the client went away: whatever is computed for it is in vain
  void answer(Response&& response);  // once; the end of request()
  Owed& owed() { return *owed_; }    // for module http

 private:
  std::shared_ptr<Owed> owed_;
};

// One request being answered.
class Exchange {
 public:
  // At most once, during Handler::handle: what that leaves in its Response is then ignored.
  virtual Later later() = 0;

 protected:
  ~Exchange() = default;
};

// Runs work on the I/O thread of a stream. Copyable; any thread.
class StreamPoster {
 public:
  using Post = std::function<void(std::function<void()>)>;
  explicit StreamPoster(Post post) : post_(std::move(post)) {}
  // Dropped unrun when the stream has ended before its turn comes.
  void post(std::function<void()> work) const { post_(std::move(work)); }

 private:
  Post post_;
};

// The answering half of one HTTP/2 stream whose body comes and whose answer goes in pieces (gRPC). Used on
// its I/O thread only. Ends with finish(), reset(), or StreamHandler::closed().
class Stream {
 public:
  static constexpr std::size_t kHighWater = 256u << 10;

  // Status, content type and headers; the body, which is sent at once, and the trailers are ignored.
  virtual void begin(const Response& head) = 0;
  // Queues bytes of the answer. Past kHighWater bytes queued() the writer should wait for writable().
  virtual void write(std::string_view piece) = 0;
  // The trailers of `last` and the end, behind all that was written. begin() is made up for if it did not
  // come.
  virtual void finish(const Response& last) = 0;
  virtual void reset() = 0;  // RST_STREAM: what is queued is dropped
  // So many bytes given to data() are dealt with: the client may send as many again.
  virtual void consume(std::size_t bytes) = 0;
  virtual std::size_t queued() const = 0;
  virtual void set_deadline(std::chrono::steady_clock::time_point when) = 0;  // StreamHandler::expired()
  virtual StreamPoster poster() = 0;

 protected:
  ~Stream() = default;
};

// The receiving half; all calls on the stream's I/O thread. Destroyed behind the stream's end.
class StreamHandler {
 public:
  virtual ~StreamHandler() = default;
  virtual void data(std::string_view piece) = 0;  // valid during the call; to be consume()d sooner or later
  virtual void end() = 0;                         // the client has sent everything
  virtual void writable() = 0;                    // less than half of kHighWater is queued again
  virtual void expired() = 0;                     // the deadline has passed
  virtual void closed() = 0;  // the client reset the stream or went away: nothing can be written any more
};

// A request which the server answered by itself because it broke the protocol or a limit.
struct Refusal {
  int status = 400;
  std::string_view reason;
  std::size_t bytes = 0;  // of the answer's body
};

// One per thread, called on that thread only.
class Handler {
 public:
  virtual ~Handler() = default;
  // Fills in the answer, or takes exchange.later(). Must not block for long and must not throw.
  virtual void handle(const Request& request, Response& response, Exchange& exchange) = 0;
  // An answer given through a Later, just before it is sent, or would have been if the client had stayed: the
  // place for what every answer gets (counters, log, common headers).
  virtual void answered(const Request& /*request*/, Response& /*response*/, bool /*abandoned*/) {}
  // HTTP/2 only: asked when a request's head has come. Non-null takes the stream over (handle() will not be
  // called); `head` is valid during the call, `stream` until the handler's closed(), finish() or reset().
  virtual std::unique_ptr<StreamHandler> stream(const Request& /*head*/, Stream& /*stream*/) {
    return nullptr;
  }
  // What the server is about to refuse a request with, for protocols on top which have a form of their own
  // for it (gRPC). Over HTTP/2, and for bodies that cannot be decoded; the head may be empty where it was not
  // understood.
  virtual void refusing(const Request& /*head*/, Response& /*refusal*/) {}
  virtual void refused(const Refusal& refusal) = 0;
  // At least four times a second while connections are open, and when the last one has ended.
  virtual void tick() = 0;
};
using HandlerFactory = std::function<std::unique_ptr<Handler>(unsigned thread)>;

}  // namespace wherry::http
