// If, Case and While (tensorflow/core/ops/functional_ops.cc) as ONNX If and Loop.
#include <algorithm>

#include "base/text.h"
#include "import/tensorflow/lower.h"
#include "import/tensorflow/recurrent.h"

namespace wherry::tensorflow {
namespace {

using base::cat;
using List = std::shared_ptr<const TensorList>;

const Flat* function_of(Op& op, std::string_view attribute) {
  const auto name = op.def.attributes.function(attribute);
  if (!name) {
    op.refuse(cat("has no ", attribute));
    return nullptr;
  }
  auto flat = op.lowering.flat_function(*name);
  if (flat) return *flat;
  op.b.fail(std::move(flat).error());
  return nullptr;
}

// A condition of any dtype: what is not 0.
ValueId truth(Op& op, ValueId condition) {
  Builder& b = op.b;
  if (b.dtype(condition) == DType::kString) {
    op.refuse("a condition which is a string");
    return condition;
  }
  return graph::reshape(b, graph::cast(b, condition, DType::kBool), Ints{});
}

std::vector<Item> arguments_of(Op& op, std::size_t first) {
  std::vector<Item> items;
  for (std::size_t i = first; i < op.count(); ++i) items.push_back(op.item(i));
  return items;
}

// Runs one branch as a block. Outputs which are no tensors cannot leave it.
std::shared_ptr<const graph::Block> branch_block(Op& op, const Flat& flat, std::span<const Item> arguments) {
  op.b.begin_block();
  std::vector<ValueId> outputs;
  for (const Item& item : op.lowering.run(flat, arguments)) {
    const ValueId* value = std::get_if<ValueId>(&item);
    if (value == nullptr && !op.failed()) op.refuse("a branch whose result is no tensor");
    outputs.push_back(value == nullptr ? kNone : *value);
  }
  return op.b.end_block(std::move(outputs));
}

void choose(Op& op, ValueId condition, const Flat& yes, const Flat& no, std::span<const Item> arguments) {
  Builder& b = op.b;
  if (const auto known = b.known_int(condition); known) {
    const auto items = op.lowering.run(*known != 0 ? yes : no, arguments);
    for (std::size_t i = 0; i < items.size(); ++i) op.item_out(items[i], i);
    return;
  }
  if (yes.outputs.size() != no.outputs.size()) return op.refuse("branches with different numbers of results");
  const std::string source = b.source();
  const auto then_block = branch_block(op, yes, arguments);
  const auto else_block = branch_block(op, no, arguments);
  b.source(source);
  if (yes.outputs.empty() || op.failed()) return;
  const auto values = b.add_many("If", {condition}, yes.outputs.size(),
                                 {{"then_branch", then_block}, {"else_branch", else_block}});
  for (std::size_t i = 0; i < values.size(); ++i) op.out(values[i], i);
}

void if_op(Op& op) {
  const Flat* yes = function_of(op, "then_branch");
  const Flat* no = function_of(op, "else_branch");
  if (yes == nullptr || no == nullptr) return;
  choose(op, truth(op, op.in(0)), *yes, *no, arguments_of(op, 1));
}

// Case(index, inputs): the last branch where the index is none of them.
void case_op(Op& op) {
  Builder& b = op.b;
  std::vector<const Flat*> branches;
  for (const std::string_view name : op.def.attributes.functions("branches")) {
    auto flat = op.lowering.flat_function(name);
    if (!flat) return b.fail(std::move(flat).error());
    branches.push_back(*flat);
  }
  if (branches.empty() || branches.size() > 1000) return op.refuse("has no branches");
  const auto arguments = arguments_of(op, 1);
  const ValueId index = op.in(0);
  const std::size_t count = branches.back()->outputs.size();
  std::vector<ValueId> results;
  // From the last one: If(index == k, branch k, what was made so far).
  const std::string source = b.source();
  std::vector<std::shared_ptr<const graph::Block>> blocks;
  for (const Flat* flat : branches) {
    if (flat->outputs.size() != count) return op.refuse("branches with different numbers of results");
    blocks.push_back(branch_block(op, *flat, arguments));
  }
  b.source(source);
  if (count == 0 || op.failed()) return;
  std::shared_ptr<const graph::Block> otherwise = blocks.back();
  for (std::size_t k = blocks.size() - 1; k-- > 0;) {
    const bool outermost = k == 0;
    if (!outermost) b.begin_block();
    const ValueId here = b.add("Equal", {index, graph::scalar_like(b, index, static_cast<double>(k))});
    results = b.add_many("If", {here}, count, {{"then_branch", blocks[k]}, {"else_branch", otherwise}});
    if (!outermost) otherwise = b.end_block(results);
  }
  if (blocks.size() == 1) {
    const auto items = op.lowering.run(*branches[0], arguments);
    for (std::size_t i = 0; i < items.size(); ++i) op.item_out(items[i], i);
    return;
  }
  for (std::size_t i = 0; i < results.size(); ++i) op.out(results[i], i);
}

// How an argument of a While goes round.
enum class Way : std::uint8_t {
  kSame,      // the body gives it back as it is
  kCarried,   // a tensor
  kAppended,  // a list of which round i writes item i
  kLast,      // a list of one item which every round writes
  kList,      // a list which is read and written at will: carried as one tensor
};

struct Argument {
  Way way = Way::kSame;
  bool counter = false;  // a number which starts at 0 and grows by 1
  graph::Type type;      // of what is carried
};

const NodeDef* maker(const Flat& flat, const Flat::Ref& ref) {
  return ref.node < 0 ? nullptr : flat.nodes[static_cast<std::size_t>(ref.node)].def;
}

// The value of a scalar constant of a function.
std::optional<std::int64_t> constant_of(Op& op, const Flat& flat, const Flat::Ref& ref) {
  const NodeDef* node = maker(flat, ref);
  if (node == nullptr || node->op != "Const") return std::nullopt;
  const Flat one{{flat.nodes[static_cast<std::size_t>(ref.node)]}, {{0, 0}}, 0};
  const auto items = op.lowering.run(one, {});
  const ValueId* value = items.empty() ? nullptr : std::get_if<ValueId>(&items[0]);
  return value == nullptr ? std::nullopt : op.b.known_int(*value);
}

class WhileLoop {
 public:
  WhileLoop(Op& op, const Flat& cond, const Flat& body)
      : op_(op), b_(op.b), cond_(cond), body_(body), source_(b_.source()) {
    for (std::size_t i = 0; i < op.count(); ++i) items_.push_back(op.item(i));
  }

