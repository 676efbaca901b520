#include "import/deep/deep.h"

#include <algorithm>
#include <map>
#include <memory>

#include "base/text.h"

namespace wherry::deep {
namespace {

using base::cat;
using base::Code;
using graph::Graph;

// Lengths of one symbol get one name; those without a name of their own only where that says something.
std::string dim_name(const Graph& graph, graph::Dim dim, const std::map<std::uint32_t, std::size_t>& uses) {
  if (dim.known()) return "";
  if (dim.symbol < graph.symbols.size() && !graph.symbols[dim.symbol].empty())
    return graph.symbols[dim.symbol];
  return uses.at(dim.symbol) > 1 ? cat("length", dim.symbol) : "";
}

base::Result<std::vector<Port>> ports_of(const Graph& graph, const std::vector<graph::NamedValue>& values,
                                         std::string_view what) {
  std::map<std::uint32_t, std::size_t> uses;
  for (const graph::NamedValue& named : values)
    for (const graph::Dim dim : graph.values[named.value].type.dims) ++uses[dim.symbol];
  std::vector<Port> ports;
  for (const graph::NamedValue& named : values) {
    const graph::Type& type = graph.values[named.value].type;
    if (type.rank() > program::kMostAxes)
      return base::fail(Code::kUnsupported, "deep.too_many_axes",
                        cat(what, " ", base::quoted(named.name), " has ", type.rank(), " axes, more than ",
                            program::kMostAxes),
                        "reshape it in the model");
    Port port{named.name, type.dtype, {}, {}, {}};
    if (!type.ranked) port.shape = {program::kAnyAxes};
    for (const graph::Dim dim : type.dims) {
      port.shape.push_back(dim.known() ? dim.number : -1);
      port.dims.push_back(dim_name(graph, dim, uses));
    }
    ports.push_back(std::move(port));
  }
  return ports;
}

bool begins_with_a_free_length(const Port& port) {
  return !port.shape.empty() && port.shape[0] == -1;
}

bool may_begin_with_a_free_length(const Port& port) {
  return begins_with_a_free_length(port) || program::is_any_shape(port.shape);
}

void count_operations(const graph::Block& block, std::map<std::string, std::int64_t>& counts) {
  for (const graph::Node& node : block.nodes) {
    ++counts[node.op];
    for (const graph::Attribute& attribute : node.attributes)
      if (const auto* body = std::get_if<std::shared_ptr<const graph::Block>>(&attribute.value))
        count_operations(**body, counts);
  }
}

tensor::Tensor bytes_of(std::string text) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  const base::Bytes bytes = base::as_bytes(*owner);
  return *tensor::Tensor::borrow(tensor::DType::kUint8, {static_cast<std::int64_t>(bytes.size())}, bytes,
                                 std::move(owner));
}

}  // namespace

base::Result<Network> network_of(const Graph& graph) {
  Network network;
  TRY_ASSIGN(network.inputs, ports_of(graph, graph.inputs, "input"));
  TRY_ASSIGN(network.outputs, ports_of(graph, graph.outputs, "output"));
  network.model = onnx::write_model(graph);
  return network;
}

base::Result<program::Program> program_of(Network network) {
  program::Signature signature;
  signature.has_names = true;
  for (const Port& port : network.inputs) {
    std::vector<std::string> dims = port.dims;
    if (std::ranges::all_of(dims, &std::string::empty)) dims.clear();
    signature.tensors.push_back({port.name, port.dtype, port.shape, std::move(dims)});
  }
  signature.batched = std::ranges::all_of(network.inputs, begins_with_a_free_length) &&
                      std::ranges::all_of(network.outputs, may_begin_with_a_free_length);
  program::ProgramBuilder builder(std::move(signature));
  program::OnnxGraph graph;
  graph.model = builder.weight("model", bytes_of(std::move(network.model.proto)));
  for (onnx::Initializer& weight : network.model.weights) {
    const program::WeightId id = builder.weight(weight.name, std::move(weight.tensor));
    graph.weights.push_back({std::move(weight.name), id});
  }
  for (const Port& port : network.outputs) graph.results.push_back({port.name, port.dtype, port.shape});
  std::vector<program::ValueId> inputs;
  for (std::size_t i = 0; i < network.inputs.size(); ++i) {
    TRY_ASSIGN(const program::ValueId input,
               builder.add(program::TensorInput{static_cast<std::int64_t>(i)}, {}));
    graph.input_names.push_back(network.inputs[i].name);
    inputs.push_back(input);
  }
  TRY_ASSIGN(const program::ValueId tuple, builder.add(std::move(graph), std::move(inputs)));
  for (std::size_t i = 0; i < network.outputs.size(); ++i) {
    TRY_ASSIGN(const program::ValueId value,
               builder.add(program::GraphOutput{static_cast<std::int64_t>(i)}, {tuple}));
    TRY(builder.output({network.outputs[i].name, {value}, std::move(network.outputs[i].labels)}));
  }
  return std::move(builder).build();
}

base::Result<program::Program> program_of(const Graph& graph) {
  TRY_ASSIGN(Network network, network_of(graph));
  return program_of(std::move(network));
}

void describe(const Graph& graph, program::Provenance& provenance) {
  std::size_t weights = 0;
  for (const graph::Value& value : graph.values)
    if (value.constant) weights += value.constant->size();
  std::map<std::string, std::int64_t> counts;
  count_operations(graph.body, counts);
  std::int64_t all = 0;
  for (const auto& [op, count] : counts) all += count;
  provenance.estimators.push_back(
      {0, "", "neural network", cat(weights, " weights, ", all, all == 1 ? " operation" : " operations")});
  std::vector<std::pair<std::string, std::int64_t>> order(counts.begin(), counts.end());
  std::ranges::stable_sort(order, std::ranges::greater{}, [](const auto& row) { return row.second; });
  constexpr std::size_t kMostShown = 12;
  for (std::size_t i = 0; i < std::min(kMostShown, order.size()); ++i)
    provenance.estimators.push_back({1, "", order[i].first, cat(order[i].second)});
}

}  // namespace wherry::deep
