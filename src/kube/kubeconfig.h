// kubeconfig files: reading, merging, and choosing a context (client-go tools/clientcmd, api v1).
//
// Thread-safety: values and pure functions; the FileSystem passed in decides about the rest.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "text/json.h"

namespace wherry::kube {

// PEM text given inline (already decoded from base64) or as a file; `data` wins, as in client-go.
struct PemSource {
  std::string data;
  std::filesystem::path file;  // absolute, or relative to the working folder when the kubeconfig was
  bool empty() const { return data.empty() && file.empty(); }
};

struct ClusterEntry {
  std::string name;
  std::string server;
  std::string tls_server_name;
  bool insecure = false;  // insecure-skip-tls-verify
  PemSource authority;
  std::string proxy_url;
  text::Json exec_config;  // extensions["client.authentication.k8s.io/exec"]; null when absent
};

// How to run a client-go credential plugin. `api_version` is one of the two which exist.
struct ExecPlugin {
  std::string api_version;
  std::string command;  // with a '/': relative to the kubeconfig's folder; else looked up on the PATH
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;
  std::string install_hint;
  bool provide_cluster_info = false;
  std::string interactive_mode;  // "Never", "IfAvailable", "Always"
};

struct UserEntry {
  std::string name;
  PemSource certificate;
  PemSource key;
  std::string token;
  std::filesystem::path token_file;  // wins over token; read again and again
  std::string username;
  std::string password;
  std::string act_as;
  std::string act_as_uid;
  std::vector<std::string> act_as_groups;
  std::optional<ExecPlugin> exec;
  std::string auth_provider;  // its name; removed from Kubernetes in 1.26, refused when the user is chosen
};

struct ContextEntry {
  std::string name;
  std::string cluster;
  std::string user;
  std::string namespace_name;
};

struct Kubeconfig {
  std::string current_context;
  std::vector<ClusterEntry> clusters;
  std::vector<UserEntry> users;
  std::vector<ContextEntry> contexts;
  std::vector<std::string> files;  // what it was read from, for messages
};

// The chosen context with its cluster and user.
struct Selection {
  ContextEntry context;
  ClusterEntry cluster;
  UserEntry user;
  std::string origin;  // "context 'prod' of /home/me/.kube/config": for messages
};

// Reads one document. Relative paths in it are taken relative to `folder`. Unknown members are ignored, as
// client-go does. Errors: "kube.config_invalid", text.yaml_*.
base::Result<Kubeconfig> parse_kubeconfig(std::string_view document, std::string_view what,
                                          const std::filesystem::path& folder);

// The first file to name a cluster, user or context wins it whole; the first current-context wins.
Kubeconfig merge(const std::vector<Kubeconfig>& files);

// Where to look, as kubectl does: `explicit_file` alone when set (then it must exist), else every file of the
// KUBECONFIG list that exists, else HOME/.kube/config.
struct KubeconfigPlaces {
  std::string explicit_file;  // --kubeconfig
  std::string variable;       // $KUBECONFIG: paths separated by ':'
  std::string home;           // $HOME
};

// Errors: "kube.config_missing" when nothing was found, those of parse_kubeconfig and of reading.
base::Result<Kubeconfig> load_kubeconfig(base::FileSystem& files, const KubeconfigPlaces& places);

// `context` empty: the current context. Errors: "kube.context_unknown" (with the nearest name),
// "kube.config_dangling", "kube.config_unsupported".
base::Result<Selection> select_context(const Kubeconfig& config, std::string_view context);

}  // namespace wherry::kube
