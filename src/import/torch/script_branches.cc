#include <algorithm>

#include "graph/verbs.h"

#include "base/text.h"
#include "import/torch/script_flow.h"
#include "import/torch/script_interpreter.h"

namespace wherry::torch {
namespace {

using base::Result;
using graph::ValueId;
using Flow = Interpreter::Flow;

// Two values that become one: first pairs() of what differs, then, when these have been joined, rebuild().
class Merger {
 public:
  Merger(Interpreter& interpreter, const BranchState& one, const BranchState& other)
      : in_(interpreter), one_(one), other_(other) {}

  // False when the two are of different kinds.
  Result<bool> collect(const Value& a, const Value& b, int depth = 0) {
    if (alike(a, b)) return true;
    if (depth > kDeepestValue) return false;
    if (a.is<Uninitialized>() || b.is<Uninitialized>()) return collect_missing(a, b);
    if (a.is<Tensor>() && b.is<Tensor>()) {
      const ValueId one = one_.value_of(*a.get<Tensor>());
      const ValueId other = other_.value_of(*b.get<Tensor>());
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
        TRY_ASSIGN(const bool fits, collect((*first)[i], (*second)[i], depth + 1));
        if (!fits) return false;
      }
      return true;
    }
    const Dict* one = a.get<Dict>();
    const Dict* other = b.get<Dict>();
    if (!one || !other || (*one)->entries.size() != (*other)->entries.size()) return false;
    for (std::size_t i = 0; i < (*one)->entries.size(); ++i) {
      if (!in_.same((*one)->entries[i].first, (*other)->entries[i].first)) return false;
      TRY_ASSIGN(const bool fits, collect((*one)->entries[i].second, (*other)->entries[i].second, depth + 1));
      if (!fits) return false;
    }
    return true;
  }

  const std::vector<std::pair<ValueId, ValueId>>& pairs() const { return pairs_; }
  void forget(std::size_t from) { pairs_.resize(from); }
  void add(ValueId one, ValueId other) { pairs_.emplace_back(one, other); }

  Result<Value> rebuild(const Value& a, const Value& b, const std::vector<ValueId>& joined,
                        std::size_t& next) const {
    if (alike(a, b)) return a;
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
  // One object is merged where its memory is.
  bool alike(const Value& a, const Value& b) const {
    const auto* one = a.get<Tensor>();
    const auto* other = b.get<Tensor>();
    if (one && other && one->variable != 0 && one->variable == other->variable) return true;
    return in_.same(a, b);
  }
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
      value = (first ? other_ : one_).value_of(*tensor);
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
  const BranchState& one_;
  const BranchState& other_;
  std::vector<std::pair<ValueId, ValueId>> pairs_;
};

std::shared_ptr<const graph::Block> with_outputs(const graph::Block& block, std::vector<ValueId> outputs) {
  auto made = std::make_shared<graph::Block>(block);
  made->outputs = std::move(outputs);
  return made;
}

// The other way only raises: what this one did is what happens, and its nodes move here.
base::Status take_over(Interpreter& in, const BranchState& way, const std::vector<std::string_view>& names) {
  if (!way.block->outputs.empty()) {
    in.builder().add_many("If", {graph::bool_scalar(in.builder(), true)}, way.block->outputs.size(),
                          {{"then_branch", way.block}, {"else_branch", way.block}});
  }
  for (const std::string_view name : names) {
    const auto found = way.after.find(name);
    if (found != way.after.end()) {
      in.frame().variables[name] = found->second;
    } else {
      in.frame().variables.erase(name);
    }
  }
  for (const AttributeChange& change : way.attributes)
    TRY(in.set_attribute(Value(change.object), change.name, change.after));
  for (const Aten::Change& change : way.writes) TRY(in.aten().write(change.tensor, change.now));
  return {};
}

// The effects of both ways, joined by one If.
class Join {
 public:
  Join(Interpreter& in, const BranchState& one, const BranchState& other)
      : in_(in), one_(one), other_(other), merger_(in, one, other) {}

