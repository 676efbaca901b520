// Loops whose number of rounds only the graph knows: ONNX's Loop.
#include <algorithm>

#include "graph/verbs.h"

#include "base/text.h"
#include "import/torch/script_flow.h"
#include "import/torch/script_interpreter.h"

namespace wherry::torch {
namespace {

using base::Result;
using graph::ValueId;
using Ids = std::vector<ValueId>;

// What travels from round to round: a variable, an attribute of an object made before the loop, or the memory
// of a tensor that the body changes in place.
struct Slot {
  std::string name;  // of the variable or attribute, for messages
  std::optional<std::string_view> variable;
  Object object;           // of the attribute
  Value value;             // before the loop; of memory: the tensor
  std::size_t leaves = 0;  // graph values it is made of
};

class LoopRun {
 public:
  LoopRun(Interpreter& in, const Interpreter::LoopPlan& plan) : in_(in), plan_(plan) {}

  base::Status run() {
    TRY(prepare());
    constexpr int kAttempts = 8;  // types get looser, and slots more, until a round keeps them
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      TRY_ASSIGN(const bool done, this->attempt());
      if (done) return {};
    }
    return in_.refuse("the shapes of values change from round to round of a loop");
  }

 private:
  graph::Builder& b() { return in_.builder(); }
  Value& variable(std::string_view name) { return in_.frame().variables[name]; }

  base::Status prepare() {
    if (leaves(plan_.body))
      return in_.refuse("`break`, `continue` or `return` in a loop with an unknown number of rounds");
    std::vector<std::string_view> names;
    add_assigned(plan_.body, names);
    add_appended(plan_.body, appended_);
    const auto& variables = in_.frame().variables;
    std::erase_if(appended_, [&](std::string_view name) {
      const auto found = variables.find(name);
      return found == variables.end() || !found->second.is<List>();
    });
    for (const std::string_view name : names) {
      if (std::ranges::find(appended_, name) != appended_.end()) continue;
      const auto found = variables.find(name);
      if (found == variables.end() || found->second.is<Uninitialized>()) continue;
      TRY(add_slot({std::string(name), name, nullptr, found->second}));
    }
    going_ = graph::bool_scalar(b(), true);
    if (plan_.condition) {
      TRY_ASSIGN(going_, condition());
    } else {
      TRY_ASSIGN(rounds_, in_.scalar(plan_.rounds, tensor::DType::kInt64));
    }
    return {};
  }

  base::Status add_slot(Slot slot) {
    const std::size_t before = initial_.size();
    TRY(flatten(slot.value, initial_, 0));
    slot.leaves = initial_.size() - before;
    for (std::size_t i = before; i < initial_.size(); ++i) types_.push_back(b().type(initial_[i]));
    slots_.push_back(std::move(slot));
    return {};
  }

  Result<ValueId> condition() {
    TRY_ASSIGN(const Value test, in_.evaluate(*plan_.condition));
    TRY_ASSIGN(const auto truth, in_.truth(test));
    const bool* known = std::get_if<bool>(&truth);
    return known ? graph::bool_scalar(b(), *known) : std::get<Symbol>(truth).value;
  }

  // Leaves as graph values; numbers become scalars, for they may change.
  base::Status flatten(const Value& value, Ids& into, int depth) {
    if (depth > kDeepestValue) return in_.refuse("a list nested too deep changes in a loop");
    if (const Values* items = sequence(value)) {
      for (const Value& item : *items) TRY(flatten(item, into, depth + 1));
    } else if (const auto* tensor = value.get<Tensor>()) {
      into.push_back(in_.aten().current(*tensor));
    } else if (const auto* symbol = value.get<Symbol>()) {
      into.push_back(symbol->value);
    } else if (const auto type = Interpreter::number_type(value)) {
      TRY_ASSIGN(const ValueId made, in_.scalar(value, *type));
      into.push_back(made);
    } else if (!value.is_none() && !value.is<std::string>() && !value.is<Object>() &&
               !value.is<tensor::DType>() && !value.is<Device>()) {
      return in_.refuse(base::cat(describe(value), " changes in a loop with an unknown number of rounds"));
    }
    return {};
  }

  Value rebuild(const Value& value, const Ids& from, std::size_t& next) {
    if (const Values* items = sequence(value)) {
      Values made;
      for (const Value& item : *items) made.push_back(rebuild(item, from, next));
      return value.is<Tuple>() ? make_tuple(std::move(made)) : make_list(std::move(made), in_.branches());
    }
    if (value.is<Tensor>()) return Value(in_.aten().tensor(from[next++]));
    if (value.is<Symbol>() || Interpreter::number_type(value)) return Value(Symbol{from[next++]});
    return value;
  }

