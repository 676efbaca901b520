#include <algorithm>
#include <curl/curl.h>
#include <mutex>
#include <optional>

#include "http_client/transport.h"

#include "base/text.h"

namespace wherry::http_client {

using base::cat;
using base::Code;
using base::Error;
using base::Result;

namespace {

struct FreeEasy {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Easy = std::unique_ptr<CURL, FreeEasy>;
using List = std::unique_ptr<curl_slist, FreeList>;
using Url = std::unique_ptr<CURLU, FreeUrl>;

bool same_name(std::string_view a, std::string_view b) {
  return base::to_lower(a) == base::to_lower(b);
}

std::string url_part(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

struct Origin {
  std::string scheme, host, port;
  bool operator==(const Origin&) const = default;
};

Origin origin_of(CURLU* url) {
  return {url_part(url, CURLUPART_SCHEME), base::to_lower(url_part(url, CURLUPART_HOST)),
          url_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT)};
}

// `reference` resolved against what `url` holds (nothing, for the first address).
base::Status set_url(CURLU* url, const std::string& reference) {
  const auto refuse = [&](std::string_view why) {
    return base::fail(Code::kInvalidInput, "http_client.bad_url",
                      cat("cannot use the address ", base::quoted(reference), ": ", why),
                      "give an address like https://host[:port]/path");
  };
  if (const CURLUcode code = curl_url_set(url, CURLUPART_URL, reference.c_str(), 0); code != CURLUE_OK)
    return refuse(curl_url_strerror(code));
  const std::string scheme = url_part(url, CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return refuse("it is neither http nor https");
  if (!url_part(url, CURLUPART_USER).empty() || !url_part(url, CURLUPART_PASSWORD).empty())
    return refuse("it contains a user name or password");
  return {};
}

// What the callbacks of one exchange share.
struct Exchange {
  const Request* request = nullptr;
  BodySource* source = nullptr;
  Response response;
  std::optional<Error> failure;  // of source, sink or a limit: more precise than curl's code
  CURL* handle = nullptr;
};

std::size_t on_header(char* data, std::size_t, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  std::string_view line(data, count);
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {  // a new head: what a 1xx or the proxy's CONNECT sent is not the answer
    exchange.response.headers.clear();
    return count;
  }
  const std::size_t colon = line.find(':');
  if (colon == line.npos) return count;
  constexpr std::size_t kMostHeaders = 1000;
  if (exchange.response.headers.size() == kMostHeaders) {
    exchange.failure =
        Error{Code::kLimit, "http_client.too_large", "the answer has more than 1000 headers", {}, {}};
    return 0;
  }
  exchange.response.headers.emplace_back(line.substr(0, colon), base::trim(line.substr(colon + 1)));
  return count;
}

std::size_t on_body(char* data, std::size_t, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::string_view piece(data, count);
  long status = 0;
  curl_easy_getinfo(exchange.handle, CURLINFO_RESPONSE_CODE, &status);
  if (exchange.request->sink && status >= 200 && status < 300) {
    auto more = exchange.request->sink(piece);
    if (!more) {
      exchange.failure = std::move(more).error();
      return 0;
    }
    exchange.response.stopped = !*more;
    return *more ? count : 0;
  }
  if (exchange.response.body.size() + count > exchange.request->most_response) {
    exchange.failure = Error{Code::kLimit,
                             "http_client.too_large",
                             cat("the answer of ", exchange.response.url, " is larger than ",
                                 base::human_size(exchange.request->most_response)),
                             "check that the address is right",
                             {}};
    return 0;
  }
  exchange.response.body += piece;
  return count;
}

std::size_t on_read(char* data, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  auto got = exchange.source->read({data, size * count});
  if (got) return *got;
  exchange.failure = std::move(got).error();
  return CURL_READFUNC_ABORT;
}

int on_seek(void* user, curl_off_t offset, int origin) {
  auto& exchange = *static_cast<Exchange*>(user);
  if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  if (auto status = exchange.source->rewind(); !status) {
    exchange.failure = std::move(status).error();
    return CURL_SEEKFUNC_FAIL;
  }
  return CURL_SEEKFUNC_OK;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto* cancelled = static_cast<Exchange*>(user)->request->cancelled;
  return cancelled != nullptr && cancelled->load(std::memory_order_relaxed) ? 1 : 0;
}

struct Failure {
  CURLcode curl;
  Code code;
  std::string_view id, what, hint;
};

constexpr Failure kFailures[] = {
    {CURLE_COULDNT_RESOLVE_HOST, Code::kUnavailable, "http_client.dns", "the host name could not be resolved",
     "check the spelling of the host and that DNS works from here"},
    {CURLE_COULDNT_RESOLVE_PROXY, Code::kUnavailable, "http_client.proxy",
     "the proxy's name could not be resolved",
     "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY in the environment"},
    {CURLE_PROXY, Code::kUnavailable, "http_client.proxy", "the proxy refused",
     "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY in the environment"},
    {CURLE_COULDNT_CONNECT, Code::kUnavailable, "http_client.refused", "the connection was refused",
     "check that the server runs, and the host and port"},
    {CURLE_PEER_FAILED_VERIFICATION, Code::kDenied, "http_client.tls_untrusted",
     "the server's certificate was not accepted",
     "give the certificate authority that signed it, or check the host name and this machine's clock"},
    {CURLE_SSL_CACERT_BADFILE, Code::kDenied, "http_client.tls_untrusted",
     "the certificate authorities could not be read", "check the CA file, or install ca-certificates"},
    {CURLE_SSL_ISSUER_ERROR, Code::kDenied, "http_client.tls_untrusted",
     "the server's certificate was not accepted", "give the certificate authority that signed it"},
    {CURLE_SSL_CONNECT_ERROR, Code::kDenied, "http_client.tls", "TLS could not be set up",
     "check that the port speaks TLS; for a plain HTTP registry on another host use --insecure"},
    {CURLE_SSL_CERTPROBLEM, Code::kDenied, "http_client.tls",
     "the client certificate or key was not accepted",
     "check the client certificate and key in the configuration"},
    {CURLE_URL_MALFORMAT, Code::kInvalidInput, "http_client.bad_url", "the address cannot be used",
     "give an address like https://host[:port]/path"},
    {CURLE_UNSUPPORTED_PROTOCOL, Code::kInvalidInput, "http_client.bad_url", "the address cannot be used",
     "give an address like https://host[:port]/path"},
    {CURLE_ABORTED_BY_CALLBACK, Code::kUnavailable, "http_client.cancelled", "the transfer was cancelled",
     ""},
};

Error describe_failure(CURLcode curl, const char* detail, const Exchange& exchange, CURL* handle) {
  const std::string where = cat(exchange.request->method, " ", exchange.response.url);
  const std::string because = *detail != '\0' ? detail : curl_easy_strerror(curl);
  if (curl == CURLE_OPERATION_TIMEDOUT) {
    curl_off_t connected = 0;
    curl_easy_getinfo(handle, CURLINFO_PRETRANSFER_TIME_T, &connected);
    if (connected == 0)
      return {Code::kUnavailable,
              "http_client.connect",
              cat(where, ": no connection in time (", because, ")"),
              "check the host and port, and that no firewall drops the packets",
              {}};
    return {Code::kUnavailable,
            "http_client.timeout",
            cat(where, ": the server did not answer in time (", because, ")"),
            "try again later, or check the server's load",
            {}};
  }
  for (const Failure& row : kFailures)
    if (row.curl == curl)
      return {row.code,
              std::string(row.id),
              cat(where, ": ", row.what, " (", because, ")"),
              std::string(row.hint),
              {}};
  return {Code::kUnavailable,
          "http_client.interrupted",
          cat(where, ": the exchange broke off (", because, ")"),
          "try again",
          {}};
}

curl_blob blob(const std::string& text) {
  return {const_cast<char*>(text.data()), text.size(), CURL_BLOB_NOCOPY};
}

class CurlTransport : public Transport {
 public:
  explicit CurlTransport(TransportOptions options) : options_(std::move(options)) {}

  Result<Response> send(const Request& request) override {
    Url url(curl_url());
    TRY(set_url(url.get(), request.url));
    Hop hop{request.method, request.headers, request.source, request.body, {}};
    for (int redirects = 0;; ++redirects) {
      TRY_ASSIGN(Response response, perform(request, hop, url.get()));
      const std::string_view location = response.header("Location");
      const bool redirect = response.status > 300 && response.status < 309 && response.status != 304 &&
                            response.status != 305 && response.status != 306 && !location.empty();
      if (!redirect || request.most_redirects <= 0) return response;
      if (redirects == request.most_redirects)
        return base::fail(Code::kInvalidInput, "http_client.redirect",
                          cat(request.url, " redirects more than ", request.most_redirects, " times"),
                          "check the address");
      TRY(follow(hop, url.get(), response.status, std::string(location)));
    }
  }

 private:
  struct Hop {
    std::string method;
    Headers headers;
    BodySource* source;
    std::string_view body;
    std::unique_ptr<BodySource> memory;
  };

  static base::Status follow(Hop& hop, CURLU* url, int status, const std::string& location) {
    const Origin before = origin_of(url);
    if (auto set = set_url(url, location); !set)
      return base::fail(Code::kInvalidInput, "http_client.redirect",
                        cat("redirected to ", base::quoted(location), ", which is not a usable address"));
    const Origin after = origin_of(url);
    if (before.scheme == "https" && after.scheme == "http")
      return base::fail(Code::kInvalidInput, "http_client.redirect",
                        cat("redirected from https to ", base::quoted(location)),
                        "the server is misconfigured, or somebody tampers with the connection");
    if (before != after)
      std::erase_if(hop.headers, [](const auto& header) {
        return same_name(header.first, "Authorization") || same_name(header.first, "Cookie") ||
               same_name(header.first, "Proxy-Authorization");
      });
    const bool becomes_get =
        (status == 303 && hop.method != "HEAD") || ((status == 301 || status == 302) && hop.method == "POST");
    if (becomes_get) {
      hop.method = "GET";
      hop.source = nullptr;
      hop.memory.reset();
      hop.body = {};
      std::erase_if(hop.headers, [](const auto& header) { return same_name(header.first, "Content-Type"); });
    } else if (hop.source != nullptr) {
      TRY(hop.source->rewind());
    }
    return {};
  }

  // Sets method, body and callbacks; the List keeps the headers alive for the transfer.
  List configure(CURL* handle, const Request& request, Hop& hop, Exchange& exchange) {
    const bool always_body = hop.method == "POST" || hop.method == "PUT" || hop.method == "PATCH";
    if (hop.source == nullptr && (always_body || !hop.body.empty())) hop.memory = memory_source(hop.body);
    if (hop.memory != nullptr && hop.source == nullptr) (void)hop.memory->rewind();
    exchange.source = hop.source != nullptr ? hop.source : hop.memory.get();
    if (hop.method == "HEAD") {
      curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
    } else if (exchange.source != nullptr) {
      curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
      curl_easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(exchange.source->size()));
      curl_easy_setopt(handle, CURLOPT_READFUNCTION, on_read);
      curl_easy_setopt(handle, CURLOPT_READDATA, &exchange);
      curl_easy_setopt(handle, CURLOPT_SEEKFUNCTION, on_seek);
      curl_easy_setopt(handle, CURLOPT_SEEKDATA, &exchange);
    }
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, hop.method.c_str());
    curl_slist* list = curl_slist_append(nullptr, "Expect:");
    for (const auto& [name, value] : hop.headers)
      list = curl_slist_append(list, (value.empty() ? name + ";" : cat(name, ": ", value)).c_str());
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &exchange);
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    const auto seconds = [](std::chrono::milliseconds time) {
      return static_cast<long>((time.count() + 999) / 1000);
    };
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.timeouts.connect.count()));
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeouts.total.count()));
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, request.timeouts.idle.count() > 0 ? 1L : 0L);
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, seconds(request.timeouts.idle));
    return List(list);
  }

  void configure_tls(CURL* handle) {
    const TlsOptions& tls = options_.tls;
    if (!tls.ca_data.empty()) {
      curl_blob ca = blob(tls.ca_data);
      curl_easy_setopt(handle, CURLOPT_CAINFO_BLOB, &ca);
      curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
    } else if (!tls.ca_file.empty()) {
      curl_easy_setopt(handle, CURLOPT_CAINFO, tls.ca_file.c_str());
      curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
    }
    if (!tls.certificate.empty()) {
      curl_blob certificate = blob(tls.certificate), key = blob(tls.private_key);
      curl_easy_setopt(handle, CURLOPT_SSLCERTTYPE, "PEM");
      curl_easy_setopt(handle, CURLOPT_SSLCERT_BLOB, &certificate);
      curl_easy_setopt(handle, CURLOPT_SSLKEYTYPE, "PEM");
      curl_easy_setopt(handle, CURLOPT_SSLKEY_BLOB, &key);
    }
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, tls.insecure ? 0L : 1L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, tls.insecure ? 0L : 2L);
    curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  }

  // Another TLS name than the URL's host: the URL takes that name, the connection goes to the real host, and
  // the Host header stays what it was.
  List rename_server(CURL* handle, CURLU* url, std::string& address, Hop& hop) {
    if (options_.tls.server_name.empty() || url_part(url, CURLUPART_SCHEME) != "https") return {};
    const Origin real = origin_of(url);
    Url renamed(curl_url_dup(url));
    curl_url_set(renamed.get(), CURLUPART_HOST, options_.tls.server_name.c_str(), 0);
    address = url_part(renamed.get(), CURLUPART_URL);
    std::erase_if(hop.headers, [](const auto& header) { return same_name(header.first, "Host"); });
    hop.headers.emplace_back("Host", cat(real.host, ":", real.port));
    List to(curl_slist_append(
        nullptr, cat(options_.tls.server_name, ":", real.port, ":", real.host, ":", real.port).c_str()));
    curl_easy_setopt(handle, CURLOPT_CONNECT_TO, to.get());
    return to;
  }

  Result<Response> perform(const Request& request, Hop& hop, CURLU* url) {
    Easy handle = take();
    if (!handle)
      return base::fail(Code::kInternal, "http_client.interrupted", "libcurl could not be initialised");
    curl_easy_reset(handle.get());
    Exchange exchange;
    exchange.request = &request;
    exchange.handle = handle.get();
    exchange.response.url = url_part(url, CURLUPART_URL);
    std::string address = exchange.response.url;
    const List connect_to = rename_server(handle.get(), url, address, hop);
    const List headers = configure(handle.get(), request, hop, exchange);
    configure_tls(handle.get());
    char detail[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, detail);
    curl_easy_setopt(handle.get(), CURLOPT_URL, address.c_str());
    curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle.get(), CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle.get(), CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    curl_easy_setopt(handle.get(), CURLOPT_USERAGENT, options_.user_agent.c_str());
    curl_easy_setopt(handle.get(), CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    const CURLcode code = curl_easy_perform(handle.get());
    long status = 0;
    curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
    exchange.response.status = static_cast<int>(status);
    if (exchange.failure) return std::unexpected(std::move(*exchange.failure));
    if (code != CURLE_OK && !exchange.response.stopped)
      return std::unexpected(describe_failure(code, detail, exchange, handle.get()));
    give_back(std::move(handle));
    return std::move(exchange.response);
  }

  Easy take() {
    const std::lock_guard lock(mutex_);
    static std::once_flag initialised;  // curl_global_init is not thread-safe in every build of libcurl
    std::call_once(initialised, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    if (idle_.empty()) return Easy(curl_easy_init());
    Easy handle = std::move(idle_.back());
    idle_.pop_back();
    return handle;
  }
  void give_back(Easy handle) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(handle));
  }

  const TransportOptions options_;
  std::mutex mutex_;
  std::vector<Easy> idle_;  // each keeps its connections open
};

}  // namespace

std::unique_ptr<Transport> make_transport(TransportOptions options) {
  return std::make_unique<CurlTransport>(std::move(options));
}

}  // namespace wherry::http_client
