#include <array>
#include <new>
#include <optional>

#include "base/text.h"
#include "http/message.h"
#include "protocol/metadata.h"
#include "protocol/request.h"
#include "protocol/response.h"
#include "serve/access_log.h"
#include "serve/service.h"
#include "verify/results.h"

namespace wherry::serve {

using base::cat;
using http::Request;
using http::Response;
using std::chrono::steady_clock;

namespace {

// The name in the address, percent-encoded or not, against the one served.
bool names(std::string_view segment, std::string_view name) {
  if (segment == name) return true;
  if (segment.find('%') == segment.npos) return false;
  const auto decoded = http::percent_decode(segment);
  return decoded && *decoded == name;
}

bool wants_csv(std::string_view accept) {
  return accept.starts_with("text/csv");
}

void set_error(Response& response, const base::Error& error) {
  std::string text = base::describe(error);
  if (!error.hint.empty()) text += cat("; ", error.hint);
  response.set_error(base::http_status(error.code), text);
}

class ModelHandler : public http::Handler {
 public:
  ModelHandler(Service& service, unsigned thread)
      : service_(service),
        metrics_(service.metrics().of_thread(thread)),
        log_(service.log_file(), service.access_log()) {}

  void handle(const Request& request, Response& response) override;
  void refused(const http::Refusal& refusal) override;
  void tick() override { log_.flush(); }

 private:
  using Answer = void (ModelHandler::*)(const Request&, const Match&, Response&);
  static const std::array<Answer, kRouteCount> kAnswers;

  void page(const Request&, const Match&, Response&);
  void live(const Request&, const Match&, Response&);
  void ready(const Request&, const Match&, Response&);
  void server_metadata(const Request&, const Match&, Response&);
  void model_metadata(const Request&, const Match&, Response&);
  void model_ready(const Request&, const Match&, Response&);
  void infer(const Request&, const Match&, Response&);
  void invocations(const Request&, const Match&, Response&);
  void ping(const Request&, const Match&, Response&);
  void version(const Request&, const Match&, Response&);
  void metrics(const Request&, const Match&, Response&);
  void unknown(const Request&, const Match&, Response&);

  base::Status read_body(protocol::MediaType type, std::string_view body, const protocol::Schema& schema);
  const Model* loaded_model(Response& response);
  const Model* named_model(const Match& match, Response& response);
  std::optional<protocol::MediaType> body_type(const Request& request, Response& response);

  // Decode, run, encode, each timed. decode() fills request_ and says which outputs are wanted; encode()
  // turns results into response.body.
  template <class Decode, class Encode>
  void predict(const Model& model, const Request& request, Response& response, Decode decode, Encode encode);

