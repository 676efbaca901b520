#include "base/text.h"
#include "import/torch/script_interpreter.h"
#include "import/torch/script_text.h"

namespace wherry::torch {
namespace {

using base::Result;
using Flow = Interpreter::Flow;

// PyTorch's in-place operator of an augmented assignment; empty when there is none.
std::string_view in_place(std::string_view op) {
  static constexpr std::pair<std::string_view, std::string_view> kRows[] = {
      {"+", "aten::add_"}, {"-", "aten::sub_"}, {"*", "aten::mul_"}, {"/", "aten::div_"}};
  for (const auto& [spelling, name] : kRows) {
    if (spelling == op) return name;
  }
  return {};
}

struct Execute {
  Interpreter& in;

  Result<Flow> operator()(const python::ExpressionStatement& node) const {
    if (node.value->as<python::Constant>()) return Flow::kNext;  // a docstring
    TRY(in.evaluate(*node.value));
    return Flow::kNext;
  }
  Result<Flow> operator()(const python::Assign& node) const {
    TRY_ASSIGN(const Value value, in.evaluate(*node.value));
    for (const python::Expression* target : node.targets) TRY(in.assign(*target, value));
    return Flow::kNext;
  }
  Result<Flow> operator()(const python::AugmentedAssign& node) const {
    TRY_ASSIGN(const Value before, in.evaluate(*node.target));
    TRY_ASSIGN(const Value operand, in.evaluate(*node.value));
    if (const List* list = before.get<List>(); list && node.op == "+") {
      TRY(in.check_change((*list)->branch, "a list"));
      TRY_ASSIGN(const Values items, in.iterate(operand));
      (*list)->items.insert((*list)->items.end(), items.begin(), items.end());
      return Flow::kNext;
    }
    const std::string_view name = in_place(node.op);
    Value after;
    if (before.is<Tensor>() && !name.empty()) {
      TRY_ASSIGN(after, in.call_aten(name, {before, operand}, {}));
    } else {
      TRY_ASSIGN(after, in.binary(node.op, before, operand));
    }
    TRY(in.assign(*node.target, std::move(after)));
    return Flow::kNext;
  }
  Result<Flow> operator()(const python::AnnotatedAssign& node) const {
    if (!node.value) return Flow::kNext;
    TRY_ASSIGN(Value value, in.evaluate(*node.value));
    TRY(in.assign(*node.target, std::move(value)));
    return Flow::kNext;
  }
  Result<Flow> operator()(const python::If&) const { return Flow::kNext; }  // Interpreter::execute does it

  Result<Flow> operator()(const python::While& node) const {
    while (true) {
      TRY_ASSIGN(const Value test, in.evaluate(*node.test));
      TRY_ASSIGN(const auto truth, in.truth(test));
      const bool* known = std::get_if<bool>(&truth);
      if (!known) {
        if (!node.otherwise.empty()) return in.refuse("`else` of a loop with an unknown number of rounds");
        TRY(in.symbolic_loop({node.body, nullptr, {}, {}, {}, node.test}));
        return Flow::kNext;
      }
      if (!*known) break;
      TRY_ASSIGN(const Flow flow, in.execute(node.body));
      if (flow == Flow::kReturn) return flow;
      if (flow == Flow::kBreak) return Flow::kNext;
    }
    return in.execute(node.otherwise);
  }

