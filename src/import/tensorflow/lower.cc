#include "import/tensorflow/lower.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/text.h"
#include "import/tensorflow/types.h"

namespace wherry::tensorflow {
namespace {

using base::cat;
using base::Result;
using base::Status;

constexpr std::size_t kDeepestBodies = 30;

// Functions which a node runs by itself, beside calls.
std::vector<std::string_view> bodies(const NodeDef& node) {
  std::vector<std::string_view> names = node.attributes.functions("branches");
  for (const std::string_view attribute : {"cond", "body", "then_branch", "else_branch"})
    if (const auto name = node.attributes.function(attribute)) names.push_back(*name);
  return names;
}

}  // namespace

const OpRow* find_row(std::string_view op) {
  static const auto kByName = [] {
    std::unordered_map<std::string_view, const OpRow*> rows;
    for (const auto table :
         {control_rows(), convolution_rows(), elementwise_rows(), image_rows(), indexing_rows(), list_rows(),
          matrix_rows(), normalization_rows(), pooling_rows(), reduction_rows(), segment_rows(), shape_rows(),
          state_rows(), string_rows(), text_rows()})
      for (const OpRow& row : table) rows.emplace(row.op, &row);
    return rows;
  }();
  const auto found = kByName.find(op);
  return found == kByName.end() ? nullptr : found->second;
}

Op::Op(Lowering& all, const Flat::Node& node, std::span<const Item> inputs, std::vector<Item>& outputs)
    : lowering(all), b(all.builder()), def(*node.def), inputs_(inputs), outputs_(outputs) {}

const Item& Op::item(std::size_t i) {
  static const Item kNothing;
  if (i < inputs_.size()) return inputs_[i];
  if (!failed())
    b.fail(base::fail(base::Code::kInvalidInput, "tensorflow.bad_model",
                      cat("node ", base::quoted(def.name), " (", def.op, ") has too few inputs"),
                      "the file is damaged; save the model again or copy the whole folder again")
               .error());
  return kNothing;
}

ValueId Op::in(std::size_t i) {
  const Item& found = item(i);
  if (const ValueId* value = std::get_if<ValueId>(&found)) return *value;
  // A TF1 variable is read by being used.
  if (const Handle* handle = std::get_if<Handle>(&found)) {
    auto value = lowering.variable(handle->place);
    if (value) return *value;
    b.fail(std::move(value).error());
  }
  if (!failed()) refuse(cat("input ", i, " is no tensor"));
  return kNone;
}

ValueId Op::index(std::size_t i) {
  return graph::cast(b, in(i), DType::kInt64);
}

void Op::item_out(Item item, std::size_t i) {
  if (outputs_.size() <= i) outputs_.resize(i + 1);
  outputs_[i] = std::move(item);
}

DType Op::type(std::string_view attribute, DType otherwise) {
  const auto type = def.attributes.integer(attribute);
  if (!type) return otherwise;
  if (const auto dtype = to_dtype(*type)) return *dtype;
  refuse(cat("a tensor of ", type_name(*type)));
  return otherwise;
}

std::optional<Ints> Op::maybe_known(std::size_t i) {
  constexpr std::size_t kMost = 1 << 20;
  if (const tensor::Tensor* constant = b.constant(in(i)); constant != nullptr && constant->size() <= kMost) {
    if (constant->dtype() == DType::kInt32) {
      const auto numbers = constant->as<std::int32_t>();
      return Ints(numbers.begin(), numbers.end());
    }
    if (constant->dtype() == DType::kInt64) {
      const auto numbers = constant->as<std::int64_t>();
      return Ints(numbers.begin(), numbers.end());
    }
  }
  const auto elements = b.elements(in(i));
  if (!elements) return std::nullopt;
  Ints numbers;
  for (const graph::Dim& each : *elements) {
    if (!each.known()) return std::nullopt;
    numbers.push_back(each.number);
  }
  return numbers;
}

Ints Op::known(std::size_t i) {
  if (auto numbers = maybe_known(i)) return *std::move(numbers);
  if (!failed()) refuse(cat("input ", i, " is computed at run time"));
  return {};
}

int Op::rank(ValueId value) {
  const int rank = b.rank(value);
  if (rank < 0 && !failed()) refuse("the number of axes of its input is unknown");
  return std::max(rank, 0);
}

void Op::refuse(std::string_view reason) {
  b.fail(base::fail(base::Code::kUnsupported, "tensorflow.unsupported_use",
                    cat("node ", base::quoted(def.name), " (", def.op, "): ", reason),
                    "change the model so that it does without, or save its Keras form (.keras)")
             .error());
}

bool Op::failed() const {
  return !b.status().has_value();
}

Result<const Flat*> Lowering::flat_function(std::string_view name) {
  if (const auto known = functions_.find(name); known != functions_.end()) return &known->second->flat;
  TRY_ASSIGN(const FunctionDef* function, model_.function(name));
  auto made = std::make_unique<Function>();
  made->tree = std::make_unique<CallTree>(model_, *function);
  TRY_ASSIGN(made->flat, made->tree->flatten());
  return &functions_.emplace(std::string(name), std::move(made)).first->second->flat;
}

Result<ValueId> Lowering::variable(NodePlace handle) {
  if (const auto known = variables_.find(handle); known != variables_.end()) return known->second;
  TRY_ASSIGN(tensor::Tensor read, resources_.variable(handle));
  const ValueId value = builder_.constant(std::move(read));
  variables_[handle] = value;
  return value;
}

std::vector<Item> Lowering::run(const Flat& flat, std::span<const Item> arguments) {
  if (arguments.size() < flat.arguments) {
    builder_.fail(base::fail(base::Code::kInvalidInput, "tensorflow.bad_model",
                             "a function is called with too few arguments", "the file is damaged")
                      .error());
    return std::vector<Item>(flat.outputs.size());
  }
  std::vector<std::vector<Item>> results(flat.nodes.size());
  const auto get = [&](const Flat::Ref& ref) -> Item {
    if (ref.node < 0) return arguments[ref.output];
    const auto& outputs = results[static_cast<std::size_t>(ref.node)];
    return ref.output < outputs.size() ? outputs[ref.output] : Item();
  };
  std::vector<Item> inputs;
  for (std::size_t i = 0; i < flat.nodes.size() && builder_.status().has_value(); ++i) {
    const Flat::Node& node = flat.nodes[i];
    inputs.clear();
    for (const Flat::Ref& ref : node.inputs) inputs.push_back(get(ref));
    builder_.source(std::string(node.def->name));
    const std::string_view op = node.def->op;
    if (op == "VarHandleOp" || op == "VariableV2" || op == "Variable" || op.starts_with("HashTable")) {
      results[i] = {Handle{{node.place.frame, node.place.node}}};
      continue;
    }
    const OpRow* row = find_row(op);
    if (row == nullptr) {
      builder_.fail(
          base::fail(base::Code::kUnsupported, "tensorflow.unsupported_op", cat("no ", op)).error());
      break;
    }
    Op lowered(*this, node, inputs, results[i]);
    row->lower(lowered);
  }
  std::vector<Item> outputs;
  for (const Flat::Ref& ref : flat.outputs) outputs.push_back(get(ref));
  return outputs;
}

Status Lowering::collect(const Flat& flat, std::map<std::string, std::string>& missing,
                         std::set<std::string>& visited) {
  if (running_.size() > kDeepestBodies)
    return base::fail(base::Code::kInvalidInput, "tensorflow.recursive",
                      cat("function ", base::quoted(running_.back()), " runs itself"),
                      "recursive functions cannot be served");
  for (const Flat::Node& node : flat.nodes) {
    const std::string_view op = node.def->op;
    const bool known = op == "VarHandleOp" || op == "VariableV2" || op == "Variable" ||
                       op.starts_with("HashTable") || find_row(op) != nullptr;
    if (!known) missing.emplace(op, node.def->name);
    for (const std::string_view body : bodies(*node.def)) {
      if (std::ranges::find(running_, body) != running_.end())
        return base::fail(base::Code::kInvalidInput, "tensorflow.recursive",
                          cat("function ", base::quoted(body), " runs itself"),
                          "recursive functions cannot be served");
      if (!visited.insert(std::string(body)).second) continue;
      TRY_ASSIGN(const Flat* inner, flat_function(body));
      running_.emplace_back(body);
      TRY(collect(*inner, missing, visited));
      running_.pop_back();
    }
  }
  return {};
}

Result<std::vector<std::string>> Lowering::missing(const Flat& flat) {
  std::map<std::string, std::string> found;
  std::set<std::string> visited;
  TRY(collect(flat, found, visited));
  std::vector<std::string> kinds;
  for (const auto& [op, node] : found) kinds.push_back(op);
  return kinds;
}

Status Lowering::check(const Flat& flat) {
  std::map<std::string, std::string> missing;
  std::set<std::string> visited;
  TRY(collect(flat, missing, visited));
  if (missing.empty()) return {};
  std::string list;
  for (const auto& [op, node] : missing) {
    if (!list.empty()) list += ", ";
    list += cat(op, " (", base::quoted(node), ")");
  }
  return base::fail(base::Code::kUnsupported, "tensorflow.unsupported_op",
                    cat("the signature needs operations which wherry does not translate: ", list),
                    "serve the part of the model before or after them, or save its Keras form (.keras)");
}

}  // namespace wherry::tensorflow
