#include "cli/cmd_status.h"

#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cli/clusters.h"
#include "kube/service_status.h"
#include "text/json.h"

namespace wherry::cli {
namespace {

using base::cat;

struct StatusOptions {
  std::string name;
  ClusterOptions cluster;
  std::string output = "text";
};

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text + "  ";
}

std::string pod_table(const std::vector<kube::PodStatus>& pods) {
  std::size_t widest = 3;
  for (const kube::PodStatus& pod : pods) widest = std::max(widest, pod.name.size());
  std::string lines = cat(padded("pod", widest), padded("ready", 5), padded("state", 20),
                          padded("restarts", 8), padded("version", 7), "node\n");
  for (const kube::PodStatus& pod : pods)
    lines += cat(padded(pod.name, widest), padded(pod.ready ? "yes" : "no", 5),
                 padded(pod.reason.empty() ? pod.phase : pod.reason, 20), padded(cat(pod.restarts), 8),
                 padded(pod.newest ? "new" : "old", 7), pod.node, "\n");
  return lines;
}

std::string to_text(const kube::ServiceStatus& status) {
  std::string text =
      cat(status.name, " in namespace ", status.namespace_name, ": ", status.rollout.message,
          "\nimage: ", status.image, " (revision ", status.revision, ")\npods: ", status.rollout.available,
          " of ", status.rollout.desired, " available\n");
  if (!status.pods.empty()) text += "\n" + pod_table(status.pods);
  for (const kube::Finding& finding : status.diagnosis.findings)
    text += cat("\n", kube::describe(finding), "\n  ", kube::advice(finding.cause), "\n");
  return text;
}

base::Result<int> show(const StatusOptions& given, Context& context) {
  TRY_ASSIGN(kube::Client client, connect(given.cluster, context));
  const std::string space =
      given.cluster.namespace_name.empty() ? client.access().default_namespace : given.cluster.namespace_name;
  TRY_ASSIGN(const kube::ServiceStatus status, kube::service_status(client, space, given.name));
  context.terminal.data(given.output == "json" ? text::write_json(kube::to_json(status), 2) + "\n"
                                               : to_text(status));
  return status.rollout.state == kube::RolloutState::kDone ? 0 : 1;
}

}  // namespace

Action define_status(Options& options) {
  auto given = std::make_shared<StatusOptions>();
  options.positional("name", given->name, "name of the service");
  define_cluster_options(options, given->cluster);
  options.choice("--output,-o", given->output, {"text", "json"}, "form of the answer");
  return [given](Context& context) { return show(*given, context); };
}

}  // namespace wherry::cli
