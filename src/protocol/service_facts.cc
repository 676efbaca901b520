#include "protocol/service_facts.h"

#include "base/text.h"
#include "protocol/json_cursor.h"
#include "protocol/json_writer.h"
#include "protocol/model_tensors.h"

namespace wherry::protocol {
namespace {

struct ConfigType {
  std::string_view datatype, name;
  std::int32_t number;
};
constexpr ConfigType kConfigTypes[] = {
    {"BOOL", "TYPE_BOOL", 1},     {"UINT8", "TYPE_UINT8", 2},   {"UINT16", "TYPE_UINT16", 3},
    {"UINT32", "TYPE_UINT32", 4}, {"UINT64", "TYPE_UINT64", 5}, {"INT8", "TYPE_INT8", 6},
    {"INT16", "TYPE_INT16", 7},   {"INT32", "TYPE_INT32", 8},   {"INT64", "TYPE_INT64", 9},
    {"FP16", "TYPE_FP16", 10},    {"FP32", "TYPE_FP32", 11},    {"FP64", "TYPE_FP64", 12},
    {"BYTES", "TYPE_STRING", 13}, {"BF16", "TYPE_BF16", 14},
};

constexpr std::string_view kPhaseNames[kPhases] = {"success",       "fail",          "queue",
                                                   "compute_input", "compute_infer", "compute_output",
                                                   "cache_hit",     "cache_miss"};

// `batched`: axis 0 is the batch, which the configuration leaves out.
std::vector<ConfigTensor> config_tensors(std::vector<TensorMetadata> tensors, bool batched) {
  std::vector<ConfigTensor> configured;
  for (TensorMetadata& tensor : tensors) {
    ConfigTensor out{.name = std::move(tensor.name), .data_type = "TYPE_INVALID", .data_type_number = 0};
    for (const ConfigType& row : kConfigTypes) {
      if (row.datatype != tensor.datatype) continue;
      out.data_type = row.name;
      out.data_type_number = row.number;
    }
    if (!tensor.shape.empty() && !(batched && tensor.any_shape))
      out.dims.assign(tensor.shape.begin() + (batched ? 1 : 0), tensor.shape.end());
    if (tensor.any_shape) out.dims = {-1};
    out.is_flat = out.dims.empty();
    if (out.is_flat) out.dims = {1};
    configured.push_back(std::move(out));
  }
  return configured;
}

class Json {
 public:
  explicit Json(std::string& out) : out_(out) {}
  Json& begin(char bracket) {
    out_ += bracket;
    first_ = true;
    return *this;
  }
  Json& end(char bracket) {
    out_ += bracket;
    first_ = false;
    return *this;
  }
  Json& key(std::string_view name) {
    next();
    out_ += base::cat("\"", name, "\":");
    first_ = true;
    return *this;
  }
  Json& next() {
    if (!first_) out_ += ',';
    first_ = false;
    return *this;
  }
  void text(std::string_view value) {
    append_string(value, out_);
    first_ = false;
  }
  template <class T>
  void number(T value) {
    out_ += base::cat(value);
    first_ = false;
  }

