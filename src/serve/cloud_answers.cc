#include "serve/cloud_answers.h"

#include "repository/source.h"

#include "base/text.h"
#include "serve/answers.h"
#include "serve/call.h"
#include "serve/change_model.h"
#include "text/json.h"

namespace wherry::serve {

using base::cat;
using text::Json;

namespace {

constexpr std::string_view kModels = "/opt/ml/models/";

Json entry_of(std::string_view name) {
  return {{"modelName", name}, {"modelUrl", cat(kModels, name, "/model")}};
}

void list(Call& call) {
  Json models = Json::array();
  for (const repository::ModelVersions& model : call.models.models) models.push_back(entry_of(model.name));
  call.response.body = text::write_json({{"models", std::move(models)}});
}

// The name in the path, if such a model is loaded; else the response says 404.
std::optional<std::string> loaded_name(Call& call) {
  auto name = http::percent_decode(call.match.model());
  if (name && call.models.find(*name) != nullptr) return name;
  call.response.set_error(404, cat("no model ", base::quoted(call.match.model()), " is loaded"));
  return std::nullopt;
}

void one(Call& call) {
  if (const auto name = loaded_name(call)) call.response.body = text::write_json(entry_of(*name));
}

// What SageMaker does next hangs on the status: after 507 it unloads other models and tries again.
int load_status(const base::Error& error) {
  if (error.id == "repository.memory") return 507;
  if (error.id == "repository.not_explicit") return 503;
  return status_of(error);
}

void change(Call& call, std::string name, bool load) {
  change_model(call, std::move(name), load,
               [](std::string_view changed, const base::Status& status, http::Response& response) {
                 response.body = text::write_json(entry_of(changed));
                 if (status) return;
                 set_error(response, status.error());
                 response.status = load_status(status.error());
               });
}

// {"model_name": "…", "url": "/opt/ml/models/…/model"}.
void load(Call& call) {
  const auto body = text::parse_json(call.request.body, "the request", {.bytes = 64u << 10, .depth = 8});
  if (!body) return set_error(call.response, body.error());
  const std::string* name = text::find_string(*body, "model_name");
  const std::string* url = text::find_string(*body, "url");
  if (name == nullptr || url == nullptr)
    return call.response.set_error(400, "model_name or url is missing: both are needed");
  if (!repository::is_model_name(*name))
    return call.response.set_error(400,
                                   cat("model_name ", base::quoted(*name), " cannot be the name of a model"));
  if (call.models.find(*name) != nullptr)
    return call.response.set_error(409, cat("model ", base::quoted(*name), " is loaded already"));
  change(call, *name, true);
}

void unload(Call& call) {
  if (auto name = loaded_name(call)) change(call, std::move(*name), false);
}

// A model which lies there but is not loaded is as unknown to SageMaker as any other.
void invoke(Call& call) {
  if (loaded_name(call)) answer_named_invocations(call);
}

// GET /: "the process lives"; people's browsers still get the page.
void azure_root(Call& call) {
  if (call.service.ready() && call.request.header("Accept").find("text/html") != std::string_view::npos)
    return answer_page(call);
  call.response.content_type = "text/plain; charset=utf-8";
  call.response.body = "Healthy";
}

// What Azure's tools look for: where to send what.
void swagger(Call& call) {
  const Json any = {{"type", "object"}};
  const Json score = {
      {"post",
       {{"operationId", "Score"},
        {"consumes", {"application/json"}},
        {"produces", {"application/json"}},
        {"parameters", {{{"in", "body"}, {"name", "input"}, {"required", true}, {"schema", any}}}},
        {"responses", {{"200", {{"description", "predictions"}, {"schema", any}}}}}}}};
  const Json root = {
      {"get",
       {{"operationId", "ServiceHealthCheck"},
        {"produces", {"text/plain"}},
        {"responses", {{"200", {{"description", "Healthy"}, {"schema", {{"type", "string"}}}}}}}}}};
  const auto* model = call.models.only();
  call.response.body =
      text::write_json({{"swagger", "2.0"},
                        {"info", {{"title", model == nullptr ? "wherry" : model->name}, {"version", "1"}}},
                        {"paths", {{"/", root}, {"/score", score}}}});
}

constexpr RouteRow kSageMakerRows[] = {
    {"sagemaker_models", "/models", "GET", Permission::kMetadata, list},
    {"sagemaker_load", "/models", "POST", Permission::kManage, load},
    {"sagemaker_model", "/models/{model}", "GET", Permission::kMetadata, one},
    {"sagemaker_unload", "/models/{model}", "DELETE", Permission::kManage, unload},
    {"sagemaker_invoke", "/models/{model}/invoke", "POST", Permission::kPredict, invoke},
};

constexpr RouteRow kAzureRows[] = {
    {"azure_root", "/", "GET", Permission::kNothing, azure_root},
    {"azure_score", "/score", "POST", Permission::kPredict, answer_invocations},
    {"azure_swagger", "/swagger.json", "GET", Permission::kMetadata, swagger},
};

}  // namespace

std::span<const RouteRow> sagemaker_rows() {
  return kSageMakerRows;
}
std::span<const RouteRow> azure_rows() {
  return kAzureRows;
}

}  // namespace wherry::serve
