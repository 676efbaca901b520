// HTTP server: HTTP/1.1 with keep-alive, pipelining, chunked uploads and Expect: 100-continue, bounded in
// every direction, with a shutdown which loses no request. Each thread runs its own event loop and owns its
// connections; one thread accepts and hands new connections to the thread with the fewest.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "http/handler.h"
#include "http/limits.h"
#include "http/listener.h"

namespace wherry::http {

struct ServerOptions {
  std::string host = "127.0.0.1";  // host and port: one plain listener, where `listeners` is empty
  std::uint16_t port = 0;
  unsigned threads = 1;
  Limits limits;
  std::vector<Listener> listeners;  // Peer::listener is the index
  // Handlers see request bodies decoded, and their answers are coded as the client likes (see coding.h).
  bool content_codings = true;
};

// Thread-safe but for stop() and the destructor, which one thread calls.
class Server {
 public:
  // Listens and runs when it returns. Errors: those of ListeningSocket::open.
  static base::Result<std::unique_ptr<Server>> start(const ServerOptions& options,
                                                     const HandlerFactory& make);
  ~Server();  // stops without grace
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port(unsigned listener = 0) const;  // 0 for a socket file

  // From now on answers carry "Connection: close", so that clients move away; all else goes on.
  void begin_drain();

  // Accepts what already waits in the listeners' queues, closes the listeners, answers every request already
  // received or arriving on an open connection within Limits::drain_idle, waits for the answers which come
  // later, then ends the threads. Gives the number of connections cut in the middle of an exchange because
  // `grace` was over: 0 is a clean end.
  std::size_t stop(std::chrono::milliseconds grace);

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace wherry::http
