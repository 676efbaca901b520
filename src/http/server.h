// HTTP/1.1 server: keep-alive, pipelining, chunked uploads, Expect: 100-continue, bounded in every direction,
// and a shutdown which loses no request. Each thread runs its own event loop and owns its connections; one
// listener hands new connections to the thread with the fewest.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "http/message.h"

namespace wherry::http {

// What a client may make the server hold, and for how long. The answer to a violation stands behind each.
struct Limits {
  std::size_t most_target = 8u << 10;                    // bytes of the request target: 414
  std::size_t most_head = 16u << 10;                     // bytes of request line and headers: 431
  std::size_t most_headers = 100;                        // header lines: 431
  std::size_t most_body = 64u << 20;                     // bytes of one body: 413
  std::size_t most_large_bodies = std::size_t{1} << 29;  // bytes of all buffers over 64 KiB together: 503
  std::size_t most_connections = 8192;                   // 503 and close
  std::chrono::milliseconds head{10'000};                // first to last byte of the head: 408
  std::chrono::milliseconds body{120'000};               // head to last byte of the body: 408
  std::chrono::milliseconds write{30'000};               // without the client taking a byte: closed
  // Between requests: closed. Longer than the 600 s for which Google's and the 60 s for which AWS' load
  // balancers keep a connection, else they would now and then send a request into a closed one (502).
  std::chrono::milliseconds idle{620'000};
  std::chrono::milliseconds linger{2'000};      // for the client to close after our last byte
  std::chrono::milliseconds drain_idle{1'000};  // when stopping: for one last request on an idle connection
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
  // Fills in the answer. Must not block for long and must not throw.
  virtual void handle(const Request& request, Response& response) = 0;
  virtual void refused(const Refusal& refusal) = 0;
  // At least four times a second while connections are open, and when the last one has ended.
  virtual void tick() = 0;
};
using HandlerFactory = std::function<std::unique_ptr<Handler>(unsigned thread)>;

struct ServerOptions {
  std::string host = "127.0.0.1";  // an address, or "localhost"
  std::uint16_t port = 0;          // 0: any free one
  unsigned threads = 1;
  Limits limits;
};

// Thread-safe but for stop() and the destructor, which one thread calls.
class Server {
 public:
  // Listens and runs when it returns. Errors: kUsage "http.bad_address", kUnavailable "http.port_in_use",
  // "http.cannot_listen".
  static base::Result<std::unique_ptr<Server>> start(const ServerOptions& options,
                                                     const HandlerFactory& make);
  ~Server();  // stops without grace
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;

  // From now on answers carry "Connection: close", so that clients move away; all else goes on.
  void begin_drain();

  // Accepts what already waits in the listener's queue, closes the listener, answers every request already
  // received or arriving on an open connection within Limits::drain_idle, then ends the threads. Gives the
  // number of connections cut in the middle of an exchange because `grace` was over: 0 is a clean end.
  std::size_t stop(std::chrono::milliseconds grace);

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace wherry::http
