#include "onnx/read_parts.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "protobuf/onnx_fields.h"

#include "base/text.h"

namespace wherry::onnx {

using namespace protobuf::onnx;  // numbers of fields

using base::cat;
using protobuf::Field;
using protobuf::key;
using protobuf::Reader;
using protobuf::WireType;

namespace {

constexpr int kMostDepth = 32;
constexpr std::size_t kMostAxes = 64;

// Domains whose operators ONNX Runtime has; training and its like are not among them.
constexpr std::array<std::string_view, 5> kDomains{"", "ai.onnx", "ai.onnx.ml", "com.microsoft",
                                                   "com.microsoft.nchwc"};

base::Status read_external(std::string_view message, TensorParts& parts) {
  std::string_view name, value;
  Reader reader(message);
  for (Field field; reader.next(field);) {
    if (field.key() == key(entry_field::kKey, WireType::kBytes)) name = field.bytes;
    if (field.key() == key(entry_field::kValue, WireType::kBytes)) value = field.bytes;
  }
  TRY(reader.status("an entry"));
  if (name == "location") parts.location = value;
  if (name != "offset" && name != "length") return {};
  const auto number = base::parse_unsigned(value);
  if (!number) return bad_model(cat("external data with ", name, " ", base::quoted(value)));
  if (name == "offset") parts.offset = *number;
  if (name == "length") parts.length = *number, parts.has_length = true;
  return {};
}

base::Status read_dimension(std::string_view message, Port& port) {
  std::int64_t length = -1;
  std::string name;
  Reader reader(message);
  for (Field field; reader.next(field);) {
    if (field.key() == key(type_field::kDimValue, WireType::kVarint)) length = field.as_int64();
    if (field.key() == key(type_field::kDimParam, WireType::kBytes)) name = field.bytes;
  }
  TRY(reader.status("a dimension"));
  if (!name.empty()) length = -1;
  port.shape.push_back(std::max<std::int64_t>(length, -1));
  port.dims.push_back(std::move(name));
  return {};
}

base::Status read_tensor_type(std::string_view message, Port& port) {
  std::int64_t type = 0;
  Reader reader(message);
  for (Field field; reader.next(field);) {
    if (field.key() == key(type_field::kElement, WireType::kVarint)) type = field.as_int64();
    if (field.key() != key(type_field::kShape, WireType::kBytes)) continue;
    port.has_shape = true;
    Reader shape(field.bytes);
    for (Field dimension; shape.next(dimension);) {
      if (dimension.key() != key(type_field::kDim, WireType::kBytes)) continue;
      if (port.shape.size() == kMostAxes) return bad_model("a tensor of more than 64 axes");
      TRY(read_dimension(dimension.bytes, port));
    }
    TRY(shape.status("a shape"));
  }
  TRY(reader.status("a type"));
  const auto dtype = graph::dtype_of_onnx(type);
  if (!dtype)
    return base::fail(
        base::Code::kUnsupported, "onnx.not_a_tensor",
        cat(base::quoted(port.name), " has elements of ONNX's type ", type, ", which wherry does not take"),
        "export the model with float32 or integer inputs and outputs");
  port.dtype = *dtype;
  return {};
}

}  // namespace

std::unexpected<base::Error> bad_model(std::string message) {
  return base::fail(base::Code::kInvalidInput, "onnx.bad_model", std::move(message),
                    "the file is corrupted, or no ONNX model; export it again");
}

bool is_default_domain(std::string_view domain) {
  return domain.empty() || domain == "ai.onnx";
}

base::Result<OpsetImport> read_opset(std::string_view message) {
  OpsetImport import;
  Reader reader(message);
  for (Field field; reader.next(field);) {
    if (field.key() == key(opset_field::kDomain, WireType::kBytes)) import.domain = field.bytes;
    if (field.key() == key(opset_field::kVersion, WireType::kVarint)) import.version = field.as_int64();
  }
  TRY(reader.status("an opset"));
  return import;
}

base::Result<std::pair<std::string, std::string>> read_entry(std::string_view message) {
  std::pair<std::string, std::string> entry;
  Reader reader(message);
  for (Field field; reader.next(field);) {
    if (field.key() == key(entry_field::kKey, WireType::kBytes)) entry.first = field.bytes;
    if (field.key() == key(entry_field::kValue, WireType::kBytes)) entry.second = field.bytes;
  }
  TRY(reader.status("an entry"));
  return entry;
}

base::Result<TensorParts> read_tensor(std::string_view message) {
  TensorParts parts;
  Reader reader(message);
  for (Field field; reader.next(field);) {
    switch (field.number) {
      case tensor_field::kDims: {
        const bool read = protobuf::each_element(field, WireType::kVarint, [&](std::uint64_t length) {
          parts.shape.push_back(static_cast<std::int64_t>(length));
          return parts.shape.size() <= kMostAxes;
        });
        if (!read) return bad_model("an initializer without proper shape");
        break;
      }
      case tensor_field::kDataType:
        parts.type = field.as_int64();
        break;
      case tensor_field::kName:
        parts.name = field.bytes;
        break;
      case tensor_field::kRawData:
        parts.raw = field.bytes;
        break;
      case tensor_field::kExternalData:
        TRY(read_external(field.bytes, parts));
        break;
      case tensor_field::kDataLocation:
        parts.is_external = field.value == 1;
        break;
      default:
        break;
    }
  }
  TRY(reader.status("an initializer"));
  return parts;
}

base::Result<std::string_view> sparse_name(std::string_view message) {
  Reader reader(message);
  std::string_view name;
  for (Field field; reader.next(field);) {
    if (field.key() != key(1, WireType::kBytes)) continue;  // SparseTensorProto.values
    TRY_ASSIGN(const TensorParts values, read_tensor(field.bytes));
    name = values.name;
  }
  TRY(reader.status("a sparse initializer"));
  return name;
}

base::Result<tensor::Tensor> tensor_of(const TensorParts& parts, tensor::DType dtype, base::Bytes bytes,
                                       const std::shared_ptr<const void>& owner) {
  TRY_ASSIGN(const std::uint64_t count, tensor::element_count(parts.shape));
  const std::size_t size = tensor::info(dtype).size;
  if (count * size != bytes.size())
    return bad_model(cat("initializer ", base::quoted(parts.name), " of shape ",
                         tensor::to_string(parts.shape), " has ", bytes.size(), " bytes"));
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % size == 0)
    return tensor::Tensor::borrow(dtype, parts.shape, bytes, owner);
  const auto copy = std::make_shared<std::vector<std::byte>>(bytes.begin(), bytes.end());
  return tensor::Tensor::borrow(dtype, parts.shape, *copy, copy);
}

