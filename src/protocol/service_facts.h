// What a server tells about its models beside their metadata, for REST and gRPC alike: configuration
// (Triton's extension_model_configuration.md), statistics (extension_statistics.md) and the index of the
// repository (extension_model_repository.md). Plain values; the functions are pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/schema.h"

namespace wherry::protocol {

struct QueueFacts {
  bool delays = false;  // timeout_action: DELAY, else REJECT
  std::uint64_t default_timeout_us = 0;
  bool allow_timeout_override = false;
  std::uint64_t most_waiting = 0;
};

struct DynamicBatching {
  std::vector<std::uint64_t> preferred_sizes;
  std::uint64_t most_queue_delay_us = 0;
  bool preserve_ordering = false;
  std::uint64_t priority_levels = 0;
  std::uint64_t default_priority_level = 0;
  QueueFacts queue;
  std::vector<std::pair<std::uint64_t, QueueFacts>> queue_of_level;
};

// Of a ModelConfig, what there is to say about a model of wherry's.
struct ModelConfiguration {
  std::string_view name;
  std::string platform;         // "wherry_scikit-learn"
  std::uint32_t most_rows = 0;  // max_batch_size: of one request, all inputs having the rows as first axis
  std::uint32_t instances = 1;
  std::optional<DynamicBatching> batching;
};

// Triton's InferStatistics, in its order.
enum class Phase : std::uint8_t {
  kSuccess,
  kFail,
  kQueue,
  kComputeInput,
  kComputeInfer,
  kComputeOutput,
  kCacheHit,
  kCacheMiss,
};
inline constexpr std::size_t kPhases = 8;

struct PhaseStatistics {
  std::uint64_t count = 0;
  std::uint64_t ns = 0;  // in all
};

struct BatchStatistics {
  std::uint64_t rows = 0;
  PhaseStatistics input, infer, output;
};

struct ModelStatistics {
  std::string_view name, version;
  std::uint64_t last_inference_ms = 0;  // of the Unix epoch
  std::uint64_t inferences = 0;         // rows
  std::uint64_t executions = 0;         // runs of the model: fewer than requests where it batches
  PhaseStatistics phases[kPhases];
  std::vector<BatchStatistics> batches;
};

struct IndexEntry {
  std::string_view name, version;
  std::string_view state;  // "READY", "LOADING", "UNLOADING", "UNAVAILABLE"
  std::string_view reason;
};

// JSON of GET /v2/models/M/config, GET /v2/models[/M]/stats and POST /v2/repository/index.
std::string config_json(const ModelConfiguration& model, const Schema& schema);
std::string statistics_json(std::span<const ModelStatistics> models);
std::string index_json(std::span<const IndexEntry> entries);

// What POST /v2/repository/index asks for: whether only models which are ready. An empty body asks for all.
base::Result<bool> read_index_request(std::string_view body);

std::string_view phase_name(Phase phase);  // "compute_infer"

// An input of ModelConfig: without the rows, which stand in front of every shape.
struct ConfigTensor {
  std::string name;
  std::string_view data_type;     // "TYPE_FP64"
  std::int32_t data_type_number;  // in inference.DataType
  tensor::Shape dims;
  bool is_flat = false;  // has no axis but the rows: dims [1] stand for it, reshaped to []
};
std::vector<ConfigTensor> config_inputs(const Schema& schema);
std::vector<ConfigTensor> config_outputs(const Schema& schema);

}  // namespace wherry::protocol
