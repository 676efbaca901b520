#include "http/tls_generation.h"

#include <algorithm>
#include <arpa/inet.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/digest.h"
#include "base/text.h"
#include "http/tls_machine.h"

namespace wherry::http {

using base::cat;
using base::Code;
using base::Result;
using base::Status;
using std::chrono::system_clock;

namespace {

using Bio = std::unique_ptr<BIO, FreeWith<BIO_free>>;
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;

// Forward secrecy and authenticated encryption only; what TLS 1.3 has by itself (Mozilla's "intermediate"
// without finite-field Diffie-Hellman).
constexpr char kCiphers12[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr char kGroups[] = "X25519:P-256:P-384";
constexpr long kMostClientChain = 32 << 10;
constexpr int kMostDepth = 8;

Bio bio_of(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(std::min<std::size_t>(text.size(), 1 << 30))));
}

std::unexpected<base::Error> wrong(std::string_view id, const std::filesystem::path& file,
                                   std::string_view what, std::string hint) {
  return base::fail(Code::kUsage, id, cat(base::quoted(file.string(), 200), " ", what), std::move(hint));
}

std::string last_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason == nullptr ? "unknown reason" : reason;
}

Result<std::vector<Certificate>> read_certificates(const std::filesystem::path& file,
                                                   const std::string& text) {
  std::vector<Certificate> found;
  const Bio bio = bio_of(text);
  while (X509* one = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) found.emplace_back(one);
  const unsigned long error = ERR_peek_last_error();
  const bool at_end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (found.empty() && at_end) {
    ERR_clear_error();
    return wrong("http.tls_not_pem", file, "contains no PEM certificate (-----BEGIN CERTIFICATE-----)",
                 "a DER file becomes PEM with: openssl x509 -inform der -in FILE -out FILE.pem");
  }
  if (!at_end)
    return wrong("http.tls_not_pem", file, cat("has a damaged certificate: ", last_reason()),
                 "look at it with: openssl x509 -in FILE -text");
  ERR_clear_error();
  return found;
}

int refuse_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Result<Key> read_key(const std::filesystem::path& file, const std::string& text) {
  bool protected_by_passphrase = false;
  Key key(PEM_read_bio_PrivateKey(bio_of(text).get(), nullptr, refuse_passphrase, &protected_by_passphrase));
  if (key) return key;
  if (protected_by_passphrase) {
    ERR_clear_error();
    return wrong("http.tls_key_protected", file, "is protected by a passphrase",
                 "store it without one, readable by the server only: openssl pkey -in FILE -out FILE.plain");
  }
  return wrong("http.tls_not_pem", file, cat("contains no usable PEM private key: ", last_reason()),
               "it should begin with -----BEGIN PRIVATE KEY-----");
}

std::optional<system_clock::time_point> time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return system_clock::from_time_t(timegm(&parts));
}

Status check_times(const TlsOptions& options, const X509* certificate, system_clock::time_point now) {
  const auto begin = time_of(X509_get0_notBefore(certificate));
  const auto end = time_of(X509_get0_notAfter(certificate));
  if (!begin || !end)
    return wrong("http.tls_not_pem", options.certificate, "has a malformed time", "have it issued again");
  if (now > *end)
    return wrong("http.tls_expired", options.certificate, cat("expired at ", base::format_time(*end)),
                 "have it issued again");
  if (now < *begin)
    return wrong("http.tls_not_yet_valid", options.certificate,
                 cat("is valid from ", base::format_time(*begin), " only"),
                 "check this machine's clock, or wait");
  return {};
}

Status use_certificate(const TlsOptions& options, const TlsTexts& texts, TlsGeneration& generation,
                       system_clock::time_point now) {
  TRY_ASSIGN(std::vector<Certificate> chain, read_certificates(options.certificate, texts.certificate));
  TRY_ASSIGN(const Key key, read_key(options.key, texts.key));
  TRY(check_times(options, chain.front().get(), now));
  SSL_CTX* context = generation.context.get();
  if (SSL_CTX_use_certificate(context, chain.front().get()) != 1)
    return wrong("http.tls_unusable", options.certificate, cat("cannot be used: ", last_reason()),
                 "RSA keys need 2048 bits or more, signatures SHA-256 or better");
  if (X509_check_private_key(chain.front().get(), key.get()) != 1) {
    ERR_clear_error();
    return wrong(
        "http.tls_key_mismatch", options.key,
        cat("is not the key of the first certificate in ", base::quoted(options.certificate.string(), 200),
            " (", base::quoted(common_name(chain.front().get())), ")"),
        "the server's own certificate comes first in its file, those of authorities behind it");
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1)
    return wrong("http.tls_unusable", options.key, cat("cannot be used: ", last_reason()),
                 "make an EC (P-256) or RSA (2048 bits or more) key");
  for (std::size_t i = 1; i < chain.size(); ++i)
    if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1)
      return wrong("http.tls_unusable", options.certificate,
                   cat("has a certificate (number ", i + 1, ") which cannot be used: ", last_reason()),
                   "have it issued again");
  generation.subject = common_name(chain.front().get());
  if (generation.subject.empty())
    if (const auto names = alternative_names(chain.front().get()); !names.empty())
      generation.subject = names.front();
  generation.not_after = *time_of(X509_get0_notAfter(chain.front().get()));
  return {};
}

