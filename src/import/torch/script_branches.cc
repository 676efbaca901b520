#include <algorithm>
#include <set>

#include "graph/verbs.h"

#include "base/text.h"
#include "import/torch/script_interpreter.h"

namespace wherry::torch {
namespace {

using base::Result;
using graph::ValueId;
using Flow = Interpreter::Flow;
using Variables = std::map<std::string_view, Value, std::less<>>;

// --- what a body does, by its text
// ---------------------------------------------------------------------------

void add_target(const python::Expression& target, std::vector<std::string_view>& names) {
  if (const auto* name = target.as<python::Name>()) {
    if (std::ranges::find(names, name->id) == names.end()) names.push_back(name->id);
  } else if (const auto* tuple = target.as<python::TupleDisplay>()) {
    for (const auto* item : tuple->items) add_target(*item, names);
  } else if (const auto* list = target.as<python::ListDisplay>()) {
    for (const auto* item : list->items) add_target(*item, names);
  } else if (const auto* starred = target.as<python::Starred>()) {
    add_target(*starred->value, names);
  }
}

void add_assigned(const python::Body& body, std::vector<std::string_view>& names) {
  for (const python::Statement* statement : body) {
    if (const auto* assign = statement->as<python::Assign>()) {
      for (const auto* target : assign->targets) add_target(*target, names);
    } else if (const auto* augmented = statement->as<python::AugmentedAssign>()) {
      add_target(*augmented->target, names);
    } else if (const auto* annotated = statement->as<python::AnnotatedAssign>()) {
      if (annotated->value) add_target(*annotated->target, names);
    } else if (const auto* choice = statement->as<python::If>()) {
      add_assigned(choice->body, names);
      add_assigned(choice->otherwise, names);
    } else if (const auto* loop = statement->as<python::For>()) {
      add_target(*loop->target, names);
      add_assigned(loop->body, names);
    } else if (const auto* rounds = statement->as<python::While>()) {
      add_assigned(rounds->body, names);
    } else if (const auto* with = statement->as<python::With>()) {
      add_assigned(with->body, names);
    }
  }
}

bool leaves(const python::Body& body) {  // by return, break or continue
  return std::ranges::any_of(body, [](const python::Statement* statement) {
    if (statement->as<python::Return>() || statement->as<python::Break>() ||
        statement->as<python::Continue>())
      return true;
    if (const auto* choice = statement->as<python::If>())
      return leaves(choice->body) || leaves(choice->otherwise);
    if (const auto* loop = statement->as<python::For>()) return leaves(loop->body);
    if (const auto* loop = statement->as<python::While>()) return leaves(loop->body);
    if (const auto* with = statement->as<python::With>()) return leaves(with->body);
    return false;
  });
}

bool only_raises(const python::Body& body) {
  for (const python::Statement* statement : body) {
    if (statement->as<python::Raise>()) return true;
    const auto* call = statement->as<python::ExpressionStatement>()
                           ? statement->as<python::ExpressionStatement>()->value->as<python::Call>()
                           : nullptr;
    if (call && python::Module::dotted(*call->callee).ends_with("RaiseException")) return true;
  }
  return false;
}

// Lists that the body appends to: x.append(…), torch.append(x, …).
void add_appended(const python::Body& body, std::vector<std::string_view>& names) {
  for (const python::Statement* statement : body) {
    const python::Expression* value = nullptr;
    if (const auto* expression = statement->as<python::ExpressionStatement>()) value = expression->value;
    if (const auto* assign = statement->as<python::Assign>()) value = assign->value;
    const auto* call = value ? value->as<python::Call>() : nullptr;
    if (!call || call->arguments.empty()) continue;
    const std::string path = python::Module::dotted(*call->callee);
    const python::Name* list = nullptr;
    if (path == "torch.append") {
      list = call->arguments[0].value->as<python::Name>();
    } else if (path.ends_with(".append")) {
      const auto* method = call->callee->as<python::Attribute>();
      list = method ? method->object->as<python::Name>() : nullptr;
    }
    if (list && std::ranges::find(names, list->id) == names.end()) names.push_back(list->id);
  }
}

// --- values as leaves of the graph
// ---------------------------------------------------------------------------

template <class Visit>
void each_leaf(const Value& value, const Visit& visit) {
  if (const Values* items = sequence(value)) {
    for (const Value& item : *items) each_leaf(item, visit);
  } else if (const auto* dict = value.get<Dict>()) {
    for (const auto& entry : (*dict)->entries) each_leaf(entry.second, visit);
  } else if (value.is<Tensor>() || value.is<Symbol>()) {
    visit(value);
  }
}

// Two values that become one: first pairs() of what differs, then, when these have been joined, rebuild().
class Merger {
 public:
  explicit Merger(Interpreter& interpreter) : in_(interpreter) {}

