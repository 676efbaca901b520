#include "import/torch/script_state.h"

#include <algorithm>
#include <set>

#include "graph/verbs.h"

#include "base/text.h"
#include "import/torch/script_text.h"

namespace wherry::torch {
namespace {

using base::Result;
using graph::ValueId;

std::string path_of(const Object& object, std::string_view name) {
  return object->path.empty() ? std::string(name) : base::cat(object->path, ".", name);
}

std::string start_of(const tensor::Tensor* saved) {
  if (!saved) return "what the file holds";
  if (saved->size() == 0) return "an empty tensor";
  const auto bytes = saved->bytes();
  const bool zero = std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
  return base::cat(zero ? "zeros, " : "the values in the file, ", tensor::to_string(saved->shape()));
}

}  // namespace

ScriptState::ScriptState(Interpreter& in, const Value& root, std::vector<StateInput> known,
                         std::vector<std::string> taken)
    : in_(in), root_(*root.get<Object>()), known_(std::move(known)), taken_(std::move(taken)) {}

std::string ScriptState::input_name(const StateInput& state) const {
  const bool clash = std::ranges::find(taken_, state.path) != taken_.end();
  return clash ? base::cat("self.", state.path) : state.path;
}

Result<ScriptState::Place> ScriptState::find(std::string_view path) {
  Object at = root_;
  while (true) {
    const std::size_t dot = path.find('.');
    if (dot == std::string_view::npos) return Place{at, std::string(path)};
    const auto found = at->attributes.find(path.substr(0, dot));
    const Object* inner = found != at->attributes.end() ? found->second.get<Object>() : nullptr;
    if (!inner) return in_.refuse(base::cat("the state ", path, " is not in the file"));
    at = *inner;
    path.remove_prefix(dot + 1);
  }
}

base::Status ScriptState::begin() {
  for (const StateInput& state : known_) {
    if (state.held) continue;
    TRY_ASSIGN(const Place place, find(state.path));
    graph::Builder& b = in_.builder();
    graph::Dims dims;
    for (const std::int64_t length : state.dims)
      dims.push_back(length >= 0 ? graph::Dim{length, 0} : b.fresh());
    const ValueId value = b.input(input_name(state), state.dtype, std::move(dims));
    in_.put_attribute(place.object, place.name,
                      state.number ? Value(Symbol{value}) : Value(in_.aten().tensor(value)));
  }
  std::vector<Object> open{root_};
  std::set<const Instance*> seen;
  while (!open.empty()) {
    const Object object = open.back();
    open.pop_back();
    if (!seen.insert(object.get()).second) continue;
    for (const auto& [name, value] : object->attributes) {
      if (const auto* tensor = value.get<Tensor>(); tensor && object->saved.contains(name))
        tensors_.emplace(tensor->variable, Place{object, name});
      if (const Object* inner = value.get<Object>()) open.push_back(*inner);
    }
  }
  mark_ = in_.aten().mark();
  return {};
}

Result<StateInput> ScriptState::compare(const StateInput& was, const Value& now) {
  StateInput is = was;
  if (was.held) return is;
  if (was.number) {
    if (!now.is<Symbol>() && !Interpreter::number_type(now))
      return in_.refuse(base::cat("the state ", was.path, " becomes ", describe(now)));
    return is;
  }
  const auto* tensor = now.get<Tensor>();
  if (!tensor) return in_.refuse(base::cat("the state ", was.path, " becomes ", describe(now)));
  const graph::Type type = in_.builder().type(in_.aten().current(*tensor));
  if (type.dtype != was.dtype || !type.ranked || type.dims.size() != was.dims.size())
    return in_.refuse(base::cat("the state ", was.path, " changes its dtype or its number of axes"));
  for (std::size_t i = 0; i < is.dims.size(); ++i)
    if (!type.dims[i].is(is.dims[i])) is.dims[i] = -1;
  return is;
}

Result<StateInput> ScriptState::describe_new(const std::string& path, const Value& before, const Value& now) {
  if (const auto dtype = Interpreter::number_type(before))
    return StateInput{path, *dtype, true, false, {}, text_of(before)};
  const auto* tensor = now.get<Tensor>();
  const auto* saved = before.get<Tensor>();
  if (!saved || !tensor) {
    return in_.refuse(base::cat("the model keeps ", describe(before), " between calls in the attribute ",
                                path, ", which is not supported"));
  }
  graph::Builder& b = in_.builder();
  const graph::Type type = b.type(in_.aten().current(*tensor));
  const graph::Type start = b.type(saved->value);
  const tensor::Tensor* held = b.constant(saved->value);
  const bool empty = held && held->size() == 0;
  const bool alike = start.ranked && start.dims.size() == type.dims.size();
  if (!type.ranked || start.dtype != type.dtype || (!alike && !empty))
    return in_.refuse(base::cat("the state ", path, " changes its dtype or its number of axes"));
  StateInput state{path, type.dtype, false, false, {}, start_of(held)};
  for (std::size_t i = 0; i < type.dims.size(); ++i) {
    const graph::Dim dim = type.dims[i];
    const bool fixed = dim.known() && (alike ? start.dims[i] == dim : i > 0);
    state.dims.push_back(fixed ? dim.number : -1);
  }
  return state;
}

base::Status ScriptState::observe_one(const Place& place, const Value& before,
                                      std::vector<StateInput>& found) {
  const std::string path = path_of(place.object, place.name);
  if (std::ranges::find(found, path, &StateInput::path) != found.end()) return {};
  if (place.object != root_ && place.object->path.empty())
    return in_.refuse(base::cat("the model keeps state between calls in ", place.name,
                                " of an object, which is not supported"));
  const auto now = place.object->attributes.find(place.name);
  if (now == place.object->attributes.end())
    return in_.refuse(base::cat("the attribute ", path, " is gone after the call"));
  const auto known = std::ranges::find(known_, path, &StateInput::path);
  if (known == known_.end() && before.is_none()) {
    reset_.push_back(path);
    return {};
  }
  TRY_ASSIGN(StateInput state,
             known != known_.end() ? compare(*known, now->second) : describe_new(path, before, now->second));
  found.push_back(std::move(state));
  return {};
}

Result<std::vector<StateInput>> ScriptState::observe() {
  std::vector<StateInput> found;
  for (const StateInput& state : known_) {  // in their order, also when this run did not touch them
    TRY_ASSIGN(const Place place, find(state.path));
    TRY(observe_one(place, Value(), found));
  }
  for (const StateAttribute& each : in_.states())
    TRY(observe_one({each.object, each.name}, each.before, found));
  for (const Aten::Change& change : in_.aten().changed_since(mark_)) {
    const auto place = tensors_.find(change.tensor.variable);
    if (place != tensors_.end()) TRY(observe_one(place->second, Value(Tensor{change.before, 0}), found));
  }
  return found;
}

base::Status ScriptState::add_outputs() {
  for (const StateInput& state : known_) {
    if (state.held) continue;
    TRY_ASSIGN(const Place place, find(state.path));
    const Value& now = place.object->attributes[place.name];
    ValueId value = graph::kNone;
    if (const auto* tensor = now.get<Tensor>()) {
      value = in_.aten().current(*tensor);
    } else {
      TRY_ASSIGN(value, in_.scalar(now, state.dtype));
    }
    in_.builder().output(base::cat(input_name(state), "_out"), in_.builder().add("Identity", {value}));
  }
  return in_.builder().status();
}

std::vector<std::pair<std::string, std::string>> ScriptState::notes() const {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const StateInput& state : known_) {
    const std::string name = input_name(state);
    if (state.held) {
      lines.emplace_back(base::cat("state ", name),
                         base::cat("every call starts with ", state.start,
                                   " as the file has it; what the call makes of it is dropped"));
    } else {
      lines.emplace_back(
          base::cat("state ", name),
          base::cat("the model keeps it between calls: give the output ", name,
                    "_out of one call to the next as input ", name, "; the file starts it as ", state.start));
    }
  }
  for (const std::string& path : reset_)
    lines.emplace_back(base::cat("state ", path), "every call starts with None, as the file has it");
  return lines;
}

}  // namespace wherry::torch
