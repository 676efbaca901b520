// The messages of inference.GRPCInferenceService but for ModelInfer's (proto/grpc_service.proto).
//
// Writers append to `out`. Thread-safety: pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "protocol/service_facts.h"

namespace wherry::protocol {

// ModelReadyRequest, ModelMetadataRequest, ModelConfigRequest, ModelStatisticsRequest: name = 1, version = 2.
// Borrowed from the message; "protobuf.malformed", "protocol.bad_utf8".
struct NamedModel {
  std::string_view name, version;  // empty: not given
};
base::Result<NamedModel> read_named_model(std::string_view message);

// RepositoryIndexRequest: whether only models which are ready.
base::Result<bool> read_index_message(std::string_view message);

// RepositoryModelLoadRequest and …UnloadRequest.
struct RepositoryCommand {
  std::string_view model_name;
  std::string_view config;   // parameter "config": JSON
  std::string_view unknown;  // the first parameter which is none of ours: of a file's content, for instance
  bool unload_dependents = false;  // there are no ensembles: it changes nothing
};
base::Result<RepositoryCommand> read_repository_command(std::string_view message);

// ServerLiveResponse, ServerReadyResponse, ModelReadyResponse.
void write_flag_message(bool value, std::string& out);
void write_server_metadata_message(std::string_view name, std::string_view version, std::string& out);
void write_model_metadata_message(const Schema& schema, std::string_view name,
                                  std::span<const std::string_view> versions, std::string_view platform,
                                  std::string& out);
void write_config_message(const ModelConfiguration& model, const Schema& schema, std::string& out);
void write_statistics_message(std::span<const ModelStatistics> models, std::string& out);
void write_index_message(std::span<const IndexEntry> entries, std::string& out);

}  // namespace wherry::protocol
