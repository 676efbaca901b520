#include "runtime/prune.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <vector>

#include "protobuf/onnx_fields.h"
#include "protobuf/wire.h"

namespace wherry::runtime {
namespace {

using namespace protobuf::onnx;
using protobuf::Field;
using protobuf::key;
using protobuf::Reader;
using protobuf::WireType;
using protobuf::Writer;

constexpr int kMostDepth = 64;

// Operators for whose sake it is worth to keep a second session.
constexpr std::array<std::string_view, 20> kDear{"Attention",
                                                 "Conv",
                                                 "ConvInteger",
                                                 "ConvTranspose",
                                                 "Einsum",
                                                 "GRU",
                                                 "Gemm",
                                                 "GridSample",
                                                 "If",
                                                 "LSTM",
                                                 "Loop",
                                                 "MatMul",
                                                 "MatMulInteger",
                                                 "NonMaxSuppression",
                                                 "QLinearConv",
                                                 "QLinearMatMul",
                                                 "RNN",
                                                 "Resize",
                                                 "Scan",
                                                 "TreeEnsembleClassifier"};

struct Node {
  std::string_view message, op;
  std::vector<std::string_view> inputs, outputs;  // inputs: of graphs within it too
  bool is_needed = false;
};

void read_node(std::string_view message, Node& node, int depth);

// What a graph within a node takes from outside, and more: names of its own are of no other value.
void read_block(std::string_view message, Node& node, int depth) {
  Reader reader(message);
  for (Field field; reader.next(field);) {
    if (field.key() == key(graph_field::kNode, WireType::kBytes)) {
      Node inner;
      read_node(field.bytes, inner, depth + 1);
      node.inputs.insert(node.inputs.end(), inner.inputs.begin(), inner.inputs.end());
    } else if (field.key() == key(graph_field::kOutput, WireType::kBytes)) {
      Reader output(field.bytes);
      for (Field part; output.next(part);)
        if (part.key() == key(value_info_field::kName, WireType::kBytes)) node.inputs.push_back(part.bytes);
    }
  }
}

void read_node(std::string_view message, Node& node, int depth) {
  node.message = message;
  Reader reader(message);
  for (Field field; reader.next(field);) {
    if (field.type != WireType::kBytes) continue;
    if (field.number == node_field::kInput) node.inputs.push_back(field.bytes);
    if (field.number == node_field::kOutput) node.outputs.push_back(field.bytes);
    if (field.number == node_field::kOpType) node.op = field.bytes;
    if (field.number != node_field::kAttribute || depth > kMostDepth) continue;
    Reader attribute(field.bytes);
    for (Field part; attribute.next(part);)
      if (part.type == WireType::kBytes &&
          (part.number == attribute_field::kGraph || part.number == attribute_field::kGraphs))
        read_block(part.bytes, node, depth);
  }
}

std::string_view name_in(std::string_view message, std::uint32_t field_number) {
  std::string_view name;
  Reader reader(message);
  for (Field field; reader.next(field);)
    if (field.key() == key(field_number, WireType::kBytes)) name = field.bytes;
  return name;
}

class Graph {
 public:
  explicit Graph(std::string_view message) : message_(message) {
    Reader reader(message);
    for (Field field; reader.next(field);)
      if (field.key() == key(graph_field::kNode, WireType::kBytes))
        read_node(field.bytes, nodes_.emplace_back(), 0);
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      for (const std::string_view output : nodes_[i].outputs) maker_.emplace(output, i);
  }

  void need(std::span<const std::string_view> outputs) {
    std::vector<std::string_view> open(outputs.begin(), outputs.end());
    outputs_.insert(outputs.begin(), outputs.end());
    while (!open.empty()) {
      const std::string_view name = open.back();
      open.pop_back();
      if (name.empty() || !values_.insert(name).second) continue;
      const auto made = maker_.find(name);
      if (made == maker_.end() || nodes_[made->second].is_needed) continue;
      nodes_[made->second].is_needed = true;
      const auto& inputs = nodes_[made->second].inputs;
      open.insert(open.end(), inputs.begin(), inputs.end());
    }
  }

  bool leaves_out_much() const {
    return std::ranges::any_of(nodes_, [](const Node& node) {
      return !node.is_needed && std::ranges::find(kDear, node.op) != kDear.end();
    });
  }

  void write(Writer& writer) const {
    std::size_t next = 0;
    Reader reader(message_);
    for (Field field; reader.next(field);) {
      if (field.type != WireType::kBytes || !stays(field, next)) continue;
      writer.bytes(field.number, field.bytes);
    }
  }

  std::unordered_set<std::string_view> take_values() && { return std::move(values_); }

 private:
  bool stays(const Field& field, std::size_t& next) const {
    switch (field.number) {
      case graph_field::kNode:
        return nodes_[next++].is_needed;
      case graph_field::kOutput:
        return outputs_.contains(name_in(field.bytes, value_info_field::kName));
      case graph_field::kInitializer:
        return values_.contains(name_in(field.bytes, tensor_field::kName));
      case graph_field::kValueInfo:
        return values_.contains(name_in(field.bytes, value_info_field::kName));
      case graph_field::kQuantization:  // of values which may be gone; nobody reads them
        return false;
      default:
        return true;
    }
  }

  std::string_view message_;
  std::vector<Node> nodes_;
  std::unordered_map<std::string_view, std::size_t> maker_;
  std::unordered_set<std::string_view> values_, outputs_;
};

}  // namespace

std::optional<Pruned> prune(base::Bytes model, std::span<const std::string_view> outputs) {
  Pruned pruned;
  Writer writer(pruned.proto);
  Reader reader(base::as_text(model));
  for (Field field; reader.next(field);) {
    if (field.key() != key(model_field::kGraph, WireType::kBytes)) {
      if (field.type == WireType::kBytes) writer.bytes(field.number, field.bytes);
      if (field.type == WireType::kVarint) writer.varint(field.number, field.value);
      continue;
    }
    Graph graph(field.bytes);
    graph.need(outputs);
    if (!graph.leaves_out_much()) return std::nullopt;
    const std::size_t mark = writer.begin(model_field::kGraph);
    graph.write(writer);
    writer.end(mark);
    pruned.values = std::move(graph).take_values();
  }
  if (reader.failed() || pruned.values.empty()) return std::nullopt;
  return pruned;
}

}  // namespace wherry::runtime