  void lower() {
    if (body_.outputs.size() != items_.size() || cond_.outputs.size() != 1)
      return op_.refuse("a body with other arguments than results");
    arguments_.resize(items_.size());
    classify();
    if (op_.failed()) return;
    find_trip_count();
    if (lower_recurrent() || op_.failed()) return;
    // The types of what is carried are those before the loop, until the body says that they change.
    for (int attempt = 0; attempt < 8; ++attempt) {
      const auto block = run_body();
      if (op_.failed()) return;
      if (block != nullptr) return finish(block);
    }
    op_.refuse("a loop whose shapes do not settle");
  }

 private:
  void classify() {
    for (std::size_t i = 0; i < items_.size(); ++i)
      if (ValueId* value = std::get_if<ValueId>(&items_[i])) arguments_[i].counter = is_counter(i, *value);
    for (std::size_t i = 0; i < items_.size(); ++i) {
      const Flat::Ref& result = body_.outputs[i];
      Argument& argument = arguments_[i];
      if (result.node < 0 && result.output == i) continue;
      if (const ValueId* value = std::get_if<ValueId>(&items_[i])) {
        argument.way = Way::kCarried;
        argument.type = b_.type(*value);
      } else if (const List* list = std::get_if<List>(&items_[i])) {
        argument.way = way_of_list(i, **list);
        if (argument.way == Way::kList) carry_list(i, **list);
      } else {
        op_.refuse("a handle which changes from round to round");
      }
    }
  }

  bool is_counter(std::size_t i, ValueId first) {
    const NodeDef* add = maker(body_, body_.outputs[i]);
    if (add == nullptr || (add->op != "AddV2" && add->op != "Add")) return false;
    if (b_.known_int(first) != 0) return false;
    const auto& inputs = body_.nodes[static_cast<std::size_t>(body_.outputs[i].node)].inputs;
    for (const std::size_t own : {0, 1})
      if (inputs.size() == 2 && inputs[own].node < 0 && inputs[own].output == i &&
          constant_of(op_, body_, inputs[1 - own]) == 1)
        return true;
    return false;
  }

  // How often arguments are used in the body and the condition.
  std::size_t uses(std::size_t i) const {
    std::size_t count = 0;
    for (const Flat* flat : {&body_, &cond_})
      for (const Flat::Node& node : flat->nodes)
        for (const Flat::Ref& ref : node.inputs) count += ref.node < 0 && ref.output == i ? 1 : 0;
    return count;
  }

