#include "protocol/openapi.h"

#include <algorithm>
#include <set>

#include "base/percent.h"
#include "base/text.h"
#include "protocol/metadata.h"
#include "protocol/openapi_schemas.h"
#include "protocol/openapi_tensors.h"
#include "protocol/sample_tensors.h"
#include "protocol/v1_request.h"

namespace wherry::protocol {
namespace {

using base::cat;
using text::Json;

constexpr std::string_view kJson = "application/json";

// What a body is. kNone: there is none.
enum class Body : std::uint8_t {
  kNone,
  kInvocations,
  kV1Request,
  kV1Examples,
  kInferRequest,
  kAnything,
};

// How the address with a name is described. `answer` names a schema of all models, or begins with '.' for one
// of the model's own; or it is a media type (with a slash) whose content is text.
struct Description {
  std::string_view route;
  std::string_view tag;
  std::string_view summary;
  Body body = Body::kNone;
  std::string_view answer = "Any";
  std::string_view statuses = "";  // beside 200 and those every such address may answer: "503 404"
};

constexpr std::string_view kV2 = "Open Inference Protocol V2";
constexpr std::string_view kV1 = "V1 (KServe, TensorFlow Serving)";
constexpr std::string_view kMlflow = "MLflow and SageMaker";
constexpr std::string_view kServer = "Server";
constexpr std::string_view kPages = "Pages and documents";

constexpr Description kDescriptions[] = {
    {"infer", kV2, "Predict", Body::kInferRequest, ".InferResponse"},
    {"model_metadata", kV2, "Inputs and outputs of the model", Body::kNone, "ModelMetadata"},
    {"model_ready", kV2, "Whether the model is ready", Body::kNone, "ModelReady"},
    {"server_metadata", kV2, "Name, version and extensions of the server", Body::kNone, "ServerMetadata"},
    {"live", kServer, "Whether the process is there", Body::kNone, "Live"},
    {"ready", kServer, "Whether every model is loaded, checked and not draining", Body::kNone, "Ready",
     "503"},
    {"ping", kMlflow, "Health check", Body::kNone, "Any", "503"},
    {"health", kMlflow, "Health check", Body::kNone, "Any", "503"},
    {"version", kMlflow, "Version of the server", Body::kNone, "text/plain"},
    {"metrics", kServer, "Metrics in Prometheus' text format", Body::kNone, "text/plain"},
    {"invocations", kMlflow, "Predict", Body::kInvocations, ".Predictions", "503"},
    {"v1_models", kV1, "Names of the models", Body::kNone, "V1Models"},
    {"v1_status", kV1, "State of the model's versions", Body::kNone, "V1Status"},
    {"v1_metadata", kV1, "Signatures of the model", Body::kNone, "V1Metadata", "503"},
    {"v1_predict", kV1, "Predict", Body::kV1Request, "V1Predictions"},
    {"v1_classify", kV1, "Scores of the classes", Body::kV1Examples, "V1Classes"},
    {"v1_regress", kV1, "One number per example", Body::kV1Examples, "V1Regression"},
    {"v1_explain", kV1, "Refused: this server has no explainers", Body::kAnything, "Any"},
    {"page", kPages, "A page to try the model", Body::kNone, "text/html", "304"},
    {"page_data", kPages, "What that page shows", Body::kNone, "Any", "304 404 503"},
    {"docs", kPages, "This document as a page", Body::kNone, "text/html", "304"},
    {"openapi", kPages, "This document", Body::kNone, "Any", "304"},
    {"openapi_yaml", kPages, "This document as YAML", Body::kNone, "application/yaml", "304"},
};

const Description* find_description(std::string_view route) {
  for (const Description& row : kDescriptions)
    if (row.route == route) return &row;
  return nullptr;
}

struct Status {
  std::string_view code, meaning;
};
constexpr Status kStatuses[] = {
    {"304", "not changed since the ETag given"},
    {"400", "the request is wrong; the message names the field and the reason"},
    {"401", "no key or token, or one that is not valid"},
    {"403", "the key or token does not allow this"},
    {"404", "there is no such model or version"},
    {"413", "the body is larger than allowed"},
    {"415", "Content-Type or Content-Encoding is not understood"},
    {"429", "too many requests wait; try again after Retry-After seconds"},
    {"500", "a bug in the server"},
    {"503", "not loaded, not ready, or too busy"},
    {"504", "the deadline of the request passed"},
};

std::string_view meaning(std::string_view code) {
  for (const Status& row : kStatuses)
    if (row.code == code) return row.meaning;
  return "an error";
}

Json content(std::string_view media, Json schema) {
  Json body = Json::object();
  body[std::string(media)] = {{"schema", std::move(schema)}};
  return body;
}

// An example as a document, from the text which is sent.
Json document(const std::string& text) {
  auto parsed = text::parse_json(text, "example");
  return parsed ? std::move(*parsed) : Json();
}

// {"instances": [rows]} or {"examples": [objects]} from the forms of metadata.h.
Json v1_example(const ApiModel& model, const tensor::Table& table, bool examples) {
  if (model.schema->takes_tensors() && model.schema->signature().batched)
    return document(sample_tensor_instances(*model.schema, table));
  if (model.schema->takes_tensors()) return document(sample_tensor_inputs(*model.schema, table));
  Json rows = document(sample_rows(*model.schema, table))["rows"];
  if (!examples && !model.schema->signature().has_names) return {{"instances", std::move(rows)}};
  Json objects = Json::array();
  for (Json& row : rows) {
    Json object = Json::object();
    const bool is_list = row.is_array() && row.size() == model.schema->columns().size();
    for (std::size_t c = 0; c < model.schema->columns().size(); ++c)
      object[model.schema->columns()[c].name] = is_list ? row[c] : row;
    objects.push_back(std::move(object));
  }
  if (examples) return {{"examples", std::move(objects)}};
  return {{"instances", std::move(objects)}};
}

Json request_body(const ApiModel& model, Body body) {
  Json media = Json::object();
  std::optional<Request> rows;
  if (model.schema != nullptr && model.card != nullptr && has_example(*model.card))
    if (auto table = card_table(*model.schema, *model.card, 2)) rows = std::move(*table);
  const bool takes_tensors = model.schema != nullptr && model.schema->takes_tensors();
  const bool is_large = takes_tensors && rows && !is_short_example(rows->table);
  if (is_large) rows.reset();
  const auto with_example = [&](std::string_view schema, auto make) {
    media = content(kJson, reference(component(model, schema)));
    if (rows) media[std::string(kJson)]["example"] = make(rows->table);
  };
  switch (body) {
    case Body::kNone:
      break;
    case Body::kInvocations:
      with_example("Invocations",
                   [&](const auto& t) { return document(sample_invocations(*model.schema, t)); });
      if (takes_tensors) break;
      media["text/csv"] = {{"schema", {{"type", "string"}}}};
      if (rows) media["text/csv"]["example"] = sample_csv(*model.schema, rows->table);
      break;
    case Body::kV1Request:
      with_example("V1Request", [&](const auto& t) { return v1_example(model, t, false); });
      break;
    case Body::kV1Examples:
      with_example("V1Examples", [&](const auto& t) { return v1_example(model, t, true); });
      break;
    case Body::kInferRequest:
      with_example("InferRequest", [&](const auto& t) { return document(sample_v2(*model.schema, t)); });
      break;
    case Body::kAnything:
      media = content(kJson, reference("Any"));
      break;
  }
  Json made = {{"required", body != Body::kAnything}, {"content", std::move(media)}};
  if (is_large && body != Body::kAnything) {
    made["description"] = large_example_text(model);
    made["x-example-left-out"] = true;
  }
  return made;
}

Json answer_content(const ApiModel& model, const Description& description) {
  const std::string_view answer = description.answer;
  if (answer == "application/yaml") return content(answer, Json::object());
  if (answer.find('/') != answer.npos) return content(answer, {{"type", "string"}});
  Json made = content(
      kJson, reference(answer.starts_with('.') ? component(model, answer.substr(1)) : std::string(answer)));
  if (description.body == Body::kInvocations) made["text/csv"] = {{"schema", {{"type", "string"}}}};
  return made;
}

Json responses(const ApiModel& model, const Description& description, const ApiRoute& route,
               const ApiOptions& options) {
  std::vector<std::string> codes;
  for (const std::string_view code : base::split(description.statuses, ' '))
    if (!code.empty()) codes.emplace_back(code);
  const auto also = [&](std::initializer_list<std::string_view> more) {
    for (const std::string_view code : more)
      if (std::find(codes.begin(), codes.end(), code) == codes.end()) codes.emplace_back(code);
  };
  if (route.pattern.find('{') != route.pattern.npos) also({"404", "503"});
  if (route.method != "GET") also({"400", "404", "413", "415", "429", "503", "504"});
  if (route.needs_permission && (options.api_key || options.bearer)) also({"401", "403", "429"});
  std::sort(codes.begin(), codes.end());
  Json made = Json::object();
  if (description.route != "v1_explain")
    made["200"] = {{"description", "the answer"}, {"content", answer_content(model, description)}};
  for (const std::string& code : codes) {
    Json one = {{"description", meaning(code)}};
    const bool readiness = code == "503" && description.route == "ready";
    const bool model_readiness = code == "503" && (description.route == "model_ready");
    if (code == "304") {
    } else if (readiness || model_readiness) {
      one["content"] = content(kJson, Json{{"anyOf", {reference(description.answer), reference("Error")}}});
    } else {
      one["content"] = content(kJson, reference("Error"));
    }
    if (code == "429") one["headers"] = {{"Retry-After", {{"schema", {{"type", "string"}}}}}};
    made[code] = std::move(one);
  }
  return made;
}

std::string operation_id(std::string_view route, std::string_view pattern, std::string_view model) {
  std::string id(route);
  if (pattern.find("{version}") != pattern.npos) id += "_version";
  if (pattern.find("{label}") != pattern.npos) id += "_label";
  if (pattern.find("{model}") != pattern.npos) id += cat("_", model);
  for (char& c : id)
    if (!base::is_ascii_alphanumeric(c) && c != '_') c = '_';
  return id;
}

std::string filled(std::string_view pattern, std::string_view model) {
  constexpr std::string_view kModel = "{model}";
  std::string path(pattern);
  const std::size_t at = path.find(kModel);
  if (at == path.npos) return path;
  return path.replace(at, kModel.size(), base::percent_encode(model));
}

Json path_parameters(const ApiModel& model, std::string_view pattern) {
  Json list = Json::array();
  if (pattern.find("{version}") != pattern.npos) {
    Json schema = {{"type", "string"}};
    if (!model.versions.empty()) schema["enum"] = Json::array();
    for (const std::string_view version : model.versions) schema["enum"].push_back(std::string(version));
    list.push_back({{"name", "version"}, {"in", "path"}, {"required", true}, {"schema", std::move(schema)}});
  }
  if (pattern.find("{label}") != pattern.npos)
    list.push_back({{"name", "label"}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
  return list;
}

Description general(const ApiRoute& route) {
  return {route.name, kServer,
          route.name, route.method == "GET" ? Body::kNone : Body::kAnything,
          "Any",      route.method == "GET" ? "400 404 503" : "404"};
}

Json operation(const ApiModel& model, const ApiRoute& route, const ApiOptions& options) {
  const Description* known = find_description(route.name);
  const Description description = known != nullptr ? *known : general(route);
  Json made = {{"operationId", operation_id(route.name, route.pattern, model.name)},
               {"tags", Json::array({std::string(description.tag)})},
               {"summary", std::string(description.summary)}};
  if (route.pattern.find("{model}") == route.pattern.npos && description.body != Body::kNone &&
      known != nullptr && !model.name.empty())
    made["description"] = cat("Answered by the model ", model.name, ".");
  Json parameters = path_parameters(model, route.pattern);
  if (!parameters.empty()) made["parameters"] = std::move(parameters);
  if (description.body != Body::kNone) made["requestBody"] = request_body(model, description.body);
  made["responses"] = responses(model, description, route, options);
  if (!route.needs_permission && (options.api_key || options.bearer)) made["security"] = Json::array();
  return made;
}

// Whether this model has such an address: a regressor has no classes.
bool has_address(const ApiModel& model, const ApiRoute& route) {
  if (model.schema == nullptr) return true;
  if (route.name == "v1_classify") return classify_output(*model.schema).has_value();
  if (route.name == "v1_regress") return regress_output(*model.schema).has_value();
  return true;
}

Json security_schemes(const ApiOptions& options) {
  Json schemes = Json::object();
  if (options.api_key) schemes["apiKey"] = {{"type", "apiKey"}, {"in", "header"}, {"name", "X-Api-Key"}};
  if (options.bearer) schemes["bearer"] = {{"type", "http"}, {"scheme", "bearer"}};
  return schemes;
}

std::string lower(std::string_view method) {
  return base::to_lower(method);
}

}  // namespace

Json openapi(std::span<const ApiModel> models, std::span<const ApiRoute> routes, const ApiOptions& options) {
  const ApiModel none{};
  const ApiModel& only = models.size() == 1 ? models.front() : none;
  Json schemas = Json::object(), paths = Json::object();
  add_common_schemas(schemas);
  for (const ApiModel& model : models) add_model_schemas(model, schemas);
  add_model_schemas(none, schemas);
  std::set<std::string> ids;
  for (const ApiRoute& route : routes) {
    const bool named = route.pattern.find("{model}") != route.pattern.npos;
    for (const ApiModel& model : named ? models : std::span(&only, 1))
      if (has_address(model, route)) {
        Json one = operation(model, route, options);
        std::string id = one["operationId"];
        while (!ids.insert(id).second) id += "_also";  // another pattern of the same name
        one["operationId"] = std::move(id);
        paths[filled(route.pattern, model.name)][lower(route.method)] = std::move(one);
      }
  }
  const std::string title =
      models.size() == 1 ? std::string(models.front().name) : cat(models.size(), " models");
  Json made = {{"openapi", "3.1.0"},
               {"info",
                {{"title", title},
                 {"version", models.size() == 1 && !models.front().versions.empty()
                                 ? std::string(models.front().versions.front())
                                 : std::string("1")},
                 {"description",
                  cat("Served by wherry", options.server_version.empty() ? "" : " ", options.server_version,
                      ". Every error is {\"error\": \"…\"}, naming the field and the reason.")}}},
               {"servers", Json::array({{{"url", "/"}}})},
               {"paths", std::move(paths)}};
  made["components"] = {{"schemas", std::move(schemas)}};
  Json security = security_schemes(options);
  if (!security.empty()) {
    made["security"] = Json::array();
    for (const auto& [name, scheme] : security.items()) made["security"].push_back({{name, Json::array()}});
    made["components"]["securitySchemes"] = std::move(security);
  }
  return made;
}

}  // namespace wherry::protocol
