#include "onnx/read.h"

#include <algorithm>
#include <array>
#include <limits>
#include <set>

#include "onnx/external_data.h"
#include "onnx/read_parts.h"
#include "protobuf/onnx_fields.h"
#include "protobuf/wire.h"

#include "base/text.h"

namespace wherry::onnx {

using namespace protobuf::onnx;  // numbers of fields
namespace {

using base::cat;
using protobuf::Field;
using protobuf::key;
using protobuf::Reader;
using protobuf::WireType;
using protobuf::Writer;
using tensor::DType;

constexpr std::int64_t kOldestOpset = 7;
constexpr std::int64_t kInitializersAlone = 4;  // IR version; before it each initializer is an input too
constexpr std::size_t kMostPorts = 4096;

// ONNX's default for StringNormalizer is a locale which images rarely have, and without it ONNX Runtime loads
// no model. This one changes the same letters' case, and is part of the C library.
constexpr std::string_view kLocale = "C.UTF-8";
constexpr std::array<std::string_view, 3> kUsualLocales{"", "en_US", "en_US.UTF-8"};

// What the graph's fields say before it is written again.
struct GraphParts {
  std::vector<std::string_view> nodes, initializers, inputs, outputs;
  std::set<std::string_view> initializer_names;
};

class FileReader {
 public:
  FileReader(std::shared_ptr<const void> owner, const std::filesystem::path& folder)
      : owner_(std::move(owner)), external_(folder) {}

  base::Result<File> read(std::string_view proto);

 private:
  base::Status read_head(const Field& field);
  base::Status check_opset();
  base::Result<GraphParts> split(std::string_view graph);
  base::Status write_graph(std::string_view graph, Writer& writer);
  base::Status add_initializer(std::string_view message, Writer& writer);
  base::Status add_node(std::string_view message, Writer& writer);
  base::Status write_normalizer(std::string_view message, const NodeParts& node, Writer& writer);
  base::Status add_ports(const GraphParts& parts, Writer& writer);
  base::Status take_out(const TensorParts& parts, tensor::Tensor tensor, Writer& writer);

