#include "graph/builder.h"

#include <algorithm>
#include <set>

#include "graph/elements.h"
#include "graph/fold.h"
#include "graph/rules.h"

#include "base/text.h"

namespace wherry::graph {
namespace {

constexpr std::string_view kDamaged = "the model file is damaged, or was written by something unusual";

bool is_identity(std::span<const std::int64_t> perm) {
  for (std::size_t i = 0; i < perm.size(); ++i)
    if (perm[i] != static_cast<std::int64_t>(i)) return false;
  return true;
}

// An int32 or int64 scalar or vector.
tensor::Tensor tensor_of(const Dims& elements, const Type& type) {
  tensor::Shape shape;
  if (type.rank() == 1) shape.push_back(static_cast<std::int64_t>(elements.size()));
  const auto as = [&]<class T>(T) {
    std::vector<T> numbers;
    for (const Dim& dim : elements) numbers.push_back(static_cast<T>(dim.number));
    return tensor::Tensor::of<T>(shape, std::move(numbers));
  };
  return type.dtype == tensor::DType::kInt32 ? as(std::int32_t{}) : as(std::int64_t{});
}

// Drops the nodes of `block` whose outputs nobody uses; `live` says what is used outside of it.
void prune(Block& block, std::vector<bool>& live) {
  const auto mark = [&](auto& self, const Block& inner) -> void {
    for (const ValueId id : inner.outputs) live[id] = true;
    for (const Node& node : inner.nodes) {
      for (const ValueId id : node.inputs) live[id] = true;
      for (const Attribute& attribute : node.attributes)
        if (const auto* nested = std::get_if<std::shared_ptr<const Block>>(&attribute.value))
          self(self, **nested);
    }
  };
  for (const ValueId id : block.outputs) live[id] = true;
  std::vector<Node> kept;
  for (auto node = block.nodes.rbegin(); node != block.nodes.rend(); ++node) {
    if (std::ranges::none_of(node->outputs, [&](ValueId id) { return live[id]; })) continue;
    for (const ValueId id : node->inputs) live[id] = true;
    for (const Attribute& attribute : node->attributes)
      if (const auto* inner = std::get_if<std::shared_ptr<const Block>>(&attribute.value))
        mark(mark, **inner);
    kept.push_back(std::move(*node));
  }
  std::ranges::reverse(kept);
  block.nodes = std::move(kept);
}

}  // namespace

const AttributeValue* find(const Attributes& attributes, std::string_view name) {
  const auto at = std::ranges::find(attributes, name, &Attribute::name);
  return at == attributes.end() ? nullptr : &at->value;
}
std::int64_t int_of(const Attributes& attributes, std::string_view name, std::int64_t otherwise) {
  const auto* value = find(attributes, name);
  const auto* number = value ? std::get_if<std::int64_t>(value) : nullptr;
  return number ? *number : otherwise;
}
float float_of(const Attributes& attributes, std::string_view name, float otherwise) {
  const auto* value = find(attributes, name);
  const auto* number = value ? std::get_if<float>(value) : nullptr;
  return number ? *number : otherwise;
}
std::string_view string_of(const Attributes& attributes, std::string_view name, std::string_view otherwise) {
  const auto* value = find(attributes, name);
  const auto* text = value ? std::get_if<std::string>(value) : nullptr;
  return text ? std::string_view(*text) : otherwise;
}
std::span<const std::int64_t> ints_of(const Attributes& attributes, std::string_view name) {
  const auto* value = find(attributes, name);
  const auto* list = value ? std::get_if<std::vector<std::int64_t>>(value) : nullptr;
  return list ? std::span<const std::int64_t>(*list) : std::span<const std::int64_t>();
}

Builder::Builder(Limits limits) : limits_(limits) {
  graph_.values.emplace_back();
  elements_.emplace_back();
  home_.push_back(0);
  graph_.symbols.emplace_back();
  open_.emplace_back();
}

Dim Builder::symbol(std::string_view name) {
  const auto at = symbol_names_.find(name);
  if (at != symbol_names_.end()) return {0, at->second};
  const Dim dim = fresh();
  graph_.symbols[dim.symbol] = std::string(name);
  symbol_names_.emplace(name, dim.symbol);
  return dim;
}

Dim Builder::fresh() {
  graph_.symbols.emplace_back();
  return {0, static_cast<std::uint32_t>(graph_.symbols.size() - 1)};
}

ValueId Builder::new_value(Type type, std::optional<Dims> elements) {
  graph_.values.push_back({std::move(type), {}, std::nullopt});
  elements_.push_back(std::move(elements));
  home_.push_back(open_.back().id);
  return static_cast<ValueId>(graph_.values.size() - 1);
}

ValueId Builder::input(std::string name, tensor::DType dtype, Dims dims) {
  const ValueId id = new_value({dtype, true, std::move(dims)});
  graph_.values[id].name = name;
  home_[id] = 0;
  graph_.inputs.push_back({std::move(name), id});
  return id;
}
ValueId Builder::input(std::string name, tensor::DType dtype) {
  const ValueId id = input(std::move(name), dtype, {});
  graph_.values[id].type.ranked = false;
  return id;
}

ValueId Builder::constant(tensor::Tensor tensor) {
  const ValueId id = new_value({tensor.dtype(), true, dims_of(tensor.shape())});
  home_[id] = 0;
  if (tensor.shape().size() <= 1 && tensor.size() <= kMostElements)
    if (const auto numbers = integers(tensor)) elements_[id] = dims_of(*numbers);
  graph_.values[id].constant = std::move(tensor);
  return id;
}

bool Builder::is_open(std::uint32_t block) const {
  return std::ranges::any_of(open_, [&](const OpenBlock& open) { return open.id == block; });
}

bool Builder::check_inputs(std::string_view op, std::vector<ValueId>& inputs, std::size_t least,
                           std::size_t most) {
  while (!inputs.empty() && inputs.back() == kNone && inputs.size() > least) inputs.pop_back();
  if (inputs.size() < least || inputs.size() > most) {
    fail(base::cat("operator ", op, " got ", inputs.size(), " inputs"));
    return false;
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const ValueId id = inputs[i];
    if (id >= home_.size() || !is_open(home_[id]) || (id == kNone && i < least && op != "Loop")) {
      fail(base::cat("operator ", op, " has no input ", i));
      return false;
    }
  }
  return true;
}

ValueId Builder::add(std::string_view op, std::vector<ValueId> inputs, Attributes attributes,
                     std::string_view domain) {
  return add_many(op, std::move(inputs), 1, std::move(attributes), domain).front();
}

std::vector<ValueId> Builder::add_many(std::string_view op, std::vector<ValueId> inputs, std::size_t outputs,
                                       Attributes attributes, std::string_view domain) {
  const std::vector<ValueId> nothing(std::max<std::size_t>(outputs, 1), kNone);
  if (error_) return nothing;
  const OpRow* row = find_op(domain, op);
  if (row == nullptr) {
    fail(base::Error{base::Code::kInternal,
                     "graph.unknown_operator",
                     base::cat("the tensor graph has no operator ", op),
                     "",
                     {}});
    return nothing;
  }
  if (!check_inputs(op, inputs, row->least, row->most == kAny ? SIZE_MAX : row->most)) return nothing;
  simplify_shape(op, inputs);
  if (outputs == 1 && domain.empty())
    if (const auto same = simplify(op, inputs, attributes)) return {*same};
  Node node{std::string(op), std::string(domain), std::move(inputs), {}, std::move(attributes), source_};
  if (++nodes_ > limits_.nodes) {
    fail(base::Error{base::Code::kLimit,
                     "graph.limit_nodes",
                     base::cat("the network has more than ", limits_.nodes, " operations"),
                     "",
                     {}});
    return nothing;
  }

  Type first;
  if (!node.inputs.empty()) first.dtype = dtype(node.inputs[0]);
  Inference inference{*this, node, std::vector<Type>(outputs, first)};
  row->rule(inference);
  if (error_) return nothing;
  if (auto folded = fold(node, inference.outputs)) return *folded;

  std::optional<Dims> elements;
  if (outputs == 1 && domain.empty()) elements = follow_elements(inference);
  if (elements && std::ranges::all_of(*elements, &Dim::known))
    return {constant(tensor_of(*elements, inference.outputs[0]))};
  for (std::size_t i = 0; i < outputs; ++i)
    node.outputs.push_back(
        new_value(std::move(inference.outputs[i]), i == 0 ? std::move(elements) : std::nullopt));
  if (op == "Transpose") {
    const auto perm = ints_of(node.attributes, "perm");
    turned_[node.outputs[0]] = {node.inputs[0], {perm.begin(), perm.end()}};
  }
  const std::vector<ValueId> made = node.outputs;
  open_.back().block.nodes.push_back(std::move(node));
  return made;
}

std::optional<ValueId> Builder::simplify(std::string_view op, const std::vector<ValueId>& inputs,
                                         const Attributes& attributes) {
  const ValueId x = inputs.empty() ? kNone : inputs[0];
  if (op == "Identity") return x;
  if (op == "Cast" && int_of(attributes, "to", 0) == onnx_dtype(dtype(x))) return x;
  if ((op == "Squeeze" || op == "Unsqueeze") && inputs.size() == 2) {
    const tensor::Tensor* axes = constant(inputs[1]);
    if (axes != nullptr && axes->size() == 0) return x;
  }
  if (op == "Concat" && inputs.size() == 1) return x;
  if (op == "Reshape" && type(x).is_static()) {
    if (const auto target = elements(inputs[1]); target && *target == type(x).dims) return x;
  }
  if (op == "Transpose") {
    const auto perm = ints_of(attributes, "perm");
    if (!perm.empty() && is_identity(perm) && rank(x) == static_cast<int>(perm.size())) return x;
    const auto at = turned_.find(x);
    if (at != turned_.end() && !perm.empty() && at->second.perm.size() == perm.size()) {
      std::vector<std::int64_t> both(perm.size());
      for (std::size_t i = 0; i < perm.size(); ++i) {
        if (perm[i] < 0 || perm[i] >= static_cast<std::int64_t>(perm.size())) return std::nullopt;
        both[i] = at->second.perm[static_cast<std::size_t>(perm[i])];
      }
      const ValueId from = at->second.from;
      return is_identity(both) ? from : add("Transpose", {from}, {{"perm", both}});
    }
  }
  return std::nullopt;
}

// A shape of which one length is not known becomes a constant with -1 there (and 0 where it is the input's
// own): runtimes plan better with it, and the arithmetic that made it is dropped.
void Builder::simplify_shape(std::string_view op, std::vector<ValueId>& inputs) {
  const bool reshapes = op == "Reshape";
  if ((!reshapes && op != "Expand") || inputs.size() != 2 || constant(inputs[1]) != nullptr) return;
  const auto target = elements(inputs[1]);
  if (!target || rank(inputs[1]) != 1) return;
  const Type from = type(inputs[0]);
  std::vector<std::int64_t> shape;
  std::size_t computed = 0;
  for (std::size_t i = 0; i < target->size(); ++i) {
    const Dim& dim = (*target)[i];
    if (dim.known()) {
      if (dim.number <= 0) return;  // -1 and 0 have meanings of their own
      shape.push_back(dim.number);
    } else if (reshapes) {
      const bool own = from.ranked && i < from.dims.size() && from.dims[i] == dim;
      if (!own) ++computed;
      shape.push_back(own ? 0 : -1);
    } else {
      const std::size_t missing = target->size() - from.dims.size();
      if (!from.ranked || from.dims.size() > target->size() || i < missing || from.dims[i - missing] != dim)
        return;
      shape.push_back(1);
    }
  }
  if (computed > 1) return;
  const Dims dims = *target;
  const auto length = static_cast<std::int64_t>(shape.size());
  inputs[1] = constant(tensor::Tensor::of<std::int64_t>({length}, std::move(shape)));
  elements_[inputs[1]] = reshapes ? std::optional(dims) : elements_[inputs[1]];
}

std::optional<std::vector<ValueId>> Builder::fold(const Node& node, std::span<const Type> types) {
  std::vector<const tensor::Tensor*> inputs;
  for (const ValueId id : node.inputs) {
    inputs.push_back(id == kNone ? nullptr : constant(id));
    if (id != kNone && inputs.back() == nullptr) return std::nullopt;
  }
  if (node.op == "If" && !inputs.empty()) {
    if (const auto condition = known_int(node.inputs[0])) return chosen_branch(node, *condition != 0);
    return std::nullopt;
  }
  if (inputs.empty() || !node.domain.empty()) return std::nullopt;
  auto results = fold_constants(node, inputs, limits_.folded_elements, limits_.folded_bytes - folded_bytes_);
  if (!results || results->size() != types.size()) return std::nullopt;
  std::vector<ValueId> values;
  for (tensor::Tensor& result : *results) {
    folded_bytes_ += std::min(limits_.folded_bytes - folded_bytes_, result.bytes().size());
    values.push_back(constant(std::move(result)));
  }
  return values;
}

std::vector<ValueId> Builder::chosen_branch(const Node& node, bool condition) {
  const AttributeValue* branch = find(node.attributes, condition ? "then_branch" : "else_branch");
  const Block& block = **std::get_if<std::shared_ptr<const Block>>(branch);
  for (const Node& inner : block.nodes) {
    for (const ValueId id : inner.outputs) home_[id] = open_.back().id;
    open_.back().block.nodes.push_back(inner);
  }
  return block.outputs;
}

void Builder::begin_block() {
  open_.push_back({{}, next_block_++});
}
ValueId Builder::block_input(Type type) {
  const ValueId id = new_value(std::move(type));
  open_.back().block.inputs.push_back(id);
  return id;
}
std::shared_ptr<const Block> Builder::end_block(std::vector<ValueId> outputs) {
  if (open_.size() == 1) {
    fail("end_block() without begin_block()");
    return std::make_shared<Block>();
  }
  Block block = std::move(open_.back().block);
  block.outputs = std::move(outputs);
  for (const ValueId id : block.outputs)
    if (!error_ && (id == kNone || !is_open(home_[id]))) fail("a block's output does not exist");
  open_.pop_back();
  if (error_) return std::make_shared<Block>();
  std::vector<bool> live(graph_.values.size());
  prune(block, live);
  return std::make_shared<Block>(std::move(block));
}

void Builder::output(std::string name, ValueId value) {
  if (error_) return;
  if (value == kNone || value >= home_.size() || home_[value] != 0)
    return fail(base::cat("output ", name, " does not exist"));
  graph_.outputs.push_back({std::move(name), value});
}

int Builder::rank(ValueId value) const {
  const Type& t = type(value);
  return t.ranked ? static_cast<int>(t.dims.size()) : -1;
}
Dim Builder::dim(ValueId value, std::int64_t axis) {
  const Type& t = type(value);
  const auto rank = static_cast<std::int64_t>(t.dims.size());
  if (axis < 0) axis += rank;
  if (!t.ranked || axis < 0 || axis >= rank) return fresh();
  return t.dims[static_cast<std::size_t>(axis)];
}
const tensor::Tensor* Builder::constant(ValueId value) const {
  const auto& known = graph_.values[value].constant;
  return known ? &*known : nullptr;
}
std::optional<Dims> Builder::elements(ValueId value) const {
  return elements_[value];
}
std::optional<std::int64_t> Builder::known_int(ValueId value) const {
  if (const auto& known = elements_[value]; known && known->size() == 1 && known->front().known())
    return known->front().number;
  const tensor::Tensor* tensor = constant(value);
  if (tensor == nullptr || tensor->size() != 1) return std::nullopt;
  const auto numbers = integers(*tensor);
  return numbers ? std::optional(numbers->front()) : std::nullopt;
}

void Builder::refine(ValueId value, const Dims& dims) {
  if (error_ || value == kNone) return;
  Type& type = graph_.values[value].type;
  if (!type.ranked) {
    type.ranked = true;
    type.dims = dims;
    return;
  }
  if (type.dims.size() != dims.size())
    return fail(
        base::cat("a value has the type ", to_string(type), " but ", dims.size(), " axes are stated"));
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (!dims[i].known()) continue;
    if (!type.dims[i].known())
      type.dims[i] = dims[i];
    else if (type.dims[i] != dims[i])
      return fail(base::cat("a value has the type ", to_string(type), " but length ", dims[i].number,
                            " is stated for axis ", i));
  }
}

