// Certificates for tests: an authority and what it issues, made in memory. For *_test.cc only.
#pragma once

#include <memory>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string>
#include <utility>

namespace wherry::http {

struct TestKeyPair {
  std::string certificate, key;  // PEM
};

struct TestCertificate {
  std::string name = "localhost";                           // common name
  std::string alternatives = "DNS:localhost,IP:127.0.0.1";  // as X509V3_EXT_conf takes them; "" for none
  long from_seconds = -3600, to_seconds = 3600;             // relative to now
};

class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name = "test authority") : key_(EVP_EC_gen("P-256")) {
    certificate_ = make({.name = name, .alternatives = "", .to_seconds = 86400}, key_, nullptr, key_);
  }
  ~TestAuthority() {
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  std::string certificate() const { return pem(certificate_); }
  TestKeyPair issue(const TestCertificate& wanted) const {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* made = make(wanted, key, certificate_, key_);
    TestKeyPair pair{pem(made), pem(key)};
    X509_free(made);
    EVP_PKEY_free(key);
    return pair;
  }

 private:
  static std::string text_of(BIO* bio) {
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(bio, &bytes);
    std::string text(bytes, static_cast<std::size_t>(size));
    BIO_free(bio);
    return text;
  }
  static std::string pem(X509* certificate) {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, certificate);
    return text_of(bio);
  }
  static std::string pem(EVP_PKEY* key) {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    return text_of(bio);
  }
  // issuer null: signs itself, and is an authority.
  static X509* make(const TestCertificate& wanted, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key) {
    static long serial = 1;
    X509* made = X509_new();
    X509_set_version(made, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made), wanted.from_seconds);
    X509_gmtime_adj(X509_getm_notAfter(made), wanted.to_seconds);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(wanted.name.data()),
                               static_cast<int>(wanted.name.size()), -1, 0);
    X509_set_issuer_name(made, X509_get_subject_name(issuer == nullptr ? made : issuer));
    X509_set_pubkey(made, key);
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer == nullptr ? made : issuer, made, nullptr, nullptr, 0);
    const auto extend = [&](int kind, const std::string& value) {
      X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
      X509_add_ext(made, extension, -1);
      X509_EXTENSION_free(extension);
    };
    extend(NID_basic_constraints, issuer == nullptr ? "critical,CA:TRUE" : "CA:FALSE");
    if (!wanted.alternatives.empty()) extend(NID_subject_alt_name, wanted.alternatives);
    X509_sign(made, issuer_key, EVP_sha256());
    return made;
  }

  EVP_PKEY* key_;
  X509* certificate_;
};

}  // namespace wherry::http