  Service& service_;
  ThreadMetrics& metrics_;
  AccessLog log_;
  RequestIds ids_;
  protocol::Request request_;
  engine::Workspace workspace_;
  verify::Results results_;
};

const std::array<ModelHandler::Answer, kRouteCount> ModelHandler::kAnswers{
    &ModelHandler::page,           &ModelHandler::live,
    &ModelHandler::ready,          &ModelHandler::server_metadata,
    &ModelHandler::model_metadata, &ModelHandler::model_ready,
    &ModelHandler::infer,          &ModelHandler::invocations,
    &ModelHandler::ping,           &ModelHandler::ping,
    &ModelHandler::version,        &ModelHandler::metrics,
    &ModelHandler::unknown,        &ModelHandler::unknown};

void ModelHandler::handle(const Request& request, Response& response) {
  const Match match = find_route(request.path);
  const RouteRow& row = row_of(match.route);
  std::string_view id = usable_request_id(request.header("X-Request-Id"));
  if (id.empty()) id = ids_.next();
  if (match.route != Route::kUnknown && !is_allowed(row, request.method)) {
    response.set_error(405, cat("method ", base::quoted(request.method), " is not allowed here; use ",
                                allowed_methods(row)));
    response.add_header("Allow", allowed_methods(row));
  } else {
    try {
      (this->*kAnswers[static_cast<std::size_t>(match.route)])(request, match, response);
    } catch (const std::bad_alloc&) {  // of a request within its limits, but too large for this machine now
      response.clear();
      response.set_error(503, "there is not enough memory for this request; send fewer rows");
    }
  }
  response.add_header("X-Request-Id", id);
  response.add_header("X-Content-Type-Options", "nosniff");
  metrics_.count(match.route, response.status);
  if (service_.access_log())
    log_.write({id,
                request.method,
                request.path,
                response.status,
                response.body.size(),
                steady_clock::now() - request.received,
                {}},
               std::chrono::system_clock::now());
}

void ModelHandler::refused(const http::Refusal& refusal) {
  metrics_.count(Route::kRefused, refusal.status);
  log_.write({ids_.next(), "", "", refusal.status, refusal.bytes, {}, refusal.reason},
             std::chrono::system_clock::now());
}

const Model* ModelHandler::loaded_model(Response& response) {
  const Model* model = service_.model();
  if (model == nullptr) {
    response.set_error(503, "the model is still being loaded and checked");
    response.add_header("Retry-After", "1");
  }
  return model;
}

const Model* ModelHandler::named_model(const Match& match, Response& response) {
  const Model* model = loaded_model(response);
  if (model == nullptr) return nullptr;
  if (!names(match.model, model->name)) {
    response.set_error(404, cat("there is no model ", base::quoted(match.model), " here; this is ",
                                base::quoted(model->name)));
    return nullptr;
  }
  if (!match.version.empty() && match.version != kModelVersion) {
    response.set_error(404, cat("model ", base::quoted(model->name), " has no version ",
                                base::quoted(match.version), "; it has ", kModelVersion));
    return nullptr;
  }
  return model;
}

std::optional<protocol::MediaType> ModelHandler::body_type(const Request& request, Response& response) {
  const std::string_view encoding = request.header("Content-Encoding");
  if (!encoding.empty() && !http::equal_without_case(encoding, "identity")) {
    response.set_error(
        415, cat("Content-Encoding ", base::quoted(encoding), " is not understood; send plain text"));
    return std::nullopt;
  }
  if (!request.header("Inference-Header-Content-Length").empty()) {
    response.set_error(415,
                       "binary tensor data is not understood; send JSON (tritonclient: binary_data=False)");
    return std::nullopt;
  }
  const std::string_view type = request.header("Content-Type");
  const auto media = protocol::media_type(type);
  if (!media)
    response.set_error(415, cat("Content-Type ", base::quoted(type),
                                " is not understood; send application/json, or text/csv to /invocations"));
  return media;
}

template <class Decode, class Encode>
void ModelHandler::predict(const Model& model, const Request& request, Response& response, Decode decode,
                           Encode encode) {
  struct InFlight {
    std::atomic<std::uint32_t>& gauge;
    explicit InFlight(std::atomic<std::uint32_t>& counted) : gauge(counted) {
      gauge.store(1, std::memory_order_relaxed);
    }
    ~InFlight() { gauge.store(0, std::memory_order_relaxed); }
  } const in_flight(metrics_.in_flight);
  const auto observe = [this](Phase phase, steady_clock::duration duration) {
    metrics_.phases[static_cast<std::size_t>(phase)].observe(duration);
  };
  const auto begin = steady_clock::now();
  const base::Result<engine::OutputSet> wanted = decode();
  const auto decoded = steady_clock::now();
  observe(Phase::kDecode, decoded - begin);
  if (!wanted) return set_error(response, wanted.error());
  const base::Status ran = model.plan.run(request_.table, *wanted, workspace_);
  const auto computed = steady_clock::now();
  observe(Phase::kCompute, computed - decoded);
  if (!ran) return set_error(response, ran.error());
  encode(results_.collect(model.plan, workspace_, *wanted));
  const auto encoded = steady_clock::now();
  observe(Phase::kEncode, encoded - computed);
  metrics_.total.observe(encoded - request.received);
  metrics_.rows.add(request_.table.rows);
}

void ModelHandler::infer(const Request& request, const Match& match, Response& response) {
  const Model* model = named_model(match, response);
  if (model == nullptr) return;
  const auto type = body_type(request, response);
  if (!type) return;
  if (*type != protocol::MediaType::kJson) return response.set_error(415, "send application/json here");
  const auto decode = [&]() -> base::Result<engine::OutputSet> {
    TRY(protocol::read_v2(request.body, model->schema, {}, request_));
    if (request_.tensors.empty()) return model->plan.all_outputs();
    engine::OutputSet wanted = 0;
    for (const std::uint32_t tensor : request_.tensors)
      wanted |= engine::only(model->schema.tensors()[tensor].output);
    return wanted;
  };
  predict(*model, request, response, decode, [&](std::span<const tensor::NamedResult> results) {
    protocol::write_v2({model->name, kModelVersion, request_.id}, model->schema, request_.tensors, results,
                       response.body);
  });
}

// MLflow's forms, and where it is none of them, what `wherry predict` takes.
base::Status ModelHandler::read_body(protocol::MediaType type, std::string_view body,
                                     const protocol::Schema& schema) {
  if (type == protocol::MediaType::kCsv) return protocol::read_csv(body, schema, {}, request_);
  base::Status read = protocol::read_invocations(body, schema, {}, request_);
  if (!read && read.error().id == "protocol.bad_form") read = protocol::read_rows(body, schema, {}, request_);
  return read;
}

void ModelHandler::invocations(const Request& request, const Match&, Response& response) {
  const Model* model = loaded_model(response);
  if (model == nullptr) return;
  const auto type = body_type(request, response);
  if (!type) return;
  const auto decode = [&]() -> base::Result<engine::OutputSet> {
    TRY(read_body(*type, request.body, model->schema));
    return engine::only(request_.output.value_or(model->schema.default_output()));
  };
  predict(*model, request, response, decode, [&](std::span<const tensor::NamedResult> results) {
    if (wants_csv(request.header("Accept"))) {
      response.content_type = "text/csv; charset=utf-8";
      protocol::write_csv(results, response.body);
    } else {
      protocol::write_predictions(results.front(), response.body);
    }
  });
}

void ModelHandler::page(const Request&, const Match&, Response& response) {
  const Model* model = loaded_model(response);
  if (model == nullptr) return;
  response.content_type = "text/html; charset=utf-8";
  response.body = model->page;
  response.add_header("Content-Security-Policy", model->page_policy);
  response.add_header("Referrer-Policy", "no-referrer");
  response.add_header("Cache-Control", "no-cache");
}

void ModelHandler::live(const Request&, const Match&, Response& response) {
  response.body = R"({"live":true})";
}

void ModelHandler::ready(const Request&, const Match&, Response& response) {
  const bool is_ready = service_.ready();
  response.status = is_ready ? 200 : 503;
  response.body = is_ready ? R"({"live":true,"ready":true})" : R"({"live":true,"ready":false})";
}

void ModelHandler::server_metadata(const Request&, const Match&, Response& response) {
  response.body = protocol::server_metadata("wherry", WHERRY_VERSION);
}

void ModelHandler::model_metadata(const Request&, const Match& match, Response& response) {
  if (const Model* model = named_model(match, response)) response.body = model->metadata;
}

void ModelHandler::model_ready(const Request&, const Match& match, Response& response) {
  const Model* model = named_model(match, response);
  if (model == nullptr) return;
  const bool is_ready = service_.ready();
  response.status = is_ready ? 200 : 503;
  response.body = R"({"name":)";
  http::append_json_string(response.body, model->name);
  response.body += is_ready ? R"(,"ready":true})" : R"(,"ready":false})";
}

// SageMaker's and MLflow's health checks look at the status only.
void ModelHandler::ping(const Request&, const Match&, Response& response) {
  if (service_.ready()) {
    response.body = R"({"status":"ok"})";
  } else {
    response.set_error(503, service_.model() == nullptr ? "the model is still being loaded and checked"
                                                        : "the server is about to end");
  }
}

void ModelHandler::version(const Request&, const Match&, Response& response) {
  response.content_type = "text/plain; charset=utf-8";
  response.body = WHERRY_VERSION;
}

void ModelHandler::metrics(const Request&, const Match&, Response& response) {
  const Model* model = service_.model();
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = service_.metrics().render(model == nullptr ? ModelLabels{} : model->labels,
                                            service_.ready(), WHERRY_VERSION);
}

void ModelHandler::unknown(const Request& request, const Match&, Response& response) {
  response.set_error(404, cat("there is nothing at ", base::quoted(request.path),
                              "; GET /v2 is the start for machines, GET / the page for people"));
}

}  // namespace

std::unique_ptr<http::Handler> make_handler(Service& service, unsigned thread) {
  return std::make_unique<ModelHandler>(service, thread);
}

}  // namespace wherry::serve