  // range(…) with a number that only the graph knows.
  Result<bool> symbolic_range(const python::For& node) const {
    const auto* call = node.iterable->as<python::Call>();
    if (!call || python::Module::dotted(*call->callee) != "range") return false;
    Values parts;
    for (const python::Argument& argument : call->arguments) {
      if (argument.stars != 0) return false;
      TRY_ASSIGN(Value part, in.evaluate(*argument.value));
      parts.push_back(std::move(part));
    }
    bool symbolic = false;
    for (const Value& part : parts) symbolic = symbolic || part.is<Symbol>();
    if (!symbolic || parts.empty() || parts.size() > 3) return false;
    const Value start = parts.size() > 1 ? parts[0] : Value(std::int64_t{0});
    const Value stop = parts.size() > 1 ? parts[1] : parts[0];
    const Value step = parts.size() > 2 ? parts[2] : Value(std::int64_t{1});
    const auto* known_step = step.get<std::int64_t>();
    if (!known_step || *known_step == 0) return in.refuse("range() with a step that is not known");
    if (!node.otherwise.empty()) return in.refuse("`else` of a loop with an unknown number of rounds");
    // ceil((stop - start) / step)
    TRY_ASSIGN(Value rounds, in.binary("-", stop, start));
    if (*known_step != 1) {
      TRY_ASSIGN(rounds, in.binary("-", Value(std::int64_t{0}), rounds));
      TRY_ASSIGN(rounds, in.binary("//", rounds, step));
      TRY_ASSIGN(rounds, in.binary("-", Value(std::int64_t{0}), rounds));
    }
    if (!rounds.is<Symbol>()) return false;
    TRY(in.symbolic_loop({node.body, node.target, rounds, start, step, nullptr}));
    return true;
  }

  Result<Flow> operator()(const python::For& node) const {
    TRY_ASSIGN(const bool done, symbolic_range(node));
    if (done) return Flow::kNext;
    TRY_ASSIGN(const Value over, in.evaluate(*node.iterable));
    TRY_ASSIGN(const Values items, in.iterate(over));
    for (const Value& item : items) {
      TRY(in.assign(*node.target, item));
      TRY_ASSIGN(const Flow flow, in.execute(node.body));
      if (flow == Flow::kReturn) return flow;
      if (flow == Flow::kBreak) return Flow::kNext;
    }
    return in.execute(node.otherwise);
  }