  // Gives the slots the values of a round, or those after the last one.
  base::Status put(const std::vector<Value>& shapes, const Ids& from) {
    std::size_t next = 0;
    entered_.clear();
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      const Slot& slot = slots_[i];
      if (!slot.variable && !slot.object) {
        TRY(in_.aten().write(*slot.value.get<Tensor>(), from[next++]));
        entered_.emplace_back();
        continue;
      }
      entered_.push_back(rebuild(shapes[i], from, next));
      if (slot.variable) {
        variable(*slot.variable) = entered_.back();
      } else {
        TRY(in_.set_attribute(Value(slot.object), slot.name, entered_.back()));
      }
    }
    return {};
  }

  // What the slots hold at the end of a round.
  Value now(const Slot& slot) {
    if (slot.variable) return variable(*slot.variable);
    return slot.object ? slot.object->attributes[slot.name] : slot.value;
  }

  // A variable that still is the tensor of the beginning, changed in place: the tensor outside changes too.
  base::Status check_identity(std::size_t slot, ValueId given) {
    const auto* began = entered_[slot].get<Tensor>();
    if (!began) return {};
    const Value ends = now(slots_[slot]);
    const auto* end = ends.get<Tensor>();
    const bool changed = in_.aten().current(*began) != given;
    const bool same = end && end->variable == began->variable;
    if (changed && !same)
      return in_.refuse(base::cat("'", slots_[slot].name, "' is changed in place and assigned in one loop"));
    in_place_[slot] = changed;
    return {};
  }

  // The type that holds both what a slot began with and what it became; false: it had to become looser.
  Result<bool> widen(graph::Type& wanted, const graph::Type& found, const Slot& slot) {
    if (found.dtype != wanted.dtype) {
      if (!Interpreter::number_type(slot.value))
        return in_.refuse(base::cat("'", slot.name, "' changes its dtype in a loop"));
      wanted.dtype = found.dtype;
      return false;
    }
    if (!wanted.ranked) return true;
    if (!found.ranked || found.dims.size() != wanted.dims.size()) {
      wanted.ranked = false;
      wanted.dims.clear();
      return false;
    }
    bool kept = true;
    for (std::size_t d = 0; d < found.dims.size(); ++d) {
      if (found.dims[d] == wanted.dims[d] || !wanted.dims[d].known()) continue;
      wanted.dims[d] = b().fresh();
      kept = false;
    }
    return kept;
  }

