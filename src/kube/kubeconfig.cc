#include "kube/kubeconfig.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "text/yaml.h"

namespace wherry::kube {
namespace {

using base::cat;
using base::Code;
using base::fail;
using base::Result;
using base::Status;
using text::Json;

constexpr std::uint64_t kMostBytes = 4u << 20;

std::unexpected<base::Error> invalid(std::string_view what, std::string message) {
  return fail(Code::kUsage, "kube.config_invalid", cat(what, ": ", message),
              "compare the file with the output of 'kubectl config view --raw'");
}

// Typed reading of one mapping. The first failure sticks and every later read is a no-op, so that a record's
// fields can be listed without a check after each.
class Reader {
 public:
  Reader(const Json& object, std::string where, std::string_view what, const std::filesystem::path& folder)
      : object_(object), where_(std::move(where)), what_(what), folder_(folder) {
    if (!object.is_null() && !object.is_object()) complain("", "a mapping");
  }

  void read(std::string_view key, std::string& into) {
    const Json* member = present(key);
    if (member == nullptr) return;
    if (!member->is_string()) return complain(key, "a string");
    into = member->get<std::string>();
  }
  void read(std::string_view key, bool& into) {
    const Json* member = present(key);
    if (member == nullptr) return;
    if (!member->is_boolean()) return complain(key, "true or false");
    into = member->get<bool>();
  }
  void read(std::string_view key, std::vector<std::string>& into) {
    const Json* member = present(key);
    if (member == nullptr) return;
    if (!member->is_array()) return complain(key, "a list of strings");
    for (const Json& item : *member) {
      if (!item.is_string()) return complain(key, "a list of strings");
      into.push_back(item.get<std::string>());
    }
  }
  void read(std::string_view key, std::filesystem::path& into) {
    std::string text;
    read(key, text);
    if (!text.empty()) into = folder_ / text;  // an absolute path stays as it is
  }
  // KEY holds a path, KEY-data base64 of the content.
  void read(std::string_view key, PemSource& into) {
    read(key, into.file);
    std::string encoded;
    const std::string data_key = cat(key, "-data");
    read(data_key, encoded);
    if (encoded.empty()) return;
    const auto decoded = base::base64_decode(encoded);
    if (!decoded) return complain(data_key, "base64");
    into.data = *decoded;
  }
  const Json* present(std::string_view key) const {
    if (failure_) return nullptr;
    const Json* member = text::find(object_, key);
    return member == nullptr || member->is_null() ? nullptr : member;
  }
  void complain(std::string_view key, std::string_view expected) {
    if (failure_) return;
    failure_ = cat(where_, key.empty() || where_.empty() ? "" : ".", key, " is not ", expected);
  }
  Status finish() const {
    if (failure_) return invalid(what_, *failure_);
    return {};
  }