  // False when the two are of different kinds.
  Result<bool> collect(const Value& a, const Value& b) {
    if (in_.same(a, b)) return true;
    if (a.is<Uninitialized>() || b.is<Uninitialized>()) return collect_missing(a, b);
    if (a.is<Tensor>() && b.is<Tensor>()) {
      const ValueId one = in_.aten().current(*a.get<Tensor>());
      const ValueId other = in_.aten().current(*b.get<Tensor>());
      if (in_.builder().dtype(one) != in_.builder().dtype(other)) return false;
      pairs_.emplace_back(one, other);
      return true;
    }
    if (const auto dtype = number_dtype(a, b)) {
      TRY_ASSIGN(const auto one, leaf(a, *dtype));
      TRY_ASSIGN(const auto other, leaf(b, *dtype));
      if (!one || !other) return false;
      pairs_.emplace_back(*one, *other);
      return true;
    }
    const Values* first = sequence(a);
    const Values* second = sequence(b);
    if (first && second && first->size() == second->size()) {
      for (std::size_t i = 0; i < first->size(); ++i) {
        TRY_ASSIGN(const bool fits, collect((*first)[i], (*second)[i]));
        if (!fits) return false;
      }
      return true;
    }
    const Dict* one = a.get<Dict>();
    const Dict* other = b.get<Dict>();
    if (!one || !other || (*one)->entries.size() != (*other)->entries.size()) return false;
    for (std::size_t i = 0; i < (*one)->entries.size(); ++i) {
      if (!in_.same((*one)->entries[i].first, (*other)->entries[i].first)) return false;
      TRY_ASSIGN(const bool fits, collect((*one)->entries[i].second, (*other)->entries[i].second));
      if (!fits) return false;
    }
    return true;
  }

  const std::vector<std::pair<ValueId, ValueId>>& pairs() const { return pairs_; }
  void forget(std::size_t from) { pairs_.resize(from); }

  Result<Value> rebuild(const Value& a, const Value& b, const std::vector<ValueId>& joined,
                        std::size_t& next) const {
    if (in_.same(a, b)) return a;
    const Value& shaped = a.is<Uninitialized>() ? b : a;
    const Value& second = b.is<Uninitialized>() ? a : b;
    if (shaped.is<Tensor>()) return Value(in_.aten().tensor(joined[next++]));
    if (const Values* items = sequence(shaped)) {
      Values made;
      for (std::size_t i = 0; i < items->size(); ++i) {
        TRY_ASSIGN(Value item, rebuild((*items)[i], (*sequence(second))[i], joined, next));
        made.push_back(std::move(item));
      }
      return shaped.is<Tuple>() ? make_tuple(std::move(made), (*shaped.get<Tuple>())->names)
                                : make_list(std::move(made), in_.branches());
    }
    if (const Dict* dict = shaped.get<Dict>()) {
      auto made = std::make_shared<DictObject>();
      made->branch = in_.branches();
      for (std::size_t i = 0; i < (*dict)->entries.size(); ++i) {
        TRY_ASSIGN(Value item, rebuild((*dict)->entries[i].second, (*second.get<Dict>())->entries[i].second,
                                       joined, next));
        made->entries.emplace_back((*dict)->entries[i].first, std::move(item));
      }
      return Value(made);
    }
    return in_.number(joined[next++]);
  }