  Result<bool> collect_slots(const Ids& inside, Ids& outputs) {
    bool stable = true;
    std::size_t at = 0;
    in_place_.assign(slots_.size(), false);
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (entered_[i].is<Tensor>()) TRY(check_identity(i, inside[at]));
      Ids found;
      TRY(flatten(now(slots_[i]), found, 0));
      if (found.size() != slots_[i].leaves)
        return in_.refuse(
            base::cat("'", slots_[i].name, "' changes its kind in a loop with an unknown number of rounds"));
      for (const ValueId value : found) {
        TRY_ASSIGN(const bool kept, widen(types_[at++], b().type(value), slots_[i]));
        stable = stable && kept;
        outputs.push_back(value);
      }
    }
    return stable;
  }

  base::Status collect_lists(Ids& outputs) {
    counts_.clear();
    for (const std::string_view name : appended_) {
      const List* list = variable(name).get<List>();
      if (!list) return in_.refuse(base::cat("the list '", name, "' becomes something else in the loop"));
      counts_.push_back((*list)->items.size());
      if (counts_.back() > 1)
        return in_.refuse("a list gets several items per round of a loop with an unknown number of rounds");
      for (const Value& item : (*list)->items) {
        const auto* tensor = item.get<Tensor>();
        if (!tensor)
          return in_.refuse(
              base::cat("'", name, "' gets ", describe(item), " in a loop with an unknown number of rounds"));
        outputs.push_back(in_.aten().current(*tensor));
      }
    }
    return {};
  }

  // Whether the body changed more than was known.
  Result<bool> find_slots(const BranchState& state) {
    bool found = false;
    for (const AttributeChange& change : state.attributes) {
      const bool known = std::ranges::any_of(
          slots_, [&](const Slot& slot) { return slot.object == change.object && slot.name == change.name; });
      if (known) continue;
      if (!change.before)
        return in_.refuse(
            base::cat("the attribute ", change.name, " is made in a loop with an unknown number of rounds"));
      if (change.first) change.object->read.insert(change.name);
      TRY(add_slot({change.name, std::nullopt, change.object, *change.before}));
      found = true;
    }
    for (const Aten::Change& change : state.writes) {
      const bool known = std::ranges::any_of(slots_, [&](const Slot& slot) {
        return !slot.variable && !slot.object && slot.value.get<Tensor>()->variable == change.tensor.variable;
      });
      if (known) continue;
      TRY(add_slot({"a tensor", std::nullopt, nullptr, Value(change.tensor)}));
      found = true;
    }
    return found;
  }

  Result<bool> attempt() {
    BranchState state(in_);
    const ValueId round = b().block_input({tensor::DType::kInt64, true, {}});
    b().block_input({tensor::DType::kBool, true, {}});
    Ids inside;
    for (const graph::Type& type : types_) inside.push_back(b().block_input(type));
    std::vector<Value> shapes;
    for (const Slot& slot : slots_) shapes.push_back(slot.value);
    TRY(put(shapes, inside));
    for (const std::string_view name : appended_) variable(name) = make_list({}, in_.branches());
    if (plan_.target) {
      TRY_ASSIGN(const Value offset, in_.binary("*", Value(Symbol{round}), plan_.step));
      TRY_ASSIGN(Value index, in_.binary("+", offset, plan_.start));
      TRY(in_.assign(*plan_.target, std::move(index)));
    }
    TRY_ASSIGN(const auto flow, in_.execute(plan_.body));
    if (flow != Interpreter::Flow::kNext)
      return in_.refuse("`break` or `return` in a loop with an unknown number of rounds");
    Ids outputs(1, graph::bool_scalar(b(), true));
    if (plan_.condition) {
      TRY_ASSIGN(outputs[0], condition());
    }
    TRY_ASSIGN(const bool stable, collect_slots(inside, outputs));
    TRY(collect_lists(outputs));
    std::vector<Value> ends;
    for (const Slot& slot : slots_) ends.push_back(now(slot));
    TRY(state.end(outputs));
    TRY_ASSIGN(const bool more, find_slots(state));
    if (stable && !more) {
      TRY(finish(state, ends, outputs.size() - 1));
      return true;
    }
    for (std::size_t i = 0; i < initial_.size(); ++i)
      initial_[i] = graph::cast(b(), initial_[i], types_[i].dtype);
    return false;
  }

  base::Status finish(const BranchState& state, const std::vector<Value>& ends, std::size_t outputs) {
    Ids inputs = {rounds_, going_};
    inputs.insert(inputs.end(), initial_.begin(), initial_.end());
    const Ids made = b().add_many("Loop", inputs, outputs, {{"body", state.block}});
    TRY(b().status());
    TRY(put(ends, made));
    std::size_t next = initial_.size();
    std::size_t at = 0;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (in_place_[i]) {
        TRY(in_.aten().write(*slots_[i].value.get<Tensor>(), made[at]));
        if (slots_[i].variable) variable(*slots_[i].variable) = slots_[i].value;
      }
      at += slots_[i].leaves;
    }
    for (std::size_t i = 0; i < appended_.size(); ++i) {
      if (counts_[i] == 0) continue;
      auto list = std::make_shared<ListObject>();
      list->items = (*state.before.find(appended_[i])->second.get<List>())->items;
      list->branch = in_.branches();
      list->rounds = std::make_shared<const Value>(in_.aten().tensor(made[next++]));
      variable(appended_[i]) = List(list);
    }
    return {};
  }

  Interpreter& in_;
  const Interpreter::LoopPlan& plan_;
  std::vector<Slot> slots_;
  std::vector<std::string_view> appended_;
  Ids initial_;
  std::vector<graph::Type> types_;  // of initial_, looser where rounds differ
  ValueId going_ = graph::kNone;
  ValueId rounds_ = graph::kNone;
  // Of the latest attempt.
  std::vector<Value> entered_;       // what the slots held at the beginning of the round
  std::vector<bool> in_place_;       // by slot: the tensor itself was changed
  std::vector<std::size_t> counts_;  // items per round, of the lists
};

}  // namespace

base::Status Interpreter::symbolic_loop(const LoopPlan& plan) {
  return LoopRun(*this, plan).run();
}

}  // namespace wherry::torch