  Way way_of_list(std::size_t i, const TensorList& list) {
    const Flat::Ref& result = body_.outputs[i];
    const NodeDef* write = maker(body_, result);
    if (write == nullptr) return Way::kList;
    const auto& inputs = body_.nodes[static_cast<std::size_t>(result.node)].inputs;
    const bool own = !inputs.empty() && inputs[0].node < 0 && inputs[0].output == i && uses(i) == 1;
    if (!own || list.items != kNone) return Way::kList;
    if (write->op == "TensorListPushBack")
      return b_.known_int(list.length) == 0 ? Way::kAppended : Way::kList;
    if (write->op != "TensorListSetItem" || inputs.size() < 3) return Way::kList;
    if (inputs[1].node < 0 && arguments_[inputs[1].output].counter) return Way::kAppended;
    if (b_.known_int(list.length) == 1 && constant_of(op_, body_, inputs[1]) == 0) return Way::kLast;
    return Way::kList;
  }

  void carry_list(std::size_t i, const TensorList& list) {
    const ValueId dense = dense_items(op_, list);
    if (op_.failed()) return;
    auto made = std::make_shared<TensorList>(list);
    made->items = dense;
    items_[i] = List(made);
    arguments_[i].type = b_.type(dense);
  }

  // Less(counter, limit) joined by LogicalAnd: as many rounds as the least limit.
  void find_trip_count() {
    std::vector<Flat::Ref> open{cond_.outputs[0]};
    std::vector<ValueId> limits;
    while (!open.empty()) {
      const Flat::Ref ref = open.back();
      open.pop_back();
      const NodeDef* node = maker(cond_, ref);
      if (node == nullptr) return;
      const auto& inputs = cond_.nodes[static_cast<std::size_t>(ref.node)].inputs;
      if (node->op == "LogicalAnd" && inputs.size() == 2) {
        open.push_back(inputs[0]);
        open.push_back(inputs[1]);
        if (open.size() > 16) return;
        continue;
      }
      if (node->op != "Less" || inputs.size() != 2) return;
      if (inputs[0].node >= 0 || !arguments_[inputs[0].output].counter) return;
      if (inputs[1].node < 0) {
        const std::size_t limit = inputs[1].output;
        const ValueId* value = std::get_if<ValueId>(&items_[limit]);
        if (value == nullptr || arguments_[limit].way != Way::kSame) return;
        limits.push_back(graph::cast(b_, graph::reshape(b_, *value, Ints{}), DType::kInt64));
      } else if (const auto number = constant_of(op_, cond_, inputs[1])) {
        limits.push_back(graph::int_scalar(b_, *number));
      } else {
        return;
      }
    }
    std::vector<ValueId> different;
    for (const ValueId limit : limits) {
      const auto same = [&](ValueId other) {
        const auto one = b_.elements(limit), two = b_.elements(other);
        return limit == other || (one && two && *one == *two);
      };
      if (std::ranges::none_of(different, same)) different.push_back(limit);
    }
    if (different.empty()) return;
    trips_ = different.size() == 1 ? different[0] : b_.add("Min", different);
    if (different.size() == 1)
      if (const auto length = b_.elements(different[0]); length && length->size() == 1)
        trip_dim_ = length->front();
  }

  // Keras' recurrent layers, as one operator.
  bool lower_recurrent() {
    if (!trip_dim_) return false;
    std::vector<std::size_t> states;
    std::vector<std::size_t> written;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      const Way way = arguments_[i].way;
      if (way == Way::kList) return false;
      if (way == Way::kAppended || way == Way::kLast) written.push_back(i);
      if (way == Way::kCarried && !arguments_[i].counter) states.push_back(i);
    }
    if (states.empty() || states.size() > 2) return false;
    const Constants constants = [this](const Flat::Ref& ref) { return constants_of(ref); };
    for (std::size_t at = 0; at < states.size(); ++at) {
      const graph::Type& type = arguments_[states[at]].type;
      if (type.dtype != DType::kFloat32 || type.rank() != 2 || !type.dims[1].known()) return false;
      const auto memory = states.size() == 2 ? std::optional(states[1 - at]) : std::nullopt;
      if (const auto found = match_recurrent(body_, states[at], memory, type.dims[1].number, constants))
        if (finish_recurrent(*found, written)) return true;
    }
    return false;
  }

