// HTTP client as registries, clusters and clouds need it: one blocking call per request over a small
// interface, so that everything above it can be tested with a fake. The real one is libcurl (HTTP/1.1 and,
// where the server offers it, HTTP/2 over TLS); nothing of libcurl shows here.
//
// Thread-safety: a Transport may be used by several threads at once; Request and Response are plain values.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace wherry::http_client {

using Headers = std::vector<std::pair<std::string, std::string>>;

// A request body which is read piece by piece. `rewind` makes it start again (redirect 307/308, retry).
class BodySource {
 public:
  virtual ~BodySource() = default;
  virtual std::uint64_t size() const = 0;                           // bytes, exact: sent as Content-Length
  virtual base::Result<std::size_t> read(std::span<char> out) = 0;  // bytes put into `out`; 0: the end
  virtual base::Status rewind() = 0;
};

// `bytes` is borrowed and must outlive the source.
std::unique_ptr<BodySource> memory_source(std::string_view bytes);
// `length` bytes of a file from `offset`; the file is opened now ("http_client.body_unreadable").
base::Result<std::unique_ptr<BodySource>> file_source(const std::filesystem::path& path, std::uint64_t offset,
                                                      std::uint64_t length);

// Receives the body of a 2xx answer as it arrives, in pieces of any size (not lines; see LineSplitter).
// True: go on. False: enough; send() then returns normally with Response::stopped set. An error ends the
// transfer and is what send() returns.
using Sink = std::function<base::Result<bool>(std::string_view piece)>;

struct Timeouts {
  std::chrono::milliseconds connect{10'000};  // DNS, TCP, TLS together
  std::chrono::milliseconds idle{30'000};     // no byte in either direction; rounded up to seconds; 0: never
  std::chrono::milliseconds total{0};         // the whole exchange; 0: unlimited
};

struct Request {
  std::string method = "GET";
  std::string url;  // http:// or https:// only; credentials in it are refused
  Headers headers;  // Content-Length, Host and Transfer-Encoding are set by the transport

  std::string body;              // used when `source` is null; sent for POST, PUT and PATCH even if empty
  BodySource* source = nullptr;  // borrowed for the call

  Sink sink;                                // empty: the body is collected in Response::body
  std::uint64_t most_response = 16u << 20;  // bytes collected at most, then "http_client.too_large"

  // How many redirects are followed; 0 gives the 3xx answer back. Authorization and Cookie never travel to
  // another origin (scheme, host, port), and https is never left for http. 303, and 301/302 after POST,
  // continue with GET as browsers do; 307 and 308 repeat method and body.
  int most_redirects = 5;

  Timeouts timeouts;
  const std::atomic<bool>* cancelled = nullptr;  // looked at about once a second: "http_client.cancelled"
};

struct Response {
  int status = 0;        // any status is a success of the transport: the caller judges it
  Headers headers;       // of the last answer, in order, names as sent
  std::string body;      // empty for a 2xx answer which went to the sink
  std::string url;       // where it came from, after redirects
  bool stopped = false;  // the sink had enough

  // First value of the header, name compared without case; "" when absent.
  std::string_view header(std::string_view name) const;
};

// Errors of send(): kUnavailable http_client.{dns,refused,connect,timeout,interrupted,proxy},
// kDenied http_client.{tls_untrusted,tls}, kLimit http_client.too_large, kInvalidInput
// http_client.{bad_url,redirect}, or what the source or sink failed with.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual base::Result<Response> send(const Request& request) = 0;
};

// PEM texts; empty means not given.
struct TlsOptions {
  std::string ca_file;      // a bundle on disk instead of the system's
  std::string ca_data;      // the same as text; wins over ca_file
  std::string certificate;  // client certificate (chain) and its key
  std::string private_key;
  std::string server_name;  // verified and sent as SNI instead of the URL's host
  bool insecure = false;    // no verification at all
};

struct TransportOptions {
  TlsOptions tls;
  std::string user_agent = "wherry";
};

// libcurl; connections are kept and reused. Proxies come from the environment (HTTPS_PROXY, http_proxy,
// NO_PROXY) as curl reads them. No signals are used.
std::unique_ptr<Transport> make_transport(TransportOptions options = {});

struct RetryPolicy {
  // The wait before each further try; its length is the number of retries.
  std::vector<std::chrono::milliseconds> waits{std::chrono::milliseconds{1000},
                                               std::chrono::milliseconds{3000}};
  std::chrono::milliseconds most_retry_after{60'000};  // a longer Retry-After is not waited for
  // Told before each wait: what failed (one line) and how long it will wait.
  std::function<void(std::string_view why, std::chrono::milliseconds wait)> on_retry;
};

// 408, 429, 499, 500, 502, 503, 504, 522.
bool is_retryable(int status);

// transport.send, tried again after a retryable status or an error of code kUnavailable, unless the sink has
// already been given bytes. Retry-After (seconds or HTTP date) replaces the policy's wait. The source is
// rewound before each try.
base::Result<Response> send_with_retries(Transport& transport, base::Clock& clock, const Request& request,
                                         const RetryPolicy& policy = {});

// Turns pieces into lines (without "\n" or "\r\n"), for newline-delimited JSON as Kubernetes watches send it.
class LineSplitter {
 public:
  using OnLine = std::function<base::Result<bool>(std::string_view line)>;  // as Sink
  LineSplitter(OnLine on_line, std::size_t most_line = 16u << 20)
      : on_line_(std::move(on_line)), most_line_(most_line) {}
  base::Result<bool> operator()(std::string_view piece);  // "http_client.too_large" for a longer line

 private:
  OnLine on_line_;
  std::size_t most_line_;
  std::string rest_;
};

}  // namespace wherry::http_client
