// One connection to a server, plain or TLS, blocking up to a deadline. Internal to module http.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <openssl/ssl.h>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/tls_generation.h"

namespace wherry::http {

struct Origin {
  bool tls = false;
  std::string host;  // a name, or an address without brackets
  std::uint16_t port = 0;
  bool operator==(const Origin&) const = default;
};

struct ParsedUrl {
  Origin origin;
  std::string authority;  // as in Host
  std::string target;     // path and query
};
base::Result<ParsedUrl> parse_url(std::string_view url);  // http.bad_url

// Until when, and unless cancelled.
class Patience {
 public:
  Patience(std::chrono::milliseconds deadline, const std::atomic<bool>* cancelled);
  // Waits for poll(2) events on `file`. Errors: http.fetch_timeout, http.fetch_cancelled.
  base::Status wait(int file, short events) const;
  // The same for something that another thread makes true: false while there is patience left.
  base::Status check() const;
  std::chrono::milliseconds step() const;  // how long to wait before looking again
  Patience half() const;                   // with half of the time that is left
  std::chrono::milliseconds left() const;

 private:
  std::chrono::steady_clock::time_point end_;
  const std::atomic<bool>* cancelled_;
};

// Not thread-safe.
class FetchConnection {
 public:
  // `tls` is needed for an origin which speaks it. Errors as of Fetcher::fetch.
  static base::Result<FetchConnection> open(const Origin& origin, SSL_CTX* tls, const Patience& patience);
  FetchConnection(FetchConnection&& other) noexcept;
  FetchConnection& operator=(FetchConnection&& other) noexcept;
  ~FetchConnection();

  const Origin& origin() const { return origin_; }
  bool stale() const;  // closed by the other side, or it has sent what nobody asked for
  base::Status send(std::string_view bytes, const Patience& patience);
  base::Result<std::size_t> receive(std::span<char> space, const Patience& patience);  // 0: ended

 private:
  FetchConnection() = default;
  base::Status shake_hands(SSL_CTX* tls, const Patience& patience);
  // After an SSL function gave `result`: waits for what it needs. False: the connection has ended.
  base::Result<bool> settle(int result, const Patience& patience);

  Origin origin_;
  int file_ = -1;
  std::unique_ptr<SSL, FreeWith<SSL_free>> ssl_;
};

}  // namespace wherry::http
