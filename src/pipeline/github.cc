#include "pipeline/github.h"

#include "base/text.h"
#include "pipeline/logins.h"
#include "pipeline/pins.h"
#include "pipeline/script.h"
#include "text/yaml.h"

namespace wherry::pipeline {
namespace {

using base::cat;
using text::Json;

// The value of a setting, as an expression.
std::string value_of(const Setting& setting) {
  return cat("${{ ", setting.secret ? "secrets." : "vars.", setting.name, " }}");
}

Json environment(const std::vector<Setting>& settings) {
  Json env = Json::object();
  for (const Setting& setting : settings) env[setting.name] = value_of(setting);
  return env;
}

Json run_step(std::string_view name, const std::vector<std::string>& lines, Json env = Json::object()) {
  Json step = Json::object();
  step["name"] = name;
  if (!env.empty()) step["env"] = std::move(env);
  step["run"] = lines.size() == 1 ? lines[0] : base::join(lines, "\n") + "\n";
  return step;
}

Json use_step(const Spec& spec, std::string_view action, std::string_view name, Json with) {
  Json step = Json::object();
  if (!name.empty()) step["name"] = name;
  step["uses"] = pinned(spec.pins, action);
  step["with"] = std::move(with);
  return step;
}

void add_common_steps(Json& steps, const Spec& spec) {
  steps.push_back(use_step(spec, "actions/checkout", "", {{"persist-credentials", false}}));
  steps.push_back(
      use_step(spec, "actions/cache", "Keep the built wherry",
               {{"path", ".wherry"}, {"key", "wherry-${{ runner.os }}-${{ vars.WHERRY_VERSION }}"}}));
  steps.push_back(run_step("Get wherry", {"bash ci/wherry.sh setup"},
                           {{"WHERRY_REPOSITORY", "${{ vars.WHERRY_REPOSITORY }}"},
                            {"WHERRY_VERSION", "${{ vars.WHERRY_VERSION }}"}}));
}

// GitHub's own OIDC exchange, by each cloud's own action; IBM Cloud has none.
void add_cloud_login(Json& steps, const Spec& spec, Cloud cloud) {
  switch (cloud) {
    case Cloud::kAws:
      steps.push_back(use_step(
          spec, "aws-actions/configure-aws-credentials", "Sign in to AWS",
          {{"role-to-assume", "${{ vars.AWS_ROLE_ARN }}"}, {"aws-region", "${{ vars.AWS_REGION }}"}}));
      break;
    case Cloud::kGoogle:
      steps.push_back(use_step(spec, "google-github-actions/auth", "Sign in to Google Cloud",
                               {{"workload_identity_provider", "${{ vars.GCP_WORKLOAD_IDENTITY_PROVIDER }}"},
                                {"service_account", "${{ vars.GCP_SERVICE_ACCOUNT }}"}}));
      break;
    case Cloud::kAzure:
      steps.push_back(use_step(spec, "azure/login", "Sign in to Azure",
                               {{"client-id", "${{ vars.AZURE_CLIENT_ID }}"},
                                {"tenant-id", "${{ vars.AZURE_TENANT_ID }}"},
                                {"subscription-id", "${{ vars.AZURE_SUBSCRIPTION_ID }}"}}));
      break;
    case Cloud::kIbm:
    case Cloud::kNone:
      break;
  }
}

void add_registry_login(Json& steps, Registry registry) {
  if (registry == Registry::kAnonymous) return;
  if (registry == Registry::kGithub) {
    steps.push_back(run_step(
        "Sign in to the registry",
        {"printf '%s' \"$GITHUB_TOKEN\" | bash ci/wherry.sh login \"${IMAGE%%/*}\" \"$GITHUB_ACTOR\""},
        {{"GITHUB_TOKEN", "${{ secrets.GITHUB_TOKEN }}"}}));
    return;
  }
  const Login login = registry_login(registry);
  steps.push_back(run_step("Sign in to the registry", login.lines, environment(login.settings)));
}

void add_cluster_login(Json& steps, const Spec& spec, Cluster cluster) {
  if (cluster == Cluster::kKubeconfig) {
    steps.push_back(run_step("Sign in to the cluster",
                             {"umask 077", "printf '%s' \"$KUBECONFIG_CONTENT\" >\"$RUNNER_TEMP/kubeconfig\"",
                              "echo \"KUBECONFIG=$RUNNER_TEMP/kubeconfig\" >>\"$GITHUB_ENV\""},
                             {{"KUBECONFIG_CONTENT", "${{ secrets.KUBECONFIG }}"}}));
    return;
  }
  if (cluster == Cluster::kGke) {
    steps.push_back(
        use_step(spec, "google-github-actions/get-gke-credentials", "Sign in to the cluster",
                 {{"cluster_name", "${{ vars.GKE_CLUSTER }}"}, {"location", "${{ vars.GKE_LOCATION }}"}}));
    return;
  }
  std::vector<std::string> lines = cluster_login(cluster).lines;
  std::vector<Setting> settings = cluster_login(cluster).settings;
  if (cluster == Cluster::kAks) lines.insert(lines.begin(), "sudo az aks install-cli");
  if (cluster == Cluster::kIks) {
    const Login ibm = cloud_login(Cloud::kIbm);
    lines.insert(lines.begin(), ibm.lines.begin(), ibm.lines.end());
    lines.insert(lines.begin(), {"curl -fsSL https://clis.cloud.ibm.com/install/linux | sh",
                                 "ibmcloud plugin install container-service -f"});
    append(settings, ibm.settings);
  }
  steps.push_back(run_step("Sign in to the cluster", lines, environment(settings)));
}

bool wants_id_token(Cloud cloud) {
  return cloud == Cloud::kAws || cloud == Cloud::kGoogle || cloud == Cloud::kAzure;
}

struct Plan {
  Registry registry;
  Cluster cluster;
  std::string image;      // value of the variable IMAGE
  std::string image_use;  // how the shell reads it
};

Json verify_job(const Spec& spec, const Plan& plan) {
  Json steps = Json::array();
  add_common_steps(steps, spec);
  steps.push_back(run_step("Replay the golden predictions", {"wherry verify \"$MODEL\""}));
  steps.push_back(
      run_step("Build the image", {cat("wherry build \"$MODEL\" --name \"$NAME\" -t \"", plan.image_use,
                                       ":$GITHUB_SHA\" --output \"oci-archive:$RUNNER_TEMP/image.tar\"")}));
  Json job = Json::object();
  job["name"] = "Verify and build";
  job["runs-on"] = "ubuntu-24.04";
  job["timeout-minutes"] = 30;
  job["steps"] = std::move(steps);
  return job;
}

Json publish_job(const Spec& spec, const Plan& plan) {
  Json permissions = {{"contents", "read"}};
  if (plan.registry == Registry::kGithub) permissions["packages"] = "write";
  const Cloud cloud = cloud_of(plan.registry);
  if (wants_id_token(cloud)) permissions["id-token"] = "write";
  Json steps = Json::array();
  add_common_steps(steps, spec);
  add_cloud_login(steps, spec, cloud);
  add_registry_login(steps, plan.registry);
  Json push = run_step("Build and push", {cat("reference=$(wherry build \"$MODEL\" --name \"$NAME\" -t \"",
                                              plan.image_use, ":$GITHUB_SHA\" --push)"),
                                          "echo \"reference=$reference\" >>\"$GITHUB_OUTPUT\""});
  Json identified = {{"id", "push"}};
  identified.update(push);
  steps.push_back(std::move(identified));
  Json job = Json::object();
  job["name"] = "Push";
  job["needs"] = "verify";
  job["if"] = "github.event_name == 'push'";
  job["runs-on"] = "ubuntu-24.04";
  job["timeout-minutes"] = 30;
  job["permissions"] = std::move(permissions);
  job["outputs"] = {{"reference", "${{ steps.push.outputs.reference }}"}};
  job["steps"] = std::move(steps);
  return job;
}

Json deploy_job(const Spec& spec, const Plan& plan) {
  Json permissions = {{"contents", "read"}};
  const Cloud cloud = cloud_of(plan.cluster);
  if (wants_id_token(cloud)) permissions["id-token"] = "write";
  Json steps = Json::array();
  add_common_steps(steps, spec);
  add_cloud_login(steps, spec, cloud);
  add_cluster_login(steps, spec, plan.cluster);
  steps.push_back(run_step("Deploy by digest",
                           {"wherry deploy \"$NAME\" --image \"$REFERENCE\" --namespace \"$NAMESPACE\""},
                           {{"REFERENCE", "${{ needs.publish.outputs.reference }}"}}));
  Json job = Json::object();
  job["name"] = "Deploy";
  job["needs"] = "publish";
  job["runs-on"] = "ubuntu-24.04";
  job["timeout-minutes"] = 30;
  job["environment"] = "production";
  job["permissions"] = std::move(permissions);
  job["steps"] = std::move(steps);
  return job;
}

// Says behind each permission what it is for.
std::string explain_permissions(std::string yaml) {
  constexpr std::pair<std::string_view, std::string_view> kReasons[] = {
      {"      packages: write\n", "      packages: write # push the image\n"},
      {"      id-token: write\n", "      id-token: write # exchanged for a short session in the cloud\n"},
  };
  for (const auto& [line, explained] : kReasons)
    for (std::size_t at = yaml.find(line); at != yaml.npos; at = yaml.find(line, at + explained.size()))
      yaml.replace(at, line.size(), explained);
  return yaml;
}

std::vector<Setting> settings_of(const Plan& plan) {
  std::vector<Setting> settings = helper_settings();
  append(settings, cloud_login(cloud_of(plan.cluster)).settings);
  if (wants_id_token(cloud_of(plan.registry)))
    append(settings, cloud_login(cloud_of(plan.registry)).settings);
  if (plan.registry != Registry::kGithub) append(settings, registry_login(plan.registry).settings);
  append(settings, cluster_login(plan.cluster).settings);
  if (plan.cluster == Cluster::kKubeconfig)
    append(settings, {{"KUBECONFIG", "kubeconfig of an account which may deploy to the namespace", true}});
  return settings;
}

}  // namespace

base::Result<Pipeline> render_github(const Spec& spec) {
  const bool own =
      spec.image.empty();  // GitHub's registry takes lower case only, repositories may have upper
  const Plan plan{.registry = spec.registry.value_or(Registry::kGithub),
                  .cluster = spec.cluster.value_or(Cluster::kKubeconfig),
                  .image = own ? "ghcr.io/${{ github.repository }}" : spec.image,
                  .image_use = own ? "${IMAGE,,}" : "$IMAGE"};
  Json workflow = Json::object();
  workflow["name"] = spec.name;
  workflow["on"]["pull_request"] = Json::object();
  workflow["on"]["push"]["branches"] = Json::array({spec.branch});
  workflow["permissions"]["contents"] = "read";
  workflow["concurrency"] = {{"group", "wherry-${{ github.ref }}"},
                             {"cancel-in-progress", "${{ github.event_name == 'pull_request' }}"}};
  workflow["env"] = {
      {"NAME", spec.name}, {"MODEL", spec.model}, {"IMAGE", plan.image}, {"NAMESPACE", spec.name_space}};
  workflow["jobs"]["verify"] = verify_job(spec, plan);
  workflow["jobs"]["publish"] = publish_job(spec, plan);
  workflow["jobs"]["deploy"] = deploy_job(spec, plan);

  Pipeline pipeline{.files = {}, .settings = settings_of(plan)};
  std::string yaml = explain_permissions(annotate(text::write_yaml(workflow), spec.pins));
  // YAML 1.1 readers take the key `on` for a boolean, hence the writer's quotes; GitHub's own does not.
  if (const std::size_t key = yaml.find("\n\"on\":"); key != std::string::npos)
    yaml.replace(key + 1, 4, "on");
  pipeline.files.push_back(
      {.path = ".github/workflows/wherry.yml", .content = header("github", "#", pipeline.settings) + yaml});
  pipeline.files.push_back(helper_script());
  return pipeline;
}

}  // namespace wherry::pipeline