  std::optional<Ints> constants_of(const Flat::Ref& ref) {
    const ValueId value = outside(ref);
    const tensor::Tensor* constant = value == kNone ? nullptr : b_.constant(value);
    if (constant == nullptr || constant->size() > 64) return std::nullopt;
    Ints numbers;
    if (constant->dtype() == DType::kFloat32) {
      for (const float each : constant->as<float>()) {
        if (each != 0.0f && each != 1.0f) return std::nullopt;
        numbers.push_back(each == 1.0f ? 1 : 0);
      }
      return numbers;
    }
    const auto elements = b_.elements(value);
    if (!elements) return std::nullopt;
    for (const graph::Dim& each : *elements) {
      if (!each.known()) return std::nullopt;
      numbers.push_back(each.number);
    }
    return numbers;
  }

  // A value of the body which does not change from round to round, computed before the loop; else kNone.
  ValueId outside(const Flat::Ref& ref) {
    const auto fixed = [&](const Flat::Ref& input) {
      return input.node >= 0 || arguments_[input.output].way == Way::kSame;
    };
    if (!fixed(ref)) return kNone;
    Flat part;
    part.arguments = items_.size();
    std::map<std::int32_t, std::int32_t> moved;
    std::vector<std::int32_t> open;
    if (ref.node >= 0) open.push_back(ref.node);
    while (!open.empty()) {  // inputs first, as in the body
      if (moved.size() > 64) return kNone;
      const std::int32_t at = open.back();
      if (moved.contains(at)) {
        open.pop_back();
        continue;
      }
      Flat::Node copy = body_.nodes[static_cast<std::size_t>(at)];
      bool ready = true;
      for (Flat::Ref& input : copy.inputs) {
        if (!fixed(input)) return kNone;
        if (input.node < 0) continue;
        if (const auto known = moved.find(input.node); known != moved.end()) {
          input.node = known->second;
        } else {
          open.push_back(input.node);
          ready = false;
        }
      }
      if (!ready) continue;
      moved[at] = static_cast<std::int32_t>(part.nodes.size());
      part.nodes.push_back(std::move(copy));
      open.pop_back();
    }
    part.outputs = {ref.node < 0 ? ref : Flat::Ref{moved.at(ref.node), ref.output}};
    const auto results = op_.lowering.run(part, items_);
    b_.source(source_);
    if (const ValueId* value = std::get_if<ValueId>(&results[0])) return *value;
    return kNone;
  }

  bool finish_recurrent(const RecurrentBody& found, const std::vector<std::size_t>& written) {
    const List* list = std::get_if<List>(&items_[found.inputs]);
    if (list == nullptr || (*list)->items == kNone || arguments_[found.inputs].way != Way::kSame)
      return false;
    if (!arguments_[found.counter].counter || b_.rank((*list)->items) != 3) return false;
    if (!(b_.dim((*list)->items, 0) == *trip_dim_) || b_.dtype((*list)->items) != DType::kFloat32)
      return false;
    for (const std::size_t i : written) {  // of each round its hidden state, and nothing else
      const auto& inputs = body_.nodes[static_cast<std::size_t>(body_.outputs[i].node)].inputs;
      const Flat::Ref& value = inputs.back();
      const Flat::Ref& state = body_.outputs[found.hidden];
      if (value.node != state.node || value.output != state.output) return false;
      const auto length = b_.elements(std::get<List>(items_[i])->length);
      if (arguments_[i].way == Way::kAppended &&
          !(length && length->size() == 1 && length->front() == *trip_dim_))
        return false;
    }
    RecurrentValues values;
    values.kernel = outside(found.kernel);
    values.recurrent = outside(found.recurrent);
    if (found.bias) values.bias = outside(*found.bias);
    if (found.recurrent_bias) values.recurrent_bias = outside(*found.recurrent_bias);
    if (values.kernel == kNone || values.recurrent == kNone || (found.bias && values.bias == kNone) ||
        (found.recurrent_bias && values.recurrent_bias == kNone))
      return false;
    if (b_.rank(values.kernel) != 2 || b_.rank(values.recurrent) != 2 || !b_.dim(values.kernel, 1).known())
      return false;
    values.inputs = (*list)->items;
    values.hidden = std::get<ValueId>(items_[found.hidden]);
    if (found.cell == Cell::kLstm) values.memory = std::get<ValueId>(items_[found.memory]);
    const RecurrentResults results = add_recurrent(b_, found, values);
    for (std::size_t i = 0; i < items_.size(); ++i) {
      op_.item_out(items_[i], i);
      if (arguments_[i].way != Way::kSame && arguments_[i].counter)
        op_.out(graph::cast(b_, trips_, b_.dtype(std::get<ValueId>(items_[i]))), i);
    }
    op_.out(results.hidden, found.hidden);
    if (found.cell == Cell::kLstm) op_.out(results.memory, found.memory);
    for (const std::size_t i : written) {
      auto made = std::make_shared<TensorList>(*std::get<List>(items_[i]));
      made->items = arguments_[i].way == Way::kLast ? graph::unsqueeze(b_, results.hidden, {0}) : results.all;
      op_.item_out(List(made), i);
    }
    return true;
  }

