#include "serve/flags.h"

namespace wherry::serve {

namespace {

std::string_view set_certificate(Options& options, std::string_view value) {
  options.tls.certificate = value;
  return value.empty() ? "a PEM file" : "";
}
std::string_view set_key(Options& options, std::string_view value) {
  options.tls.key = value;
  return value.empty() ? "a PEM file" : "";
}
std::string_view set_client_authorities(Options& options, std::string_view value) {
  options.tls.client_authorities = value;
  if (options.tls.client_certificate == http::ClientCertificate::kNone)
    options.tls.client_certificate = http::ClientCertificate::kRequired;
  return value.empty() ? "a PEM file" : "";
}
std::string_view set_client(Options& options, std::string_view value) {
  if (value != "required" && value != "optional") return "required or optional";
  options.tls.client_certificate =
      value == "required" ? http::ClientCertificate::kRequired : http::ClientCertificate::kOptional;
  return "";
}

}  // namespace

std::span<const Flag> tls_flags() {
  static const std::vector<Flag> kFlags{
      {"--tls-cert",
       "FILE",
       {"WHERRY_TLS_CERT"},
       "speak TLS with this certificate (PEM, its chain behind it); read again when it changes",
       set_certificate},
      {"--tls-key", "FILE", {"WHERRY_TLS_KEY"}, "its private key (PEM)", set_key},
      {"--tls-client-ca",
       "FILE",
       {"WHERRY_TLS_CLIENT_CA"},
       "ask clients for certificates issued by these authorities (PEM)",
       set_client_authorities},
      {"--tls-client",
       "required|optional",
       {"WHERRY_TLS_CLIENT"},
       "whether clients without one are turned away (required)",
       set_client},
  };
  return kFlags;
}

}  // namespace wherry::serve
