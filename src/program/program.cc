#include "program/program.h"

#include <algorithm>
#include <unordered_set>

#include "base/text.h"
#include "program/infer.h"
#include "program/rules.h"

namespace wherry::program {

using base::cat;

std::string_view name(const Op& op) {
  return std::visit([](const auto& o) { return o.kName; }, op);
}

std::int64_t width(const ValueType& type) {
  return type.shape.size() < 2 ? 1 : type.shape[1];
}

bool is_matrix(const ValueType& type) {
  return type.kind == ValueKind::kTensor && type.dtype == tensor::DType::kFloat64 && type.shape.size() == 2 &&
         type.shape[0] == -1 && type.shape[1] >= 0;
}

bool is_sparse(const ValueType& type) {
  return type.kind == ValueKind::kSparse;
}

bool admits(std::span<const std::int64_t> declared, std::span<const std::int64_t> lengths) {
  if (std::ranges::any_of(lengths, [](std::int64_t length) { return length < 0; })) return false;
  if (is_any_shape(declared)) return lengths.size() <= kMostAxes;
  return std::ranges::equal(declared, lengths, [](std::int64_t wanted, std::int64_t length) {
    return wanted == -1 || wanted == length;
  });
}

std::string to_string(const ValueType& type) {
  if (type.kind == ValueKind::kTuple) return "the results of a graph";
  return cat(type.kind == ValueKind::kTable ? "table"
             : is_sparse(type)              ? "sparse rows"
                                            : tensor::info(type.dtype).numpy_name,
             " ", is_any_shape(type.shape) ? "[…]" : tensor::to_string(type.shape));
}

namespace {

base::Status check_tensors(const Signature& signature) {
  if (signature.tensors.empty()) return {};
  if (!signature.columns.empty()) return invalid("input columns and input tensors");
  if (signature.tensors.size() > ProgramBuilder::kMostTensors)
    return invalid(cat("more than ", ProgramBuilder::kMostTensors, " input tensors"));
  std::unordered_set<std::string_view> names;
  for (const InputTensor& input : signature.tensors) {
    const std::string what = cat("input tensor ", base::quoted(input.name));
    if (input.name.empty() || !names.insert(input.name).second)
      return invalid(cat(what, " has no name of its own"));
    if (input.shape.size() > kMostAxes) return invalid(cat(what, " has more than ", kMostAxes, " axes"));
    if (!input.dims.empty() && input.dims.size() != input.shape.size())
      return invalid(cat(what, " has names for other axes"));
    const bool is_any = is_any_shape(input.shape);
    if (is_any && !input.dims.empty()) return invalid(cat(what, " has names for axes nobody knows"));
    if (!is_any && std::ranges::any_of(input.shape, [](std::int64_t length) { return length < -1; }))
      return invalid(cat(what, " has a negative length"));
    if (signature.batched && (input.shape.empty() || input.shape[0] != -1))
      return invalid(cat(what, " does not begin with the batch, but the model is batched"));
  }
  return {};
}

}  // namespace

ProgramBuilder::ProgramBuilder(Signature signature) {
  const auto columns = static_cast<std::int64_t>(signature.columns.size());
  program_.signature_ = std::move(signature);
  program_.types_.push_back({ValueKind::kTable, tensor::DType::kFloat64, {-1, columns}});
}

WeightId ProgramBuilder::weight(std::string name, tensor::Tensor tensor) {
  std::string unique = name;
  for (int i = 1; !weight_names_.insert(unique).second; ++i) unique = cat(name, ".", i);
  program_.weights_.push_back({std::move(unique), std::move(tensor)});
  return WeightId{static_cast<std::uint32_t>(program_.weights_.size() - 1)};
}

base::Result<ValueId> ProgramBuilder::add(Op op, std::vector<ValueId> inputs) {
  if (program_.nodes_.size() >= kMostNodes) return invalid(cat("more than ", kMostNodes, " operations"));
  TRY_ASSIGN(ValueType type, infer(op, inputs, program_));
  const auto output = static_cast<ValueId>(program_.types_.size());
  program_.types_.push_back(std::move(type));
  program_.nodes_.push_back({std::move(op), std::move(inputs), output});
  return output;
}

void ProgramBuilder::refine(std::size_t column, ColumnType type, bool required) {
  program_.signature_.columns[column].type = type;
  program_.signature_.columns[column].required = required;
}

base::Status ProgramBuilder::output(Output output) {
  if (output.name.empty() || output.values.empty()) return invalid("an output without name or value");
  for (const Output& other : program_.outputs_)
    if (other.name == output.name) return invalid(cat("two outputs named ", base::quoted(output.name)));
  for (ValueId value : output.values) {
    if (value >= program_.types_.size())
      return invalid(cat("output ", base::quoted(output.name), " is not defined"));
    const ValueType& type = program_.types_[value];
    if (is_sparse(type)) return invalid(cat("output ", base::quoted(output.name), " is sparse"));
    if (type.kind == ValueKind::kTuple)
      return invalid(cat("output ", base::quoted(output.name), " is a tuple"));
    if (!output.labels.empty() && output.values.size() == 1 && type.shape.size() == 2 &&
        width(type) != static_cast<std::int64_t>(output.labels.size()))
      return invalid(cat("output ", base::quoted(output.name), ": ", output.labels.size(), " labels for ",
                         width(type), " columns"));
  }
  program_.outputs_.push_back(std::move(output));
  return {};
}

base::Result<Program> ProgramBuilder::build() && {
  if (program_.outputs_.empty()) return invalid("no outputs");
  if (program_.signature_.columns.size() > kMostColumns)
    return invalid(cat("more than ", kMostColumns, " input columns"));
  TRY(check_tensors(program_.signature_));
  return std::move(program_);
}

base::Result<Program> with_weights(const Program& program,
                                   std::vector<std::pair<WeightId, tensor::Tensor>> replaced) {
  std::vector<Weight> weights(program.weights().begin(), program.weights().end());
  for (auto& [id, tensor] : replaced) weights[id.index].tensor = std::move(tensor);
  ProgramBuilder builder(program.signature());
  for (Weight& weight : weights) builder.weight(std::move(weight.name), std::move(weight.tensor));
  for (const Node& node : program.nodes()) TRY(builder.add(node.op, node.inputs));
  for (const Output& output : program.outputs()) TRY(builder.output(output));
  return std::move(builder).build();
}

}  // namespace wherry::program