  ValueId condition(std::span<const Item> state) {
    if (trips_ != kNone) return graph::bool_scalar(b_, true);
    const auto results = op_.lowering.run(cond_, state);
    const ValueId* value = results.empty() ? nullptr : std::get_if<ValueId>(&results[0]);
    if (value == nullptr) {
      if (!op_.failed()) op_.refuse("a condition which is no tensor");
      return kNone;
    }
    return truth(op_, *value);
  }

  // Null: a carried type changed, which arguments_ now say.
  std::shared_ptr<const graph::Block> run_body() {
    b_.begin_block();
    b_.block_input({DType::kInt64, true, {}});
    b_.block_input({DType::kBool, true, {}});
    std::vector<Item> state;
    for (std::size_t i = 0; i < items_.size(); ++i) state.push_back(argument_item(i));
    const auto results = op_.lowering.run(body_, state);
    std::vector<ValueId> outputs{condition(results)};
    std::vector<ValueId> scanned;
    bool settled = true;
    for (std::size_t i = 0; i < items_.size() && !op_.failed(); ++i) {
      const Way way = arguments_[i].way;
      if (way == Way::kSame) continue;
      if (way == Way::kAppended || way == Way::kLast) {
        const List* list = std::get_if<List>(&results[i]);
        if (list == nullptr || (*list)->written == kNone)
          return op_.refuse("a list which is not written"), nullptr;
        scanned.push_back((*list)->written);
        continue;
      }
      const ValueId value = carried_value(results[i]);
      outputs.push_back(value);
      if (!op_.failed()) settled = settle(arguments_[i].type, b_.type(value)) && settled;
    }
    outputs.insert(outputs.end(), scanned.begin(), scanned.end());
    const auto block = b_.end_block(std::move(outputs));
    b_.source(source_);
    return settled && !op_.failed() ? block : nullptr;
  }

  Item argument_item(std::size_t i) {
    const Argument& argument = arguments_[i];
    if (argument.way == Way::kCarried) return b_.block_input(argument.type);
    if (argument.way == Way::kSame) return items_[i];
    auto list = std::make_shared<TensorList>(*std::get<List>(items_[i]));
    if (argument.way == Way::kList) {
      list->items = b_.block_input(argument.type);
      list->length = kNone;
    } else {
      list->open = true;
    }
    return List(list);
  }

  ValueId carried_value(const Item& item) {
    if (const ValueId* value = std::get_if<ValueId>(&item)) return *value;
    if (const List* list = std::get_if<List>(&item); list != nullptr && (*list)->items != kNone)
      return (*list)->items;
    if (!op_.failed()) op_.refuse("a result of its body is no tensor");
    return kNone;
  }

  // Whether the type after a round is the one before; else widens it.
  bool settle(graph::Type& before, const graph::Type& after) {
    if (!before.ranked) return true;
    if (!after.ranked || after.rank() != before.rank()) {
      before.ranked = false;
      before.dims.clear();
      return false;
    }
    bool same = true;
    for (std::size_t k = 0; k < before.dims.size(); ++k) {
      if (before.dims[k] == after.dims[k] || loose_.contains(before.dims[k].symbol)) continue;
      before.dims[k] = b_.fresh();
      loose_.insert(before.dims[k].symbol);
      same = false;
    }
    return same;
  }

