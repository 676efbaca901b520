#include "onnx/write.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <set>

#include "protobuf/onnx_fields.h"
#include "protobuf/wire.h"

#include "base/text.h"

namespace wherry::onnx {

using namespace protobuf::onnx;  // numbers of fields
namespace {

using graph::Block;
using graph::Graph;
using graph::Node;
using graph::Type;
using graph::ValueId;
using protobuf::Writer;
using tensor::Tensor;

constexpr std::int64_t kIrVersion = 9;

void write_entry(Writer& writer, std::uint32_t field, std::string_view key, std::string_view value) {
  const std::size_t mark = writer.begin(field);
  writer.bytes(entry_field::kKey, key);
  writer.bytes(entry_field::kValue, value);
  writer.end(mark);
}

// Name, type and sizes; the elements follow.
void write_tensor_head(Writer& writer, const Tensor& tensor, std::string_view name) {
  for (const std::int64_t length : tensor.shape()) writer.int64(tensor_field::kDims, length);
  writer.int64(tensor_field::kDataType, graph::onnx_dtype(tensor.dtype()));
  writer.text_unless_empty(tensor_field::kName, name);
}

void write_tensor(Writer& writer, const Tensor& tensor, std::string_view name) {
  write_tensor_head(writer, tensor, name);
  if (tensor.dtype() == tensor::DType::kString)
    for (const std::string& text : tensor.as_strings()) writer.bytes(tensor_field::kStringData, text);
  else
    writer.bytes(tensor_field::kRawData, base::as_text(tensor.bytes()));
}

bool stays_inline(const Tensor& tensor) {
  return tensor.dtype() == tensor::DType::kString || tensor.bytes().size() <= kInlineBytes;
}

// Operators whose unused outputs cost time when they are asked for.
bool may_omit_outputs(const Node& node) {
  static constexpr std::string_view kOps[] = {"LSTM", "GRU", "RNN", "MaxPool", "Dropout"};
  return node.domain.empty() && std::ranges::find(kOps, node.op) != std::end(kOps);
}

class ModelWriter {
 public:
  explicit ModelWriter(const Graph& graph) : graph_(graph) {
    for (const auto* list : {&graph.inputs, &graph.outputs})
      for (const graph::NamedValue& named : *list) taken_.insert(named.name);
    for (const graph::NamedValue& input : graph.inputs) names_[input.value] = input.name;
    for (const Node& node : graph.body.nodes)
      for (const ValueId id : node.outputs)
        if (graph.values[id].name.empty()) made_.insert(id);
    for (const graph::NamedValue& output : graph.outputs)
      if (made_.contains(output.value) && !names_.contains(output.value)) names_[output.value] = output.name;
    count_uses(graph.body);
  }

  Model write(std::string_view producer_version) {
    Model model;
    Writer writer(model.proto);
    writer.int64(model_field::kIrVersion, kIrVersion);
    writer.bytes(model_field::kProducerName, "wherry");
    writer.text_unless_empty(model_field::kProducerVersion, producer_version);
    const std::size_t mark = writer.begin(model_field::kGraph);
    writer.bytes(graph_field::kName, "model");
    write_nodes(writer, graph_.body);
    for (const graph::NamedValue& output : graph_.outputs)
      if (names_[output.value] != output.name) write_copy(writer, name(output.value), output.name);
    write_initializers(writer, model.weights);
    for (const graph::NamedValue& input : graph_.inputs)
      write_value_info(writer, graph_field::kInput, input.name, graph_.values[input.value].type, true);
    for (const graph::NamedValue& output : graph_.outputs)
      write_value_info(writer, graph_field::kOutput, output.name, graph_.values[output.value].type, true);
    writer.end(mark);
    write_opset(writer, "", graph::kOpset);
    if (uses_own_) write_opset(writer, graph::kOwnDomain, graph::kOwnOpset);
    if (uses_ml_) write_opset(writer, graph::kMlDomain, graph::kMlOpset);
    return model;
  }

