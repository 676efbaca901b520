// Triton's extensions for people and programs who manage models: configuration, statistics, and the model
// repository (extension_model_configuration.md, extension_statistics.md, extension_model_repository.md).
#include "base/text.h"
#include "serve/answers.h"
#include "serve/call.h"
#include "serve/change_model.h"
#include "serve/model_facts.h"
#include "text/json.h"

namespace wherry::serve {

using base::cat;

namespace {

void models(Call& call) {
  call.response.body = "{\"models\":[";
  for (const repository::ModelVersions& model : call.models.models) {
    if (&model != &call.models.models.front()) call.response.body += ',';
    http::append_json_string(call.response.body, model.name);
  }
  call.response.body += "]}";
}

void config(Call& call) {
  const Model* model = named_model(call);
  if (model == nullptr) return;
  call.response.body = protocol::config_json(configuration_of(*model, call.service.workers()), model->schema);
}

void all_statistics(Call& call) {
  call.response.body = protocol::statistics_json(statistics_of(call.models));
}

// Without a version: of all that are ready.
void statistics(Call& call) {
  const Model* model = named_model(call);
  if (model == nullptr) return;
  call.response.body =
      protocol::statistics_json(call.match.version().empty() ? statistics_of(call.models, model->name)
                                                             : std::vector{statistics_of(*model)});
}

void index(Call& call) {
  const auto only_ready = protocol::read_index_request(call.request.body);
  if (!only_ready) return set_error(call.response, only_ready.error());
  call.response.body = protocol::index_json(index_of(call.models, *only_ready));
}

// {"parameters": {…}}: what a load may bring along with Triton is not taken from requests here.
base::Status check_parameters(std::string_view body) {
  if (body.empty()) return {};
  TRY_ASSIGN(const text::Json document,
             text::parse_json(body, "the request", {.bytes = 64u << 20, .depth = 32}));
  const text::Json* parameters = text::find_object(document, "parameters");
  if (parameters == nullptr) return {};
  for (const auto& [name, value] : parameters->items())
    if (name == "config" || name.starts_with("file:")) return refuse_load_parameter(name);
  return {};
}

void change(Call& call, bool load) {
  if (const base::Status checked = check_parameters(call.request.body); !checked)
    return set_error(call.response, checked.error());
  change_model(call, http::percent_decode(call.match.model()).value_or(""), load,
               [](std::string_view, const base::Status& status, http::Response& response) {
                 response.body = "{}";
                 if (!status) set_error(response, status.error());
               });
}

void load(Call& call) {
  change(call, true);
}

void unload(Call& call) {
  change(call, false);
}

constexpr RouteRow kRows[] = {
    {"models", "/v2/models", "GET", Permission::kMetadata, models},
    {"config", "/v2/models/{model}/config", "GET", Permission::kMetadata, config},
    {"config", "/v2/models/{model}/versions/{version}/config", "GET", Permission::kMetadata, config},
    {"stats", "/v2/models/stats", "GET", Permission::kMetadata, all_statistics},
    {"stats", "/v2/models/{model}/stats", "GET", Permission::kMetadata, statistics},
    {"stats", "/v2/models/{model}/versions/{version}/stats", "GET", Permission::kMetadata, statistics},
    {"repository_index", "/v2/repository/index", "POST", Permission::kMetadata, index},
    {"repository_load", "/v2/repository/models/{model}/load", "POST", Permission::kManage, load},
    {"repository_unload", "/v2/repository/models/{model}/unload", "POST", Permission::kManage, unload},
};

}  // namespace

std::span<const RouteRow> repository_rows() {
  return kRows;
}

}  // namespace wherry::serve
