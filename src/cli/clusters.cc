#include "cli/clusters.h"

#include <cstdlib>

#include "base/text.h"

namespace wherry::cli {
namespace {

using base::cat;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

std::unexpected<base::Error> usage(std::string message, std::string hint) {
  return base::fail(base::Code::kUsage, "cli.usage", std::move(message), std::move(hint));
}

base::Result<kube::StringPairs> pairs(const std::vector<std::string>& texts, std::string_view flag) {
  kube::StringPairs result;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      return usage(cat(flag, " ", base::quoted(text), " is not KEY=VALUE"),
                   cat("write ", flag, " key=value"));
    result.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return result;
}

base::Result<std::vector<kube::EnvironmentVariable>> environment(const ServiceOptions& given) {
  std::vector<kube::EnvironmentVariable> variables;
  TRY_ASSIGN(const kube::StringPairs plain, pairs(given.environment, "--env"));
  for (const auto& [name, value] : plain) variables.push_back({name, value, {}, {}});
  TRY_ASSIGN(const kube::StringPairs secret, pairs(given.secrets, "--env-secret"));
  for (const auto& [name, value] : secret) {
    const std::size_t slash = value.find('/');
    if (slash == std::string::npos)
      return usage(cat("--env-secret ", base::quoted(name + "=" + value), " is not NAME=SECRET/KEY"),
                   "write --env-secret TOKEN=fraud-secrets/token");
    variables.push_back({name, {}, value.substr(0, slash), value.substr(slash + 1)});
  }
  return variables;
}

}  // namespace

void define_cluster_options(Options& options, ClusterOptions& given) {
  options.text("--namespace,-n", "NAMESPACE", given.namespace_name, "namespace; default: that of the context")
      .text("--context", "NAME", given.context, "context of the kubeconfig; default: its current one")
      .text("--kubeconfig", "FILE", given.kubeconfig,
            "kubeconfig; default: $KUBECONFIG, ~/.kube/config, or the pod's own service account");
}

base::Result<kube::Client> connect(const ClusterOptions& given, Context& context) {
  const kube::AccessOptions where{{given.kubeconfig, variable("KUBECONFIG"), variable("HOME")},
                                  given.context,
                                  variable("KUBERNETES_SERVICE_HOST"),
                                  variable("KUBERNETES_SERVICE_PORT")};
  TRY_ASSIGN(kube::Access access,
             kube::find_access(where, {context.files, context.processes, context.clock}));
  kube::ClientOptions how;
  how.make_transport = context.make_transport;
  return kube::Client(std::move(access), context.clock, std::move(how));
}

void define_service_options(Options& options, ServiceOptions& given) {
  options
      .positional("name", given.name, "name of the service; default: the last part of the image's name",
                  false)
      .text("--image,-i", "REFERENCE", given.image, "image, best pinned as 'wherry build --push' prints it")
      .number("--replicas", "COUNT", given.replicas, "pods", 0, 10'000)
      .flag("--autoscaled", given.autoscaled, "leave the number of pods to an autoscaler")
      .flag("--create-namespace", given.create_namespace,
            "make the namespace too, enforcing Pod Security \"restricted\"")
      .text("--memory", "QUANTITY", given.memory, "memory limit of a pod (256Mi)")
      .text("--cpu", "QUANTITY", given.cpu, "CPU a pod asks for (100m)")
      .text("--cpu-limit", "QUANTITY", given.cpu_limit, "CPU limit of a pod (none)")
      .text("--ephemeral-storage", "QUANTITY", given.storage, "disk limit of a pod (64Mi); 0 sets no bounds")
      .texts("--env", "NAME=VALUE", given.environment, "environment variable of the server")
      .texts("--env-secret", "NAME=SECRET/KEY", given.secrets, "the same, from a key of a Secret")
      .texts("--label", "KEY=VALUE", given.labels, "label of all objects and pods")
      .texts("--annotation", "KEY=VALUE", given.annotations, "annotation of all objects")
      .texts("--argument", "TEXT", given.arguments, "further argument of the server")
      .texts("--pull-secret", "NAME", given.pull_secrets, "Secret with the registry's login")
      .text("--service-account", "NAME", given.service_account,
            "an existing one instead of the service's own")
      .text("--priority-class", "NAME", given.priority_class, "priority class of the pods")
      .number("--service-port", "PORT", given.service_port, "port of the Service (80)", 1, 65535)
      .number("--container-port", "PORT", given.port, "port the server listens on (8080)", 1024, 65535)
      .number("--drain-delay", "SECONDS", given.drain_delay,
              "how long an ending pod serves on until every proxy knows (5)", 0, 3600)
      .number("--grace-period", "SECONDS", given.grace_period, "time an ending pod has in all (30)", 1, 7200)
      .number("--startup-time", "SECONDS", given.startup_time, "longest time until the model is loaded (60)",
              1, 7200)
      .number("--progress-deadline", "SECONDS", given.progress_deadline,
              "when Kubernetes gives a rollout up (300)", 1, 86'400);
}

base::Result<kube::ServiceSpec> to_spec(const ServiceOptions& given, const std::string& namespace_name) {
  kube::ServiceSpec spec;
  if (given.image.empty())
    return usage("no image is named", "add --image REFERENCE, as 'wherry build --push' prints it");
  spec.name = given.name.empty() ? service_name_of(given.image) : given.name;
  if (spec.name.empty())
    return usage(cat("no service name can be made of image ", base::quoted(given.image)),
                 "give the name as the first argument");
  spec.namespace_name = namespace_name;
  spec.create_namespace = given.create_namespace;
  spec.image = given.image;
  spec.port = static_cast<int>(given.port);
  spec.service_port = static_cast<int>(given.service_port);
  spec.replicas = given.autoscaled ? std::nullopt : std::optional<int>(static_cast<int>(given.replicas));
  if (!given.cpu.empty()) spec.resources.cpu_request = given.cpu;
  spec.resources.cpu_limit = given.cpu_limit;
  if (!given.memory.empty()) spec.resources.memory_limit = given.memory;
  if (given.storage == "0") {
    spec.resources.ephemeral_storage_limit.clear();
    spec.resources.ephemeral_storage_request.clear();
  } else if (!given.storage.empty()) {
    spec.resources.ephemeral_storage_limit = given.storage;
  }
  TRY_ASSIGN(spec.labels, pairs(given.labels, "--label"));
  TRY_ASSIGN(spec.annotations, pairs(given.annotations, "--annotation"));
  TRY_ASSIGN(spec.environment, environment(given));
  spec.arguments = given.arguments;
  spec.pull_secrets = given.pull_secrets;
  spec.service_account = given.service_account;
  spec.priority_class = given.priority_class;
  spec.drain_seconds = static_cast<int>(given.drain_delay);
  spec.grace_seconds = static_cast<int>(given.grace_period);
  spec.startup_seconds = static_cast<int>(given.startup_time);
  spec.progress_deadline_seconds = static_cast<int>(given.progress_deadline);
  TRY(kube::validate(spec));
  return spec;
}

std::string service_name_of(const std::string& image) {
  std::string_view name = std::string_view(image).substr(0, image.find('@'));
  if (const std::size_t slash = name.rfind('/'); slash != std::string_view::npos)
    name.remove_prefix(slash + 1);
  name = name.substr(0, name.find(':'));
  std::string label = base::to_lower(name);
  for (char& c : label)
    if (c == '_' || c == '.') c = '-';
  return kube::is_dns_label(label) ? label : std::string();
}

}  // namespace wherry::cli
