// A small blocking HTTP/1.1 client for what the server itself needs from others: sending traces, getting
// token keys, Lambda's runtime. http and https (certificate and name always verified); redirects are not
// followed, proxies not used, content codings not asked for. Connections are kept and used again.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace wherry::http {

using FetchHeaders = std::vector<std::pair<std::string, std::string>>;

struct FetchRequest {
  std::string_view method = "GET";
  std::string_view url;   // http:// or https://, without user name and password
  FetchHeaders headers;   // besides Host, Content-Length, User-Agent and Connection
  std::string_view body;  // sent, with its length, when it is not empty or the method is POST, PUT or PATCH
  std::chrono::milliseconds deadline{10'000};  // name, connection, TLS, request and answer together; 0: none
  std::size_t most_answer = 1u << 20;          // bytes of the answer's body
  const std::atomic<bool>* cancelled = nullptr;  // looked at ten times a second
};

struct FetchAnswer {
  int status = 0;  // any status is a success here: the caller judges it
  FetchHeaders headers;
  std::string body;

  // First value of the header, name compared without case; "" when absent.
  std::string_view header(std::string_view name) const;
};

// Not thread-safe: one for each thread.
class Fetcher {
 public:
  virtual ~Fetcher() = default;
  // Errors: kUsage http.bad_url, http.fetch_no_authorities; kUnavailable http.fetch_failed (no such name,
  // refused, broken off), http.fetch_timeout, http.fetch_cancelled; kDenied http.fetch_untrusted; kLimit
  // http.fetch_too_large; kInvalidInput http.fetch_malformed. Each names the address.
  virtual base::Result<FetchAnswer> fetch(const FetchRequest& request) = 0;
};

struct FetchOptions {
  // PEM file of the authorities to trust; empty: the bundle at one of the places where systems keep it,
  // looked for when the first https address is fetched.
  std::filesystem::path authorities;
  std::string user_agent = "wherry-server";
};
std::unique_ptr<Fetcher> make_fetcher(FetchOptions options);

}  // namespace wherry::http