void Builder::fail(base::Error error) {
  if (!error_) error_ = std::move(error);
}
void Builder::fail(std::string message) {
  if (!source_.empty()) message += base::cat(" (", source_, ")");
  fail(
      base::Error{base::Code::kInvalidInput, "graph.invalid", std::move(message), std::string(kDamaged), {}});
}
base::Status Builder::status() const {
  if (error_) return std::unexpected(*error_);
  return {};
}

base::Result<Graph> Builder::build() && {
  if (graph_.outputs.empty()) fail("the network has no outputs");
  for (const auto* list : {&graph_.inputs, &graph_.outputs}) {
    std::set<std::string_view> names;
    for (const NamedValue& named : *list)
      if (named.name.empty() || !names.insert(named.name).second)
        fail(base::cat("the network has two inputs or outputs of the name '", named.name, "'"));
  }
  if (open_.size() != 1) fail("a block was not ended");
  if (error_) return std::unexpected(*error_);
  Block& body = open_.front().block;
  for (const NamedValue& input : graph_.inputs) body.inputs.push_back(input.value);
  for (const NamedValue& output : graph_.outputs) body.outputs.push_back(output.value);
  std::vector<bool> live(graph_.values.size());
  prune(body, live);
  for (std::size_t id = 1; id < live.size(); ++id)
    if (!live[id]) graph_.values[id].constant.reset();
  graph_.body = std::move(body);
  return std::move(graph_);
}

}  // namespace wherry::graph
