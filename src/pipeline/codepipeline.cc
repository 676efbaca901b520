#include "pipeline/codepipeline.h"

#include "base/text.h"
#include "pipeline/codepipeline_template.h"
#include "pipeline/logins.h"
#include "pipeline/script.h"
#include "text/yaml.h"

namespace wherry::pipeline {
namespace {

using base::cat;
using text::Json;

Json install_commands() {
  return Json::array(
      {"apt-get update -qq && apt-get install -qq -y --no-install-recommends awscli ca-certificates git",
       "bash ci/wherry.sh setup", "export PATH=\"$PWD/.wherry/bin:$PATH\""});
}

Json commands(Json list) {
  Json phase = Json::object();
  phase["commands"] = std::move(list);
  return phase;
}

std::string build_spec(const Spec& spec) {
  Json build = Json::object();
  build["version"] = 0.2;
  build["env"] = {{"shell", "bash"},
                  {"variables", {{"NAME", spec.name}, {"MODEL", spec.model}}},
                  {"exported-variables", Json::array({"REFERENCE"})}};
  build["phases"]["install"] = commands(install_commands());
  build["phases"]["pre_build"] = commands(Json::array({"wherry verify \"$MODEL\""}));
  build["phases"]["build"] = commands(Json::array({registry_login(Registry::kEcr).lines[0],
                                                   "REFERENCE=$(wherry build \"$MODEL\" --name \"$NAME\" -t "
                                                   "\"$IMAGE:$CODEBUILD_RESOLVED_SOURCE_VERSION\" --push)",
                                                   "export REFERENCE"}));
  build["cache"]["paths"] = Json::array({".wherry/**/*"});
  return "# Written by `wherry ci init codepipeline`: verifies, builds and pushes. IMAGE comes from "
         "ci/codepipeline.yml.\n" +
         text::write_yaml(build);
}

std::string deploy_spec(const Spec& spec) {
  Json deploy = Json::object();
  deploy["version"] = 0.2;
  deploy["env"] = {{"shell", "bash"}, {"variables", {{"NAME", spec.name}, {"NAMESPACE", spec.name_space}}}};
  deploy["phases"]["install"] = commands(install_commands());
  deploy["phases"]["build"] =
      commands(Json::array({cluster_login(Cluster::kEks).lines[0],
                            "wherry deploy \"$NAME\" --image \"$REFERENCE\" --namespace \"$NAMESPACE\""}));
  deploy["cache"]["paths"] = Json::array({".wherry/**/*"});
  return "# Written by `wherry ci init codepipeline`: deploys what the stage Build pushed, REFERENCE, by "
         "digest.\n" +
         text::write_yaml(deploy);
}

// ACCOUNT.dkr.ecr.REGION.amazonaws.com[.cn]/REPOSITORY
base::Result<EcrImage> parse_ecr(std::string_view image) {
  const std::size_t slash = image.find('/');
  const auto host = base::split(image.substr(0, slash), '.');
  if (host.size() >= 6 && host[1] == "dkr" && host[2] == "ecr" && host[0].size() == 12)
    return EcrImage{std::string(host[0]), std::string(host[3]), std::string(image.substr(slash + 1)),
                    std::string(image)};
  return unsupported("CodePipeline", cat("the registry of ", base::quoted(image)),
                     "give an ECR repository, ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME, or no --image");
}

}  // namespace

base::Result<Pipeline> render_codepipeline(const Spec& spec) {
  if (const Cluster cluster = spec.cluster.value_or(Cluster::kEks); cluster != Cluster::kEks)
    return unsupported("CodePipeline", cat("a cluster of kind ", name(cluster)), "use --cluster eks");
  EcrImage image{.account = {}, .region = {}, .repository = spec.name, .reference = {}};
  if (!spec.image.empty()) {
    TRY_ASSIGN(image, parse_ecr(spec.image));
  }
  Pipeline pipeline{
      .files = {},
      .settings = {{"ConnectionArn", "CodeConnections connection to the source host"},
                   {"Repository", "OWNER/NAME of the source repository"},
                   {"ImageRepository", "existing ECR repository"},
                   {"ClusterName", "existing EKS cluster with access entries (API or both modes)"},
                   {"WherryRepository", "git URL of wherry"},
                   {"WherryVersion", "tag or commit of wherry to use"}}};
  pipeline.files.push_back({.path = "buildspec.yml", .content = build_spec(spec)});
  pipeline.files.push_back({.path = "ci/deploy.buildspec.yml", .content = deploy_spec(spec)});
  pipeline.files.push_back(
      {.path = "ci/codepipeline.yml",
       .content =
           "# Written by `wherry ci init codepipeline`; edit it freely. Set up once with\n"
           "#   aws cloudformation deploy --template-file ci/codepipeline.yml --stack-name " +
           cat(spec.name, "-pipeline") +
           " \\\n"
           "#     --capabilities CAPABILITY_IAM --parameter-overrides ConnectionArn=… Repository=… …\n" +
           text::write_yaml(codepipeline_template(spec, image))});
  pipeline.files.push_back(helper_script());
  return pipeline;
}

}  // namespace wherry::pipeline
