#include "http/fetch.h"

#include <algorithm>
#include <openssl/err.h>

#include "base/text.h"
#include "http/fetch_answer.h"
#include "http/fetch_connection.h"
#include "http/message.h"

namespace wherry::http {

using base::cat;
using base::Code;
using base::Result;
using base::Status;

namespace {

constexpr std::size_t kMostConnections = 4;
constexpr char kCiphers12[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

// Where systems keep the certificates of the authorities they trust.
constexpr const char* kBundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Alpine, distroless images
    "/etc/pki/tls/certs/ca-bundle.crt",                   // Fedora, Amazon Linux
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // Red Hat
    "/etc/ssl/ca-bundle.pem",                             // SUSE
    "/etc/ssl/cert.pem",
};

Result<SslContext> make_context(const std::filesystem::path& authorities) {
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  SslContext context(SSL_CTX_new(TLS_client_method()));
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context.get(), kCiphers12) != 1)
    return base::fail(Code::kInternal, "http.fetch_failed", "TLS cannot be set up");
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY);
  bool loaded = false;
  if (!authorities.empty()) {
    loaded = SSL_CTX_load_verify_file(context.get(), authorities.c_str()) == 1;
  } else {
    for (const char* bundle : kBundles)
      loaded = loaded || SSL_CTX_load_verify_file(context.get(), bundle) == 1;
  }
  ERR_clear_error();
  if (loaded) return context;
  if (!authorities.empty())
    return base::fail(
        Code::kUsage, "http.fetch_no_authorities",
        cat(base::quoted(authorities.string(), 200), " cannot be read, or contains no PEM certificate"),
        "name a PEM file with the certificates of the authorities to trust");
  return base::fail(Code::kUsage, "http.fetch_no_authorities",
                    "there are no certificates of authorities on this system, so https cannot be trusted",
                    "name a PEM file with them");
}

bool carries_body(const FetchRequest& request) {
  return !request.body.empty() || request.method == "POST" || request.method == "PUT" ||
         request.method == "PATCH";
}

Status append_head(const FetchRequest& request, const ParsedUrl& url, std::string_view user_agent,
                   std::string& out) {
  out = cat(request.method, " ", url.target, " HTTP/1.1\r\nHost: ", url.authority,
            "\r\nUser-Agent: ", user_agent, "\r\n");
  for (const auto& [name, value] : request.headers) {
    const std::string line = cat(name, ": ", value);
    if (std::ranges::any_of(line, [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; }))
      return base::fail(Code::kUsage, "http.bad_url",
                        cat("the header ", base::quoted(name), " has a control character in it"));
    out += line;
    out += "\r\n";
  }
  if (carries_body(request)) out += cat("Content-Length: ", request.body.size(), "\r\n");
  out += "\r\n";
  return {};
}

class SocketFetcher : public Fetcher {
 public:
  explicit SocketFetcher(FetchOptions options) : options_(std::move(options)) {}

  Result<FetchAnswer> fetch(const FetchRequest& request) override {
    auto answer = try_fetch(request);
    if (answer) return answer;
    return base::with_context(
        std::move(answer).error(),
        cat("fetching ", base::quoted(request.url.substr(0, request.url.find('?')), 200)));
  }

 private:
  Result<FetchAnswer> try_fetch(const FetchRequest& request) {
    TRY_ASSIGN(const ParsedUrl url, parse_url(request.url));
    TRY(append_head(request, url, options_.user_agent, head_));
    if (url.origin.tls && !context_) {
      TRY_ASSIGN(context_, make_context(options_.authorities));
    }
    const Patience patience(request.deadline, request.cancelled);
    std::erase_if(kept_, [](const FetchConnection& connection) { return connection.stale(); });
    const auto held = std::ranges::find(kept_, url.origin, &FetchConnection::origin);
    if (held != kept_.end()) {
      FetchConnection connection = std::move(*held);
      kept_.erase(held);
      bool begun = false;
      auto answer = exchange(request, std::move(connection), patience, begun);
      // The server may have closed it just then. What may be done twice is tried again over a new one.
      const bool idempotent = request.method == "GET" || request.method == "HEAD" ||
                              request.method == "PUT" || request.method == "DELETE";
      const bool gave_up = !answer && (answer.error().id == "http.fetch_timeout" ||
                                       answer.error().id == "http.fetch_cancelled");
      if (answer || begun || gave_up || !idempotent) return answer;
    }
    TRY_ASSIGN(FetchConnection connection, FetchConnection::open(url.origin, context_.get(), patience));
    bool begun = false;
    return exchange(request, std::move(connection), patience, begun);
  }

  Result<FetchAnswer> exchange(const FetchRequest& request, FetchConnection connection,
                               const Patience& patience, bool& begun) {
    TRY(connection.send(head_, patience));
    TRY(connection.send(request.body, patience));
    AnswerReader reader(request.most_answer, request.method == "HEAD");
    AnswerReader::Progress progress = AnswerReader::Progress::kMore;
    while (progress == AnswerReader::Progress::kMore) {
      char space[16u << 10];
      TRY_ASSIGN(const std::size_t count, connection.receive(space, patience));
      progress = count == 0 ? reader.ended() : reader.received({space, count});
      begun = reader.begun();
    }
    if (progress == AnswerReader::Progress::kTooLarge)
      return base::fail(Code::kLimit, "http.fetch_too_large",
                        cat("the answer has more than ", base::human_size(request.most_answer)));
    if (progress == AnswerReader::Progress::kMalformed) {
      if (!reader.begun())
        return base::fail(Code::kUnavailable, "http.fetch_failed", "the server closed without an answer");
      return base::fail(Code::kInvalidInput, "http.fetch_malformed",
                        cat("the answer is not what HTTP allows: ", reader.objection()),
                        "check that the address is that of an HTTP server");
    }
    if (reader.can_reuse()) {
      if (kept_.size() == kMostConnections) kept_.erase(kept_.begin());
      kept_.push_back(std::move(connection));
    }
    return std::move(reader.answer());
  }

  FetchOptions options_;
  SslContext context_;
  std::vector<FetchConnection> kept_;
  std::string head_;
};

}  // namespace

std::unique_ptr<Fetcher> make_fetcher(FetchOptions options) {
  return std::make_unique<SocketFetcher>(std::move(options));
}

}  // namespace wherry::http