  std::shared_ptr<const void> owner_;
  ExternalData external_;
  File file_;
  OperatorCensus census_;
  std::map<std::string, ZipMap, std::less<>> zip_maps_;  // by output
  std::set<std::string, std::less<>> output_names_;
  std::set<std::string_view> dropped_;  // initializers that nobody uses
};

base::Status FileReader::read_head(const Field& field) {
  switch (field.key()) {
    case key(model_field::kIrVersion, WireType::kVarint):
      file_.ir_version = field.as_int64();
      break;
    case key(model_field::kProducerName, WireType::kBytes):
      file_.producer = field.bytes;
      break;
    case key(model_field::kProducerVersion, WireType::kBytes):
      file_.producer_version = field.bytes;
      break;
    case key(model_field::kDescription, WireType::kBytes):
      file_.description = field.bytes;
      break;
    case key(model_field::kOpsetImport, WireType::kBytes): {
      TRY_ASSIGN(const OpsetImport import, read_opset(field.bytes));
      if (is_default_domain(import.domain)) file_.opset = std::max(file_.opset, import.version);
      break;
    }
    case key(model_field::kMetadata, WireType::kBytes): {
      TRY_ASSIGN(auto entry, read_entry(field.bytes));
      file_.metadata.push_back(std::move(entry));
      break;
    }
    case key(model_field::kFunctions, WireType::kBytes): {
      TRY(census_.add_function(field.bytes));
      break;
    }
    default:
      break;
  }
  return {};
}

base::Status FileReader::check_opset() {
  if (file_.opset == 0 && !file_.operations.empty())
    return bad_model("it does not say which version of ONNX's operators it uses");
  if (file_.opset != 0 && file_.opset < kOldestOpset)
    return base::fail(base::Code::kUnsupported, "onnx.opset",
                      cat("the model is of opset ", file_.opset, ", older than ", kOldestOpset),
                      "convert it: onnx.version_converter.convert_version(onnx.load(FILE), 13)");
  return {};
}

base::Result<GraphParts> FileReader::split(std::string_view graph) {
  GraphParts parts;
  Reader reader(graph);
  for (Field field; reader.next(field);) {
    switch (field.key()) {
      case key(graph_field::kNode, WireType::kBytes):
        parts.nodes.push_back(field.bytes);
        break;
      case key(graph_field::kInitializer, WireType::kBytes): {
        TRY_ASSIGN(const TensorParts tensor, read_tensor(field.bytes));
        parts.initializers.push_back(field.bytes);
        parts.initializer_names.insert(tensor.name);
        break;
      }
      case key(graph_field::kSparseInitializer, WireType::kBytes): {
        TRY_ASSIGN(const std::string_view name, sparse_name(field.bytes));
        parts.initializer_names.insert(name);
        break;
      }
      case key(graph_field::kInput, WireType::kBytes):
        parts.inputs.push_back(field.bytes);
        break;
      case key(graph_field::kOutput, WireType::kBytes):
        parts.outputs.push_back(field.bytes);
        break;
      default:
        break;
    }
  }
  TRY(reader.status("the graph"));
  if (parts.inputs.size() > kMostPorts || parts.outputs.size() > kMostPorts)
    return bad_model(cat("more than ", kMostPorts, " inputs or outputs"));
  return parts;
}

base::Status FileReader::take_out(const TensorParts& parts, tensor::Tensor tensor, Writer& writer) {
  const std::size_t mark = writer.begin(graph_field::kInitializer);
  for (const std::int64_t length : parts.shape) writer.int64(tensor_field::kDims, length);
  writer.int64(tensor_field::kDataType, parts.type);
  writer.bytes(tensor_field::kName, parts.name);
  const std::size_t entry = writer.begin(tensor_field::kExternalData);
  writer.bytes(entry_field::kKey, "location");
  writer.bytes(entry_field::kValue, kBeside);
  writer.end(entry);
  writer.int64(tensor_field::kDataLocation, 1);
  writer.end(mark);
  file_.model.weights.push_back({std::string(parts.name), std::move(tensor)});
  return {};
}

base::Status FileReader::add_initializer(std::string_view message, Writer& writer) {
  TRY_ASSIGN(const TensorParts parts, read_tensor(message));
  // ONNX Runtime drops what nobody uses, and then does not take it from outside.
  if (!census_.uses(parts.name) && !output_names_.contains(parts.name)) {
    dropped_.insert(parts.name);
    return {};
  }
  TRY_ASSIGN(const std::uint64_t count, tensor::element_count(parts.shape));
  file_.weights += count;
  const auto dtype = graph::dtype_of_onnx(parts.type);
  if (parts.is_external) {
    if (!dtype || *dtype == DType::kString)
      return bad_model(
          cat("initializer ", base::quoted(parts.name), " has external data of a type without size"));
    TRY_ASSIGN(tensor::Tensor tensor, external_.load(parts, *dtype));
    return take_out(parts, std::move(tensor), writer);
  }
  if (!dtype || *dtype == DType::kString || parts.raw.size() <= kInlineBytes) {
    writer.bytes(graph_field::kInitializer, message);
    return {};
  }
  TRY_ASSIGN(tensor::Tensor tensor, tensor_of(parts, *dtype, base::as_bytes(parts.raw), owner_));
  return take_out(parts, std::move(tensor), writer);
}

base::Status FileReader::write_normalizer(std::string_view message, const NodeParts& node, Writer& writer) {
  std::vector<std::string_view> kept;
  for (const std::string_view message_of_one : node.attributes) {
    TRY_ASSIGN(const TextAttribute one, read_text_attribute(message_of_one));
    if (one.name != "locale") {
      kept.push_back(message_of_one);
    } else if (std::ranges::find(kUsualLocales, one.text) == kUsualLocales.end()) {
      writer.bytes(graph_field::kNode, message);
      return {};
    }
  }
  const std::size_t mark = writer.begin(graph_field::kNode);
  for (const std::string_view input : node.inputs) writer.bytes(node_field::kInput, input);
  for (const std::string_view output : node.outputs) writer.bytes(node_field::kOutput, output);
  writer.bytes(node_field::kName, node.name);
  writer.bytes(node_field::kOpType, node.op);
  writer.bytes(node_field::kDomain, node.domain);
  for (const std::string_view attribute : kept) writer.bytes(node_field::kAttribute, attribute);
  const std::size_t locale = writer.begin(node_field::kAttribute);
  writer.bytes(attribute_field::kName, "locale");
  writer.bytes(attribute_field::kString, kLocale);
  writer.varint(attribute_field::kType, attribute_type::kString);
  writer.end(locale);
  writer.end(mark);
  return {};
}

base::Status FileReader::add_node(std::string_view message, Writer& writer) {
  TRY_ASSIGN(const NodeParts node, read_node(message));
  TRY(census_.add(node, 0));
  if (node.op == "StringNormalizer") return write_normalizer(message, node, writer);
  if (node.op != "ZipMap" || node.domain != graph::kMlDomain) {
    writer.bytes(graph_field::kNode, message);
    return {};
  }
  TRY_ASSIGN(ZipMap zip_map, read_zip_map(node));
  const std::size_t mark = writer.begin(graph_field::kNode);
  writer.bytes(node_field::kInput, node.inputs[0]);
  writer.bytes(node_field::kOutput, node.outputs[0]);
  writer.bytes(node_field::kName, node.name);
  writer.bytes(node_field::kOpType, "Identity");
  writer.end(mark);
  zip_maps_.emplace(node.outputs[0], std::move(zip_map));
  return {};
}

base::Status FileReader::add_ports(const GraphParts& parts, Writer& writer) {
  for (const std::string_view message : parts.inputs) {
    TRY_ASSIGN(const std::string_view name, port_name(message));
    if (parts.initializer_names.contains(name)) {
      // An input's default: requests never choose another, and a runtime folds only what is no input.
      if (file_.ir_version < kInitializersAlone && !dropped_.contains(name))
        writer.bytes(graph_field::kInput, message);
      continue;
    }
    TRY_ASSIGN(const PortParts port, read_port(message));
    if (!port.is_tensor) return not_a_tensor("input", port);
    writer.bytes(graph_field::kInput, message);
    file_.inputs.push_back(port.port);
  }
  for (const std::string_view message : parts.outputs) {
    TRY_ASSIGN(PortParts port, read_port(message));
    const auto zip_map = zip_maps_.find(port.port.name);
    if (zip_map == zip_maps_.end()) {
      if (!port.is_tensor) return not_a_tensor("output", port);
      writer.bytes(graph_field::kOutput, message);
    } else {
      port.port = probabilities(zip_map->second, port.port.name);
      const std::size_t mark = writer.begin(graph_field::kOutput);
      write_port(port.port, writer);
      writer.end(mark);
    }
    file_.outputs.push_back(std::move(port.port));
  }
  if (file_.outputs.empty()) return bad_model("the graph has no outputs");
  return {};
}

base::Status FileReader::write_graph(std::string_view graph, Writer& writer) {
  TRY_ASSIGN(const GraphParts parts, split(graph));
  for (const std::string_view node : parts.nodes) TRY(add_node(node, writer));
  for (const std::string_view output : parts.outputs) {
    TRY_ASSIGN(const PortParts port, read_port(output));
    output_names_.insert(port.port.name);
  }
  for (const std::string_view initializer : parts.initializers) TRY(add_initializer(initializer, writer));
  TRY(add_ports(parts, writer));
  Reader reader(graph);
  for (Field field; reader.next(field);) {
    switch (field.number) {
      case graph_field::kName:
      case graph_field::kValueInfo:
      case graph_field::kSparseInitializer:
      case graph_field::kQuantization:
        if (field.type == WireType::kBytes) writer.bytes(field.number, field.bytes);
        break;
      default:  // written already, or of no use
        break;
    }
  }
  return {};
}

base::Result<File> FileReader::read(std::string_view proto) {
  std::string_view graph;
  std::size_t graphs = 0;
  Writer writer(file_.model.proto);
  Reader reader(proto);
  for (Field field; reader.next(field);) {
    TRY(read_head(field));
    switch (field.key()) {
      case key(model_field::kGraph, WireType::kBytes):
        graph = field.bytes;
        ++graphs;
        break;
      case key(model_field::kIrVersion, WireType::kVarint):
        writer.varint(field.number, field.value);
        break;
      case key(model_field::kProducerName, WireType::kBytes):
      case key(model_field::kProducerVersion, WireType::kBytes):
      case key(model_field::kOpsetImport, WireType::kBytes):
      case key(model_field::kMetadata, WireType::kBytes):
      case key(model_field::kFunctions, WireType::kBytes):
        writer.bytes(field.number, field.bytes);
        break;
      default:
        break;
    }
  }
  TRY(reader.status("the model"));
  if (graphs != 1) return bad_model(cat(graphs, " graphs instead of one"));
  const std::size_t mark = writer.begin(model_field::kGraph);
  TRY(write_graph(graph, writer));
  writer.end(mark);
  file_.operations = census_.counts();
  TRY(check_opset());
  TRY(census_.check());
  return std::move(file_);
}

}  // namespace

base::Result<File> read_model(base::Bytes bytes, std::shared_ptr<const void> owner,
                              const std::filesystem::path& folder) {
  return FileReader(std::move(owner), folder).read(base::as_text(bytes));
}

}  // namespace wherry::onnx