 private:
  std::optional<tensor::DType> kind(const Value& value) const {
    if (const auto* symbol = value.get<Symbol>()) return in_.builder().dtype(symbol->value);
    return Interpreter::number_type(value);
  }
  std::optional<tensor::DType> number_dtype(const Value& a, const Value& b) const {
    const auto one = kind(a);
    const auto other = kind(b);
    if (!one || !other) return std::nullopt;
    if (*one == *other) return one;
    if (*one == tensor::DType::kFloat64 || *other == tensor::DType::kFloat64) return tensor::DType::kFloat64;
    return tensor::DType::kInt64;
  }
  // Numbers that are known become constants; others must have the type already, for no operator can be added
  // to a block that was ended.
  Result<std::optional<ValueId>> leaf(const Value& value, tensor::DType dtype) const {
    if (const auto* symbol = value.get<Symbol>()) {
      if (in_.builder().dtype(symbol->value) != dtype) return std::optional<ValueId>();
      return std::optional<ValueId>(symbol->value);
    }
    TRY_ASSIGN(const ValueId made, in_.scalar(value, dtype));
    return std::optional<ValueId>(made);
  }
  // One side has no value: the other decides, and something stands in for it where nobody looks.
  Result<bool> collect_missing(const Value& a, const Value& b) {
    const bool first = a.is<Uninitialized>();
    const Value& given = first ? b : a;
    if (!given.is<Tensor>() && !kind(given)) return false;
    ValueId value = graph::kNone;
    if (const auto* tensor = given.get<Tensor>()) {
      value = in_.aten().current(*tensor);
    } else {
      TRY_ASSIGN(const auto found, leaf(given, *kind(given)));
      value = *found;
    }
    const int rank = std::max(0, in_.builder().rank(value));
    const ValueId nothing = graph::full(in_.builder(), in_.builder().dtype(value),
                                        tensor::Shape(static_cast<std::size_t>(rank), 1), 0);
    pairs_.emplace_back(first ? nothing : value, first ? value : nothing);
    return true;
  }

  Interpreter& in_;
  std::vector<std::pair<ValueId, ValueId>> pairs_;
};

}  // namespace

// One way of a branch, or the body of a loop, while and after it runs as a block.
struct BranchState {
  explicit BranchState(Interpreter& interpreter) : in(interpreter), before(in.frame_->variables) {
    in.builder().begin_block();
    ++in.branches_;
    for (const Frame* frame : in.frames_) remember(frame->variables);
    remember(in.frame_->variables);
    writes = in.aten_.writes();
  }

  void remember(const Variables& variables) {
    for (const auto& [name, value] : variables) {
      each_leaf(value, [&](const Value& leaf) {
        if (const auto* tensor = leaf.get<Tensor>(); tensor && tensor->variable != 0) {
          held.emplace(tensor->variable, std::pair(*tensor, in.aten_.current(*tensor)));
        }
      });
    }
  }

  // What a variable of the frame holds now as graph values, with what `value` holds.
  std::vector<ValueId> results(const Value& value) const {
    std::vector<ValueId> found;
    const auto add = [&](const Value& leaf) {
      const auto* tensor = leaf.get<Tensor>();
      found.push_back(tensor ? in.aten_.current(*tensor) : leaf.get<Symbol>()->value);
    };
    each_leaf(value, add);
    for (const auto& [name, variable] : in.frame_->variables) each_leaf(variable, add);
    return found;
  }

  // Leaves the block; the frame gets its variables of before, `after` has those of the end.
  base::Status end(const std::vector<ValueId>& outputs) {
    --in.branches_;
    block = in.builder().end_block(outputs);
    after = std::exchange(in.frame_->variables, before);
    TRY(in.builder().status());
    if (in.aten_.writes() == writes) return {};
    for (const auto& [variable, pair] : held) {
      if (in.aten_.current(pair.first) != pair.second) {
        return in.refuse(
            "a tensor made outside is changed in place inside of a branch or loop that depends on the data");
      }
    }
    return {};
  }