Status use_authorities(const TlsOptions& options, const TlsTexts& texts, SSL_CTX* context) {
  // A ticket given out under other rules for client certificates is not accepted: the handshake is then full.
  const std::string rules =
      base::sha256_hex(cat(static_cast<int>(options.client_certificate), ":", texts.client_authorities));
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(rules.data()),
                                 SSL_MAX_SID_CTX_LENGTH);
  if (options.client_certificate == ClientCertificate::kNone) return {};
  if (options.client_authorities.empty())
    return base::fail(Code::kUsage, "http.tls_no_authorities",
                      "client certificates are asked for, but no authority for them is given",
                      "name a PEM file with the certificates of the authorities which issue them");
  TRY_ASSIGN(const std::vector<Certificate> authorities,
             read_certificates(options.client_authorities, texts.client_authorities));
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  for (const Certificate& authority : authorities)
    if (X509_STORE_add_cert(store, authority.get()) != 1 ||
        SSL_CTX_add_client_CA(context, authority.get()) != 1)
      return wrong("http.tls_unusable", options.client_authorities,
                   cat("has a certificate which cannot be used: ", last_reason()), "have it issued again");
  int mode = SSL_VERIFY_PEER;
  if (options.client_certificate == ClientCertificate::kRequired) mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(context, mode, nullptr);
  SSL_CTX_set_verify_depth(context, kMostDepth);
  SSL_CTX_set_max_cert_list(context, kMostClientChain);
  return {};
}

// RFC 7301 section 3.2: a client which offers only protocols that we do not speak gets
// no_application_protocol.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned offered_size, void* generation) {
  const bool http2 = static_cast<const TlsGeneration*>(generation)->http2;
  for (const std::string_view wanted : {std::string_view("h2"), std::string_view("http/1.1")}) {
    if (wanted == "h2" && !http2) continue;
    for (unsigned at = 0; at < offered_size; at += offered[at] + 1u) {
      const std::string_view name(reinterpret_cast<const char*>(offered) + at + 1,
                                  std::min<unsigned>(offered[at], offered_size - at - 1));
      if (name != wanted) continue;
      *out = offered + at + 1;
      *out_size = static_cast<unsigned char>(name.size());
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// As SSL_CTX_set_tlsext_ticket_key_evp_cb wants it: 1 done, 2 done and to be renewed, 0 not known, -1 failed.
int handle_ticket_key(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                      EVP_MAC_CTX* mac, int encrypt) {
  auto& source = *static_cast<TicketSource*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  const auto now = source.clock.steady_now();
  TicketKey key;
  int done = 1;
  if (encrypt == 1) {
    const auto newest = source.keys.newest(now);
    if (!newest || RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
    key = *newest;
    std::ranges::copy(key.name, name);
  } else {
    const auto found = source.keys.find(std::span<const unsigned char, 16>(name, 16), now);
    if (!found) return 0;
    key = found->key;
    done = found->newest ? 1 : 2;
  }
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>("SHA256"), 0),
      OSSL_PARAM_construct_end()};
  const bool set = EVP_MAC_CTX_set_params(mac, parameters) == 1 &&
                   EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv, encrypt) == 1;
  OPENSSL_cleanse(&key, sizeof key);
  return set ? done : -1;
}

Status configure(SSL_CTX* context, const TlsGeneration& generation) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context, TicketKeys::kTicketLife.count());
  SSL_CTX_set_app_data(context, generation.tickets.get());
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, handle_ticket_key);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, const_cast<TlsGeneration*>(&generation));
  if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
      SSL_CTX_set_cipher_list(context, kCiphers12) == 1 && SSL_CTX_set1_groups_list(context, kGroups) == 1)
    return {};
  return base::fail(Code::kInternal, "http.tls_unusable", cat("TLS cannot be set up: ", last_reason()));
}

bool is_clean(std::string_view text) {
  return base::is_valid_utf8(text) &&
         std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string address_text(const ASN1_OCTET_STRING* address) {
  const unsigned char* bytes = ASN1_STRING_get0_data(address);
  const int size = ASN1_STRING_length(address);
  char text[INET6_ADDRSTRLEN];
  if (size != 4 && size != 16) return {};
  return inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, text, sizeof text) == nullptr ? "" : text;
}

}  // namespace

Result<std::shared_ptr<TlsGeneration>> make_generation(const TlsOptions& options, const TlsTexts& texts,
                                                       std::shared_ptr<TicketSource> tickets) {
  // Nothing but what is written here configures TLS: no openssl.cnf of the machine.
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  ERR_clear_error();
  auto made = std::make_shared<TlsGeneration>();
  made->tickets = std::move(tickets);
  made->http2 = options.http2;
  made->context.reset(SSL_CTX_new(TLS_server_method()));
  made->bio.reset(make_tls_bio());
  if (!made->context || !made->bio)
    return base::fail(Code::kInternal, "http.tls_unusable", cat("TLS cannot be set up: ", last_reason()));
  TRY(configure(made->context.get(), *made));
  TRY(use_certificate(options, texts, *made, made->tickets->clock.now()));
  TRY(use_authorities(options, texts, made->context.get()));
  return made;
}

std::string common_name(const X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  unsigned char* bytes = nullptr;
  const int size = ASN1_STRING_to_UTF8(&bytes, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (size < 0) return {};
  std::string name(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return is_clean(name) ? name : std::string();
}

std::vector<std::string> alternative_names(const X509* certificate) {
  std::vector<std::string> found;
  auto* names =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    std::string text;
    if (name->type == GEN_IPADD) {
      text = address_text(name->d.iPAddress);
    } else if (name->type == GEN_DNS || name->type == GEN_URI || name->type == GEN_EMAIL) {
      text.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.ia5)),
                  static_cast<std::size_t>(ASN1_STRING_length(name->d.ia5)));
    }
    if (!text.empty() && is_clean(text)) found.push_back(std::move(text));
  }
  GENERAL_NAMES_free(names);
  return found;
}

bool is_expired(const X509* certificate, system_clock::time_point now) {
  const auto end = time_of(X509_get0_notAfter(certificate));
  return !end || now > *end;
}

}  // namespace wherry::http