base::Result<NodeParts> read_node(std::string_view message) {
  NodeParts node;
  Reader reader(message);
  for (Field field; reader.next(field);) {
    switch (field.key()) {
      case key(node_field::kInput, WireType::kBytes):
        node.inputs.push_back(field.bytes);
        break;
      case key(node_field::kOutput, WireType::kBytes):
        node.outputs.push_back(field.bytes);
        break;
      case key(node_field::kName, WireType::kBytes):
        node.name = field.bytes;
        break;
      case key(node_field::kOpType, WireType::kBytes):
        node.op = field.bytes;
        break;
      case key(node_field::kDomain, WireType::kBytes):
        node.domain = field.bytes;
        break;
      case key(node_field::kAttribute, WireType::kBytes):
        node.attributes.push_back(field.bytes);
        break;
      default:
        break;
    }
  }
  TRY(reader.status("a node"));
  return node;
}

base::Result<TextAttribute> read_text_attribute(std::string_view message) {
  TextAttribute attribute;
  Reader reader(message);
  for (Field field; reader.next(field);) {
    if (field.key() == key(attribute_field::kName, WireType::kBytes)) attribute.name = field.bytes;
    if (field.key() == key(attribute_field::kString, WireType::kBytes)) attribute.text = field.bytes;
  }
  TRY(reader.status("an attribute"));
  return attribute;
}

base::Result<ZipMap> read_zip_map(const NodeParts& node) {
  if (node.inputs.size() != 1 || node.outputs.size() != 1)
    return bad_model("a ZipMap without one input and output");
  ZipMap zip_map;
  for (const std::string_view attribute : node.attributes) {
    Reader reader(attribute);
    for (Field field; reader.next(field);) {
      if (field.key() == key(attribute_field::kStrings, WireType::kBytes))
        zip_map.labels.emplace_back(field.bytes);
      if (field.number != attribute_field::kInts) continue;
      const bool read = protobuf::each_element(field, WireType::kVarint, [&](std::uint64_t label) {
        zip_map.labels.push_back(cat(static_cast<std::int64_t>(label)));
        return true;
      });
      if (!read) return bad_model("a ZipMap without proper labels");
    }
    TRY(reader.status("an attribute"));
  }
  return zip_map;
}

Port probabilities(const ZipMap& zip_map, std::string name) {
  const auto count = static_cast<std::int64_t>(zip_map.labels.size());
  return {.name = std::move(name),
          .dtype = tensor::DType::kFloat32,
          .has_shape = true,
          .shape = {-1, count == 0 ? -1 : count},
          .dims = {"", ""},
          .labels = zip_map.labels};
}

base::Result<std::string_view> port_name(std::string_view message) {
  std::string_view name;
  Reader reader(message);
  for (Field field; reader.next(field);)
    if (field.key() == key(value_info_field::kName, WireType::kBytes)) name = field.bytes;
  TRY(reader.status("an input or output"));
  return name;
}

