#include "pipeline/jenkins.h"

#include "base/text.h"
#include "pipeline/logins.h"
#include "pipeline/script.h"

namespace wherry::pipeline {
namespace {

using base::cat;

// A stage's steps: shell commands, some of them inside withCredentials.
struct Steps {
  std::vector<std::string> bindings;  // of withCredentials; none: no such block
  std::vector<std::string> lines;  // one `sh` each; several lines of one secret-handling command go together
};

std::string indent(std::size_t depth) {
  return std::string(depth * 2, ' ');
}

// Groovy's single-quoted strings interpolate nothing; the shell text reads its values from the environment.
std::string groovy(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string stage(std::string_view name, std::string_view branch, const Steps& steps) {
  std::string out = cat(indent(2), "stage(", groovy(name), ") {\n");
  if (!branch.empty()) out += cat(indent(3), "when { branch ", groovy(branch), " }\n");
  out += cat(indent(3), "steps {\n");
  std::size_t depth = 4;
  if (!steps.bindings.empty()) {
    out += cat(indent(depth), "withCredentials([\n");
    for (std::size_t i = 0; i < steps.bindings.size(); ++i)
      out += cat(indent(depth + 1), steps.bindings[i], i + 1 < steps.bindings.size() ? ",\n" : "\n");
    out += cat(indent(depth), "]) {\n");
    ++depth;
  }
  for (const std::string& line : steps.lines) out += cat(indent(depth), "sh ", groovy(line), "\n");
  if (!steps.bindings.empty()) out += cat(indent(4), "}\n");
  return out + cat(indent(3), "}\n", indent(2), "}\n");
}

struct CloudBinding {
  std::string binding;
  Setting setting;
};

// The OpenID Connect Provider plugin issues tokens as credentials, so nothing long-lived is stored.
std::vector<CloudBinding> cloud_bindings(Cloud cloud) {
  const auto token = [](std::string_view id, std::string_view variable) {
    return CloudBinding{
        cat("file(credentialsId: '", id, "', variable: '", variable, "')"),
        {std::string(id), "credential 'OpenID Connect id token as file' (plugin oidc-provider)", true}};
  };
  switch (cloud) {
    case Cloud::kAws:
      return {token("aws-oidc", "AWS_WEB_IDENTITY_TOKEN_FILE")};
    case Cloud::kGoogle:
      return {token("gcp-oidc", "OIDC_TOKEN_FILE")};
    case Cloud::kAzure:
      return {token("azure-oidc", "OIDC_TOKEN_FILE")};
    case Cloud::kIbm:
      return {{"string(credentialsId: 'ibmcloud-api-key', variable: 'IBMCLOUD_API_KEY')",
               {"ibmcloud-api-key",
                "credential 'Secret text'; IBM Cloud accepts no OIDC tokens of CI systems", true}}};
    case Cloud::kNone:
      break;
  }
  return {};
}

void add_cloud(Steps& steps, std::vector<Setting>& settings, Cloud cloud, bool sign_in) {
  for (const CloudBinding& binding : cloud_bindings(cloud)) {
    steps.bindings.push_back(binding.binding);
    append(settings, {binding.setting});
  }
  const Login login = cloud_login(cloud);
  if (sign_in) steps.lines.insert(steps.lines.end(), login.lines.begin(), login.lines.end());
  for (const Setting& setting : login.settings)
    if (!setting.secret) append(settings, {setting});
}

// What handles a secret does not echo its commands into the log.
std::string unechoed(const std::string& line) {
  return cat("set +x; ", line);
}

Steps push_steps(std::optional<Registry> given, std::vector<Setting>& settings) {
  const Registry registry = given.value_or(Registry::kPassword);
  Steps steps;
  add_cloud(steps, settings, cloud_of(registry), cloud_of(registry) != Cloud::kIbm);
  const Login login = registry_login(registry);
  if (cloud_of(registry) == Cloud::kNone && registry != Registry::kAnonymous) {
    steps.bindings.push_back(
        "usernamePassword(credentialsId: 'registry', usernameVariable: 'REGISTRY_USER', "
        "passwordVariable: 'REGISTRY_PASSWORD')");
    append(settings,
           {{"registry", "credential 'Username with password' which may push to the registry", true}});
  }
  for (const std::string& line : login.lines) steps.lines.push_back(unechoed(line));
  steps.lines.push_back(
      "wherry build \"$MODEL\" --name \"$NAME\" -t \"$IMAGE:$GIT_COMMIT\" --push >reference.txt");
  return steps;
}

Steps deploy_steps(std::optional<Cluster> given, std::vector<Setting>& settings) {
  const Cluster cluster = given.value_or(Cluster::kKubeconfig);
  Steps steps;
  add_cloud(steps, settings, cloud_of(cluster), true);
  const Login login = cluster_login(cluster);
  append(settings, login.settings);
  steps.lines.insert(steps.lines.end(), login.lines.begin(), login.lines.end());
  if (cluster == Cluster::kKubeconfig) {
    steps.bindings.push_back("file(credentialsId: 'kubeconfig', variable: 'KUBECONFIG')");
    append(settings,
           {{"kubeconfig",
             "credential 'Secret file': kubeconfig of an account which may deploy to the namespace", true}});
  }
  steps.lines.push_back(
      "wherry deploy \"$NAME\" --image \"$(cat reference.txt)\" --namespace \"$NAMESPACE\"");
  return steps;
}

// Agents are shared: what the tools of a cloud store belongs to this build alone.
std::vector<std::string> private_folders(const Spec& spec) {
  std::vector<std::string> lines;
  const Cloud runs_in = cloud_of(spec.cluster.value_or(Cluster::kKubeconfig));
  const Cloud pushes_to = cloud_of(spec.registry.value_or(Registry::kPassword));
  const auto add = [&](Cloud cloud, std::string_view variable, std::string_view folder) {
    if (runs_in == cloud || pushes_to == cloud)
      lines.push_back(cat(variable, " = \"${env.WORKSPACE_TMP}/", folder, "\""));
  };
  if (runs_in != Cloud::kNone) lines.push_back("KUBECONFIG = \"${env.WORKSPACE_TMP}/kubeconfig\"");
  add(Cloud::kGoogle, "CLOUDSDK_CONFIG", "gcloud");
  add(Cloud::kAzure, "AZURE_CONFIG_DIR", "azure");
  add(Cloud::kIbm, "IBMCLOUD_HOME", "ibmcloud");
  return lines;
}

}  // namespace

base::Result<Pipeline> render_jenkins(const Spec& spec) {
  Pipeline pipeline{.files = {}, .settings = helper_settings()};
  if (spec.image.empty())
    append(pipeline.settings, {{"IMAGE", "where the image goes, REGISTRY/REPOSITORY in lower case"}});
  const Steps push = push_steps(spec.registry, pipeline.settings);
  const Steps deploy = deploy_steps(spec.cluster, pipeline.settings);

  std::string text = header("jenkins", "//", pipeline.settings);
  text +=
      "// Variables: Manage Jenkins > System > Environment variables, or the folder's. Secrets: "
      "Credentials.\n";
  text +=
      "pipeline {\n"
      "  agent any\n"
      "  options {\n"
      "    disableConcurrentBuilds()\n"
      "    timeout(time: 60, unit: 'MINUTES')\n"
      "    buildDiscarder(logRotator(numToKeepStr: '30'))\n"
      "  }\n"
      "  environment {\n";
  text += cat("    NAME = ", groovy(spec.name), "\n    MODEL = ", groovy(spec.model), "\n");
  if (!spec.image.empty()) text += cat("    IMAGE = ", groovy(spec.image), "\n");
  text += cat("    NAMESPACE = ", groovy(spec.name_space), "\n");
  text +=
      "    PATH = \"${env.WORKSPACE}/.wherry/bin:${env.PATH}\"\n"
      "    DOCKER_CONFIG = \"${env.WORKSPACE_TMP}/docker\"\n";
  for (const std::string& line : private_folders(spec)) text += cat("    ", line, "\n");
  text += "  }\n  stages {\n";
  text += stage("Verify", "", {{}, {"bash ci/wherry.sh setup", "wherry verify \"$MODEL\""}});
  text += stage("Build", "",
                {{},
                 {"wherry build \"$MODEL\" --name \"$NAME\" -t \"${IMAGE:?is not set}:$GIT_COMMIT\" --output "
                  "oci-archive:image.tar"}});
  text += stage("Push", spec.branch, push);
  text += stage("Deploy", spec.branch, deploy);
  text +=
      "  }\n"
      "  post {\n"
      "    always {\n"
      "      sh 'rm -rf image.tar \"$WORKSPACE_TMP/docker\" \"$WORKSPACE_TMP/kubeconfig\"'\n"
      "    }\n"
      "  }\n"
      "}\n";
  pipeline.files.push_back({.path = "Jenkinsfile", .content = std::move(text)});
  pipeline.files.push_back(helper_script());
  return pipeline;
}

}  // namespace wherry::pipeline
