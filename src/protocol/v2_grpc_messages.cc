#include "protocol/v2_grpc_messages.h"

#include "protobuf/wire.h"

#include "base/text.h"
#include "protocol/metadata.h"
#include "protocol/model_tensors.h"

namespace wherry::protocol {
namespace {

using protobuf::Field;
using protobuf::key;
using protobuf::Reader;
using protobuf::WireType;
using protobuf::Writer;

constexpr std::uint64_t kKindCpu = 2;  // inference.ModelInstanceGroup.Kind

base::Status check_text(std::string_view text, std::string_view what) {
  if (base::is_valid_utf8(text)) return {};
  return base::fail(base::Code::kInvalidInput, "protocol.bad_utf8", base::cat(what, " is not valid UTF-8"),
                    "send UTF-8 text");
}

void write_lengths(std::uint32_t number, std::span<const std::int64_t> lengths, Writer& writer) {
  const std::size_t mark = writer.begin(number);
  for (const std::int64_t length : lengths) writer.raw_varint(static_cast<std::uint64_t>(length));
  writer.end(mark);
}

void write_tensors(std::uint32_t number, std::span<const TensorMetadata> tensors, Writer& writer) {
  for (const TensorMetadata& tensor : tensors) {
    const std::size_t mark = writer.begin(number);
    writer.bytes(1, tensor.name);
    writer.bytes(2, tensor.datatype);
    write_lengths(3, tensor.shape, writer);
    writer.end(mark);
  }
}

void write_config_tensors(std::uint32_t number, std::uint32_t dims, std::span<const ConfigTensor> tensors,
                          Writer& writer) {
  for (const ConfigTensor& tensor : tensors) {
    const std::size_t mark = writer.begin(number);
    writer.bytes(1, tensor.name);
    writer.int64(2, tensor.data_type_number);
    write_lengths(dims, tensor.dims, writer);
    if (tensor.is_flat) writer.end(writer.begin(5));  // ModelTensorReshape of no axes
    writer.end(mark);
  }
}

void write_queue(std::uint32_t number, const QueueFacts& queue, Writer& writer) {
  const std::size_t mark = writer.begin(number);
  writer.varint_unless_zero(1, queue.delays ? 1 : 0);
  writer.varint_unless_zero(2, queue.default_timeout_us);
  writer.varint_unless_zero(3, queue.allow_timeout_override ? 1 : 0);
  writer.varint_unless_zero(4, queue.most_waiting);
  writer.end(mark);
}

void write_batching(const DynamicBatching& batching, Writer& writer) {
  const std::size_t mark = writer.begin(11);
  if (!batching.preferred_sizes.empty()) {
    const std::size_t sizes = writer.begin(1);
    for (const std::uint64_t size : batching.preferred_sizes) writer.raw_varint(size);
    writer.end(sizes);
  }
  writer.varint_unless_zero(2, batching.most_queue_delay_us);
  writer.varint_unless_zero(3, batching.preserve_ordering ? 1 : 0);
  writer.varint_unless_zero(4, batching.priority_levels);
  writer.varint_unless_zero(5, batching.default_priority_level);
  write_queue(6, batching.queue, writer);
  for (const auto& [level, queue] : batching.queue_of_level) {
    const std::size_t entry = writer.begin(7);
    writer.varint(1, level);
    write_queue(2, queue, writer);
    writer.end(entry);
  }
  writer.end(mark);
}

void write_phase(std::uint32_t number, const PhaseStatistics& phase, Writer& writer) {
  const std::size_t mark = writer.begin(number);
  writer.varint_unless_zero(1, phase.count);
  writer.varint_unless_zero(2, phase.ns);
  writer.end(mark);
}

}  // namespace

base::Result<NamedModel> read_named_model(std::string_view message) {
  NamedModel model;
  Reader reader(message);
  for (Field field; reader.next(field);) {
    if (field.key() == key(1, WireType::kBytes)) model.name = field.bytes;
    if (field.key() == key(2, WireType::kBytes)) model.version = field.bytes;
  }
  TRY(reader.status("the request"));
  TRY(check_text(model.name, "the model's name"));
  TRY(check_text(model.version, "the model's version"));
  return model;
}

base::Result<bool> read_index_message(std::string_view message) {
  bool ready = false;
  Reader reader(message);
  for (Field field; reader.next(field);)
    if (field.key() == key(2, WireType::kVarint)) ready = field.as_bool();
  TRY(reader.status("the request"));
  return ready;
}

namespace {

// An entry of map<string, ModelRepositoryParameter>.
base::Status repository_parameter(std::string_view entry, RepositoryCommand& command) {
  std::string_view name, value;
  Reader reader(entry);
  for (Field field; reader.next(field);) {
    if (field.key() == key(1, WireType::kBytes)) name = field.bytes;
    if (field.key() == key(2, WireType::kBytes)) value = field.bytes;
  }
  TRY(reader.status("a parameter"));
  TRY(check_text(name, "the name of a parameter"));
  Reader choice(value);
  for (Field field; choice.next(field);) {
    if (name == "config" && field.key() == key(3, WireType::kBytes)) command.config = field.bytes;
    if (name == "unload_dependents" && field.key() == key(1, WireType::kVarint))
      command.unload_dependents = field.as_bool();
  }
  TRY(choice.status("a parameter"));
  TRY(check_text(command.config, "parameter \"config\""));
  if (name != "config" && name != "unload_dependents" && command.unknown.empty()) command.unknown = name;
  return {};
}

}  // namespace

base::Result<RepositoryCommand> read_repository_command(std::string_view message) {
  RepositoryCommand command;
  Reader reader(message);
  for (Field field; reader.next(field);) {
    if (field.key() == key(2, WireType::kBytes)) command.model_name = field.bytes;
    if (field.key() == key(3, WireType::kBytes)) TRY(repository_parameter(field.bytes, command));
  }
  TRY(reader.status("the request"));
  TRY(check_text(command.model_name, "the model's name"));
  return command;
}

void write_flag_message(bool value, std::string& out) {
  Writer(out).varint_unless_zero(1, value ? 1 : 0);
}

void write_server_metadata_message(std::string_view name, std::string_view version, std::string& out) {
  Writer writer(out);
  writer.bytes(1, name);
  writer.bytes(2, version);
  for (const std::string_view extension : extensions()) writer.bytes(3, extension);
}

void write_model_metadata_message(const Schema& schema, std::string_view name,
                                  std::span<const std::string_view> versions, std::string_view platform,
                                  std::string& out) {
  Writer writer(out);
  writer.bytes(1, name);
  for (const std::string_view version : versions) writer.bytes(2, version);
  writer.bytes(3, platform);
  write_tensors(4, input_tensors(schema), writer);
  write_tensors(5, output_tensors(schema), writer);
}

void write_config_message(const ModelConfiguration& model, const Schema& schema, std::string& out) {
  Writer writer(out);
  const std::size_t config = writer.begin(1);
  writer.bytes(1, model.name);
  writer.bytes(2, model.platform);
  const std::size_t policy = writer.begin(3);
  const std::size_t latest = writer.begin(1);
  writer.varint(1, 1);
  writer.end(latest);
  writer.end(policy);
  writer.varint_unless_zero(4, model.most_rows);
  write_config_tensors(5, 4, config_inputs(schema), writer);
  write_config_tensors(6, 3, config_outputs(schema), writer);
  const std::size_t group = writer.begin(7);
  writer.bytes(1, model.name);
  writer.varint(2, model.instances);
  writer.varint(4, kKindCpu);
  writer.end(group);
  if (model.batching) write_batching(*model.batching, writer);
  writer.bytes(17, "wherry");
  writer.end(writer.begin(19));  // ModelTransactionPolicy: not decoupled
  writer.end(config);
}

void write_statistics_message(std::span<const ModelStatistics> models, std::string& out) {
  Writer writer(out);
  for (const ModelStatistics& model : models) {
    const std::size_t mark = writer.begin(1);
    writer.bytes(1, model.name);
    writer.bytes(2, model.version);
    writer.varint_unless_zero(3, model.last_inference_ms);
    writer.varint_unless_zero(4, model.inferences);
    writer.varint_unless_zero(5, model.executions);
    const std::size_t phases = writer.begin(6);
    for (std::uint32_t i = 0; i < kPhases; ++i) write_phase(i + 1, model.phases[i], writer);
    writer.end(phases);
    for (const BatchStatistics& batch : model.batches) {
      const std::size_t entry = writer.begin(7);
      writer.varint_unless_zero(1, batch.rows);
      write_phase(2, batch.input, writer);
      write_phase(3, batch.infer, writer);
      write_phase(4, batch.output, writer);
      writer.end(entry);
    }
    writer.end(mark);
  }
}

void write_index_message(std::span<const IndexEntry> entries, std::string& out) {
  Writer writer(out);
  for (const IndexEntry& entry : entries) {
    const std::size_t mark = writer.begin(1);
    writer.text_unless_empty(1, entry.name);
    writer.text_unless_empty(2, entry.version);
    writer.text_unless_empty(3, entry.state);
    writer.text_unless_empty(4, entry.reason);
    writer.end(mark);
  }
}

}  // namespace wherry::protocol
