#include "kube/certificate.h"

#include <ctime>
#include <memory>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string>

#include "base/text.h"

namespace wherry::kube {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Bio = std::unique_ptr<BIO, Free>;
using Certificate = std::unique_ptr<X509, Free>;
using Key = std::unique_ptr<EVP_PKEY, Free>;

Bio memory(std::string_view pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// No terminal in between: an encrypted key is an error, not a question.
int no_password(char*, int, int, void*) {
  return -1;
}

std::unexpected<base::Error> invalid(std::string_view what, std::string_view problem) {
  ERR_clear_error();
  return base::fail(base::Code::kUsage, "kube.certificate_invalid", base::cat(what, ": ", problem),
                    "fetch the kubeconfig again from the cluster");
}

base::Result<Certificate> read_certificate(std::string_view pem, std::string_view what) {
  const Bio bio = memory(pem);
  Certificate certificate(pem.empty() ? nullptr
                                      : PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr));
  if (!certificate) return invalid(what, "not a PEM certificate");
  return certificate;
}

}  // namespace

base::Result<std::chrono::system_clock::time_point> certificate_end(std::string_view pem,
                                                                    std::string_view what) {
  TRY_ASSIGN(const Certificate certificate, read_certificate(pem, what));
  std::tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &end) != 1)
    return invalid(what, "the certificate's end of validity cannot be read");
  return std::chrono::system_clock::from_time_t(timegm(&end));
}

base::Status check_key_pair(std::string_view certificate_pem, std::string_view key_pem,
                            std::string_view what) {
  TRY_ASSIGN(const Certificate certificate, read_certificate(certificate_pem, what));
  const Bio bio = memory(key_pem);
  const Key key(key_pem.empty() ? nullptr
                                : PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!key) return invalid(what, "the client key is not an unencrypted PEM private key");
  if (X509_check_private_key(certificate.get(), key.get()) != 1)
    return invalid(what, "the client key does not belong to the client certificate");
  return {};
}

}  // namespace wherry::kube
