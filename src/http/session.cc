#include "http/session.h"

#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>

#include "http/connection.h"
#include "http/http2.h"
#include "http/tls_connection.h"

namespace wherry::http {

namespace {

// Of its answers a client has to take so many bytes, or the rest, in Limits::write.
constexpr std::size_t kLeastProgress = 16u << 10;

std::unique_ptr<Machine> make_plain(Shared& shared, std::shared_ptr<const Peer> peer, Outlet& outlet,
                                    bool http2) {
  if (http2) return std::make_unique<Http2>(shared, std::move(peer), outlet);
  return std::make_unique<Connection>(shared, std::move(peer), outlet);
}

}  // namespace

Session::Session(int file, Peer peer, const TlsContext* tls, SessionOwner& owner)
    : file_(file), owner_(owner) {
  Outlet& outlet = *this;
  if (tls == nullptr) {
    machine_ = make_plain(owner.shared(), std::make_shared<const Peer>(std::move(peer)), outlet, false);
  } else {
    machine_ = std::make_unique<TlsConnection>(owner.shared(), std::move(peer), outlet, *tls, make_plain);
  }
}

Session::~Session() {
  if (file_ >= 0) ::close(file_);
}

bool Session::start() {
  watched_ = EPOLLIN;
  return owner_.poller().add(file_, *this, watched_);
}

bool Session::idle() const {
  return machine_->status().phase == Machine::Phase::kIdle && machine_->output().empty();
}

void Session::close() {
  if (file_ < 0) return;
  ::close(file_);
  file_ = -1;
  owner_.ended(*this);
}

void Session::ready(std::uint32_t events) {
  if (file_ < 0) return;
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) {
    if ((watched_ & EPOLLIN) == 0) {
      // Not reading for now, but the client went away while its answer is made, or the connection broke.
      if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) close();
    } else {
      read();
    }
  }
  if (file_ >= 0) pump();
}

void Session::read() {
  const std::span<char> space = machine_->space();
  const ssize_t count = ::recv(file_, space.data(), space.size(), 0);
  if (count > 0) {
    if (!lingering_) machine_->received(static_cast<std::size_t>(count));
  } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
    close();  // also the client's orderly end: half-closed clients are not served
  }
}

void Session::pump() {
  blocked_ = blocked_ && !lingering_;
  while (file_ >= 0 && !lingering_) {
    if (machine_->status().replaced) machine_ = machine_->successor();
    std::string& output = machine_->output();
    if (sent_ == output.size()) {
      blocked_ = false;
      if (sent_ > 0) {
        output.clear();
        sent_ = 0;
        machine_->resume();
        if (!machine_->output().empty()) continue;
      }
      if (machine_->status().closing) linger();
      break;
    }
    const ssize_t count = ::send(file_, output.data() + sent_, output.size() - sent_, MSG_NOSIGNAL);
    if (count > 0) {
      sent_ += static_cast<std::size_t>(count);
      progress_ += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      if (!blocked_ || progress_ >= kLeastProgress) {
        deadline_ = owner_.shared().now + owner_.shared().limits.write;
        progress_ = 0;
      }
      blocked_ = true;
      break;
    } else if (errno != EINTR) {
      return close();
    }
  }
  if (file_ < 0) return;
  const Machine::Status status = machine_->status();
  std::uint32_t wanted = 0;
  if (blocked_) wanted |= EPOLLOUT;
  if (lingering_ || (status.wants_input && !blocked_)) {
    wanted |= EPOLLIN;
  } else if (status.phase == Machine::Phase::kAnswering) {
    wanted |= EPOLLRDHUP;
  }
  watch(wanted);
}

void Session::watch(std::uint32_t events) {
  if (events == watched_) return;
  watched_ = events;
  owner_.poller().change(file_, *this, events);
}

// Closing at once with input unread would make the kernel send a reset, which can destroy our last answer on
// its way; so only our direction is closed, and what the client still sends is read over until it closes too.
void Session::linger() {
  lingering_ = true;
  deadline_ = owner_.shared().now + owner_.shared().limits.linger;
  if (::shutdown(file_, SHUT_WR) != 0) close();
}

void Session::tick() {
  if (blocked_ || lingering_) {
    if (owner_.shared().now >= deadline_) close();
    return;
  }
  machine_->tick();
  if (!machine_->output().empty()) return pump();
  if (machine_->status().closing) close();
}

}  // namespace wherry::http