 private:
  static void write_opset(Writer& writer, std::string_view domain, std::int64_t version) {
    const std::size_t mark = writer.begin(model_field::kOpsetImport);
    writer.text_unless_empty(opset_field::kDomain, domain);
    writer.int64(opset_field::kVersion, version);
    writer.end(mark);
  }

  void count_uses(const Block& block) {
    for (const ValueId id : block.outputs) used_.insert(id);
    for (const Node& node : block.nodes) {
      for (const ValueId id : node.inputs) used_.insert(id);
      for (const graph::Attribute& attribute : node.attributes)
        if (const auto* inner = std::get_if<std::shared_ptr<const Block>>(&attribute.value))
          count_uses(**inner);
    }
  }

  const std::string& name(ValueId id) {
    std::string& name = names_[id];
    if (!name.empty()) return name;
    const bool constant = graph_.values[id].constant.has_value();
    if (constant) weights_.push_back(id);
    name = base::cat(constant ? "w" : "v", id);
    while (taken_.contains(name)) name += "_";
    taken_.insert(name);
    return name;
  }

  void write_copy(Writer& writer, const std::string& from, std::string_view to) {
    const std::size_t mark = writer.begin(graph_field::kNode);
    writer.bytes(node_field::kInput, from);
    writer.bytes(node_field::kOutput, to);
    writer.bytes(node_field::kOpType, "Identity");
    writer.end(mark);
  }

  void write_nodes(Writer& writer, const Block& block) {
    for (const Node& node : block.nodes) {
      const std::size_t mark = writer.begin(graph_field::kNode);
      for (const ValueId id : node.inputs)
        writer.bytes(node_field::kInput,
                     id == graph::kNone ? std::string_view() : std::string_view(name(id)));
      std::size_t outputs = node.outputs.size();
      const bool omits = may_omit_outputs(node);
      while (omits && outputs > 1 && !used_.contains(node.outputs[outputs - 1])) --outputs;
      for (std::size_t k = 0; k < outputs; ++k) {
        const bool nobody = omits && !used_.contains(node.outputs[k]);
        writer.bytes(node_field::kOutput,
                     nobody ? std::string_view() : std::string_view(name(node.outputs[k])));
      }
      if (!node.source.empty())
        writer.bytes(node_field::kName, base::cat(node.source, "/", node.op, "_", ++nodes_));
      writer.bytes(node_field::kOpType, node.op);
      for (const graph::Attribute& attribute : node.attributes) write_attribute(writer, attribute);
      writer.text_unless_empty(node_field::kDomain, node.domain);
      uses_ml_ = uses_ml_ || node.domain == graph::kMlDomain;
      uses_own_ = uses_own_ || node.domain == graph::kOwnDomain;
      writer.end(mark);
    }
  }

  void write_attribute(Writer& writer, const graph::Attribute& attribute) {
    const std::size_t mark = writer.begin(node_field::kAttribute);
    writer.bytes(attribute_field::kName, attribute.name);
    std::visit([&](const auto& value) { write_value(writer, value); }, attribute.value);
    writer.end(mark);
  }
  static void write_type(Writer& writer, std::uint64_t type) { writer.varint(attribute_field::kType, type); }
  static void write_value(Writer& writer, std::int64_t value) {
    writer.int64(attribute_field::kInt, value);
    write_type(writer, attribute_type::kInt);
  }
  static void write_value(Writer& writer, float value) {
    writer.fixed32(attribute_field::kFloat, std::bit_cast<std::uint32_t>(value));
    write_type(writer, attribute_type::kFloat);
  }
  static void write_value(Writer& writer, const std::string& value) {
    writer.bytes(attribute_field::kString, value);
    write_type(writer, attribute_type::kString);
  }
  static void write_value(Writer& writer, const std::vector<std::int64_t>& values) {
    for (const std::int64_t value : values) writer.int64(attribute_field::kInts, value);
    write_type(writer, attribute_type::kInts);
  }
  static void write_value(Writer& writer, const std::vector<float>& values) {
    for (const float value : values)
      writer.fixed32(attribute_field::kFloats, std::bit_cast<std::uint32_t>(value));
    write_type(writer, attribute_type::kFloats);
  }
  static void write_value(Writer& writer, const std::vector<std::string>& values) {
    for (const std::string& value : values) writer.bytes(attribute_field::kStrings, value);
    write_type(writer, attribute_type::kStrings);
  }
  static void write_value(Writer& writer, const Tensor& value) {
    const std::size_t mark = writer.begin(attribute_field::kTensor);
    write_tensor(writer, value, {});
    writer.end(mark);
    write_type(writer, attribute_type::kTensor);
  }
  void write_value(Writer& writer, const std::shared_ptr<const Block>& block) {
    const std::size_t mark = writer.begin(attribute_field::kGraph);
    write_block(writer, *block);
    writer.end(mark);
    write_type(writer, attribute_type::kGraph);
  }