base::Result<PortParts> read_port(std::string_view message) {
  PortParts parts;
  std::string_view type;
  Reader reader(message);
  for (Field field; reader.next(field);) {
    if (field.key() == key(value_info_field::kName, WireType::kBytes)) parts.port.name = field.bytes;
    if (field.key() == key(value_info_field::kType, WireType::kBytes)) type = field.bytes;
  }
  TRY(reader.status("an input or output"));
  constexpr std::array<std::pair<std::uint32_t, std::string_view>, 4> kKinds{
      {{4, "a sequence"}, {5, "a map"}, {8, "a sparse tensor"}, {9, "an optional value"}}};
  parts.kind = "of no type";
  Reader kinds(type);
  for (Field field; kinds.next(field);) {
    if (field.key() == key(type_field::kTensor, WireType::kBytes)) {
      parts.is_tensor = true;
      TRY(read_tensor_type(field.bytes, parts.port));
    }
    const auto* kind = std::ranges::find(kKinds, field.number, [](const auto& row) { return row.first; });
    if (kind != kKinds.end()) parts.kind = kind->second;
  }
  TRY(kinds.status("a type"));
  return parts;
}

void write_port(const Port& port, protobuf::Writer& writer) {
  writer.bytes(value_info_field::kName, port.name);
  const std::size_t type = writer.begin(value_info_field::kType);
  const std::size_t tensor = writer.begin(type_field::kTensor);
  writer.int64(type_field::kElement, graph::onnx_dtype(port.dtype));
  const std::size_t shape = writer.begin(type_field::kShape);
  for (const std::int64_t length : port.shape) {
    const std::size_t dim = writer.begin(type_field::kDim);
    if (length >= 0) writer.int64(type_field::kDimValue, length);
    writer.end(dim);
  }
  writer.end(shape);
  writer.end(tensor);
  writer.end(type);
}

std::unexpected<base::Error> not_a_tensor(std::string_view what, const PortParts& port) {
  return base::fail(base::Code::kUnsupported, "onnx.not_a_tensor",
                    cat(what, " ", base::quoted(port.port.name), " is ", port.kind, ", not a tensor"),
                    "export the model with tensors only");
}

base::Status OperatorCensus::add_function(std::string_view message) {
  std::string_view name, domain;
  std::vector<std::string_view> nodes;
  Reader reader(message);
  for (Field field; reader.next(field);) {
    if (field.key() == key(function_field::kName, WireType::kBytes)) name = field.bytes;
    if (field.key() == key(function_field::kDomain, WireType::kBytes)) domain = field.bytes;
    if (field.key() == key(function_field::kNode, WireType::kBytes)) nodes.push_back(field.bytes);
  }
  TRY(reader.status("a function"));
  functions_.insert(cat(domain, "::", name));
  for (const std::string_view message_of_node : nodes) {
    TRY_ASSIGN(const NodeParts node, read_node(message_of_node));
    TRY(add(node, 0));
  }
  return {};
}

base::Status OperatorCensus::add(const NodeParts& node, int depth) {
  if (depth > kMostDepth) return bad_model(cat("graphs within graphs, more than ", kMostDepth, " deep"));
  if (node.op.empty()) return bad_model(cat("node ", base::quoted(node.name), " has no operator"));
  ++counts_[std::string(node.op)];
  uses_.insert(node.inputs.begin(), node.inputs.end());
  if (std::ranges::find(kDomains, node.domain) == kDomains.end()) {
    const std::string_view named = node.name.empty() && !node.outputs.empty() ? node.outputs[0] : node.name;
    other_.emplace(cat(node.domain, "::", node.op), named);
  }
  for (const std::string_view attribute : node.attributes) {
    Reader reader(attribute);
    for (Field field; reader.next(field);)
      if (field.type == WireType::kBytes &&
          (field.number == attribute_field::kGraph || field.number == attribute_field::kGraphs))
        TRY(add_graph(field.bytes, depth + 1));
    TRY(reader.status("an attribute"));
  }
  return {};
}

base::Status OperatorCensus::add_graph(std::string_view message, int depth) {
  Reader reader(message);
  for (Field field; reader.next(field);) {
    if (field.key() == key(graph_field::kNode, WireType::kBytes)) {
      TRY_ASSIGN(const NodeParts node, read_node(field.bytes));
      TRY(add(node, depth));
    } else if (field.key() == key(graph_field::kOutput, WireType::kBytes)) {
      Reader output(field.bytes);
      for (Field part; output.next(part);)
        if (part.key() == key(value_info_field::kName, WireType::kBytes)) uses_.insert(part.bytes);
    } else if (field.key() == key(graph_field::kInitializer, WireType::kBytes)) {
      TRY_ASSIGN(const TensorParts tensor, read_tensor(field.bytes));
      if (tensor.is_external)
        return base::fail(
            base::Code::kUnsupported, "onnx.external_data",
            cat("weight ", base::quoted(tensor.name), " of a graph within a node lies in another file"),
            "save the model in one file: onnx.save(onnx.load(FILE), 'one.onnx')");
    }
  }
  return reader.status("a graph within a node");
}

base::Status OperatorCensus::check() const {
  std::string list;
  for (const auto& [op, node] : other_) {
    if (functions_.contains(op)) continue;
    list += cat(list.empty() ? "" : ", ", op, node.empty() ? "" : cat(" (node ", base::quoted(node), ")"));
  }
  if (list.empty()) return {};
  return base::fail(base::Code::kUnsupported, "onnx.custom_operator",
                    cat("the model uses operators which ONNX does not define: ", list),
                    "export the model without custom operators");
}

}  // namespace wherry::onnx