  Interpreter& in;
  Variables before;
  Variables after;
  std::map<std::uint32_t, std::pair<Tensor, ValueId>> held;
  std::uint64_t writes = 0;
  std::shared_ptr<const graph::Block> block;
};

namespace {

std::shared_ptr<const graph::Block> with_outputs(const graph::Block& block, std::vector<ValueId> outputs) {
  auto made = std::make_shared<graph::Block>(block);
  made->outputs = std::move(outputs);
  return made;
}

void take_over(Frame& frame, const Variables& after, const std::vector<std::string_view>& names) {
  for (const std::string_view name : names) {
    const auto found = after.find(name);
    if (found != after.end()) {
      frame.variables[name] = found->second;
    } else {
      frame.variables.erase(name);
    }
  }
}

}  // namespace

Result<Value> Interpreter::branch(Symbol condition, const std::vector<std::string_view>& names,
                                  const Way& then, const Way& otherwise) {
  BranchState one(*this);
  const auto first = then();
  if (!first && (first.error().id != kRaised || need_)) return first;
  TRY(one.end(first ? one.results(*first) : std::vector<ValueId>{}));
  if (!first) return otherwise();  // the first way only checks
  BranchState other(*this);
  const auto second = otherwise();
  if (!second && (second.error().id != kRaised || need_)) return second;
  TRY(other.end(second ? other.results(*second) : std::vector<ValueId>{}));
  if (!second) {
    // Taken always: the nodes of the first way move here.
    if (!one.block->outputs.empty()) {
      builder().add_many("If", {graph::bool_scalar(builder(), true)}, one.block->outputs.size(),
                         {{"then_branch", one.block}, {"else_branch", one.block}});
    }
    take_over(*frame_, one.after, names);
    return first;
  }

  Merger merger(*this);
  TRY_ASSIGN(const bool fits, merger.collect(*first, *second));
  if (!fits)
    return refuse(base::cat("the branches give values of different kinds: ", describe(*first), " and ",
                            describe(*second)));
  std::vector<std::pair<std::string_view, bool>> merged;
  for (const std::string_view name : names) {
    const auto a = one.after.find(name);
    const auto b = other.after.find(name);
    if (a == one.after.end() || b == other.after.end()) continue;
    const std::size_t before = merger.pairs().size();
    TRY_ASSIGN(const bool alike, merger.collect(a->second, b->second));
    if (!alike) merger.forget(before);
    merged.emplace_back(name, alike);
  }
  std::vector<ValueId> joined;
  if (!merger.pairs().empty()) {
    std::vector<ValueId> left;
    std::vector<ValueId> right;
    for (const auto& [a, b] : merger.pairs()) {
      left.push_back(a);
      right.push_back(b);
    }
    joined = builder().add_many("If", {condition.value}, left.size(),
                                {{"then_branch", with_outputs(*one.block, left)},
                                 {"else_branch", with_outputs(*other.block, right)}});
    TRY(builder().status());
  }
  std::size_t next = 0;
  TRY_ASSIGN(Value result, merger.rebuild(*first, *second, joined, next));
  for (const auto& [name, alike] : merged) {
    if (!alike) {
      frame_->variables[name] = Uninitialized{};
      continue;
    }
    TRY_ASSIGN(frame_->variables[name],
               merger.rebuild(one.after.find(name)->second, other.after.find(name)->second, joined, next));
  }
  return result;
}

Result<Flow> Interpreter::symbolic_if(const python::If& statement, Symbol condition, const python::Body& body,
                                      std::size_t at) {
  // A way that can only raise is a check.
  if (only_raises(statement.body)) return execute(statement.otherwise);
  if (only_raises(statement.otherwise)) return execute(statement.body);
  const bool leaving = leaves(statement.body) || leaves(statement.otherwise);
  std::vector<std::string_view> names;
  add_assigned(statement.body, names);
  add_assigned(statement.otherwise, names);
  std::optional<Flow> flows[2];
  const auto way = [&](const python::Body& part, std::size_t which) -> Result<Value> {
    TRY_ASSIGN(Flow flow, execute(part));
    if (leaving && flow == Flow::kNext) {
      TRY_ASSIGN(flow, execute(body, at + 1));
    }
    flows[which] = flow;
    return flow == Flow::kReturn ? std::exchange(returned_, Value()) : Value();
  };
  TRY_ASSIGN(Value result,
             branch(
                 condition, leaving ? std::vector<std::string_view>{} : names,
                 [&] { return way(statement.body, 0); }, [&] { return way(statement.otherwise, 1); }));
  const Flow first = flows[0].value_or(flows[1].value_or(Flow::kNext));
  const Flow second = flows[1].value_or(first);
  if (first != second) {
    return refuse("a branch that depends on the data returns, breaks or continues where the other does not");
  }
  if (!leaving) return Flow::kNext;
  if (first == Flow::kReturn) {
    returned_ = std::move(result);
    return first;
  }
  return refuse("`break`, `continue` or `return` in a branch that depends on the data");
}

namespace {

// Values carried from round to round, in the order of their leaves.
struct Carried {
  std::string_view name;
  Value value;
};

}  // namespace

base::Status Interpreter::symbolic_loop(const LoopPlan& plan) {
  std::vector<std::string_view> names;
  add_assigned(plan.body, names);
  if (leaves(plan.body))
    return refuse("`break`, `continue` or `return` in a loop with an unknown number of rounds");
  std::vector<std::string_view> appended;
  add_appended(plan.body, appended);
  std::erase_if(appended, [&](std::string_view name) {
    const auto found = frame_->variables.find(name);
    return found == frame_->variables.end() || !found->second.is<List>();
  });
  std::vector<Carried> carried;
  std::vector<ValueId> initial;
  std::vector<graph::Type> types;
  for (const std::string_view name : names) {
    if (std::ranges::find(appended, name) != appended.end()) continue;
    const auto found = frame_->variables.find(name);
    if (found == frame_->variables.end() || found->second.is<Uninitialized>()) continue;
    carried.push_back({name, found->second});
  }

  // Leaves of the carried values as graph values; numbers become scalars, for they may change.
  const auto flatten = [&](const Value& value, const auto& self, std::vector<ValueId>& into) -> base::Status {
    if (const Values* items = sequence(value)) {
      for (const Value& item : *items) TRY(self(item, self, into));
    } else if (const auto* tensor = value.get<Tensor>()) {
      into.push_back(aten_.current(*tensor));
    } else if (const auto* symbol = value.get<Symbol>()) {
      into.push_back(symbol->value);
    } else if (const auto type = number_type(value)) {
      TRY_ASSIGN(const ValueId made, scalar(value, *type));
      into.push_back(made);
    } else if (!value.is_none() && !value.is<std::string>() && !value.is<Object>() &&
               !value.is<tensor::DType>() && !value.is<Device>()) {
      return refuse(base::cat(describe(value), " changes in a loop with an unknown number of rounds"));
    }
    return {};
  };
  const auto rebuild = [&](const Value& value, const auto& self, const std::vector<ValueId>& from,
                           std::size_t& next) -> Value {
    if (const Values* items = sequence(value)) {
      Values made;
      for (const Value& item : *items) made.push_back(self(item, self, from, next));
      return value.is<Tuple>() ? make_tuple(std::move(made)) : make_list(std::move(made), branches_);
    }
    if (value.is<Tensor>()) return Value(aten_.tensor(from[next++]));
    if (value.is<Symbol>() || number_type(value)) return Value(Symbol{from[next++]});
    return value;
  };
  for (const Carried& each : carried) TRY(flatten(each.value, flatten, initial));
  for (const ValueId value : initial) types.push_back(builder().type(value));

  ValueId going = graph::bool_scalar(builder(), true);
  ValueId rounds = graph::kNone;
  if (plan.condition) {
    TRY_ASSIGN(const Value test, evaluate(*plan.condition));
    TRY_ASSIGN(const auto truth, this->truth(test));
    const bool* known = std::get_if<bool>(&truth);
    going = known ? graph::bool_scalar(builder(), *known) : std::get<Symbol>(truth).value;
  } else {
    TRY_ASSIGN(rounds, scalar(plan.rounds, tensor::DType::kInt64));
  }

  constexpr int kAttempts = 4;  // types of carried values get looser until a round keeps them
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    BranchState state(*this);
    const ValueId round = builder().block_input({tensor::DType::kInt64, true, {}});
    builder().block_input({tensor::DType::kBool, true, {}});
    std::vector<ValueId> inside;
    for (const graph::Type& type : types) inside.push_back(builder().block_input(type));
    std::size_t next = 0;
    for (const Carried& each : carried)
      frame_->variables[each.name] = rebuild(each.value, rebuild, inside, next);
    for (const std::string_view name : appended) frame_->variables[name] = make_list({}, branches_);
    if (plan.target) {
      TRY_ASSIGN(const Value offset, binary("*", Value(Symbol{round}), plan.step));
      TRY_ASSIGN(Value index, binary("+", offset, plan.start));
      TRY(assign(*plan.target, std::move(index)));
    }
    TRY_ASSIGN(const Flow flow, execute(plan.body));
    if (flow != Flow::kNext) return refuse("`break` or `return` in a loop with an unknown number of rounds");
    std::vector<ValueId> outputs;
    if (plan.condition) {
      TRY_ASSIGN(const Value test, evaluate(*plan.condition));
      TRY_ASSIGN(const auto truth, this->truth(test));
      const bool* known = std::get_if<bool>(&truth);
      outputs.push_back(known ? graph::bool_scalar(builder(), *known) : std::get<Symbol>(truth).value);
    } else {
      outputs.push_back(graph::bool_scalar(builder(), true));
    }
    bool stable = true;
    for (const Carried& each : carried) {
      std::vector<ValueId> now;
      const std::size_t first = outputs.size() - 1;
      TRY(flatten(frame_->variables[each.name], flatten, now));
      for (std::size_t i = 0; i < now.size(); ++i) {
        if (first + i >= types.size())
          return refuse(
              base::cat("'", each.name, "' changes its kind in a loop with an unknown number of rounds"));
        graph::Type& wanted = types[first + i];
        const graph::Type found = builder().type(now[i]);
        if (found.dtype != wanted.dtype) {
          if (!number_type(each.value))
            return refuse(base::cat("'", each.name, "' changes its dtype in a loop"));
          wanted.dtype = found.dtype;
          stable = false;
        } else if (wanted.ranked && found.ranked && found.dims.size() == wanted.dims.size()) {
          for (std::size_t d = 0; d < found.dims.size(); ++d) {
            if (found.dims[d] == wanted.dims[d] || !wanted.dims[d].known()) continue;
            wanted.dims[d] = builder().fresh();
            stable = false;
          }
        } else if (wanted.ranked) {
          wanted.ranked = false;
          wanted.dims.clear();
          stable = false;
        }
        outputs.push_back(now[i]);
      }
    }
    std::vector<std::size_t> counts;
    for (const std::string_view name : appended) {
      const List* list = frame_->variables[name].get<List>();
      if (!list) return refuse(base::cat("the list '", name, "' becomes something else in the loop"));
      counts.push_back((*list)->items.size());
      for (const Value& item : (*list)->items) {
        const auto* tensor = item.get<Tensor>();
        if (!tensor)
          return refuse(
              base::cat("'", name, "' gets ", describe(item), " in a loop with an unknown number of rounds"));
        outputs.push_back(aten_.current(*tensor));
      }
    }
    if (std::ranges::any_of(counts, [](std::size_t count) { return count > 1; })) {
      return refuse("a list gets several items per round of a loop with an unknown number of rounds");
    }
    TRY(state.end(outputs));
    if (!stable) {
      for (std::size_t i = 0; i < initial.size(); ++i)
        initial[i] = graph::cast(builder(), initial[i], types[i].dtype);
      continue;
    }
    std::vector<ValueId> inputs = {rounds, going};
    inputs.insert(inputs.end(), initial.begin(), initial.end());
    const std::vector<ValueId> made =
        builder().add_many("Loop", inputs, outputs.size() - 1, {{"body", state.block}});
    TRY(builder().status());
    next = 0;
    for (const Carried& each : carried) {
      Value value = rebuild(state.after[each.name], rebuild, made, next);
      frame_->variables[each.name] = std::move(value);
    }
    for (std::size_t i = 0; i < appended.size(); ++i) {
      if (counts[i] == 0) continue;
      auto list = std::make_shared<ListObject>();
      list->items = (*state.before[appended[i]].get<List>())->items;
      list->branch = branches_;
      list->rounds = std::make_shared<const Value>(aten_.tensor(made[next++]));
      frame_->variables[appended[i]] = List(list);
    }
    return {};
  }
  return refuse("the shapes of values change from round to round of a loop");
}

}  // namespace wherry::torch
