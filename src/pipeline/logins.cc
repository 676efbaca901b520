#include "pipeline/logins.h"

#include <algorithm>

#include "base/text.h"

namespace wherry::pipeline {

Login cloud_login(Cloud cloud) {
  switch (cloud) {
    case Cloud::kAws:  // the CLI exchanges $AWS_WEB_IDENTITY_TOKEN_FILE for a session of $AWS_ROLE_ARN by
                       // itself
      return {.lines = {},
              .settings = {{"AWS_ROLE_ARN", "role the pipeline assumes with its OIDC token"},
                           {"AWS_REGION", "region of registry and cluster"}}};
    case Cloud::kGoogle:
      return {
          .lines =
              {"mkdir -p \"$CLOUDSDK_CONFIG\"",
               "gcloud iam workload-identity-pools create-cred-config \"$GCP_WORKLOAD_IDENTITY_PROVIDER\" "
               "--service-account=\"$GCP_SERVICE_ACCOUNT\" --credential-source-file=\"$OIDC_TOKEN_FILE\" "
               "--output-file=\"$CLOUDSDK_CONFIG/wherry.json\"",
               "gcloud auth login --brief --cred-file=\"$CLOUDSDK_CONFIG/wherry.json\""},
          .settings = {{"GCP_WORKLOAD_IDENTITY_PROVIDER",
                        "projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER"},
                       {"GCP_SERVICE_ACCOUNT", "service account the pipeline acts as"}}};
    case Cloud::kAzure:
      return {
          .lines =
              {"az login --service-principal --username \"$AZURE_CLIENT_ID\" --tenant \"$AZURE_TENANT_ID\" "
               "--federated-token \"$(cat \"$OIDC_TOKEN_FILE\")\" --output none",
               "az account set --subscription \"$AZURE_SUBSCRIPTION_ID\""},
          .settings = {{"AZURE_CLIENT_ID", "application which trusts the pipeline's OIDC tokens"},
                       {"AZURE_TENANT_ID", "its tenant"},
                       {"AZURE_SUBSCRIPTION_ID", "subscription of registry and cluster"}}};
    case Cloud::kIbm:
      return {
          .lines = {"ibmcloud login --quiet --no-region"},
          .settings = {{"IBMCLOUD_API_KEY",
                        "API key of a service ID; IBM Cloud accepts no OIDC tokens of CI systems", true}}};
    case Cloud::kNone:
      break;
  }
  return {};
}

Login registry_login(Registry registry) {
  switch (registry) {
    case Registry::kEcr:
      return {.lines = {"aws ecr get-login-password | bash ci/wherry.sh login \"${IMAGE%%/*}\" AWS"},
              .settings = {}};
    case Registry::kArtifactRegistry:
      return {
          .lines =
              {"gcloud auth print-access-token | bash ci/wherry.sh login \"${IMAGE%%/*}\" oauth2accesstoken"},
          .settings = {}};
    case Registry::kAcr:
      return {
          .lines = {"az acr login --name \"${IMAGE%%.*}\" --expose-token --query accessToken --output tsv | "
                    "bash ci/wherry.sh login \"${IMAGE%%/*}\" 00000000-0000-0000-0000-000000000000"},
          .settings = {}};
    case Registry::kIcr:
      return {
          .lines = {"printf '%s' \"$IBMCLOUD_API_KEY\" | bash ci/wherry.sh login \"${IMAGE%%/*}\" iamapikey"},
          .settings = cloud_login(Cloud::kIbm).settings};
    case Registry::kPassword:
    case Registry::kGithub:
    case Registry::kGitlab:
      return {.lines = {"printf '%s' \"$REGISTRY_PASSWORD\" | bash ci/wherry.sh login \"${IMAGE%%/*}\" "
                        "\"$REGISTRY_USER\""},
              .settings = {{"REGISTRY_USER", "user who may push to the registry"},
                           {"REGISTRY_PASSWORD", "password or token of REGISTRY_USER", true}}};
    case Registry::kAnonymous:
      break;
  }
  return {};
}

Login cluster_login(Cluster cluster) {
  switch (cluster) {
    case Cluster::kEks:
      return {.lines = {"aws eks update-kubeconfig --name \"$EKS_CLUSTER\""},
              .settings = {{"EKS_CLUSTER", "name of the cluster"}}};
    case Cluster::kGke:
      return {.lines =
                  {"gcloud container clusters get-credentials \"$GKE_CLUSTER\" --location \"$GKE_LOCATION\""},
              .settings = {{"GKE_CLUSTER", "name of the cluster"}, {"GKE_LOCATION", "its region or zone"}}};
    case Cluster::kAks:
      return {
          .lines = {"az aks get-credentials --resource-group \"$AKS_RESOURCE_GROUP\" --name \"$AKS_CLUSTER\"",
                    "kubelogin convert-kubeconfig -l azurecli"},
          .settings = {{"AKS_RESOURCE_GROUP", "resource group of the cluster"},
                       {"AKS_CLUSTER", "name of the cluster"}}};
    case Cluster::kIks:
      return {.lines = {"ibmcloud ks cluster config --cluster \"$IKS_CLUSTER\""},
              .settings = {{"IKS_CLUSTER", "name or id of the cluster"}}};
    case Cluster::kKubeconfig:
      break;
  }
  return {};
}

std::string header(std::string_view system, std::string_view marker, const std::vector<Setting>& settings) {
  std::string text = base::cat(marker, " Written by `wherry ci init ", system,
                               "`; edit it freely, wherry does not replace a changed file unasked.\n", marker,
                               " Set once in the CI system:\n");
  for (const Setting& setting : settings)
    text += base::cat(marker, "   ", setting.secret ? "secret   " : "variable ", setting.name, ": ",
                      setting.meaning, "\n");
  return text;
}

void append(std::vector<Setting>& to, const std::vector<Setting>& more) {
  for (const Setting& setting : more)
    if (std::ranges::find(to, setting.name, &Setting::name) == to.end()) to.push_back(setting);
}

std::unexpected<base::Error> unsupported(std::string_view system, std::string_view what,
                                         std::string_view hint) {
  return base::fail(base::Code::kUsage, "pipeline.unsupported_combination",
                    base::cat("pipelines for ", system, " cannot sign in to ", what), std::string(hint));
}

}  // namespace wherry::pipeline
