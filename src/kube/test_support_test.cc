#include "kube/test_support.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/text.h"

namespace wherry::kube::testing {

base::Result<std::string> FakeFiles::read(const std::filesystem::path& path, std::uint64_t) {
  ++reads[path.string()];
  const auto found = content.find(path.string());
  if (found == content.end())
    return base::fail(base::Code::kUsage, "base.file_not_found", base::cat(path.string(), ": no such file"),
                      "check the path");
  return found->second;
}

base::Status FakeFiles::write(const std::filesystem::path& path, std::string_view text, bool) {
  content[path.string()] = text;
  return {};
}

base::Status FakeFiles::remove_all(const std::filesystem::path& path) {
  content.erase(path.string());
  return {};
}

base::Result<base::CommandOutput> FakeProcesses::run(const base::Command& command) {
  asked.push_back(command);
  return answers.at(std::min(asked.size(), answers.size()) - 1);
}

namespace {

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

class Shell final : public http_client::Transport {
 public:
  explicit Shell(Answer answer) : answer_(std::move(answer)) {}
  base::Result<http_client::Response> send(const http_client::Request& request) override {
    return answer_(request);
  }

 private:
  Answer answer_;
};

class FixedToken final : public CredentialSource {
 public:
  explicit FixedToken(const std::string& token) { credential_.authorization = "Bearer " + token; }
  base::Result<Credential> current() override { return credential_; }
  bool forget() override { return false; }

 private:
  Credential credential_;
};

}  // namespace

std::pair<std::string, std::string> make_key_pair(std::chrono::system_clock::time_point end) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  ASN1_TIME_set(X509_getm_notBefore(certificate), 0);
  ASN1_TIME_set(X509_getm_notAfter(certificate), std::chrono::system_clock::to_time_t(end));
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  BIO* certificate_text = BIO_new(BIO_s_mem());
  BIO* key_text = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(certificate_text, certificate);
  PEM_write_bio_PrivateKey(key_text, key, nullptr, nullptr, 0, nullptr, nullptr);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return {text_of(certificate_text), text_of(key_text)};
}

ClientOptions options_with(Answer answer) {
  ClientOptions options;
  options.make_transport = [answer = std::move(answer)](http_client::TransportOptions) {
    return std::make_unique<Shell>(answer);
  };
  return options;
}

base::Result<http_client::Response> deliver(const http_client::Request& request,
                                            http_client::Response response, std::size_t piece) {
  if (!request.sink || response.status < 200 || response.status > 299) return response;
  std::string body = std::move(response.body);
  response.body.clear();
  for (std::string_view rest = body; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size()))) {
    TRY_ASSIGN(const bool more, request.sink(rest.substr(0, piece)));
    if (!more) {
      response.stopped = true;
      break;
    }
  }
  return response;
}

Access fake_access(const std::string& token) {
  Access access;
  access.server = "https://fake";
  access.default_namespace = "default";
  access.origin = "context 'fake'";
  access.credentials = std::make_shared<FixedToken>(token);
  return access;
}

}  // namespace wherry::kube::testing
