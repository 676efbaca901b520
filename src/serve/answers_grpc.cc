// gRPC: one row for each method.
#include "base/text.h"
#include "protocol/v2_grpc_messages.h"
#include "serve/answers.h"
#include "serve/grpc.h"

namespace wherry::serve {
namespace {

using base::Status;

// Whether the caller may ask about the model in the message; where not, the answer is made already.
Status named(Call& call, std::string_view message, const Model*& model) {
  TRY_ASSIGN(const protocol::NamedModel name, protocol::read_named_model(message));
  TRY(permitted(call, Permission::kMetadata, name.name));
  TRY_ASSIGN(model, find_model(call, name.name, name.version));
  return {};
}

Status server_live(Call&, std::string_view, std::string& out) {
  protocol::write_flag_message(true, out);
  return {};
}

Status server_ready(Call& call, std::string_view, std::string& out) {
  protocol::write_flag_message(call.service.ready(), out);
  return {};
}

// As Triton: a model which there is not is not ready, without being an error.
Status model_ready(Call& call, std::string_view message, std::string& out) {
  TRY_ASSIGN(const protocol::NamedModel name, protocol::read_named_model(message));
  const bool found = find_model(call, name.name, name.version).has_value();
  protocol::write_flag_message(found && call.service.ready(), out);
  return {};
}

Status server_metadata(Call&, std::string_view, std::string& out) {
  protocol::write_server_metadata_message("wherry", WHERRY_VERSION, out);
  return {};
}

Status model_metadata(Call& call, std::string_view message, std::string& out) {
  const Model* model = nullptr;
  TRY(named(call, message, model));
  const std::vector<std::string> names = call.models.find(model->name)->version_names();
  const std::vector<std::string_view> versions(names.begin(), names.end());
  protocol::write_model_metadata_message(model->schema, model->name, versions,
                                         base::cat("wherry_", model->labels.framework), out);
  return {};
}

Status health_check(Call& call, std::string_view message, std::string& out) {
  const auto service = rpc::read_health_request(message);
  if (!service) return base::fail(base::Code::kInvalidInput, "serve.bad_message", service.error().message);
  const auto health = health_of(call.service, *service);
  if (!health)
    return base::fail(base::Code::kNotFound, "serve.no_service",
                      base::cat("there is no service ", base::quoted(*service), " here"),
                      "ask for \"\", the server as a whole");
  rpc::write_health(*health, out);
  return {};
}

Status health_list(Call& call, std::string_view, std::string& out) {
  const rpc::Health health = health_of(call.service, "").value_or(rpc::Health::kUnknown);
  std::vector<rpc::ServiceHealth> services;
  for (const std::string_view name : health_services()) services.push_back({name, health});
  rpc::write_health_list(services, out);
  return {};
}

// Streams come to their own functions; only what is no gRPC call comes here.
void no_stream(Call& call) {
  if (is_call(call)) rpc::finish(call.response, {rpc::Code::kInternal, "the stream could not begin"});
}

constexpr RouteRow method(std::string_view path, Permission permission, void (*answer)(Call&),
                          StreamFunction stream = nullptr) {
  return {.name = "grpc",
          .pattern = path,
          .method = "POST",
          .permission = permission,
          .answer = answer,
          .admits_itself = false,
          .stream = stream};
}

// The model stands in the message: the function looks at the permission itself.
constexpr RouteRow model_method(std::string_view path, Permission permission, void (*answer)(Call&),
                                StreamFunction stream = nullptr) {
  RouteRow row = method(path, permission, answer, stream);
  row.admits_itself = true;
  return row;
}

constexpr Permission kOpen = Permission::kNothing;
constexpr Permission kMetadata = Permission::kMetadata;
constexpr RouteRow kRows[] = {
    method("/inference.GRPCInferenceService/ServerLive", kOpen, unary<server_live>),
    method("/inference.GRPCInferenceService/ServerReady", kOpen, unary<server_ready>),
    method("/inference.GRPCInferenceService/ModelReady", kOpen, unary<model_ready>),
    method("/inference.GRPCInferenceService/ServerMetadata", kMetadata, unary<server_metadata>),
    model_method("/inference.GRPCInferenceService/ModelMetadata", kMetadata, unary<model_metadata>),
    model_method("/inference.GRPCInferenceService/ModelInfer", Permission::kPredict, model_infer),
    model_method("/inference.GRPCInferenceService/ModelStreamInfer", Permission::kPredict, no_stream,
                 infer_stream),
    method("/grpc.health.v1.Health/Check", kOpen, unary<health_check>),
    method("/grpc.health.v1.Health/List", kOpen, unary<health_list>),
    method("/grpc.health.v1.Health/Watch", kOpen, no_stream, health_watch),
    method("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", kMetadata, no_stream,
           reflection_stream),
    method("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", kMetadata, no_stream,
           reflection_stream),
};

}  // namespace

std::span<const RouteRow> grpc_rows() {
  return kRows;
}

}  // namespace wherry::serve
