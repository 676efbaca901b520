#include "program/infer.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "program/rules.h"

namespace wherry::program {
namespace {

using base::cat;

// How many values the index made by the node that defines `value` can take. Each node defines one value,
// after the input.
std::int64_t index_range(const Program& program, ValueId value) {
  if (value == ProgramBuilder::kInput) return INT64_MAX;
  const Node& node = program.nodes()[value - 1];
  if (std::holds_alternative<Above>(node.op)) return 2;
  if (const auto* nearest = std::get_if<NearestCode>(&node.op))
    return program.weight(nearest->codes).shape()[0];
  if (const auto* votes = std::get_if<PairWinner>(&node.op)) return votes->classes;
  if (const auto* tree = std::get_if<CenterTree>(&node.op)) return tree->labels;
  return std::holds_alternative<Argmax>(node.op) ? width(program.types()[node.inputs[0]]) : INT64_MAX;
}

// The graph whose tuple `value` is, or null.
const OnnxGraph* graph_of(const Program& program, ValueId value) {
  return value == ProgramBuilder::kInput ? nullptr : std::get_if<OnnxGraph>(&program.nodes()[value - 1].op);
}

bool is_graph_op(const Op& op) {
  return std::holds_alternative<TensorInput>(op) || std::holds_alternative<OnnxGraph>(op) ||
         std::holds_alternative<GraphOutput>(op);
}

}  // namespace

base::Result<ValueType> infer(const Op& op, std::span<const ValueId> inputs, const Program& program) {
  std::vector<ValueType> types;
  for (ValueId input : inputs) {
    if (input >= program.types().size())
      return invalid(cat(name(op), ": uses a value which is not defined yet"));
    types.push_back(program.types()[input]);
  }
  if (program.signature().takes_tensors() && !is_graph_op(op)) {
    if (!program.signature().batched && !types.empty())
      return invalid(cat(name(op), ": the model is not batched"));
    if (!std::ranges::all_of(types, is_rows)) return invalid(cat(name(op), ": an input is not made of rows"));
  }
  Operands operands{types, program};
  if (std::holds_alternative<TakeLabels>(op) && inputs.size() == 1)
    operands.index_range = index_range(program, inputs[0]);
  if (inputs.size() == 1) operands.graph = graph_of(program, inputs[0]);
  auto type = std::visit([&](const auto& o) { return type_of(o, operands); }, op);
  if (!type) type.error().message = cat(name(op), ": ", type.error().message);
  return type;
}

}  // namespace wherry::program