  Result<Flow> operator()(const python::Break&) const { return Flow::kBreak; }
  Result<Flow> operator()(const python::Continue&) const { return Flow::kContinue; }
  Result<Flow> operator()(const python::Pass&) const { return Flow::kNext; }
  Result<Flow> operator()(const python::Return& node) const {
    Value value;
    if (node.value) {
      TRY_ASSIGN(value, in.evaluate(*node.value));
    }
    in.set_returned(std::move(value));
    return Flow::kReturn;
  }
  Result<Flow> operator()(const python::Raise& node) const {
    std::string what = "an exception";
    if (node.exception) {
      if (const auto* call = node.exception->as<python::Call>(); call && !call->arguments.empty()) {
        const auto message = in.evaluate(*call->arguments[0].value);
        if (message) what = text_of(*message);
      }
    }
    return in.raised(what);
  }
  Result<Flow> operator()(const python::Assert& node) const {
    TRY_ASSIGN(const Value test, in.evaluate(*node.test));
    TRY_ASSIGN(const auto truth, in.truth(test));
    const bool* known = std::get_if<bool>(&truth);
    if (known && !*known) return in.raised("an assertion does not hold");
    return Flow::kNext;
  }
  Result<Flow> operator()(const python::With& node) const {
    for (const python::WithItem& item : node.items) {
      TRY_ASSIGN(const Value context, in.evaluate(*item.context));
      if (!context.is_none())
        return in.refuse(base::cat("`with` on ", describe(context), " is not supported"));
      if (item.target) TRY(in.assign(*item.target, context));
    }
    return in.execute(node.body);
  }
  Result<Flow> operator()(const python::Try&) const { return in.refuse("`try` is not supported"); }
  Result<Flow> operator()(const python::Delete& node) const {
    for (const python::Expression* target : node.targets) {
      const auto* name = target->as<python::Name>();
      if (!name) return in.refuse("`del` of a part is not supported");
      in.frame().variables.erase(name->id);
    }
    return Flow::kNext;
  }
  Result<Flow> operator()(const python::Scope&) const {
    return in.refuse("`global` and `nonlocal` are not supported");
  }
  Result<Flow> operator()(const python::Import& node) const {
    for (const python::ImportedName& each : node.names) {
      const std::string_view top = std::string_view(each.name).substr(0, each.name.find('.'));
      const bool renamed = !each.alias.empty();
      in.frame().variables[renamed ? each.alias : top] = Named{renamed ? each.name : std::string(top)};
    }
    return Flow::kNext;
  }
  Result<Flow> operator()(const python::ImportFrom& node) const {
    for (const python::ImportedName& each : node.names) {
      TRY_ASSIGN(Value value, in.named_attribute(Named{node.module}, each.name));
      const std::string_view name = each.alias.empty() ? std::string_view(each.name) : each.alias;
      in.frame().variables[name] = std::move(value);
    }
    return Flow::kNext;
  }
  Result<Flow> operator()(const python::Function& node) const {
    in.frame().variables[node.name] = in.closure(&node, nullptr);
    return Flow::kNext;
  }
  Result<Flow> operator()(const python::Class&) const {
    return in.refuse("a class inside a function is not supported");
  }
  Result<Flow> operator()(const python::OtherStatement& node) const {
    return in.refuse(base::cat("`", node.what, "` is not supported"));
  }
};

}  // namespace

Result<Flow> Interpreter::execute(const python::Body& body, std::size_t from) {
  for (std::size_t i = from; i < body.size(); ++i) {
    TRY(step());
    at_ = body[i]->at;
    Flow flow = Flow::kNext;
    if (const auto* branches = body[i]->as<python::If>()) {
      TRY_ASSIGN(const Value test, evaluate(*branches->test));
      TRY_ASSIGN(const auto truth, this->truth(test));
      if (const bool* known = std::get_if<bool>(&truth)) {
        TRY_ASSIGN(flow, execute(*known ? branches->body : branches->otherwise));
      } else {
        TRY_ASSIGN(flow, symbolic_if(*branches, std::get<Symbol>(truth), body, i));
      }
    } else {
      TRY_ASSIGN(flow, std::visit(Execute{*this}, body[i]->value));
    }
    if (flow != Flow::kNext) return flow;
  }
  return Flow::kNext;
}

base::Status Interpreter::assign(const python::Expression& target, Value value) {
  if (const auto* name = target.as<python::Name>()) {
    frame_->variables[name->id] = std::move(value);
    return {};
  }
  if (const auto* attribute = target.as<python::Attribute>()) {
    TRY_ASSIGN(const Value object, evaluate(*attribute->object));
    return set_attribute(object, attribute->name, std::move(value));
  }
  if (const auto* part = target.as<python::Subscript>()) {
    TRY_ASSIGN(const Value object, evaluate(*part->object));
    TRY_ASSIGN(const Value index, evaluate(*part->index));
    return set_subscript(object, index, std::move(value));
  }
  const auto* tuple = target.as<python::TupleDisplay>();
  const auto* list = target.as<python::ListDisplay>();
  if (!tuple && !list) return refuse("this cannot be assigned to");
  const python::Expressions& targets = tuple ? tuple->items : list->items;
  TRY_ASSIGN(Values items, iterate(value));
  std::size_t star = targets.size();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (targets[i]->as<python::Starred>()) star = i;
  }
  const bool starred = star < targets.size();
  if (starred ? items.size() + 1 < targets.size() : items.size() != targets.size()) {
    return raised(base::cat(items.size(), " values for ", targets.size(), " variables"));
  }
  std::size_t next = 0;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (i != star) {
      TRY(assign(*targets[i], items[next++]));
      continue;
    }
    const std::size_t count = items.size() + 1 - targets.size();
    Values several(items.begin() + static_cast<std::ptrdiff_t>(next),
                   items.begin() + static_cast<std::ptrdiff_t>(next + count));
    next += count;
    TRY(assign(*targets[i]->as<python::Starred>()->value, make_list(std::move(several), branches_)));
  }
  return {};
}

}  // namespace wherry::torch
