#include "base/text.h"
#include "protocol/response.h"
#include "serve/answers.h"
#include "serve/call.h"

namespace wherry::serve {

namespace {

bool wants_csv(const http::Request& request) {
  return request.header("Accept").starts_with("text/csv");
}

// MLflow's forms, and where it is none of them, what `wherry predict` takes.
base::Status read_body(Prediction& prediction, const http::Request& request) {
  const protocol::Schema& schema = prediction.model->schema;
  protocol::Request& decoded = prediction.decoded;
  if (protocol::media_type(request.header("Content-Type")) == protocol::MediaType::kCsv)
    return protocol::read_csv(request.body, schema, {}, decoded);
  base::Status read = protocol::read_invocations(request.body, schema, {}, decoded);
  if (!read && read.error().id == "protocol.bad_form")
    read = protocol::read_rows(request.body, schema, {}, decoded);
  return read;
}

base::Result<engine::OutputSet> decode(Prediction& prediction, const http::Request& request) {
  TRY(read_body(prediction, request));
  const Model& model = *prediction.model;
  if (prediction.decoded.output) return engine::only(*prediction.decoded.output);
  if (model.schema.takes_tensors()) return model.plan().all_outputs();
  return engine::only(model.schema.default_output());
}

// Tensors do not fit into lines.
void encode(const Prediction& prediction, const http::Request& request,
            std::span<const tensor::NamedResult> results, http::Response& response) {
  if (wants_csv(request) && !prediction.model->schema.takes_tensors()) {
    response.content_type = "text/csv; charset=utf-8";
    protocol::write_csv(results, response.body);
  } else {
    protocol::write_predictions(results, response.body);
  }
}

// With the two members which MLflow's own clients read.
void refuse(http::Response& response, const base::Error& error) {
  constexpr std::string_view kHead = "{\"error\":";
  set_error(response, error);
  std::string& body = response.body;
  body.pop_back();
  const std::string message = body.substr(kHead.size());
  body += base::cat(",\"error_code\":\"BAD_REQUEST\",\"message\":", message, "}");
}

constexpr Codec kCodec{decode, encode, refuse};

void answer_for(Call& call, const Model* model) {
  if (model != nullptr && body_type(call)) predict(call, *model, kCodec);
}

constexpr RouteRow kRows[] = {
    {"invocations", "/invocations", "POST", Permission::kPredict, answer_invocations},
};

}  // namespace

void answer_invocations(Call& call) {
  answer_for(call, only_model(call));
}

void answer_named_invocations(Call& call) {
  answer_for(call, named_model(call));
}

std::span<const RouteRow> invocations_rows() {
  return kRows;
}

}  // namespace wherry::serve
