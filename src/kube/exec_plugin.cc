#include "kube/exec_plugin.h"

#include "base/text.h"
#include "kube/certificate.h"

namespace wherry::kube {
namespace {

using base::cat;
using base::Code;
using base::fail;
using base::Result;
using text::Json;

constexpr std::size_t kMostAnswer = 1u << 20;

// Last line which is not empty: programs print their reason there, after tracebacks.
std::string_view last_line(std::string_view text) {
  std::string_view last;
  for (std::string_view line : base::split(text, '\n'))
    if (const auto trimmed = base::trim(line); !trimmed.empty()) last = trimmed;
  return last;
}

class ExecCredentials final : public CredentialSource {
 public:
  ExecCredentials(ExecPlugin plugin, Json info, std::string origin, const Machine& machine)
      : plugin_(std::move(plugin)),
        info_(text::write_json(info)),
        origin_(std::move(origin)),
        machine_(machine) {}

  Result<Credential> current() override {
    if (cached_ && !(cached_->expires && *cached_->expires <= machine_.clock.now())) return *cached_;
    TRY_ASSIGN(Credential fresh, run());
    cached_ = std::move(fresh);
    return *cached_;
  }
  bool forget() override {
    cached_.reset();
    return true;
  }

 private:
  Result<Credential> run() {
    // Nothing can be typed: standard input is closed, and KUBERNETES_EXEC_INFO says so.
    if (plugin_.interactive_mode == "Always")
      return fail(
          Code::kDenied, "kube.exec_failed",
          cat(origin_, ": credential program ", base::quoted(plugin_.command), " insists on a terminal"),
          "use a context for automation, for example with a service account token");
    base::Command command;
    command.arguments.push_back(plugin_.command);
    for (const std::string& argument : plugin_.arguments) command.arguments.push_back(argument);
    command.environment = plugin_.environment;
    command.environment.emplace_back("KUBERNETES_EXEC_INFO", info_);
    command.timeout = std::chrono::seconds(60);
    command.most_output = kMostAnswer;
    auto output = machine_.processes.run(command);
    if (!output && output.error().id == "base.command_not_found")
      return fail(Code::kDenied, "kube.exec_missing",
                  cat(origin_, ": credential program ", base::quoted(plugin_.command), " is not installed"),
                  plugin_.install_hint.empty()
                      ? cat("install ", plugin_.command)
                      : std::string(base::split(base::trim(plugin_.install_hint), '\n')[0]));
    if (!output)
      return fail(Code::kDenied, "kube.exec_failed",
                  cat(origin_, ": credential program: ", output.error().message), output.error().hint);
    if (output->status != 0)
      return fail(Code::kDenied, "kube.exec_failed",
                  cat(origin_, ": credential program ", base::quoted(plugin_.command), " ended with status ",
                      output->status, ": ", base::quoted(last_line(output->err), 300)),
                  "log in again, then run the program by hand to see all of its output");
    return parse_exec_answer(output->out, plugin_);
  }

  ExecPlugin plugin_;
  std::string info_;
  std::string origin_;
  Machine machine_;
  std::optional<Credential> cached_;
};

std::unexpected<base::Error> bad_answer(const ExecPlugin& plugin, std::string_view problem) {
  return fail(Code::kDenied, "kube.exec_answer",
              cat("credential program ", base::quoted(plugin.command), ": ", problem),
              "run the program by hand, and update it if its version is old");
}

}  // namespace

Json exec_info(const ExecPlugin& plugin, const ClusterEntry& cluster, const std::string& authority_pem) {
  Json spec{{"interactive", false}};
  if (plugin.provide_cluster_info) {
    Json info{{"server", cluster.server}};
    if (!cluster.tls_server_name.empty()) info["tls-server-name"] = cluster.tls_server_name;
    if (cluster.insecure) info["insecure-skip-tls-verify"] = true;
    if (!authority_pem.empty()) info["certificate-authority-data"] = base::base64_encode(authority_pem);
    if (!cluster.proxy_url.empty()) info["proxy-url"] = cluster.proxy_url;
    if (!cluster.exec_config.is_null()) info["config"] = cluster.exec_config;
    spec["cluster"] = info;
  }
  return {{"kind", "ExecCredential"}, {"apiVersion", plugin.api_version}, {"spec", spec}};
}

Result<Credential> parse_exec_answer(std::string_view printed, const ExecPlugin& plugin) {
  const auto parsed = text::parse_json(printed, "its output", {kMostAnswer, 32});
  if (!parsed) return bad_answer(plugin, parsed.error().message);
  const std::string* kind = text::find_string(*parsed, "kind");
  if (kind == nullptr || *kind != "ExecCredential") return bad_answer(plugin, "it printed no ExecCredential");
  const std::string* version = text::find_string(*parsed, "apiVersion");
  if (version == nullptr || *version != plugin.api_version)
    return bad_answer(plugin,
                      cat("it answered in API version ", base::quoted(version == nullptr ? "" : *version),
                          ", the kubeconfig asks for ", plugin.api_version));
  const Json* status = text::find_object(*parsed, "status");
  if (status == nullptr) return bad_answer(plugin, "its ExecCredential has no status");
  Credential credential;
  if (const std::string* token = text::find_string(*status, "token"); token != nullptr && !token->empty()) {
    if (token->find_first_of("\r\n") != std::string::npos)
      return bad_answer(plugin, "its token has line breaks");
    credential.authorization = cat("Bearer ", *token);
  }
  if (const std::string* pem = text::find_string(*status, "clientCertificateData"))
    credential.certificate = *pem;
  if (const std::string* pem = text::find_string(*status, "clientKeyData")) credential.private_key = *pem;
  if (credential.certificate.empty() != credential.private_key.empty())
    return bad_answer(plugin, "it gave only one of clientCertificateData and clientKeyData");
  if (credential.certificate.empty() && credential.authorization.empty())
    return bad_answer(plugin, "it gave neither a token nor a certificate");
  if (!credential.certificate.empty()) {
    TRY(check_key_pair(credential.certificate, credential.private_key,
                       "the credential program's certificate"));
    TRY_ASSIGN(credential.expires,
               certificate_end(credential.certificate, "the credential program's certificate"));
  }
  if (const std::string* time = text::find_string(*status, "expirationTimestamp")) {
    const auto expires = parse_time(*time);
    if (!expires)
      return bad_answer(plugin, cat("expirationTimestamp ", base::quoted(*time), " is not a time"));
    credential.expires = expires;
  }
  return credential;
}

std::shared_ptr<CredentialSource> make_exec_source(const ExecPlugin& plugin, const ClusterEntry& cluster,
                                                   const std::string& authority_pem,
                                                   const std::string& origin, const Machine& machine) {
  return std::make_shared<ExecCredentials>(plugin, exec_info(plugin, cluster, authority_pem), origin,
                                           machine);
}

}  // namespace wherry::kube