 private:
  std::string& out_;
  bool first_ = true;
};

void append_tensors(std::span<const ConfigTensor> tensors, std::string_view name, bool inputs, Json& json) {
  json.key(name).begin('[');
  for (const ConfigTensor& tensor : tensors) {
    json.next().begin('{');
    json.key("name").text(tensor.name);
    json.key("data_type").text(tensor.data_type);
    if (inputs) json.key("format").text("FORMAT_NONE");
    json.key("dims").begin('[');
    for (const std::int64_t length : tensor.dims) json.next().number(length);
    json.end(']');
    if (tensor.is_flat) json.key("reshape").begin('{').key("shape").begin('[').end(']').end('}');
    if (!inputs) json.key("label_filename").text("");
    json.key("is_shape_tensor").number(false);
    if (inputs) {
      json.key("allow_ragged_batch").number(false);
      json.key("optional").number(false);
    }
    json.end('}');
  }
  json.end(']');
}

void append_queue(const QueueFacts& queue, Json& json) {
  json.begin('{');
  json.key("timeout_action").text(queue.delays ? "DELAY" : "REJECT");
  json.key("default_timeout_microseconds").number(queue.default_timeout_us);
  json.key("allow_timeout_override").number(queue.allow_timeout_override);
  json.key("max_queue_size").number(queue.most_waiting);
  json.end('}');
}

void append_batching(const DynamicBatching& batching, Json& json) {
  json.key("dynamic_batching").begin('{').key("preferred_batch_size").begin('[');
  for (const std::uint64_t size : batching.preferred_sizes) json.next().number(size);
  json.end(']');
  json.key("max_queue_delay_microseconds").number(batching.most_queue_delay_us);
  json.key("preserve_ordering").number(batching.preserve_ordering);
  json.key("priority_levels").number(batching.priority_levels);
  json.key("default_priority_level").number(batching.default_priority_level);
  append_queue(batching.queue, json.key("default_queue_policy"));
  json.key("priority_queue_policy").begin('{');
  for (const auto& [level, queue] : batching.queue_of_level) append_queue(queue, json.key(base::cat(level)));
  json.end('}').end('}');
}

void append_phase(std::string_view name, const PhaseStatistics& phase, Json& json) {
  json.key(name).begin('{');
  json.key("count").number(phase.count);
  json.key("ns").number(phase.ns);
  json.end('}');
}

}  // namespace

std::string_view phase_name(Phase phase) {
  return kPhaseNames[static_cast<std::size_t>(phase)];
}

std::vector<ConfigTensor> config_inputs(const Schema& schema) {
  return config_tensors(input_tensors(schema), schema.signature().batched);
}
std::vector<ConfigTensor> config_outputs(const Schema& schema) {
  return config_tensors(output_tensors(schema), schema.signature().batched);
}

std::string config_json(const ModelConfiguration& model, const Schema& schema) {
  std::string out;
  Json json(out);
  json.begin('{');
  json.key("name").text(model.name);
  json.key("platform").text(model.platform);
  json.key("backend").text("wherry");
  json.key("version_policy").begin('{').key("latest").begin('{').key("num_versions").number(1);
  json.end('}').end('}');
  json.key("max_batch_size").number(model.most_rows);
  append_tensors(config_inputs(schema), "input", true, json);
  append_tensors(config_outputs(schema), "output", false, json);
  json.key("batch_input").begin('[').end(']');
  json.key("batch_output").begin('[').end(']');
  if (model.batching) append_batching(*model.batching, json);
  json.key("instance_group").begin('[').next().begin('{');
  json.key("name").text(model.name);
  json.key("kind").text("KIND_CPU");
  json.key("count").number(model.instances);
  json.key("gpus").begin('[').end(']');
  json.end('}').end(']');
  json.key("default_model_filename").text("");
  json.key("cc_model_filenames").begin('{').end('}');
  json.key("metric_tags").begin('{').end('}');
  json.key("parameters").begin('{').end('}');
  json.key("model_warmup").begin('[').end(']');
  json.key("model_transaction_policy").begin('{').key("decoupled").number(false);
  json.end('}').end('}');
  return out;
}

std::string statistics_json(std::span<const ModelStatistics> models) {
  std::string out;
  Json json(out);
  json.begin('{').key("model_stats").begin('[');
  for (const ModelStatistics& model : models) {
    json.next().begin('{');
    json.key("name").text(model.name);
    json.key("version").text(model.version);
    json.key("last_inference").number(model.last_inference_ms);
    json.key("inference_count").number(model.inferences);
    json.key("execution_count").number(model.executions);
    json.key("inference_stats").begin('{');
    for (std::size_t i = 0; i < kPhases; ++i) append_phase(kPhaseNames[i], model.phases[i], json);
    json.end('}');
    json.key("response_stats").begin('{').end('}');
    json.key("batch_stats").begin('[');
    for (const BatchStatistics& batch : model.batches) {
      json.next().begin('{');
      json.key("batch_size").number(batch.rows);
      append_phase("compute_input", batch.input, json);
      append_phase("compute_infer", batch.infer, json);
      append_phase("compute_output", batch.output, json);
      json.end('}');
    }
    json.end(']');
    json.key("memory_usage").begin('[').end(']').end('}');
  }
  json.end(']').end('}');
  return out;
}

std::string index_json(std::span<const IndexEntry> entries) {
  std::string out;
  Json json(out);
  json.begin('[');
  for (const IndexEntry& entry : entries) {
    json.next().begin('{');
    json.key("name").text(entry.name);
    json.key("version").text(entry.version);
    json.key("state").text(entry.state);
    json.key("reason").text(entry.reason);
    json.end('}');
  }
  json.end(']');
  return out;
}

base::Result<bool> read_index_request(std::string_view body) {
  bool ready = false;
  if (base::trim(body).empty()) return ready;
  if (!base::is_valid_utf8(body))
    return base::fail(base::Code::kInvalidInput, "protocol.bad_utf8", "the body is not valid UTF-8",
                      "send UTF-8 text");
  std::string arena;
  JsonCursor cursor(body, {}, arena);
  std::string_view key;
  if (!cursor.begin_object()) return cursor.error();
  while (cursor.next_member(key))
    if (!(key == "ready" ? cursor.boolean(ready) : cursor.skip_value())) return cursor.error();
  if (cursor.failed() || !cursor.finish()) return cursor.error();
  return ready;
}

}  // namespace wherry::protocol
