#include "pipeline/travis.h"

#include "base/text.h"
#include "pipeline/logins.h"
#include "pipeline/script.h"
#include "text/yaml.h"

namespace wherry::pipeline {
namespace {

using base::cat;
using text::Json;

// Travis runs every entry of `script` whatever became of the one before, so what belongs together is one
// entry.
std::string chained(const std::vector<std::string>& lines) {
  return lines.size() == 1 ? lines[0] : base::join(lines, " &&\n") + "\n";
}

Json stage(std::string_view name, std::string_view condition, const std::vector<std::string>& lines) {
  Json job = Json::object();
  job["stage"] = name;
  if (!condition.empty()) job["if"] = condition;
  job["script"] = Json::array({chained(lines)});
  return job;
}

std::vector<Setting> access_keys() {  // Travis CI issues no OIDC tokens
  return {{"AWS_ACCESS_KEY_ID",
           "access key of a user who may only push this image and deploy; Travis CI has no OIDC", true},
          {"AWS_SECRET_ACCESS_KEY", "its secret", true},
          {"AWS_DEFAULT_REGION", "region of registry and cluster"}};
}

}  // namespace

base::Result<Pipeline> render_travis(const Spec& spec) {
  const Cluster cluster = spec.cluster.value_or(Cluster::kKubeconfig);
  if (cluster != Cluster::kEks && cluster != Cluster::kKubeconfig)
    return unsupported("Travis CI", cat("a cluster of kind ", name(cluster)),
                       "use --cluster kubeconfig with a service account's kubeconfig");
  Registry registry = spec.registry.value_or(Registry::kPassword);
  if (registry != Registry::kEcr && registry != Registry::kAnonymous) registry = Registry::kPassword;

  Pipeline pipeline{.files = {}, .settings = helper_settings()};
  if (spec.image.empty())
    append(pipeline.settings, {{"IMAGE", "where the image goes, REGISTRY/REPOSITORY in lower case"}});
  const bool aws = registry == Registry::kEcr || cluster == Cluster::kEks;
  if (aws) append(pipeline.settings, access_keys());
  const Login push = registry_login(registry);
  append(pipeline.settings, push.settings);

  std::vector<std::string> lines = push.lines;
  lines.push_back(
      "reference=$(wherry build \"$MODEL\" --name \"$NAME\" -t \"$IMAGE:$TRAVIS_COMMIT\" --push)");
  const Login enter = cluster_login(cluster);
  append(pipeline.settings, enter.settings);
  lines.insert(lines.end(), enter.lines.begin(), enter.lines.end());
  if (cluster == Cluster::kKubeconfig) {
    append(pipeline.settings,
           {{"KUBECONFIG_BASE64", "kubeconfig of an account which may deploy to the namespace, in base64",
             true}});
    lines.push_back("(umask 077 && printf '%s' \"$KUBECONFIG_BASE64\" | base64 -d >\"$KUBECONFIG\")");
  }
  lines.push_back("wherry deploy \"$NAME\" --image \"$reference\" --namespace \"$NAMESPACE\"");

  Json travis = Json::object();
  travis["os"] = "linux";
  travis["dist"] = "noble";
  travis["language"] = "minimal";
  travis["services"] = Json::array({"docker"});
  if (aws) travis["addons"]["snaps"] = Json::array({Json{{"name", "aws-cli"}, {"confinement", "classic"}}});
  Json env = Json::array({cat("NAME=", spec.name), cat("MODEL='", spec.model, "'")});
  if (!spec.image.empty()) env.push_back(cat("IMAGE=", spec.image));
  env.push_back(cat("NAMESPACE=", spec.name_space));
  travis["env"]["global"] = std::move(env);
  travis["cache"]["directories"] = Json::array({".wherry"});
  travis["install"] =
      Json::array({"bash ci/wherry.sh setup", "export PATH=\"$PWD/.wherry/bin:$PATH\"",
                   "export DOCKER_CONFIG=\"$HOME/.wherry-docker\" KUBECONFIG=\"$HOME/.wherry-kubeconfig\""});
  travis["jobs"]["include"] = Json::array(
      {stage("verify", "",
             {"wherry verify \"$MODEL\"",
              "wherry build \"$MODEL\" --name \"$NAME\" -t \"${IMAGE:?is not set}:$TRAVIS_COMMIT\" --output "
              "oci-archive:image.tar"}),
       stage("deploy", cat("branch = ", spec.branch, " AND type = push"), lines)});

  pipeline.files.push_back({.path = ".travis.yml",
                            .content = header("travis", "#", pipeline.settings) + text::write_yaml(travis)});
  pipeline.files.push_back(helper_script());
  return pipeline;
}

}  // namespace wherry::pipeline
