#include "pipeline/gitlab.h"

#include "base/text.h"
#include "pipeline/logins.h"
#include "pipeline/script.h"
#include "text/yaml.h"

namespace wherry::pipeline {
namespace {

using base::cat;
using text::Json;

constexpr std::string_view kTokenFile = "/tmp/wherry-oidc-token";

Json lines_of(const std::vector<std::string>& lines) {
  Json list = Json::array();
  for (const std::string& line : lines) list.push_back(line);
  return list;
}

// GitLab's token of the job, for AWS to exchange; declared only in the jobs which need it.
void use_aws(Json& job, std::vector<std::string>& lines) {
  job["id_tokens"]["AWS_TOKEN"]["aud"] = "sts.amazonaws.com";
  job["variables"]["AWS_WEB_IDENTITY_TOKEN_FILE"] = kTokenFile;
  lines.insert(lines.begin(),
               {"apt-get -qq install -y --no-install-recommends awscli >/dev/null",
                "(umask 077 && printf '%s' \"$AWS_TOKEN\" >\"$AWS_WEB_IDENTITY_TOKEN_FILE\")"});
}

std::string default_branch_rule(const Spec& spec) {
  return cat("$CI_PIPELINE_SOURCE == \"push\" && $CI_COMMIT_BRANCH == \"", spec.branch, "\"");
}

Json verify_job() {
  Json job = Json::object();
  job["stage"] = "verify";
  job["script"] = lines_of({"wherry verify \"$MODEL\"",
                            "wherry build \"$MODEL\" --name \"$NAME\" -t \"$IMAGE:$CI_COMMIT_SHA\" --output "
                            "oci-archive:image.tar"});
  return job;
}

Json publish_job(const Spec& spec, Registry registry) {
  Json job = Json::object();
  job["stage"] = "publish";
  job["rules"] = Json::array({Json{{"if", default_branch_rule(spec)}}});
  std::vector<std::string> lines = registry_login(registry).lines;
  if (registry == Registry::kGitlab)
    lines = {
        "printf '%s' \"$CI_REGISTRY_PASSWORD\" | bash ci/wherry.sh login \"$CI_REGISTRY\" "
        "\"$CI_REGISTRY_USER\""};
  if (registry == Registry::kEcr) use_aws(job, lines);
  lines.push_back(
      "reference=$(wherry build \"$MODEL\" --name \"$NAME\" -t \"$IMAGE:$CI_COMMIT_SHA\" --push)");
  lines.push_back("echo \"REFERENCE=$reference\" >reference.env");
  job["script"] = lines_of(lines);
  job["artifacts"]["reports"]["dotenv"] = "reference.env";
  return job;
}

Json deploy_job(const Spec& spec, Cluster cluster) {
  Json job = Json::object();
  job["stage"] = "deploy";
  job["rules"] = Json::array({Json{{"if", default_branch_rule(spec)}}});
  job["needs"] = Json::array({"publish"});
  job["environment"] = {{"name", "production"}};
  job["resource_group"] = "production";
  std::vector<std::string> lines = cluster_login(cluster).lines;
  if (cluster == Cluster::kEks) use_aws(job, lines);
  lines.push_back("wherry deploy \"$NAME\" --image \"$REFERENCE\" --namespace \"$NAMESPACE\"");
  job["script"] = lines_of(lines);
  return job;
}

std::vector<Setting> settings_of(Registry registry, Cluster cluster) {
  std::vector<Setting> settings = helper_settings();
  if (registry == Registry::kEcr || cluster == Cluster::kEks)
    append(settings, cloud_login(Cloud::kAws).settings);
  if (registry == Registry::kPassword) append(settings, registry_login(registry).settings);
  append(settings, cluster_login(cluster).settings);
  if (cluster == Cluster::kKubeconfig)
    append(settings,
           {{"KUBECONFIG", "type File: kubeconfig of an account which may deploy to the namespace", true}});
  return settings;
}

}  // namespace

base::Result<Pipeline> render_gitlab(const Spec& spec) {
  const Cluster cluster = spec.cluster.value_or(Cluster::kKubeconfig);
  if (cluster != Cluster::kEks && cluster != Cluster::kKubeconfig)
    return unsupported("GitLab", cat("a cluster of kind ", name(cluster)),
                       "use --cluster kubeconfig with a service account's kubeconfig");
  // On gitlab.com and with no image named, the job's own token is enough.
  Registry registry = spec.registry.value_or(Registry::kGitlab);
  if (registry != Registry::kGitlab && registry != Registry::kEcr && registry != Registry::kAnonymous)
    registry = Registry::kPassword;

  Json gitlab = Json::object();
  gitlab["default"]["image"] = "debian:12";
  gitlab["default"]["before_script"] = lines_of(
      {"apt-get -qq update && apt-get -qq install -y --no-install-recommends ca-certificates git >/dev/null",
       "bash ci/wherry.sh setup", "export PATH=\"$PWD/.wherry/bin:$PATH\""});
  gitlab["default"]["cache"] = {{"key", "wherry-$WHERRY_VERSION"}, {"paths", Json::array({".wherry"})}};
  gitlab["default"]["timeout"] = "30 minutes";
  gitlab["default"]["interruptible"] = false;
  gitlab["workflow"]["rules"] = Json::array({Json{{"if", "$CI_PIPELINE_SOURCE == \"merge_request_event\""}},
                                             Json{{"if", default_branch_rule(spec)}}});
  gitlab["stages"] = Json::array({"verify", "publish", "deploy"});
  gitlab["variables"] = {{"NAME", spec.name},
                         {"MODEL", spec.model},
                         {"IMAGE", spec.image.empty() ? "$CI_REGISTRY_IMAGE" : spec.image},
                         {"NAMESPACE", spec.name_space}};
  gitlab["verify"] = verify_job();
  gitlab["publish"] = publish_job(spec, registry);
  gitlab["deploy"] = deploy_job(spec, cluster);

  Pipeline pipeline{.files = {}, .settings = settings_of(registry, cluster)};
  pipeline.files.push_back({.path = ".gitlab-ci.yml",
                            .content = header("gitlab", "#", pipeline.settings) + text::write_yaml(gitlab)});
  pipeline.files.push_back(helper_script());
  return pipeline;
}

}  // namespace wherry::pipeline
