// From a chosen context (or the pod we run in) to what a request needs: address, TLS material, headers.
// Tokens which expire are renewed; certificates are checked before the server is bothered.
//
// Sources: client-go plugin/pkg/client/auth/exec, pkg/apis/clientauthentication v1 and v1beta1,
// rest.InClusterConfig.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "http_client/transport.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/files.h"
#include "base/process.h"
#include "kube/kubeconfig.h"

namespace wherry::kube {

// What a request carries at one moment.
struct Credential {
  std::string authorization;  // value of the header; empty: none
  std::string certificate;    // PEM; empty: none
  std::string private_key;
  std::optional<std::chrono::system_clock::time_point> expires;
};

// Implementations are not thread-safe; one client owns one.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  // The credential to use now, from the cache while it lasts.
  virtual base::Result<Credential> current() = 0;
  // The server answered 401: forget what is cached. True when asking again can bring something else.
  virtual bool forget() = 0;
};

// Everything needed to talk to one cluster.
struct Access {
  std::string server;             // without a trailing slash
  std::string default_namespace;  // of the context or pod; "default" when they name none
  std::string origin;             // "context 'prod' of /home/me/.kube/config" or "the pod's service account"
  http_client::TlsOptions tls;    // authority and name; the client certificate comes from `credentials`
  http_client::Headers headers;   // impersonation
  std::shared_ptr<CredentialSource> credentials;
};

// The machine, as far as credentials need it. All borrowed; they must outlive what is made with them.
struct Machine {
  base::FileSystem& files;
  base::Processes& processes;
  base::Clock& clock;
};

// Errors: "kube.certificate_invalid", "kube.certificate_expired", reading of the files named.
base::Result<Access> access_from(const Selection& selection, const Machine& machine);

// Inside a pod: KUBERNETES_SERVICE_HOST and _PORT, and the files below
// /var/run/secrets/kubernetes.io/serviceaccount. Nullopt when `host` or `port` is empty or there is no token.
base::Result<std::optional<Access>> access_in_cluster(const std::string& host, const std::string& port,
                                                      const Machine& machine);

struct AccessOptions {
  KubeconfigPlaces places;
  std::string context;
  std::string service_host;  // $KUBERNETES_SERVICE_HOST
  std::string service_port;  // $KUBERNETES_SERVICE_PORT
};

// As kubectl: the kubeconfig when there is one, else the pod's own service account. Errors: of both.
base::Result<Access> find_access(const AccessOptions& options, const Machine& machine);

// The JSON given to a plugin in KUBERNETES_EXEC_INFO.
text::Json exec_info(const ExecPlugin& plugin, const ClusterEntry& cluster, const std::string& authority_pem);

// What a plugin printed. Errors: "kube.exec_answer".
base::Result<Credential> parse_exec_answer(std::string_view printed, const ExecPlugin& plugin);

// RFC 3339 as Kubernetes writes it ("2026-11-23T09:30:00Z", with or without fraction or offset).
std::optional<std::chrono::system_clock::time_point> parse_time(std::string_view text);

}  // namespace wherry::kube
