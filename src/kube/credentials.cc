#include "kube/credentials.h"

#include <charconv>
#include <ctime>

#include "base/text.h"
#include "kube/certificate.h"
#include "kube/exec_plugin.h"

namespace wherry::kube {
namespace {

using base::cat;
using base::Code;
using base::fail;
using base::Result;
using base::Status;

constexpr std::uint64_t kMostPem = 1u << 20;
constexpr std::string_view kPodFolder = "/var/run/secrets/kubernetes.io/serviceaccount/";

class FixedCredential final : public CredentialSource {
 public:
  explicit FixedCredential(Credential credential) : credential_(std::move(credential)) {}
  Result<Credential> current() override { return credential_; }
  bool forget() override { return false; }

 private:
  Credential credential_;
};

// Projected tokens are replaced on disk every hour or so; client-go looks once a minute.
class TokenFile final : public CredentialSource {
 public:
  TokenFile(std::filesystem::path path, Credential rest, const Machine& machine)
      : path_(std::move(path)), credential_(std::move(rest)), machine_(machine) {}

  Result<Credential> current() override {
    const auto now = machine_.clock.steady_now();
    if (read_at_ && now - *read_at_ < std::chrono::minutes(1)) return credential_;
    TRY_ASSIGN(const std::string content, machine_.files.read(path_, kMostPem));
    const std::string_view token = base::trim(content);
    if (token.empty())
      return fail(Code::kDenied, "kube.config_invalid", cat(path_.string(), ": the token file is empty"),
                  "write the token into it, or log in again");
    credential_.authorization = cat("Bearer ", token);
    read_at_ = now;
    return credential_;
  }
  bool forget() override {
    read_at_.reset();
    return true;
  }

