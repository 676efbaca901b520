#include "cli/cmd_deploy.h"

#include <chrono>
#include <memory>

#include "base/text.h"
#include "cli/clusters.h"
#include "kube/apply.h"
#include "kube/manifests.h"
#include "kube/rollout.h"
#include "kube/service_status.h"
#include "text/json.h"

namespace wherry::cli {
namespace {

using base::cat;
using text::Json;

struct DeployOptions {
  ServiceOptions service;
  ClusterOptions cluster;
  bool force = false;
  bool dry_run = false;
  bool no_wait = false;
  std::int64_t timeout = 600;
  std::string output = "text";
};

Json to_document(const kube::ObjectName& name) {
  return {{"apiVersion", name.kind->api_version},
          {"kind", name.kind->kind},
          {"namespace", name.namespace_name},
          {"name", name.name}};
}

// What would change, field by field.
base::Result<int> show_differences(kube::Client& client, const std::vector<Json>& objects,
                                   const DeployOptions& given, Context& context) {
  TRY_ASSIGN(const std::vector<kube::ObjectDifference> differences,
             kube::diff_all(client, objects, given.force));
  Json document = Json::array();
  std::string lines;
  for (const kube::ObjectDifference& difference : differences) {
    for (const std::string& warning : difference.warnings) context.terminal.warning(warning);
    const char* what = !difference.exists           ? "would be created"
                       : difference.changes.empty() ? "unchanged"
                                                    : "would change";
    lines += cat(kube::label_of(difference.name), ": ", what, "\n");
    Json changes = Json::array();
    for (const kube::Change& change : difference.changes) {
      if (difference.exists) lines += cat("  ", kube::describe(change), "\n");
      changes.push_back({{"path", change.path}, {"before", change.before}, {"after", change.after}});
    }
    Json row = to_document(difference.name);
    row["exists"] = difference.exists;
    row["changes"] = changes;
    document.push_back(row);
  }
  context.terminal.data(given.output == "json" ? text::write_json({{"differences", document}}, 2) + "\n"
                                               : lines);
  return 0;
}

base::Result<std::vector<kube::AppliedObject>> apply(kube::Client& client, const std::vector<Json>& objects,
                                                     const DeployOptions& given, Context& context) {
  kube::ApplyAllOptions how{.force = given.force, .dry_run = false};
  how.on_applied = [&](const kube::AppliedObject& one) {
    for (const std::string& warning : one.warnings) context.terminal.warning(warning);
    context.terminal.note(cat(kube::label_of(one.name), ": ", kube::name(one.result)));
  };
  return kube::apply_all(client, objects, how);
}

base::Result<kube::RolloutOutcome> wait(kube::Client& client, const kube::ServiceSpec& spec,
                                        const DeployOptions& given, Context& context) {
  kube::RolloutOptions how;
  how.timeout = std::chrono::seconds(given.timeout);
  how.on_progress = [&](const kube::RolloutView& view) {
    if (view.state == kube::RolloutState::kWaiting) context.terminal.progress(cat("rollout: ", view.message));
  };
  return kube::wait_for_rollout(client, context.clock, spec.namespace_name, spec.name, how);
}

void print(const DeployOptions& given, const std::vector<kube::AppliedObject>& applied,
           const kube::RolloutOutcome* outcome, Context& context) {
  if (given.output != "json") {
    std::string lines;
    for (const kube::AppliedObject& one : applied)
      lines +=
          cat(base::to_lower(one.name.kind->kind), "/", one.name.name, " ", kube::name(one.result), "\n");
    context.terminal.data(lines);
    return;
  }
  Json objects = Json::array();
  Json warnings = Json::array();
  for (const kube::AppliedObject& one : applied) {
    Json row = to_document(one.name);
    row["result"] = kube::name(one.result);
    objects.push_back(row);
    for (const std::string& warning : one.warnings) warnings.push_back(warning);
  }
  Json document{{"objects", objects}, {"warnings", warnings}};
  if (outcome != nullptr) {
    Json findings = Json::array();
    for (const kube::Finding& finding : outcome->diagnosis.findings)
      findings.push_back(kube::to_json(finding));
    document["rollout"] = {{"done", outcome->end == kube::RolloutEnd::kDone},
                           {"message", outcome->view.message},
                           {"milliseconds", outcome->took.count()},
                           {"findings", findings}};
  }
  context.terminal.data(text::write_json(document, 2) + "\n");
}

base::Result<int> deploy(const DeployOptions& given, Context& context) {
  // Checked before the cluster is asked anything; the namespace may yet come from the context.
  TRY(to_spec(given.service,
              given.cluster.namespace_name.empty() ? "default" : given.cluster.namespace_name));
  TRY_ASSIGN(kube::Client client, connect(given.cluster, context));
  TRY_ASSIGN(kube::ServiceSpec spec,
             to_spec(given.service, given.cluster.namespace_name.empty() ? client.access().default_namespace
                                                                         : given.cluster.namespace_name));
  TRY_ASSIGN(spec.server_minor_version, kube::server_minor_version(client));
  TRY_ASSIGN(const std::vector<Json> objects, kube::render(spec));
  if (given.dry_run) return show_differences(client, objects, given, context);
  if (spec.image.find('@') == std::string::npos)
    context.terminal.note(
        "the image is named by a tag, which can be moved; 'wherry build --push' prints the pinned name");
  TRY_ASSIGN(const std::vector<kube::AppliedObject> applied, apply(client, objects, given, context));
  if (given.no_wait) {
    print(given, applied, nullptr, context);
    return 0;
  }
  TRY_ASSIGN(const kube::RolloutOutcome outcome, wait(client, spec, given, context));
  print(given, applied, &outcome, context);
  if (outcome.end == kube::RolloutEnd::kDone) {
    context.terminal.note(cat("rollout: ", outcome.view.message, ": ", outcome.view.available, " of ",
                              outcome.view.desired, " pods available after ", outcome.took.count(), " ms"));
    return 0;
  }
  for (const kube::Finding& finding : outcome.diagnosis.findings) {
    context.terminal.note(kube::describe(finding));
    for (const std::string& line : finding.log) context.terminal.note(cat("  | ", line));
  }
  return std::unexpected(kube::rollout_error(outcome, spec.namespace_name, spec.name));
}

}  // namespace

Action define_deploy(Options& options) {
  auto given = std::make_shared<DeployOptions>();
  define_service_options(options, given->service);
  define_cluster_options(options, given->cluster);
  options.flag("--dry-run", given->dry_run, "ask the cluster what would change, and change nothing")
      .flag("--force", given->force, "take over fields which others manage")
      .flag("--no-wait", given->no_wait, "do not wait until the new pods serve")
      .number("--timeout", "SECONDS", given->timeout, "longest wait for the rollout", 1, 86'400)
      .choice("--output,-o", given->output, {"text", "json"}, "form of the answer");
  return [given](Context& context) { return deploy(*given, context); };
}

}  // namespace wherry::cli
