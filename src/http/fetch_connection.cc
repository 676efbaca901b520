#include "http/fetch_connection.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "base/text.h"

namespace wherry::http {

using base::cat;
using base::Code;
using base::Result;
using base::Status;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds kLook{100};  // between two looks at what is not a file

std::unexpected<base::Error> failed(std::string message,
                                    std::string hint = "check the address and the network") {
  return base::fail(Code::kUnavailable, "http.fetch_failed", std::move(message), std::move(hint));
}

std::string system_words(int error) {
  return std::error_code(error, std::generic_category()).message();
}

bool is_address(const std::string& host) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, host.c_str(), bytes) == 1 || inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

using Addresses = std::unique_ptr<addrinfo, FreeWith<freeaddrinfo>>;

struct Lookup {
  std::mutex mutex;
  std::condition_variable done;
  bool finished = false;
  int error = 0;
  Addresses addresses;
};

// getaddrinfo(3) knows no deadline, so for a name it runs on a thread of its own, which may outlive the wait.
Result<Addresses> resolve(const Origin& origin, const Patience& patience) {
  const std::string port = std::to_string(origin.port);
  const bool numeric = is_address(origin.host);
  const auto lookup = std::make_shared<Lookup>();
  const auto look_up = [lookup, host = origin.host, port, numeric] {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = numeric ? AI_NUMERICHOST | AI_NUMERICSERV : AI_NUMERICSERV | AI_ADDRCONFIG;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(host.c_str(), port.c_str(), &wanted, &found);
    const std::lock_guard lock(lookup->mutex);
    lookup->error = error;
    lookup->addresses.reset(error == 0 ? found : nullptr);
    lookup->finished = true;
    lookup->done.notify_all();
  };
  if (numeric) {
    look_up();
  } else {
    std::thread(look_up).detach();
  }
  std::unique_lock lock(lookup->mutex);
  while (!lookup->finished) {
    lookup->done.wait_for(lock, patience.step());
    if (!lookup->finished) TRY(patience.check());
  }
  if (lookup->error != 0)
    return failed(
        cat("the name ", base::quoted(origin.host), " cannot be resolved: ", ::gai_strerror(lookup->error)),
        "check the name, and that DNS works here");
  return std::move(lookup->addresses);
}

// A connected socket, or errno as a negative number.
Result<int> connect_to(const addrinfo& address, const Patience& patience) {
  const int file = ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (file < 0) return -errno;
  int error = 0;
  if (::connect(file, address.ai_addr, address.ai_addrlen) != 0) {
    error = errno;
    if (error == EINPROGRESS) {
      if (Status waited = patience.wait(file, POLLOUT); !waited) {
        ::close(file);
        return std::unexpected(std::move(waited).error());
      }
      socklen_t size = sizeof error;
      ::getsockopt(file, SOL_SOCKET, SO_ERROR, &error, &size);
    }
  }
  if (error != 0) {
    ::close(file);
    return -error;
  }
  const int on = 1;
  ::setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return file;
}

std::string last_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_error());
  ERR_clear_error();
  return reason == nullptr ? "the connection ended" : reason;
}

}  // namespace

Patience::Patience(milliseconds deadline, const std::atomic<bool>* cancelled)
    : end_(deadline.count() > 0 ? steady_clock::now() + deadline : steady_clock::time_point::max()),
      cancelled_(cancelled) {}

Status Patience::check() const {
  if (cancelled_ != nullptr && *cancelled_)
    return base::fail(Code::kUnavailable, "http.fetch_cancelled", "the server is about to end");
  if (steady_clock::now() >= end_)
    return base::fail(Code::kUnavailable, "http.fetch_timeout", "there was no answer within the time allowed",
                      "check the address and the network, or allow more time");
  return {};
}

Patience Patience::half() const {
  Patience shorter = *this;
  if (end_ != steady_clock::time_point::max()) shorter.end_ -= (end_ - steady_clock::now()) / 2;
  return shorter;
}

milliseconds Patience::left() const {
  return std::chrono::ceil<milliseconds>(std::clamp(end_ - steady_clock::now(),
                                                    steady_clock::duration::zero(),
                                                    steady_clock::duration(std::chrono::hours{1})));
}

