#include "pipeline/codepipeline_template.h"

#include "base/text.h"

namespace wherry::pipeline {
namespace {

using base::cat;
using text::Json;

Json ref(std::string_view name) {
  return Json{{"Ref", name}};
}
Json attribute(std::string_view name) {
  return Json{{"Fn::GetAtt", name}};
}
Json sub(std::string_view text) {
  return Json{{"Fn::Sub", text}};
}

Json resource(std::string_view type, Json properties) {
  Json object = Json::object();
  object["Type"] = type;
  object["Properties"] = std::move(properties);
  return object;
}

Json allow(Json actions, Json resources) {
  Json statement = Json::object();
  statement["Effect"] = "Allow";
  statement["Action"] = std::move(actions);
  statement["Resource"] = std::move(resources);
  return statement;
}

Json role(std::string_view service, Json statements) {
  Json trust = {{"Effect", "Allow"}, {"Principal", {{"Service", service}}}, {"Action", "sts:AssumeRole"}};
  Json properties = Json::object();
  properties["AssumeRolePolicyDocument"] = {{"Version", "2012-10-17"}, {"Statement", Json::array({trust})}};
  Json policy = Json::object();
  policy["PolicyName"] = "wherry";
  policy["PolicyDocument"] = {{"Version", "2012-10-17"}, {"Statement", std::move(statements)}};
  properties["Policies"] = Json::array({policy});
  return resource("AWS::IAM::Role", std::move(properties));
}

Json parameter(std::string_view description, std::string_view value = {}) {
  Json object = {{"Type", "String"}, {"Description", description}};
  if (!value.empty()) object["Default"] = value;
  return object;
}

Json log_statement() {
  return allow(Json::array({"logs:CreateLogStream", "logs:PutLogEvents"}), sub("${Logs.Arn}"));
}
Json artifact_statement() {
  return allow(Json::array({"s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"}),
               sub("${Artifacts.Arn}/*"));
}

Json bucket() {
  Json properties = Json::object();
  properties["BucketEncryption"]["ServerSideEncryptionConfiguration"] =
      Json::array({Json{{"ServerSideEncryptionByDefault", {{"SSEAlgorithm", "AES256"}}}}});
  properties["PublicAccessBlockConfiguration"] = {{"BlockPublicAcls", true},
                                                  {"BlockPublicPolicy", true},
                                                  {"IgnorePublicAcls", true},
                                                  {"RestrictPublicBuckets", true}};
  properties["OwnershipControls"]["Rules"] = Json::array({Json{{"ObjectOwnership", "BucketOwnerEnforced"}}});
  properties["LifecycleConfiguration"]["Rules"] =
      Json::array({Json{{"Id", "expire"}, {"Status", "Enabled"}, {"ExpirationInDays", 30}}});
  Json object = resource("AWS::S3::Bucket", std::move(properties));
  object["DeletionPolicy"] = "Retain";
  object["UpdateReplacePolicy"] = "Retain";
  return object;
}

Json variable(std::string_view name, Json value) {
  Json object = Json::object();
  object["Name"] = name;
  object["Value"] = std::move(value);
  return object;
}

Json project(std::string_view role_name, std::string_view spec_file, Json variables) {
  variables.push_back(variable("WHERRY_REPOSITORY", ref("WherryRepository")));
  variables.push_back(variable("WHERRY_VERSION", ref("WherryVersion")));
  Json properties = Json::object();
  properties["ServiceRole"] = attribute(cat(role_name, ".Arn"));
  properties["TimeoutInMinutes"] = 30;
  properties["Source"] = {{"Type", "CODEPIPELINE"}, {"BuildSpec", spec_file}};
  properties["Artifacts"] = {{"Type", "CODEPIPELINE"}};
  properties["Cache"] = {{"Type", "S3"}, {"Location", sub("${Artifacts}/cache")}};
  properties["Environment"] = {{"Type", "LINUX_CONTAINER"},
                               {"ComputeType", "BUILD_GENERAL1_MEDIUM"},
                               {"Image", "public.ecr.aws/docker/library/debian:12"},
                               {"EnvironmentVariables", std::move(variables)}};
  properties["LogsConfig"]["CloudWatchLogs"] = {{"Status", "ENABLED"}, {"GroupName", ref("Logs")}};
  return resource("AWS::CodeBuild::Project", std::move(properties));
}

Json action(std::string_view name, std::string_view category, std::string_view owner,
            std::string_view provider, Json configuration) {
  Json object = Json::object();
  object["Name"] = name;
  object["ActionTypeId"] = {
      {"Category", category}, {"Owner", owner}, {"Provider", provider}, {"Version", "1"}};
  object["Configuration"] = std::move(configuration);
  return object;
}

Json stage(std::string_view name, Json the_action) {
  Json object = Json::object();
  object["Name"] = name;
  object["Actions"] = Json::array({std::move(the_action)});
  return object;
}

Json pipeline_resource() {
  Json source = action("Source", "Source", "AWS", "CodeStarSourceConnection",
                       {{"ConnectionArn", ref("ConnectionArn")},
                        {"FullRepositoryId", ref("Repository")},
                        {"BranchName", ref("Branch")}});
  source["OutputArtifacts"] = Json::array({Json{{"Name", "Source"}}});
  Json build = action("Build", "Build", "AWS", "CodeBuild", {{"ProjectName", ref("Build")}});
  build["Namespace"] = "Build";
  build["InputArtifacts"] = Json::array({Json{{"Name", "Source"}}});
  const Json reference =
      Json::array({Json{{"name", "REFERENCE"}, {"value", "#{Build.REFERENCE}"}, {"type", "PLAINTEXT"}}});
  Json deploy =
      action("Deploy", "Build", "AWS", "CodeBuild",
             {{"ProjectName", ref("Deploy")}, {"EnvironmentVariables", text::write_json(reference)}});
  deploy["InputArtifacts"] = Json::array({Json{{"Name", "Source"}}});
  Json properties = Json::object();
  properties["PipelineType"] = "V2";
  properties["ExecutionMode"] = "QUEUED";
  properties["RoleArn"] = attribute("PipelineRole.Arn");
  properties["ArtifactStore"] = {{"Type", "S3"}, {"Location", ref("Artifacts")}};
  properties["Stages"] =
      Json::array({stage("Source", source), stage("Build", build), stage("Deploy", deploy)});
  return resource("AWS::CodePipeline::Pipeline", std::move(properties));
}

Json access_entry(const Spec& spec) {
  Json policy = Json::object();
  policy["PolicyArn"] = sub("arn:${AWS::Partition}:eks::aws:cluster-access-policy/AmazonEKSEditPolicy");
  policy["AccessScope"] = {{"Type", "namespace"}, {"Namespaces", Json::array({spec.name_space})}};
  Json properties = Json::object();
  properties["ClusterName"] = ref("ClusterName");
  properties["PrincipalArn"] = attribute("DeployRole.Arn");
  properties["AccessPolicies"] = Json::array({policy});
  return resource("AWS::EKS::AccessEntry", std::move(properties));
}

std::string or_own(const std::string& value, std::string_view own) {
  return value.empty() ? std::string(own) : value;
}

Json build_role(const EcrImage& image) {
  const std::string repository =
      cat("arn:${AWS::Partition}:ecr:", or_own(image.region, "${AWS::Region}"), ":",
          or_own(image.account, "${AWS::AccountId}"), ":repository/${ImageRepository}");
  Json statements = Json::array({log_statement(), artifact_statement()});
  statements.push_back(allow("ecr:GetAuthorizationToken", "*"));
  statements.push_back(allow(Json::array({"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage",
                                          "ecr:CompleteLayerUpload", "ecr:GetDownloadUrlForLayer",
                                          "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"}),
                             sub(repository)));
  return role("codebuild.amazonaws.com", std::move(statements));
}

Json deploy_role() {
  Json statements = Json::array({log_statement(), artifact_statement()});
  statements.push_back(
      allow("eks:DescribeCluster",
            sub("arn:${AWS::Partition}:eks:${AWS::Region}:${AWS::AccountId}:cluster/${ClusterName}")));
  return role("codebuild.amazonaws.com", std::move(statements));
}

Json pipeline_role() {
  Json statements = Json::array({artifact_statement()});
  statements.push_back(
      allow(Json::array({"codeconnections:UseConnection", "codestar-connections:UseConnection"}),
            ref("ConnectionArn")));
  statements.push_back(allow(Json::array({"codebuild:BatchGetBuilds", "codebuild:StartBuild"}),
                             Json::array({attribute("Build.Arn"), attribute("Deploy.Arn")})));
  return role("codepipeline.amazonaws.com", std::move(statements));
}

}  // namespace

Json codepipeline_template(const Spec& spec, const EcrImage& image) {
  Json document = Json::object();
  document["AWSTemplateFormatVersion"] = "2010-09-09";
  document["Description"] = cat("Verifies, builds, pushes and deploys the model service ", spec.name);
  Json& parameters = document["Parameters"];
  parameters["ConnectionArn"] = parameter("CodeConnections connection to the host of the source repository");
  parameters["Repository"] = parameter("OWNER/NAME of the source repository");
  parameters["Branch"] = parameter("branch whose commits are deployed", spec.branch);
  parameters["ImageRepository"] = parameter("existing ECR repository for the image", image.repository);
  parameters["ClusterName"] =
      parameter("existing EKS cluster whose authentication mode allows access entries");
  parameters["WherryRepository"] = parameter("git URL of wherry");
  parameters["WherryVersion"] = parameter("tag or commit of wherry");

  const std::string registry =
      cat(or_own(image.account, "${AWS::AccountId}"), ".dkr.ecr.", or_own(image.region, "${AWS::Region}"),
          ".${AWS::URLSuffix}/${ImageRepository}");
  Json& resources = document["Resources"];
  resources["Artifacts"] = bucket();
  resources["Logs"] = resource("AWS::Logs::LogGroup", {{"RetentionInDays", 30}});
  resources["BuildRole"] = build_role(image);
  resources["Build"] = project("BuildRole", "buildspec.yml", Json::array({variable("IMAGE", sub(registry))}));
  resources["DeployRole"] = deploy_role();
  resources["ClusterAccess"] = access_entry(spec);
  resources["Deploy"] = project("DeployRole", "ci/deploy.buildspec.yml",
                                Json::array({variable("EKS_CLUSTER", ref("ClusterName"))}));
  resources["PipelineRole"] = pipeline_role();
  resources["Pipeline"] = pipeline_resource();
  return document;
}

}  // namespace wherry::pipeline