 private:
  const Json& object_;
  std::string where_;
  std::string_view what_;
  const std::filesystem::path& folder_;
  std::optional<std::string> failure_;
};

const Json& or_empty(const Json* json) {
  static const Json kEmpty;
  return json == nullptr ? kEmpty : *json;
}

Status read_environment(const Json& list, std::string_view where, std::string_view what, ExecPlugin& plugin) {
  if (!list.is_array()) return invalid(what, cat(where, ".env is not a list"));
  for (const Json& item : list) {
    const std::string* name = text::find_string(item, "name");
    const std::string* value = text::find_string(item, "value");
    if (name == nullptr || value == nullptr || name->empty())
      return invalid(what, cat(where, ".env has an entry without name or value"));
    plugin.environment.emplace_back(*name, *value);
  }
  return {};
}

Result<ExecPlugin> read_exec(const Json& object, const std::string& where, std::string_view what,
                             const std::filesystem::path& folder) {
  ExecPlugin plugin;
  Reader reader(object, where, what, folder);
  reader.read("apiVersion", plugin.api_version);
  reader.read("command", plugin.command);
  reader.read("args", plugin.arguments);
  reader.read("installHint", plugin.install_hint);
  reader.read("provideClusterInfo", plugin.provide_cluster_info);
  reader.read("interactiveMode", plugin.interactive_mode);
  TRY(reader.finish());
  if (const Json* list = reader.present("env")) TRY(read_environment(*list, where, what, plugin));
  if (plugin.command.empty()) return invalid(what, cat(where, ".command is missing"));
  if (plugin.command.find('/') != std::string::npos) plugin.command = (folder / plugin.command).string();
  const bool v1 = plugin.api_version == "client.authentication.k8s.io/v1";
  if (!v1 && plugin.api_version != "client.authentication.k8s.io/v1beta1")
    return invalid(what, cat(where, ".apiVersion is ", base::quoted(plugin.api_version),
                             ", not client.authentication.k8s.io/v1 or v1beta1"));
  if (plugin.interactive_mode.empty() && !v1) plugin.interactive_mode = "IfAvailable";
  constexpr std::array<std::string_view, 3> kModes{"Never", "IfAvailable", "Always"};
  if (std::ranges::find(kModes, plugin.interactive_mode) == kModes.end())
    return invalid(what, cat(where, ".interactiveMode is ", base::quoted(plugin.interactive_mode),
                             ", not Never, IfAvailable or Always"));
  return plugin;
}

Status read_body(const Json& body, const std::string& where, std::string_view what,
                 const std::filesystem::path& folder, ClusterEntry& entry) {
  Reader reader(body, where, what, folder);
  reader.read("server", entry.server);
  reader.read("tls-server-name", entry.tls_server_name);
  reader.read("insecure-skip-tls-verify", entry.insecure);
  reader.read("certificate-authority", entry.authority);
  reader.read("proxy-url", entry.proxy_url);
  if (const Json* extensions = text::find_array(body, "extensions"))
    for (const Json& item : *extensions)
      if (const std::string* name = text::find_string(item, "name");
          name != nullptr && *name == "client.authentication.k8s.io/exec")
        entry.exec_config = or_empty(text::find(item, "extension"));
  return reader.finish();
}

Status read_body(const Json& body, const std::string& where, std::string_view what,
                 const std::filesystem::path& folder, UserEntry& entry) {
  Reader reader(body, where, what, folder);
  reader.read("client-certificate", entry.certificate);
  reader.read("client-key", entry.key);
  reader.read("token", entry.token);
  reader.read("tokenFile", entry.token_file);
  reader.read("username", entry.username);
  reader.read("password", entry.password);
  reader.read("act-as", entry.act_as);
  reader.read("act-as-uid", entry.act_as_uid);
  reader.read("act-as-groups", entry.act_as_groups);
  TRY(reader.finish());
  if (const Json* exec = reader.present("exec")) {
    TRY_ASSIGN(entry.exec, read_exec(*exec, where + ".exec", what, folder));
  }
  if (const Json* provider = reader.present("auth-provider")) {
    const std::string* name = text::find_string(*provider, "name");
    entry.auth_provider = name == nullptr ? "?" : *name;
  }
  return {};
}

Status read_body(const Json& body, const std::string& where, std::string_view what,
                 const std::filesystem::path& folder, ContextEntry& entry) {
  Reader reader(body, where, what, folder);
  reader.read("cluster", entry.cluster);
  reader.read("user", entry.user);
  reader.read("namespace", entry.namespace_name);
  return reader.finish();
}

// clusters: [{name: N, cluster: {…}}] and the like: `list_key` "clusters", `body_key` "cluster".
template <class Entry>
Status read_entries(const Json& root, std::string_view list_key, std::string_view body_key,
                    std::string_view what, const std::filesystem::path& folder, std::vector<Entry>& into) {
  const Json& list = or_empty(text::find(root, list_key));
  if (list.is_null()) return {};
  if (!list.is_array()) return invalid(what, cat(list_key, " is not a list"));
  for (const Json& item : list) {
    const std::string* name = text::find_string(item, "name");
    if (name == nullptr) return invalid(what, cat(list_key, " has an entry without a name"));
    Entry entry;
    entry.name = *name;
    TRY(read_body(or_empty(text::find(item, body_key)), cat(body_key, " ", base::quoted(*name)), what, folder,
                  entry));
    into.push_back(std::move(entry));
  }
  return {};
}

template <class Entry>
const Entry* find_entry(const std::vector<Entry>& entries, std::string_view name) {
  const auto found = std::ranges::find(entries, name, &Entry::name);
  return found == entries.end() ? nullptr : &*found;
}

template <class Entry>
void merge_entries(std::vector<Entry>& into, const std::vector<Entry>& from) {
  for (const Entry& entry : from)
    if (find_entry(into, entry.name) == nullptr) into.push_back(entry);
}

std::unexpected<base::Error> unknown_context(const Kubeconfig& config, std::string_view wanted,
                                             const std::string& origin) {
  std::vector<std::string> names;
  std::vector<std::string_view> views;
  for (const ContextEntry& entry : config.contexts) {
    names.push_back(entry.name);
    views.push_back(entry.name);
  }
  std::string hint;
  if (names.empty())
    hint = "the file has no context at all: fetch it again from the cluster";
  else if (const auto close = base::nearest(wanted, views))
    hint = cat("did you mean ", base::quoted(*close), "?");
  else
    hint = cat("it has ", base::join(std::span(names).first(std::min<std::size_t>(names.size(), 10)), ", "),
               names.size() > 10 ? ", …" : "");
  if (wanted.empty())
    return fail(Code::kUsage, "kube.context_unknown", cat(origin, " has no current-context"),
                cat("pass --context; ", hint));
  return fail(Code::kUsage, "kube.context_unknown", cat("no context ", base::quoted(wanted), " in ", origin),
              hint);
}

}  // namespace

Result<Kubeconfig> parse_kubeconfig(std::string_view document, std::string_view what,
                                    const std::filesystem::path& folder) {
  TRY_ASSIGN(const Json root, text::parse_yaml(document, what));
  Kubeconfig config;
  config.files.emplace_back(what);
  if (root.is_null()) return config;  // kubectl takes an empty file for an empty configuration
  if (!root.is_object()) return invalid(what, "it is not a mapping");
  Reader reader(root, "", what, folder);
  std::string kind;
  reader.read("kind", kind);
  reader.read("current-context", config.current_context);
  TRY(reader.finish());
  if (!kind.empty() && kind != "Config")
    return invalid(what, cat("kind is ", base::quoted(kind), ", not Config"));
  TRY(read_entries(root, "clusters", "cluster", what, folder, config.clusters));
  TRY(read_entries(root, "users", "user", what, folder, config.users));
  TRY(read_entries(root, "contexts", "context", what, folder, config.contexts));
  return config;
}

Kubeconfig merge(const std::vector<Kubeconfig>& files) {
  Kubeconfig merged;
  for (const Kubeconfig& file : files) {
    if (merged.current_context.empty()) merged.current_context = file.current_context;
    merge_entries(merged.clusters, file.clusters);
    merge_entries(merged.users, file.users);
    merge_entries(merged.contexts, file.contexts);
    merged.files.insert(merged.files.end(), file.files.begin(), file.files.end());
  }
  return merged;
}

Result<Kubeconfig> load_kubeconfig(base::FileSystem& files, const KubeconfigPlaces& places) {
  std::vector<std::filesystem::path> paths;
  if (!places.explicit_file.empty()) {
    paths.emplace_back(places.explicit_file);
  } else if (!places.variable.empty()) {
    for (std::string_view part : base::split(places.variable, ':'))
      if (!part.empty()) paths.emplace_back(part);
  } else if (!places.home.empty()) {
    paths.push_back(std::filesystem::path(places.home) / ".kube" / "config");
  }
  std::vector<Kubeconfig> parsed;
  for (const std::filesystem::path& path : paths) {
    if (places.explicit_file.empty() && !files.exists(path)) continue;
    TRY_ASSIGN(const std::string document, files.read(path, kMostBytes));
    TRY_ASSIGN(Kubeconfig config, parse_kubeconfig(document, path.string(), path.parent_path()));
    parsed.push_back(std::move(config));
  }
  if (parsed.empty()) {
    std::vector<std::string> looked;
    for (const auto& path : paths) looked.push_back(path.string());
    return fail(
        Code::kUsage, "kube.config_missing",
        looked.empty() ? "no kubeconfig: neither KUBECONFIG nor HOME is set"
                       : cat("there is no kubeconfig at ", base::join(looked, " or ")),
        "set KUBECONFIG, pass --kubeconfig, or fetch one ('aws eks update-kubeconfig', 'gcloud container "
        "clusters get-credentials', 'az aks get-credentials', 'ibmcloud ks cluster config')");
  }
  return merge(parsed);
}

Result<Selection> select_context(const Kubeconfig& config, std::string_view context) {
  const std::string origin = base::join(config.files, ":");
  const std::string wanted(context.empty() ? std::string_view(config.current_context) : context);
  const ContextEntry* chosen = find_entry(config.contexts, wanted);
  if (wanted.empty() || chosen == nullptr) return unknown_context(config, wanted, origin);
  const std::string place = cat("context ", base::quoted(wanted), " of ", origin);
  const ClusterEntry* cluster = find_entry(config.clusters, chosen->cluster);
  if (cluster == nullptr)
    return fail(Code::kUsage, "kube.config_dangling",
                cat(place, " names cluster ", base::quoted(chosen->cluster), ", which is not defined"),
                "add the cluster, or correct the context");
  const UserEntry* user = find_entry(config.users, chosen->user);
  if (user == nullptr && !chosen->user.empty())
    return fail(Code::kUsage, "kube.config_dangling",
                cat(place, " names user ", base::quoted(chosen->user), ", which is not defined"),
                "add the user, or correct the context");
  Selection selection{*chosen, *cluster, user == nullptr ? UserEntry{} : *user, place};
  if (selection.cluster.server.empty())
    return fail(Code::kUsage, "kube.config_dangling",
                cat("cluster ", base::quoted(chosen->cluster), " of ", origin, " has no server"),
                "add its server URL");
  if (!selection.cluster.server.starts_with("https://") && !selection.cluster.server.starts_with("http://"))
    return fail(Code::kUsage, "kube.config_invalid",
                cat("cluster ", base::quoted(chosen->cluster), " of ", origin, ": server ",
                    base::quoted(selection.cluster.server), " is not a URL"),
                "write https://HOST:PORT");
  if (!selection.user.auth_provider.empty())
    return fail(Code::kUsage, "kube.config_unsupported",
                cat("user ", base::quoted(chosen->user), " of ", origin, " uses the auth-provider ",
                    base::quoted(selection.user.auth_provider), ", which Kubernetes 1.26 removed"),
                "fetch the kubeconfig again with a current version of the cloud's command");
  if (!selection.cluster.proxy_url.empty())
    return fail(Code::kUsage, "kube.config_unsupported",
                cat("cluster ", base::quoted(chosen->cluster), " of ", origin,
                    " sets proxy-url, which is not supported"),
                "remove it and set HTTPS_PROXY in the environment instead");
  return selection;
}

}  // namespace wherry::kube