  Result<Value> run(Symbol condition, const Value& first, const Value& second,
                    const std::vector<std::string_view>& names) {
    TRY_ASSIGN(const bool fits, merger_.collect(first, second));
    if (!fits)
      return in_.refuse(base::cat("the branches give values of different kinds: ", describe(first), " and ",
                                  describe(second)));
    TRY(collect_names(names));
    TRY(collect_attributes());
    collect_memory();
    TRY(join(condition));
    TRY_ASSIGN(Value result, rebuild(first, second));
    for (const auto& [name, alike] : names_) {
      Value merged = Uninitialized{};
      if (alike) {
        TRY_ASSIGN(merged, rebuild(one_.after.find(name)->second, other_.after.find(name)->second));
      }
      in_.frame().variables[name] = std::move(merged);
    }
    for (const auto& [change, a, b] : attributes_) {
      TRY_ASSIGN(Value merged, rebuild(a, b));
      TRY(in_.set_attribute(Value(change.object), change.name, std::move(merged)));
    }
    for (const Tensor& tensor : memory_) TRY(in_.aten().write(tensor, joined_[next_++]));
    return result;
  }

 private:
  struct Attribute {
    AttributeChange change;
    Value a;
    Value b;
  };

  Result<Value> rebuild(const Value& a, const Value& b) { return merger_.rebuild(a, b, joined_, next_); }

  base::Status collect_names(const std::vector<std::string_view>& names) {
    for (const std::string_view name : names) {
      const auto a = one_.after.find(name);
      const auto b = other_.after.find(name);
      if (a == one_.after.end() || b == other_.after.end()) continue;
      const std::size_t before = merger_.pairs().size();
      TRY_ASSIGN(const bool alike, merger_.collect(a->second, b->second));
      if (!alike) merger_.forget(before);
      names_.emplace_back(name, alike);
    }
    return {};
  }

  base::Status collect_attributes() {
    std::vector<AttributeChange> all = one_.attributes;
    for (const AttributeChange& each : other_.attributes)
      if (!one_.find(each)) all.push_back(each);
    for (const AttributeChange& each : all) {
      const auto side = [&](const BranchState& way) {
        if (const AttributeChange* change = way.find(each)) return change->after;
        if (each.first) each.object->read.insert(each.name);  // its old value may stay
        return each.before.value_or(Value(Uninitialized{}));
      };
      Attribute attribute{each, side(one_), side(other_)};
      TRY_ASSIGN(const bool alike, merger_.collect(attribute.a, attribute.b));
      if (!alike) {
        return in_.refuse(base::cat("the branches give the attribute ", each.name,
                                    " values of different kinds: ", describe(attribute.a), " and ",
                                    describe(attribute.b)));
      }
      attributes_.push_back(std::move(attribute));
    }
    return {};
  }

  void collect_memory() {
    const auto now = [](const BranchState& way, const Aten::Change& change) {
      const auto found = std::ranges::find(way.writes, change.tensor.variable,
                                           [](const Aten::Change& each) { return each.tensor.variable; });
      return found != way.writes.end() ? found->now : change.before;
    };
    std::vector<Aten::Change> all = one_.writes;
    all.insert(all.end(), other_.writes.begin(), other_.writes.end());
    for (const Aten::Change& change : all) {
      const auto known = std::ranges::find(memory_, change.tensor.variable, &Tensor::variable);
      if (known != memory_.end()) continue;
      memory_.push_back(change.tensor);
      merger_.add(now(one_, change), now(other_, change));
    }
  }

  base::Status join(Symbol condition) {
    if (merger_.pairs().empty()) return {};
    std::vector<ValueId> left;
    std::vector<ValueId> right;
    for (const auto& [a, b] : merger_.pairs()) {
      left.push_back(a);
      right.push_back(b);
    }
    joined_ = in_.builder().add_many("If", {condition.value}, left.size(),
                                     {{"then_branch", with_outputs(*one_.block, left)},
                                      {"else_branch", with_outputs(*other_.block, right)}});
    return in_.builder().status();
  }

  Interpreter& in_;
  const BranchState& one_;
  const BranchState& other_;
  Merger merger_;
  std::vector<std::pair<std::string_view, bool>> names_;  // false: of different kinds
  std::vector<Attribute> attributes_;
  std::vector<Tensor> memory_;
  std::vector<ValueId> joined_;
  std::size_t next_ = 0;
};

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
  if (second) return Join(*this, one, other).run(condition, *first, *second, names);
  TRY(take_over(*this, one, names));
  return first;
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

}  // namespace wherry::torch
