#include "serve/contract.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "serve/answers.h"
#include "serve/cloud_answers.h"
#include "serve/options.h"

namespace wherry::serve {

using base::cat;
using base::Code;

namespace {

struct CloudName {
  std::string_view name;
  Cloud cloud;
};
constexpr CloudName kClouds[] = {{"none", Cloud::kNone},
                                 {"sagemaker", Cloud::kSageMaker},
                                 {"vertex", Cloud::kVertex},
                                 {"azureml", Cloud::kAzure},
                                 {"lambda", Cloud::kLambda}};

struct Sign {
  std::string_view variable;
  Cloud cloud;
};
// The first that is set tells where we are.
constexpr Sign kSigns[] = {
    {"AWS_LAMBDA_RUNTIME_API", Cloud::kLambda},
    {"AIP_PREDICT_ROUTE", Cloud::kVertex},
    {"AIP_HTTP_PORT", Cloud::kVertex},
    {"AZUREML_MODEL_DIR", Cloud::kAzure},
    {"AZUREML_ENTRY_SCRIPT", Cloud::kAzure},
    {"AZUREML_APP_ROOT", Cloud::kAzure},
    {"SAGEMAKER_MULTI_MODEL", Cloud::kSageMaker},
    {"SAGEMAKER_BIND_TO_PORT", Cloud::kSageMaker},
};

constexpr std::uint16_t kAzurePort = 5001;
constexpr std::string_view kSageMakerModels = "/opt/ml/models";

std::string value_of(const Environment& environment, std::string_view name) {
  return environment(name).value_or("");
}

std::unexpected<base::Error> bad(std::string message, std::string hint) {
  return base::fail(Code::kUsage, "serve.bad_contract", std::move(message), std::move(hint));
}

bool is_path(std::string_view path) {
  return path.starts_with('/') && path.size() <= 1024 && path.find_first_of(" ?#{}") == path.npos;
}

base::Status find_vertex(const Environment& environment, Contract& contract) {
  contract.health_route = value_of(environment, "AIP_HEALTH_ROUTE");
  contract.predict_route = value_of(environment, "AIP_PREDICT_ROUTE");
  contract.storage_uri = value_of(environment, "AIP_STORAGE_URI");
  for (const std::string* route : {&contract.health_route, &contract.predict_route})
    if (!route->empty() && !is_path(*route))
      return bad(cat("AIP_HEALTH_ROUTE or AIP_PREDICT_ROUTE is ", base::quoted(*route), ", which is no path"),
                 "give a path such as /predict");
  return {};
}

void find_sagemaker(const Environment& environment, Options& options) {
  options.contract.folders = {"/opt/ml/model"};
  options.contract.many_models = value_of(environment, "SAGEMAKER_MULTI_MODEL") == "true";
  if (!options.contract.many_models || !options.repository.empty() || !options.models.empty()) return;
  options.repository = kSageMakerModels;
  options.control = repository::Control::kExplicit;
}

}  // namespace

std::optional<Cloud> parse_cloud(std::string_view name) {
  for (const CloudName& row : kClouds)
    if (row.name == name) return row.cloud;
  return std::nullopt;
}

base::Status find_contract(const Environment& environment, Options& options) {
  Contract& contract = options.contract;
  for (const Sign& sign : kSigns)
    if (!contract.given && contract.cloud == Cloud::kNone && !value_of(environment, sign.variable).empty())
      contract.cloud = sign.cloud;
  switch (contract.cloud) {
    case Cloud::kNone:
      return {};
    case Cloud::kSageMaker:
      find_sagemaker(environment, options);
      return {};
    case Cloud::kVertex:
      return find_vertex(environment, contract);
    case Cloud::kAzure:
      if (!options.port_given) options.port = kAzurePort;
      if (const std::string folder = value_of(environment, "AZUREML_MODEL_DIR"); !folder.empty())
        contract.folders = {folder, folder + "/model"};
      return {};
    case Cloud::kLambda:
      contract.folders = {"/var/task/model", "/var/task"};
      contract.lambda_api = value_of(environment, "AWS_LAMBDA_RUNTIME_API");
      if (contract.lambda_api.empty())
        return bad("--contract lambda, but AWS_LAMBDA_RUNTIME_API is not set",
                   "Lambda sets it; elsewhere there is no event to wait for");
      return {};
  }
  return {};
}

base::Status find_bundle(Options& options, const std::function<bool(const std::string& path)>& exists) {
  if (!options.repository.empty() || !options.models.empty() ||
      exists((options.bundle / "bundle.json").string()))
    return {};
  for (const std::string& folder : options.contract.folders)
    if (exists(folder + "/bundle.json")) {
      options.bundle = folder;
      return {};
    }
  if (options.contract.storage_uri.empty()) return {};
  return base::fail(
      Code::kUsage, "serve.no_model_here",
      cat("Vertex AI keeps the model at ", base::quoted(options.contract.storage_uri, 200),
          ", which this server does not read, and there is none in ", options.bundle.string()),
      "build the image with the model in it (wherry build), and upload it without an artifact URI");
}

std::vector<RouteRow> contract_rows(const Contract& contract) {
  std::vector<RouteRow> rows;
  const auto add = [&](std::span<const RouteRow> more) { rows.insert(rows.end(), more.begin(), more.end()); };
  if (contract.cloud == Cloud::kSageMaker && contract.many_models) add(sagemaker_rows());
  if (contract.cloud == Cloud::kAzure) add(azure_rows());
  if (!contract.health_route.empty())
    rows.push_back({"vertex_health", contract.health_route, "GET", Permission::kNothing, answer_ping});
  if (!contract.predict_route.empty())
    rows.push_back(
        {"vertex_predict", contract.predict_route, "POST", Permission::kPredict, answer_invocations});
  return rows;
}

}  // namespace wherry::serve
