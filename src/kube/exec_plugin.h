// Credential programs ("exec" users of a kubeconfig): client.authentication.k8s.io v1 and v1beta1.
#pragma once

#include <memory>
#include <string>

#include "kube/credentials.h"

namespace wherry::kube {

// Runs the plugin when a credential is first needed, keeps it until it expires, and once more after forget().
// `origin` names the context in messages. The parts of `machine` are borrowed. Errors of current():
// "kube.exec_missing", "kube.exec_failed", "kube.exec_answer".
std::shared_ptr<CredentialSource> make_exec_source(const ExecPlugin& plugin, const ClusterEntry& cluster,
                                                   const std::string& authority_pem,
                                                   const std::string& origin, const Machine& machine);

}  // namespace wherry::kube
