// V1 as KServe and TensorFlow Serving speak it, and CloudEvents around its predictions.
#include "base/digest.h"
#include "base/text.h"
#include "protocol/v1_events.h"
#include "protocol/v1_request.h"
#include "protocol/v1_response.h"
#include "serve/answers.h"
#include "serve/call.h"

namespace wherry::serve {

using base::cat;
using protocol::V1Layout;

namespace {

constexpr std::string_view kEventMedia = "application/cloudevents+json";

bool is_structured(const http::Request& request) {
  return protocol::is_structured_event(request.header("Content-Type"));
}

bool is_binary(const http::Request& request) {
  return !request.header("ce-specversion").empty() || !request.header("ce-id").empty();
}

base::Status check_binary_event(const http::Request& request) {
  for (const std::string_view name : {"ce-id", "ce-source", "ce-type", "ce-specversion"})
    if (request.header(name).empty())
      return base::fail(base::Code::kInvalidInput, "protocol.bad_event",
                        cat("the event has no header ", name),
                        "send ce-specversion: 1.0, ce-id, ce-source and ce-type, or none of them");
  if (request.header("ce-specversion") != "1.0")
    return base::fail(
        base::Code::kInvalidInput, "protocol.bad_event",
        cat("ce-specversion is ", base::quoted(request.header("ce-specversion"), 20), ", not 1.0"),
        "send ce-specversion: 1.0");
  return {};
}

// The same event answered twice has the same id, so that who consumes answers can drop the second.
std::string answer_id(std::string_view source, std::string_view id, std::string_view model) {
  return base::sha256_hex(cat(source, "\n", id, "\n", model)).substr(0, 32);
}

// The body to read: the event's data in structured mode, kept by the prediction.
base::Result<std::string_view> event_body(Prediction& prediction, const http::Request& request) {
  prediction.event_id.clear();
  if (is_structured(request)) {
    TRY_ASSIGN(protocol::CloudEvent event, protocol::read_structured_event(request.body));
    prediction.event_id = answer_id(event.source, event.id, prediction.model->name);
    prediction.held = std::move(event.data);
    return std::string_view(prediction.held);
  }
  if (is_binary(request)) {
    TRY(check_binary_event(request));
    prediction.event_id =
        answer_id(request.header("ce-source"), request.header("ce-id"), prediction.model->name);
  }
  return request.body;
}

void finish_event(const Prediction& prediction, const http::Request& request, http::Response& response) {
  if (prediction.event_id.empty()) return;
  const std::string& model = prediction.model->name;
  if (is_structured(request)) {
    response.content_type = kEventMedia;
    response.body = protocol::write_structured_event(prediction.event_id, model, response.body);
    return;
  }
  response.add_header("ce-specversion", "1.0");
  response.add_header("ce-id", prediction.event_id);
  response.add_header("ce-source", protocol::answer_event_source(model));
  response.add_header("ce-type", protocol::kAnswerEventType);
}

base::Result<engine::OutputSet> decode_predict(Prediction& prediction, const http::Request& request) {
  TRY_ASSIGN(const std::string_view body, event_body(prediction, request));
  TRY(protocol::read_v1_predict(body, prediction.model->schema, {}, prediction.decoded, prediction.v1));
  engine::OutputSet wanted = 0;
  for (const std::uint32_t output : prediction.v1.outputs) wanted |= engine::only(output);
  return wanted;
}

void encode_predict(const Prediction& prediction, const http::Request& request,
                    std::span<const tensor::NamedResult> results, http::Response& response) {
  protocol::write_v1_predictions(prediction.model->schema, prediction.v1, results, response.body);
  finish_event(prediction, request, response);
}

base::Result<engine::OutputSet> decode_examples(Prediction& prediction, const http::Request& request,
                                                std::optional<std::uint32_t> output, base::Error refusal) {
  if (prediction.model->schema.takes_tensors()) {
    refusal.message =
        cat("model ", base::quoted(prediction.model->name), " takes tensors, not examples of columns");
    refusal.hint = "use :predict";
  }
  if (!output) return std::unexpected(std::move(refusal));
  TRY_ASSIGN(const std::string_view body, event_body(prediction, request));
  TRY(protocol::read_v1_examples(body, prediction.model->schema, {}, prediction.decoded));
  return engine::only(*output);
}

base::Result<engine::OutputSet> decode_classify(Prediction& prediction, const http::Request& request) {
  return decode_examples(prediction, request, protocol::classify_output(prediction.model->schema),
                         {base::Code::kInvalidInput,
                          "protocol.no_classes",
                          cat("model ", base::quoted(prediction.model->name), " has no scores of classes"),
                          "use :predict, or :regress for a number per example",
                          {}});
}

base::Result<engine::OutputSet> decode_regress(Prediction& prediction, const http::Request& request) {
  return decode_examples(
      prediction, request, protocol::regress_output(prediction.model->schema),
      {base::Code::kInvalidInput,
       "protocol.no_regression",
       cat("model ", base::quoted(prediction.model->name), " does not answer one number per example"),
       "use :predict, or :classify for the scores of classes",
       {}});
}

void encode_classify(const Prediction& prediction, const http::Request& request,
                     std::span<const tensor::NamedResult> results, http::Response& response) {
  protocol::write_v1_classes(results.front(), response.body);
  finish_event(prediction, request, response);
}

void encode_regress(const Prediction& prediction, const http::Request& request,
                    std::span<const tensor::NamedResult> results, http::Response& response) {
  protocol::write_v1_regression(results.front(), response.body);
  finish_event(prediction, request, response);
}

constexpr Codec kPredict{decode_predict, encode_predict, set_error};
constexpr Codec kClassify{decode_classify, encode_classify, set_error};
constexpr Codec kRegress{decode_regress, encode_regress, set_error};

// The model of the path, which may name a label instead of a version. Nobody gives labels to versions here.
const Model* v1_model(Call& call) {
  const Model* model = named_model(call);
  if (model == nullptr || call.match.label().empty()) return model;
  call.response.set_error(404, cat("model ", base::quoted(model->name), " has no label ",
                                   base::quoted(call.match.label()), "; versions go by their numbers"));
  return nullptr;
}

template <const Codec& kCodec>
void answer(Call& call) {
  const Model* model = v1_model(call);
  if (model == nullptr) return;
  if (!is_structured(call.request)) {
    const auto type = body_type(call);
    if (!type) return;
    if (*type != protocol::MediaType::kJson)
      return call.response.set_error(415, "send application/json or application/cloudevents+json here");
  }
  predict(call, *model, kCodec);
}

void explain(Call& call) {
  if (v1_model(call) != nullptr)
    call.response.set_error(404,
                            "this server has no explainers; KServe runs them as a service of their own, "
                            "which asks :predict of this one");
}

void models(Call& call) {
  std::vector<std::string_view> names;
  for (const repository::ModelVersions& model : call.models.models) names.push_back(model.name);
  call.response.body = protocol::v1_model_list(names);
}

// ModelVersionStatus.State (get_model_status.proto).
std::string_view v1_state(repository::State state) {
  switch (state) {
    case repository::State::kReady:
      return "AVAILABLE";
    case repository::State::kLoading:
      return "LOADING";
    case repository::State::kUnloading:
      return "UNLOADING";
    case repository::State::kUnavailable:
      break;
  }
  return "END";
}

// Of all versions which are known, ready or not; 503 where none can answer.
void status(Call& call) {
  const auto name = http::percent_decode(call.match.model());
  const auto version = http::percent_decode(call.match.version());
  std::vector<protocol::V1VersionStatus> versions;
  bool ready = false;
  for (const repository::VersionStatus& row : call.models.index) {
    if (!call.match.label().empty() || !name || row.name != *name) continue;
    if (!call.match.version().empty() && row.version != version) continue;
    versions.push_back({row.version, v1_state(row.state), row.reason});
    ready = ready || (row.state == repository::State::kReady && call.service.ready());
  }
  if (versions.empty()) {
    v1_model(call);  // says why
    return;
  }
  call.response.status = ready ? 200 : 503;
  call.response.body = protocol::v1_model_status(*name, ready, versions);
}

void metadata(Call& call) {
  const Model* model = v1_model(call);
  if (model != nullptr)
    call.response.body = protocol::v1_metadata(model->schema, model->name, model->version);
}

constexpr RouteRow kRows[] = {
    {"v1_models", "/v1/models", "GET", Permission::kMetadata, models},
    {"v1_status", "/v1/models/{model}", "GET", Permission::kNothing, status},
    {"v1_status", "/v1/models/{model}/versions/{version}", "GET", Permission::kNothing, status},
    {"v1_status", "/v1/models/{model}/labels/{label}", "GET", Permission::kNothing, status},
    {"v1_metadata", "/v1/models/{model}/metadata", "GET", Permission::kMetadata, metadata},
    {"v1_metadata", "/v1/models/{model}/versions/{version}/metadata", "GET", Permission::kMetadata, metadata},
    {"v1_metadata", "/v1/models/{model}/labels/{label}/metadata", "GET", Permission::kMetadata, metadata},
    {"v1_predict", "/v1/models/{model}:predict", "POST", Permission::kPredict, answer<kPredict>},
    {"v1_predict", "/v1/models/{model}/versions/{version}:predict", "POST", Permission::kPredict,
     answer<kPredict>},
    {"v1_predict", "/v1/models/{model}/labels/{label}:predict", "POST", Permission::kPredict,
     answer<kPredict>},
    {"v1_classify", "/v1/models/{model}:classify", "POST", Permission::kPredict, answer<kClassify>},
    {"v1_classify", "/v1/models/{model}/versions/{version}:classify", "POST", Permission::kPredict,
     answer<kClassify>},
    {"v1_classify", "/v1/models/{model}/labels/{label}:classify", "POST", Permission::kPredict,
     answer<kClassify>},
    {"v1_regress", "/v1/models/{model}:regress", "POST", Permission::kPredict, answer<kRegress>},
    {"v1_regress", "/v1/models/{model}/versions/{version}:regress", "POST", Permission::kPredict,
     answer<kRegress>},
    {"v1_regress", "/v1/models/{model}/labels/{label}:regress", "POST", Permission::kPredict,
     answer<kRegress>},
    {"v1_explain", "/v1/models/{model}:explain", "POST", Permission::kPredict, explain},
};

}  // namespace

std::span<const RouteRow> v1_rows() {
  return kRows;
}

}  // namespace wherry::serve