 private:
  std::filesystem::path path_;
  Credential credential_;
  Machine machine_;
  std::optional<std::chrono::steady_clock::time_point> read_at_;
};

Result<std::string> load(const PemSource& source, const Machine& machine) {
  if (!source.data.empty() || source.file.empty()) return source.data;
  return machine.files.read(source.file, kMostPem);
}

Status check_certificate(const Credential& credential, const std::string& what, base::Clock& clock) {
  TRY(check_key_pair(credential.certificate, credential.private_key, what));
  TRY_ASSIGN(const auto end, certificate_end(credential.certificate, what));
  if (end < clock.now())
    return fail(
        Code::kDenied, "kube.certificate_expired",
        cat(what, ": the client certificate expired at ", base::format_time(end)),
        "fetch a new kubeconfig from the cluster ('kubeadm certs renew', or the cloud's own command)");
  return {};
}

http_client::Headers impersonation(const UserEntry& user) {
  http_client::Headers headers;
  if (!user.act_as.empty()) headers.emplace_back("Impersonate-User", user.act_as);
  if (!user.act_as_uid.empty()) headers.emplace_back("Impersonate-Uid", user.act_as_uid);
  for (const std::string& group : user.act_as_groups) headers.emplace_back("Impersonate-Group", group);
  return headers;
}

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

Result<std::shared_ptr<CredentialSource>> make_source(const Selection& selection,
                                                      const std::string& authority, const Machine& machine) {
  const UserEntry& user = selection.user;
  Credential credential;
  TRY_ASSIGN(credential.certificate, load(user.certificate, machine));
  TRY_ASSIGN(credential.private_key, load(user.key, machine));
  if (credential.certificate.empty() != credential.private_key.empty())
    return fail(Code::kUsage, "kube.certificate_invalid",
                cat(selection.origin, ": user ", base::quoted(user.name),
                    " has only one of client-certificate and client-key"),
                "give both");
  if (!credential.certificate.empty()) TRY(check_certificate(credential, selection.origin, machine.clock));
  if (!user.token_file.empty()) return std::make_shared<TokenFile>(user.token_file, credential, machine);
  if (!user.token.empty())
    credential.authorization = cat("Bearer ", user.token);
  else if (!user.username.empty())
    credential.authorization = cat("Basic ", base::base64_encode(cat(user.username, ":", user.password)));
  const bool explicit_credential = !credential.authorization.empty() || !credential.certificate.empty();
  if (user.exec && !explicit_credential)
    return make_exec_source(*user.exec, selection.cluster, authority, selection.origin, machine);
  return std::make_shared<FixedCredential>(credential);
}

}  // namespace

Result<Access> access_from(const Selection& selection, const Machine& machine) {
  Access access;
  access.server = without_slash(selection.cluster.server);
  access.default_namespace =
      selection.context.namespace_name.empty() ? "default" : selection.context.namespace_name;
  access.origin = selection.origin;
  access.headers = impersonation(selection.user);
  access.tls.insecure = selection.cluster.insecure;
  access.tls.server_name = selection.cluster.tls_server_name;
  TRY_ASSIGN(access.tls.ca_data, load(selection.cluster.authority, machine));
  if (!access.tls.ca_data.empty())
    TRY(certificate_end(access.tls.ca_data, cat(selection.origin, ": certificate-authority")));
  TRY_ASSIGN(access.credentials, make_source(selection, access.tls.ca_data, machine));
  return access;
}

Result<std::optional<Access>> access_in_cluster(const std::string& host, const std::string& port,
                                                const Machine& machine) {
  const std::filesystem::path folder(kPodFolder);
  if (host.empty() || port.empty() || !machine.files.exists(folder / "token")) return std::nullopt;
  Access access;
  const bool v6 = host.find(':') != std::string::npos;
  access.server = cat("https://", v6 ? "[" : "", host, v6 ? "]" : "", ":", port);
  access.origin = "the pod's service account";
  TRY_ASSIGN(access.tls.ca_data, machine.files.read(folder / "ca.crt", kMostPem));
  access.default_namespace = "default";
  if (machine.files.exists(folder / "namespace")) {
    TRY_ASSIGN(const std::string content, machine.files.read(folder / "namespace", 1024));
    if (const std::string_view name = base::trim(content); !name.empty()) access.default_namespace = name;
  }
  access.credentials = std::make_shared<TokenFile>(folder / "token", Credential{}, machine);
  return access;
}

Result<Access> find_access(const AccessOptions& options, const Machine& machine) {
  auto config = load_kubeconfig(machine.files, options.places);
  if (!config) {
    if (config.error().id != "kube.config_missing" || !options.context.empty())
      return std::unexpected(std::move(config).error());
    TRY_ASSIGN(auto inside, access_in_cluster(options.service_host, options.service_port, machine));
    if (inside) return std::move(*inside);
    return std::unexpected(std::move(config).error());
  }
  TRY_ASSIGN(const Selection selection, select_context(*config, options.context));
  return access_from(selection, machine);
}

std::optional<std::chrono::system_clock::time_point> parse_time(std::string_view text) {
  std::tm parts{};
  const std::string copy(text);
  const char* rest = strptime(copy.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return std::nullopt;
  if (*rest == '.') {
    ++rest;
    if (*rest < '0' || *rest > '9') return std::nullopt;
    while (*rest >= '0' && *rest <= '9') ++rest;
  }
  long offset = 0;
  if (*rest == '+' || *rest == '-') {
    int hours = 0, minutes = 0;
    const std::string_view zone(rest + 1);
    if (zone.size() != 5 || zone[2] != ':') return std::nullopt;
    const auto a = std::from_chars(zone.data(), zone.data() + 2, hours);
    const auto b = std::from_chars(zone.data() + 3, zone.data() + 5, minutes);
    if (a.ec != std::errc{} || b.ec != std::errc{}) return std::nullopt;
    offset = (hours * 60L + minutes) * 60L * (*rest == '-' ? -1 : 1);
  } else if (std::string_view(rest) != "Z") {
    return std::nullopt;
  }
  return std::chrono::system_clock::from_time_t(timegm(&parts) - offset);
}

}  // namespace wherry::kube
