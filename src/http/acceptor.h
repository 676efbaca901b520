// Takes new connections from one listening socket and hands them to the workers. Internal to module http.
#pragma once

#include "http/listener.h"
#include "http/worker.h"

namespace wherry::http {

using Workers = std::vector<std::unique_ptr<Worker>>;

// Belongs to the first worker's thread once that runs.
class Acceptor final : private Poller::Source {
 public:
  // `tls`, null for plain connections, must outlive the workers.
  Acceptor(ListeningSocket socket, unsigned index, const TlsContext* tls, Workers& workers)
      : socket_(std::move(socket)), index_(index), tls_(tls), workers_(workers) {}

  const ListeningSocket& socket() const { return socket_; }
  bool start();             // false: the system has no memory for it
  void accept_waiting();    // everything in the socket's queue
  void refuse_newcomers();  // who is not yet in the queue stays out
  void close() { socket_.close(); }

 private:
  void ready(std::uint32_t) override { accept_waiting(); }
  void pause();

  ListeningSocket socket_;
  unsigned index_;
  const TlsContext* tls_;
  Workers& workers_;
};

}  // namespace wherry::http