  void finish(const std::shared_ptr<const graph::Block>& block) {
    std::vector<ValueId> inputs{trips_, trips_ == kNone ? condition(items_) : kNone};
    std::vector<std::size_t> carried, scanned;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      const Way way = arguments_[i].way;
      if (way == Way::kSame) continue;
      if (way == Way::kAppended || way == Way::kLast) {
        scanned.push_back(i);
        continue;
      }
      carried.push_back(i);
      inputs.push_back(carried_value(items_[i]));
    }
    for (std::size_t i = 0; i < items_.size(); ++i) op_.item_out(items_[i], i);
    const std::size_t count = carried.size() + scanned.size();
    if (count == 0 || op_.failed()) return;
    const auto results = b_.add_many("Loop", inputs, count, {{"body", block}});
    for (std::size_t k = 0; k < carried.size(); ++k) set_carried(carried[k], results[k]);
    for (std::size_t k = 0; k < scanned.size() && !op_.failed(); ++k)
      set_scanned(scanned[k], results[carried.size() + k]);
  }

  void set_carried(std::size_t i, ValueId value) {
    if (arguments_[i].way == Way::kCarried) return op_.out(value, i);
    auto list = std::make_shared<TensorList>(*std::get<List>(items_[i]));
    list->items = value;
    op_.item_out(List(list), i);
  }

  void set_scanned(std::size_t i, ValueId rounds) {
    auto list = std::make_shared<TensorList>(*std::get<List>(items_[i]));
    if (arguments_[i].way == Way::kLast) {
      list->items = graph::slice(b_, rounds, 0, -1, graph::kToEnd);
      op_.item_out(List(list), i);
      return;
    }
    const auto length = b_.elements(list->length);
    const bool pushed = b_.known_int(list->length) == 0;
    const bool whole =
        pushed || (trip_dim_ && length && length->size() == 1 && length->front() == *trip_dim_);
    if (trip_dim_ && b_.rank(rounds) > 0) {
      graph::Dims dims = b_.type(rounds).dims;
      dims[0] = *trip_dim_;
      b_.refine(rounds, dims);
    }
    if (!whole) {  // items which no round wrote are zeros
      const ValueId missing =
          graph::binary(b_, "Sub", graph::reshape(b_, list->length, Ints{1}), graph::dim_of(b_, rounds, 0));
      const int rank = op_.rank(rounds);
      const ValueId pads = graph::concat(b_,
                                         {graph::full(b_, DType::kInt64, tensor::Shape{rank}, 0), missing,
                                          graph::full(b_, DType::kInt64, tensor::Shape{rank - 1}, 0)},
                                         0);
      rounds = b_.add("Pad", {rounds, pads, graph::scalar_like(b_, rounds, 0)});
    }
    list->items = rounds;
    op_.item_out(List(list), i);
  }

  Op& op_;
  Builder& b_;
  const Flat& cond_;
  const Flat& body_;
  const std::string source_;
  std::vector<Item> items_;
  std::vector<Argument> arguments_;
  std::set<std::uint32_t> loose_;  // symbols of lengths which change from round to round
  ValueId trips_ = kNone;
  std::optional<graph::Dim> trip_dim_;
};

void while_op(Op& op) {
  const Flat* cond = function_of(op, "cond");
  const Flat* body = function_of(op, "body");
  if (cond == nullptr || body == nullptr) return;
  WhileLoop(op, *cond, *body).lower();
}

// Both branches of TensorFlow 1's cond are computed, which is the same for what has no effects.
void switch_op(Op& op) {
  op.out(op.in(0));
  op.out(op.in(0), 1);
}

void merge_op(Op& op) {
  Builder& b = op.b;
  if (op.count() != 3) return op.refuse("a choice whose condition cannot be told");
  const ValueId condition = truth(op, op.in(2)), no = op.in(0), yes = op.in(1);
  if (op.failed()) return;
  op.out(graph::cast(b, condition, DType::kInt32), 1);
  if (const auto known = b.known_int(condition)) return op.out(*known != 0 ? yes : no);
  const auto give = [&](ValueId value) {
    b.begin_block();
    return b.end_block({value});
  };
  const auto then_block = give(yes), else_block = give(no);
  op.out(b.add("If", {condition}, {{"then_branch", then_block}, {"else_branch", else_block}}));
}

constexpr OpRow kRows[] = {
    {"Switch", switch_op}, {"RefSwitch", switch_op},     {"Merge", merge_op}, {"RefMerge", merge_op},
    {"If", if_op},         {"StatelessIf", if_op},       {"Case", case_op},   {"StatelessCase", case_op},
    {"While", while_op},   {"StatelessWhile", while_op},
};

}  // namespace

std::span<const OpRow> control_rows() {
  return kRows;
}

}  // namespace wherry::tensorflow
