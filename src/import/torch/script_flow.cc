#include "import/torch/script_flow.h"

#include <algorithm>

namespace wherry::torch {

using graph::ValueId;

namespace {

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

}  // namespace

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

BranchState::BranchState(Interpreter& interpreter)
    : before(interpreter.frame_->variables),
      in_(interpreter),
      outer_(interpreter.journal_),
      mark_(interpreter.aten_.mark()) {
  in_.builder().begin_block();
  ++in_.branches_;
  in_.journal_ = &attributes;
}

BranchState::~BranchState() {
  if (in_.journal_ == &attributes) in_.journal_ = outer_;
}

std::vector<ValueId> BranchState::results(const Value& value) {
  std::vector<ValueId> found;
  const auto add = [&](const Value& leaf) {
    const auto* tensor = leaf.get<Tensor>();
    found.push_back(tensor ? in_.aten_.current(*tensor) : leaf.get<Symbol>()->value);
    if (tensor && tensor->variable != 0) held_.insert_or_assign(tensor->variable, found.back());
  };
  each_leaf(value, add);
  for (const auto& [name, variable] : in_.frame_->variables) each_leaf(variable, add);
  for (const AttributeChange& change : attributes) each_leaf(change.object->attributes[change.name], add);
  for (const Aten::Change& change : in_.aten_.changed_since(mark_)) found.push_back(change.now);
  return found;
}

base::Status BranchState::end(const std::vector<ValueId>& outputs) {
  --in_.branches_;
  writes = in_.aten_.changed_since(mark_);
  block = in_.builder().end_block(outputs);
  in_.aten_.rewind(mark_);
  after = std::exchange(in_.frame_->variables, before);
  for (AttributeChange& change : attributes) {
    auto& now = change.object->attributes[change.name];
    change.after = now;
    if (change.before) {
      now = *change.before;
    } else {
      change.object->attributes.erase(change.name);
    }
    if (change.first) change.object->changed.erase(change.name);
  }
  in_.journal_ = outer_;
  TRY(in_.builder().status());
  if (std::ranges::any_of(writes, &Aten::Change::reshaped))
    return in_.refuse(
        "a tensor made outside changes its shape in place inside of a branch or loop that depends on the "
        "data");
  return {};
}

ValueId BranchState::value_of(const Tensor& tensor) const {
  const auto found = held_.find(tensor.variable);
  return tensor.variable != 0 && found != held_.end() ? found->second : in_.aten().current(tensor);
}

const AttributeChange* BranchState::find(const AttributeChange& like) const {
  const auto found = std::ranges::find_if(attributes, [&](const AttributeChange& each) {
    return each.object == like.object && each.name == like.name;
  });
  return found != attributes.end() ? &*found : nullptr;
}

}  // namespace wherry::torch