  // What a block gives must be made in it, each by a name of its own. Its shapes are left to the runtime:
  // those of an If's two outputs may differ.
  void write_block(Writer& writer, const Block& block) {
    writer.bytes(graph_field::kName, base::cat("block", ++blocks_));
    write_nodes(writer, block);
    std::set<ValueId> own;
    for (const Node& node : block.nodes) own.insert(node.outputs.begin(), node.outputs.end());
    for (const ValueId id : block.inputs)
      write_value_info(writer, graph_field::kInput, name(id), graph_.values[id].type, true);
    for (const ValueId id : block.outputs) {
      std::string given = name(id);
      if (own.erase(id) == 0) {
        given = base::cat("copy", ++copies_);
        while (!taken_.insert(given).second) given += "_";
        write_copy(writer, name(id), given);
      }
      write_value_info(writer, graph_field::kOutput, given, graph_.values[id].type, false);
    }
  }

  void write_value_info(Writer& writer, std::uint32_t field, std::string_view name, const Type& type,
                        bool with_shape) {
    const std::size_t info = writer.begin(field);
    writer.bytes(value_info_field::kName, name);
    const std::size_t kind = writer.begin(value_info_field::kType);
    const std::size_t mark = writer.begin(type_field::kTensor);
    writer.int64(type_field::kElement, graph::onnx_dtype(type.dtype));
    if (with_shape && type.ranked) {
      const std::size_t shape = writer.begin(type_field::kShape);
      for (const graph::Dim& dim : type.dims) {
        const std::size_t each = writer.begin(type_field::kDim);
        if (dim.known())
          writer.int64(type_field::kDimValue, dim.number);
        else
          writer.text_unless_empty(type_field::kDimParam, graph_.symbols[dim.symbol]);
        writer.end(each);
      }
      writer.end(shape);
    }
    writer.end(mark);
    writer.end(kind);
    writer.end(info);
  }

  void write_initializers(Writer& writer, std::vector<Initializer>& beside) {
    for (const ValueId id : weights_) {
      const Tensor& tensor = *graph_.values[id].constant;
      const std::size_t mark = writer.begin(graph_field::kInitializer);
      if (stays_inline(tensor)) {
        write_tensor(writer, tensor, names_[id]);
      } else {
        write_tensor_head(writer, tensor, names_[id]);
        write_entry(writer, tensor_field::kExternalData, "location", kBeside);
        writer.int64(tensor_field::kDataLocation, 1);
        beside.push_back({names_[id], tensor});
      }
      writer.end(mark);
    }
  }

  const Graph& graph_;
  std::map<ValueId, std::string> names_;
  std::set<std::string, std::less<>> taken_;
  std::set<ValueId> made_;
  std::set<ValueId> used_;
  std::vector<ValueId> weights_;  // constants that are used, in order of first use
  std::size_t nodes_ = 0;
  std::size_t blocks_ = 0;
  std::size_t copies_ = 0;
  bool uses_ml_ = false;
  bool uses_own_ = false;
};

}  // namespace

Model write_model(const Graph& graph, std::string_view producer_version) {
  return ModelWriter(graph).write(producer_version);
}

}  // namespace wherry::onnx
