// gRPC: one row for each method.
#include "base/text.h"
#include "protocol/v2_grpc_messages.h"
#include "serve/answers.h"
#include "serve/change_model.h"
#include "serve/grpc.h"
#include "serve/model_facts.h"

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

Status server_metadata(Call& call, std::string_view, std::string& out) {
  protocol::write_server_metadata_message("wherry",
                                          may_know_version(call.thread.admission) ? WHERRY_VERSION : "", out);
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

Status model_config(Call& call, std::string_view message, std::string& out) {
  const Model* model = nullptr;
  TRY(named(call, message, model));
  protocol::write_config_message(configuration_of(*model, call.service.workers()), model->schema, out);
  return {};
}

// Of one version, of all versions of a model, or of all models.
Status model_statistics(Call& call, std::string_view message, std::string& out) {
  TRY_ASSIGN(const protocol::NamedModel name, protocol::read_named_model(message));
  TRY(permitted(call, Permission::kMetadata, name.name.empty() ? std::nullopt : std::optional(name.name)));
  const Model* model = nullptr;
  if (!name.name.empty()) {
    TRY_ASSIGN(model, find_model(call, name.name, name.version));
  }
  protocol::write_statistics_message(model != nullptr && !name.version.empty()
                                         ? std::vector{statistics_of(*model)}
                                         : statistics_of(call.models, name.name),
                                     out);
  return {};
}

Status repository_index(Call& call, std::string_view message, std::string& out) {
  TRY_ASSIGN(const bool only_ready, protocol::read_index_message(message));
  protocol::write_index_message(index_of(call.models, only_ready), out);
  return {};
}

// What a load may bring along with Triton is not taken from requests here.
base::Result<std::string> model_to_change(std::string_view message) {
  TRY_ASSIGN(const protocol::RepositoryCommand command, protocol::read_repository_command(message));
  if (!command.config.empty() || !command.unknown.empty())
    return refuse_load_parameter(command.config.empty() ? command.unknown : "config");
  return std::string(command.model_name);
}

void change(Call& call, bool load) {
  if (!is_call(call)) return;
  rpc::Inflater inflater;
  const auto message = only_message(call.request, inflater);
  if (!message) return rpc::finish(call.response, message.error());
  auto name = model_to_change(*message);
  if (!name) return rpc::finish(call.response, grpc_status(name.error()));
  if (!admitted(call, Permission::kManage, *name)) return;
  change_model(call, std::move(*name), load,
               [](std::string_view, const Status& status, http::Response& response) {
                 if (!status) return rpc::finish(response, grpc_status(status.error()));
                 rpc::end_frame(rpc::begin_frame(response.body), response.body);
                 rpc::finish(response, {});
               });
}

void repository_load(Call& call) {
  change(call, true);
}
void repository_unload(Call& call) {
  change(call, false);
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
    model_method("/inference.GRPCInferenceService/ModelConfig", kMetadata, unary<model_config>),
    model_method("/inference.GRPCInferenceService/ModelStatistics", kMetadata, unary<model_statistics>),
    method("/inference.GRPCInferenceService/RepositoryIndex", kMetadata, unary<repository_index>),
    model_method("/inference.GRPCInferenceService/RepositoryModelLoad", Permission::kManage, repository_load),
    model_method("/inference.GRPCInferenceService/RepositoryModelUnload", Permission::kManage,
                 repository_unload),
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