milliseconds Patience::step() const {
  return std::min(kLook, left());
}

Status Patience::wait(int file, short events) const {
  while (true) {
    TRY(check());
    pollfd waiting{file, events, 0};
    const milliseconds step = cancelled_ != nullptr ? std::min(kLook, left()) : left();
    const int ready = ::poll(&waiting, 1, static_cast<int>(step.count()));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return failed(cat("waiting failed: ", system_words(errno)));
  }
}

Result<ParsedUrl> parse_url(std::string_view url) {
  const auto bad = [&](std::string_view why) {
    return base::fail(Code::kUsage, "http.bad_url", cat(base::quoted(url, 200), " ", why),
                      "an address looks like https://host:port/path");
  };
  ParsedUrl parsed;
  std::string_view rest = url;
  if (rest.starts_with("https://")) {
    parsed.origin.tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return bad("begins with neither http:// nor https://");
  }
  for (const char c : rest)
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f)
      return bad("contains a space, a control character or a letter which is not ASCII");
  rest = rest.substr(0, rest.find('#'));
  const std::size_t slash = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, slash);
  parsed.authority = authority;
  parsed.target = rest.substr(slash);
  if (!parsed.target.starts_with('/')) parsed.target.insert(0, 1, '/');
  if (authority.find('@') != authority.npos) return bad("contains a user name");
  const bool bracketed = authority.starts_with('[');
  const std::size_t host_end = bracketed ? authority.find(']') : authority.find(':');
  if (bracketed && host_end == authority.npos) return bad("has a bracket without end");
  parsed.origin.host = authority.substr(bracketed ? 1 : 0, host_end - (bracketed ? 1 : 0));
  if (!bracketed) parsed.origin.host = authority.substr(0, host_end);
  if (parsed.origin.host.empty() || parsed.origin.host.size() > 255) return bad("names no host");
  std::string_view port = host_end == authority.npos ? "" : authority.substr(host_end + (bracketed ? 1 : 0));
  parsed.origin.port = parsed.origin.tls ? 443 : 80;
  if (!port.empty()) {
    const auto number = base::parse_unsigned(port.substr(1));
    if (!port.starts_with(':') || !number || *number == 0 || *number > 65535)
      return bad("has a malformed port");
    parsed.origin.port = static_cast<std::uint16_t>(*number);
  }
  return parsed;
}

FetchConnection::FetchConnection(FetchConnection&& other) noexcept
    : origin_(std::move(other.origin_)), file_(std::exchange(other.file_, -1)), ssl_(std::move(other.ssl_)) {}

FetchConnection& FetchConnection::operator=(FetchConnection&& other) noexcept {
  std::swap(origin_, other.origin_);
  std::swap(file_, other.file_);
  std::swap(ssl_, other.ssl_);
  return *this;
}

FetchConnection::~FetchConnection() {
  if (ssl_ && !SSL_in_init(ssl_.get())) {
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }
  if (file_ >= 0) ::close(file_);
}

Result<FetchConnection> FetchConnection::open(const Origin& origin, SSL_CTX* tls, const Patience& patience) {
  FetchConnection made;
  made.origin_ = origin;
  TRY_ASSIGN(const Addresses addresses, resolve(origin, patience));
  int error = ECONNREFUSED;
  for (const addrinfo* address = addresses.get(); address != nullptr && made.file_ < 0;
       address = address->ai_next) {
    // An address which swallows packets must not use up the time of those behind it.
    const bool last = address->ai_next == nullptr;
    auto connected = connect_to(*address, last ? patience : patience.half());
    if (!connected) {
      if (last) return std::unexpected(std::move(connected).error());
      TRY(patience.check());
      error = ETIMEDOUT;
    } else if (*connected < 0) {
      error = -*connected;
    } else {
      made.file_ = *connected;
    }
  }
  if (made.file_ < 0)
    return failed(cat("cannot connect to ", base::quoted(origin.host), " port ", origin.port, ": ",
                      system_words(error)));
  if (origin.tls) TRY(made.shake_hands(tls, patience));
  return made;
}

