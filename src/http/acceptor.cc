#include "http/acceptor.h"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>

#include "http/syn_filter.h"

namespace wherry::http {

namespace {

constexpr std::string_view kFull =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 32\r\n"
    "Retry-After: 1\r\nConnection: close\r\n\r\n{\"error\":\"too many connections\"}";

std::size_t open_connections(const Workers& workers) {
  std::size_t sum = 0;
  for (const auto& worker : workers) sum += worker->open();
  return sum;
}

}  // namespace

bool Acceptor::start() {
  return workers_.front()->poller().add(socket_.file(), *this, EPOLLIN);
}

void Acceptor::pause() {
  workers_.front()->poller().change(socket_.file(), *this, 0);
  workers_.front()->retry_soon([this] {
    if (socket_.file() >= 0) workers_.front()->poller().change(socket_.file(), *this, EPOLLIN);
  });
}

void Acceptor::refuse_newcomers() {
  if (socket_.port() != 0) {
    drop_new_handshakes(socket_.file());
  } else {
    socket_.remove_file();
  }
}

void Acceptor::accept_waiting() {
  while (socket_.file() >= 0) {
    Peer peer;
    peer.listener = index_;
    const int file = accept_connection(socket_.file(), peer.address);
    if (file < 0) {
      if (errno == ECONNABORTED || errno == EINTR) continue;  // it went away while it waited
      if (errno != EAGAIN) pause();                           // no file descriptor or memory left
      return;
    }
    Worker& worker = **std::ranges::min_element(workers_, {}, [](const auto& w) { return w->open().load(); });
    if (open_connections(workers_) >= worker.limits().most_connections) {
      (void)!::send(file, kFull.data(), kFull.size(), MSG_NOSIGNAL);
      ::close(file);
      continue;
    }
    ++worker.open();
    worker.post([&worker, file, peer, tls = tls_] { worker.adopt(file, peer, tls); });
  }
}

}  // namespace wherry::http
