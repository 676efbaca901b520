// One state of the TLS files as OpenSSL wants it. Internal to module http.
#pragma once

#include <memory>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/error.h"
#include "http/tls.h"
#include "http/tls_ticket_keys.h"

namespace wherry::http {

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using SslContext = std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>>;
using Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;

struct TlsTexts {
  std::string certificate, key, client_authorities;  // the files' contents
};

// What the callbacks of an SSL_CTX need; outlives it.
struct TicketSource {
  explicit TicketSource(base::Clock& given) : clock(given) {}
  TicketKeys keys;
  base::Clock& clock;
};

// Immutable once made; used by the connections which began while it was current.
struct TlsGeneration {
  std::shared_ptr<TicketSource> tickets;  // of the TlsContext: tickets survive a reload
  SslContext context;
  std::unique_ptr<BIO_METHOD, FreeWith<BIO_meth_free>> bio;  // of TlsMachine
  bool http2 = true;
  std::string subject;
  std::chrono::system_clock::time_point not_after;
};

// Errors as of TlsContext::load.
base::Result<std::shared_ptr<TlsGeneration>> make_generation(const TlsOptions& options, const TlsTexts& texts,
                                                             std::shared_ptr<TicketSource> tickets);

// The common name of a certificate; "" when it has none that is clean text.
std::string common_name(const X509* certificate);
// Its subject alternative names of the kinds DNS, URI, e-mail and IP address, without those that contain
// control characters.
std::vector<std::string> alternative_names(const X509* certificate);
bool is_expired(const X509* certificate, std::chrono::system_clock::time_point now);

}  // namespace wherry::http
