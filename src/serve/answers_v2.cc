#include "base/text.h"
#include "protocol/metadata.h"
#include "protocol/response.h"
#include "serve/answers.h"
#include "serve/call.h"

namespace wherry::serve {

namespace {

constexpr std::string_view kJsonSize = "Inference-Header-Content-Length";  // extension_binary_data.md

base::Status read(const http::Request& request, const Model& model, protocol::Request& decoded) {
  const std::string_view json_size = request.header(kJsonSize);
  if (json_size.empty()) return protocol::read_v2(request.body, model.schema, {}, decoded);
  TRY_ASSIGN(const std::uint64_t size, protocol::inference_header_length(json_size, request.body.size()));
  return protocol::read_v2_binary(request.body, size, model.schema, {}, decoded);
}

base::Result<engine::OutputSet> decode(Prediction& prediction, const http::Request& request) {
  TRY(read(request, *prediction.model, prediction.decoded));
  return wanted_outputs(prediction);
}

void encode(const Prediction& prediction, const http::Request&, std::span<const tensor::NamedResult> results,
            http::Response& response) {
  const Model& model = *prediction.model;
  const protocol::Request& decoded = prediction.decoded;
  const std::size_t json_size = protocol::write_v2_answer({model.name, model.version, decoded.id},
                                                          model.schema, decoded, results, response.body);
  if (json_size == 0) return;
  response.content_type = "application/octet-stream";
  response.add_header(kJsonSize, base::cat(json_size));
}

constexpr Codec kCodec{decode, encode, set_error};

void server_metadata(Call& call) {
  call.response.body =
      protocol::server_metadata("wherry", may_know_version(call.thread.admission) ? WHERRY_VERSION : "");
}

void model_metadata(Call& call) {
  const Model* model = named_model(call);
  if (model == nullptr) return;
  const auto* versions = call.models.find(model->name);
  call.response.body = protocol::model_metadata(model->schema, model->name, versions->version_names(),
                                                model->labels.framework);
}

void model_ready(Call& call) {
  const Model* model = named_model(call);
  if (model == nullptr) return;
  const bool is_ready = call.service.ready();
  call.response.status = is_ready ? 200 : 503;
  call.response.body = R"({"name":)";
  http::append_json_string(call.response.body, model->name);
  call.response.body += is_ready ? R"(,"ready":true})" : R"(,"ready":false})";
}

void infer(Call& call) {
  const Model* model = named_model(call);
  if (model == nullptr) return;
  if (call.request.header(kJsonSize).empty()) {  // with it, bodies come under many types
    const auto type = body_type(call);
    if (!type) return;
    if (*type != protocol::MediaType::kJson)
      return call.response.set_error(415, "send application/json here");
  }
  predict(call, *model, kCodec);
}

constexpr RouteRow kRows[] = {
    {"server_metadata", "/v2", "GET", Permission::kMetadata, server_metadata},
    {"model_metadata", "/v2/models/{model}", "GET", Permission::kMetadata, model_metadata},
    {"model_metadata", "/v2/models/{model}/versions/{version}", "GET", Permission::kMetadata, model_metadata},
    {"model_ready", "/v2/models/{model}/ready", "GET", Permission::kNothing, model_ready},
    {"model_ready", "/v2/models/{model}/versions/{version}/ready", "GET", Permission::kNothing, model_ready},
    {"infer", "/v2/models/{model}/infer", "POST", Permission::kPredict, infer},
    {"infer", "/v2/models/{model}/versions/{version}/infer", "POST", Permission::kPredict, infer},
};

}  // namespace

std::span<const RouteRow> v2_rows() {
  return kRows;
}

}  // namespace wherry::serve
