// Error ids of module kube, for `wherry explain`.
#pragma once

#include "base/error.h"

namespace wherry::kube {

inline constexpr base::ErrorId kErrorIds[] = {
    {"kube.spec_invalid",
     "A value for the Kubernetes objects (name, namespace, label, quantity, image …) breaks a rule which the "
     "API "
     "server would refuse it for. Nothing was sent."},
    {"kube.config_missing",
     "No kubeconfig file was found and the process does not run inside a cluster, so there is no cluster to "
     "talk to. Set KUBECONFIG, pass --kubeconfig, or fetch one with the cloud's own command."},
    {"kube.config_invalid", "A kubeconfig file is malformed, or a value in it has the wrong type."},
    {"kube.context_unknown",
     "The kubeconfig has no context of that name, or its current-context is not set."},
    {"kube.config_dangling",
     "A context of the kubeconfig names a cluster or user which the file does not define."},
    {"kube.config_unsupported",
     "The kubeconfig asks for something wherry does not do, such as the auth-provider plugins which "
     "Kubernetes "
     "removed in 1.26. Use an exec plugin or a token."},
    {"kube.certificate_invalid",
     "A certificate or key in the kubeconfig is not PEM, or the two do not belong together."},
    {"kube.certificate_expired",
     "The client certificate of the kubeconfig is no longer valid. Fetch a new kubeconfig from the cluster."},
    {"kube.credentials_expired",
     "The API server refused the credentials (401). Tokens of clouds live minutes to hours: log in again."},
    {"kube.exec_missing", "The program which the kubeconfig names to get credentials is not installed."},
    {"kube.exec_failed", "The kubeconfig's credential program ended with an error, which is quoted."},
    {"kube.exec_answer",
     "The kubeconfig's credential program printed something which is not an ExecCredential of the API "
     "version "
     "asked for."},
    {"kube.unreachable",
     "No connection to the API server came about: wrong address, cluster stopped, VPN or firewall in "
     "between."},
    {"kube.tls",
     "The API server's certificate could not be verified against the certificate authority of the "
     "kubeconfig."},
    {"kube.forbidden",
     "The identity used may not do this in the cluster. The hint names the RBAC rule which would allow it."},
    {"kube.admission_refused",
     "An admission rule of the cluster (Pod Security, quota, a policy webhook) refused the object."},
    {"kube.conflict",
     "Another field manager owns a field of the object with another value. Server-side apply never takes a "
     "field "
     "silently: leave the field out or take it over with --force."},
    {"kube.object_invalid", "The API server refused the object; each field at fault is named."},
    {"kube.namespace_missing", "The namespace does not exist in the cluster."},
    {"kube.object_missing", "The named object does not exist in the cluster."},
    {"kube.kind_unsupported",
     "The cluster does not serve this kind of object (its CRD is not installed, or the version is too old), "
     "or "
     "wherry does not know it."},
    {"kube.history_gone", "A watch asked for changes older than those the API server remembers; list again."},
    {"kube.answer_malformed",
     "The API server, or a proxy in front of it, answered with something which is not the Kubernetes API."},
    {"kube.server_failed",
     "The API server answered with an error of its own several times; it may be overloaded."},
    {"kube.rollout_failed",
     "The new version did not become available. The old pods keep serving. The message gives the cause found "
     "in "
     "the pods, the ReplicaSet, and the events."},
    {"kube.rollout_timeout",
     "The rollout was still going when the time given for waiting was over. Nothing was rolled back."},
    {"kube.rollout_paused", "The Deployment is paused, so no rollout can make progress."},
    {"kube.revision_missing", "The Deployment has no such earlier revision to go back to."},
};

}  // namespace wherry::kube