Status FetchConnection::shake_hands(SSL_CTX* tls, const Patience& patience) {
  ssl_.reset(SSL_new(tls));
  if (!ssl_ || SSL_set_fd(ssl_.get(), file_) != 1)
    return failed(cat("TLS cannot be set up: ", last_reason()));
  X509_VERIFY_PARAM* check = SSL_get0_param(ssl_.get());
  const bool named = is_address(origin_.host)
                         ? X509_VERIFY_PARAM_set1_ip_asc(check, origin_.host.c_str()) == 1
                         : SSL_set_tlsext_host_name(ssl_.get(), origin_.host.c_str()) == 1 &&
                               X509_VERIFY_PARAM_set1_host(check, origin_.host.c_str(), 0) == 1;
  if (!named) return failed(cat("TLS cannot be set up for ", base::quoted(origin_.host)));
  while (true) {
    ERR_clear_error();
    const int result = SSL_connect(ssl_.get());
    if (result == 1) return {};
    const long verified = SSL_get_verify_result(ssl_.get());
    if (verified != X509_V_OK)
      return base::fail(Code::kDenied, "http.fetch_untrusted",
                        cat("the certificate of ", base::quoted(origin_.host),
                            " is not trusted: ", X509_verify_cert_error_string(verified)),
                        "give the authority which issued it, or use the name the certificate is for");
    TRY_ASSIGN(const bool goes_on, settle(result, patience));
    if (!goes_on) return failed(cat("TLS with ", base::quoted(origin_.host), " failed: ", last_reason()));
  }
}

Result<bool> FetchConnection::settle(int result, const Patience& patience) {
  const int error = SSL_get_error(ssl_.get(), result);
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return false;
  TRY(patience.wait(file_, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT));
  return true;
}

bool FetchConnection::stale() const {
  pollfd waiting{file_, POLLIN | POLLRDHUP, 0};
  if (::poll(&waiting, 1, 0) <= 0) return false;
  if (!ssl_ || (waiting.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0) return true;
  // Over TLS something may come that is no answer: a session ticket.
  char byte;
  ERR_clear_error();
  const int result = SSL_peek(ssl_.get(), &byte, 1);
  const bool quiet = result <= 0 && SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ;
  ERR_clear_error();
  return !quiet;
}

Status FetchConnection::send(std::string_view bytes, const Patience& patience) {
  while (!bytes.empty()) {
    if (ssl_) {
      ERR_clear_error();
      std::size_t count = 0;
      const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
      if (result == 1) {
        bytes.remove_prefix(count);
        continue;
      }
      TRY_ASSIGN(const bool goes_on, settle(result, patience));
      if (!goes_on) return failed(cat("sending to ", base::quoted(origin_.host), " failed: ", last_reason()));
    } else {
      const ssize_t count = ::send(file_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(count));
      } else if (errno == EAGAIN) {
        TRY(patience.wait(file_, POLLOUT));
      } else if (errno != EINTR) {
        return failed(cat("sending to ", base::quoted(origin_.host), " failed: ", system_words(errno)));
      }
    }
  }
  return {};
}

Result<std::size_t> FetchConnection::receive(std::span<char> space, const Patience& patience) {
  while (true) {
    if (ssl_) {
      ERR_clear_error();
      std::size_t count = 0;
      const int result = SSL_read_ex(ssl_.get(), space.data(), space.size(), &count);
      if (result == 1) return count;
      if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN) return 0;
      TRY_ASSIGN(const bool goes_on, settle(result, patience));
      // An end without close_notify may be somebody cutting the answer short: no end of an answer.
      if (!goes_on)
        return failed(cat("reading from ", base::quoted(origin_.host), " failed: ", last_reason()));
    } else {
      const ssize_t count = ::recv(file_, space.data(), space.size(), 0);
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno == EAGAIN) {
        TRY(patience.wait(file_, POLLIN));
      } else if (errno != EINTR) {
        return failed(cat("reading from ", base::quoted(origin_.host), " failed: ", system_words(errno)));
      }
    }
  }
}

}  // namespace wherry::http
