#include "http/listener.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include "base/text.h"

namespace wherry::http {

namespace {

constexpr int kBacklog = 4096;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

std::unexpected<base::Error> cannot_listen(std::string_view where, int error) {
  if (error == EADDRINUSE)
    return base::fail(base::Code::kUnavailable, "http.port_in_use",
                      base::cat("cannot listen on ", where, ": another program uses it"),
                      "stop it, or choose another port with --port (0 takes any free one)");
  return base::fail(base::Code::kUnavailable, "http.cannot_listen",
                    base::cat("cannot listen on ", where, ": ", std::strerror(error)),
                    "check --host, and use a port of 1024 or more unless running as root");
}

base::Result<Address> tcp_address(const Listener& listener) {
  const std::string host = listener.host == "localhost" ? "127.0.0.1" : listener.host;
  Address address;
  auto* const v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* const v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (::inet_pton(AF_INET, host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(listener.port);
    address.size = sizeof *v4;
  } else if (::inet_pton(AF_INET6, host.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(listener.port);
    address.size = sizeof *v6;
  } else {
    return base::fail(base::Code::kUsage, "http.bad_address",
                      base::cat("cannot listen on ", base::quoted(listener.host), ": not an IP address"),
                      "use 127.0.0.1 for this machine only, 0.0.0.0 or :: for every network interface");
  }
  return address;
}

base::Result<Address> unix_address(const std::string& path) {
  Address address;
  auto* const local = reinterpret_cast<sockaddr_un*>(&address.storage);
  if (path.size() >= sizeof local->sun_path || path.find('\0') != path.npos)
    return base::fail(base::Code::kUsage, "http.bad_address",
                      base::cat("cannot listen on ", base::quoted(path), ": a socket's path has at most ",
                                sizeof local->sun_path - 1, " bytes"),
                      "choose a shorter path");
  local->sun_family = AF_UNIX;
  std::memcpy(local->sun_path, path.c_str(), path.size() + 1);
  address.size = sizeof *local;
  return address;
}

// Whether a program still answers at the socket file. Only a refusal says that none does.
bool somebody_listens(const Address& address) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return true;
  const bool refused = ::connect(probe, address.get(), address.size) != 0 && errno == ECONNREFUSED;
  ::close(probe);
  return !refused;
}

std::string text_of(const Address& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.storage.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_addr, text,
                sizeof text);
  } else if (address.storage.ss_family == AF_INET6) {
    const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&v6)) {
      ::inet_ntop(AF_INET, v6.s6_addr + 12, text, sizeof text);
    } else {
      ::inet_ntop(AF_INET6, &v6, text, sizeof text);
    }
  } else {
    return "unix";
  }
  return text;
}

}  // namespace

base::Status ListeningSocket::open_tcp(const Listener& listener) {
  TRY_ASSIGN(Address address, tcp_address(listener));
  const std::string where = base::cat(listener.host, ":", listener.port);
  const int on = 1;
  file_ = ::socket(address.get()->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (file_ < 0 || ::setsockopt(file_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(file_, address.get(), address.size) != 0 || ::listen(file_, kBacklog) != 0)
    return cannot_listen(where, errno);
  // Inherited by the connections, which are spared a system call each.
  ::setsockopt(file_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  Address bound;
  bound.size = sizeof bound.storage;
  if (::getsockname(file_, bound.get(), &bound.size) != 0) return cannot_listen(where, errno);
  port_ = ntohs(bound.storage.ss_family == AF_INET
                    ? reinterpret_cast<const sockaddr_in*>(&bound.storage)->sin_port
                    : reinterpret_cast<const sockaddr_in6*>(&bound.storage)->sin6_port);
  return {};
}

base::Status ListeningSocket::open_unix(const Listener& listener) {
  const std::string& path = listener.unix_path;
  TRY_ASSIGN(Address address, unix_address(path));
  struct stat found{};
  if (::lstat(path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode)) return cannot_listen(path, EEXIST);
    if (somebody_listens(address)) return cannot_listen(path, EADDRINUSE);
    ::unlink(path.c_str());
  }
  file_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (file_ < 0 || ::bind(file_, address.get(), address.size) != 0) return cannot_listen(path, errno);
  path_ = path;
  if (::stat(path.c_str(), &found) == 0) {
    device_ = found.st_dev;
    inode_ = found.st_ino;
  }
  // Nobody can connect before listen(), so that the permissions are never wider than asked for.
  if (::chmod(path.c_str(), listener.unix_mode) != 0 || ::listen(file_, kBacklog) != 0)
    return cannot_listen(path, errno);
  return {};
}

base::Result<ListeningSocket> ListeningSocket::open(const Listener& listener) {
  ListeningSocket socket;
  TRY(listener.unix_path.empty() ? socket.open_tcp(listener) : socket.open_unix(listener));
  return socket;
}

ListeningSocket::ListeningSocket(ListeningSocket&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      port_(other.port_),
      path_(std::exchange(other.path_, {})),
      device_(other.device_),
      inode_(other.inode_) {}

ListeningSocket::~ListeningSocket() {
  close();
}

void ListeningSocket::remove_file() {
  struct stat found{};
  const bool ours = !path_.empty() && ::lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ &&
                    found.st_ino == inode_;
  if (ours) ::unlink(path_.c_str());
  path_.clear();
}

void ListeningSocket::close() {
  if (file_ < 0) return;
  remove_file();
  ::close(std::exchange(file_, -1));
}

int accept_connection(int listening, std::string& address) {
  Address peer;
  peer.size = sizeof peer.storage;
  const int file = ::accept4(listening, peer.get(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (file >= 0) address = text_of(peer);
  return file;
}

}  // namespace wherry::http
