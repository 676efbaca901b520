// Kubernetes clusters as commands use them: which one, and what the service is to look like there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/command.h"
#include "kube/client.h"
#include "kube/service_spec.h"

namespace wherry::cli {

// Which cluster and namespace; empty values come from the kubeconfig.
struct ClusterOptions {
  std::string kubeconfig;
  std::string context;
  std::string namespace_name;
};

// Declares --namespace, --context and --kubeconfig.
void define_cluster_options(Options& options, ClusterOptions& given);

// The client for the cluster meant, as kubectl would choose it. Errors: those of kube::find_access.
base::Result<kube::Client> connect(const ClusterOptions& given, Context& context);

// What the command line says of a service, before it is checked.
struct ServiceOptions {
  std::string name;
  std::string image;
  std::int64_t replicas = 2;
  bool autoscaled = false;
  bool create_namespace = false;
  std::int64_t port = 8080;
  std::int64_t service_port = 80;
  std::string cpu;
  std::string cpu_limit;
  std::string memory;
  std::string storage;
  std::vector<std::string> environment;
  std::vector<std::string> secrets;
  std::vector<std::string> labels;
  std::vector<std::string> annotations;
  std::vector<std::string> arguments;
  std::vector<std::string> pull_secrets;
  std::string service_account;
  std::string priority_class;
  std::int64_t drain_delay = 5;
  std::int64_t grace_period = 30;
  std::int64_t startup_time = 60;
  std::int64_t progress_deadline = 300;
};

// Declares the name and everything above.
void define_service_options(Options& options, ServiceOptions& given);

// The spec, its name taken from the image's repository when none was given. Errors: "cli.usage".
base::Result<kube::ServiceSpec> to_spec(const ServiceOptions& given, const std::string& namespace_name);

// "fraud" of "127.0.0.1:5000/team/Fraud_Model:1@sha256:…" ("fraud-model" there): a DNS label, or "" where
// none can be made of it.
std::string service_name_of(const std::string& image);

}  // namespace wherry::cli
