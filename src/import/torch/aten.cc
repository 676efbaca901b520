#include "import/torch/aten.h"

#include <algorithm>
#include <map>
#include <ranges>

#include "base/text.h"
#include "import/torch/aliases.h"
#include "import/torch/operators.h"

namespace wherry::torch {
namespace {

using base::cat;
using base::Result;

struct Entry {
  Schema schema;
  Lower lower = nullptr;
  const Alias* alias = nullptr;
};

using Table = std::map<std::string, std::vector<Entry>, std::less<>>;

Result<Table> make_table() {
  Table table;
  for (const auto rows :
       {elementwise_operators(), activation_operators(), comparison_operators(), reduction_operators(),
        shape_operators(), index_operators(), convolution_operators(), pooling_operators(),
        resize_operators(), padding_operators(), norm_operators(), attention_operators(),
        recurrent_operators(), creation_operators(), matmul_operators(), embedding_operators(),
        number_operators()}) {
    for (const Operator& row : rows) {
      TRY_ASSIGN(Schema schema, parse_schema(row.schema));
      std::string name = schema.name;
      const Alias* const alias = find_alias(name);
      table[std::move(name)].push_back({std::move(schema), row.lower, alias});
    }
  }
  return table;
}

const Result<Table>& table() {
  static const Result<Table> kTable = make_table();
  return kTable;
}

struct Found {
  const std::vector<Entry>* overloads = nullptr;
  bool in_place = false;
};

// "aten::add_" is "aten::add"; "aten::__and__" is a name of its own.
Found find_name(std::string_view name) {
  if (!table()) return {};
  if (const auto found = table()->find(name); found != table()->end()) return {&found->second, false};
  if (!name.ends_with('_') || name.ends_with("__")) return {};
  const auto found = table()->find(name.substr(0, name.size() - 1));
  if (found == table()->end()) return {};
  return {&found->second, true};
}

bool fits(const Schema& schema, const std::vector<Argument>& positional,
          const std::vector<NamedArgument>& keywords, bool strictly) {
  const auto& parameters = schema.parameters;
  if (positional.size() > parameters.size()) return false;
  std::vector<bool> given(parameters.size());
  for (std::size_t i = 0; i < positional.size(); ++i) {
    if (!accepts(parameters[i], positional[i], strictly)) return false;
    if (strictly && parameters[i].keyword_only) return false;  // arange(0, 8) has no dtype 8
    given[i] = true;
  }
  for (const NamedArgument& keyword : keywords) {
    const auto found = std::ranges::find(parameters, keyword.name, &Parameter::name);
    if (found == parameters.end() || !accepts(*found, keyword.argument, strictly)) return false;
    const auto index = static_cast<std::size_t>(found - parameters.begin());
    if (given[index]) return false;
    given[index] = true;
  }
  for (std::size_t i = 0; i < parameters.size(); ++i)
    if (!given[i] && !parameters[i].otherwise && !parameters[i].optional) return false;
  return true;
}

const Entry* choose(const Found& found, std::string_view overload, const std::vector<Argument>& positional,
                    const std::vector<NamedArgument>& keywords) {
  if (found.overloads == nullptr) return nullptr;
  for (const Entry& entry : *found.overloads)
    if (entry.schema.overload == overload) return &entry;
  if (!overload.empty() && !found.in_place) return nullptr;
  for (const bool strictly : {true, false})
    for (const Entry& entry : *found.overloads)
      if (fits(entry.schema, positional, keywords, strictly)) return &entry;
  return nullptr;
}

// In-place operators which change what the object is, not the memory it shares.
bool changes_shape_only(std::string_view name) {
  return name == "aten::squeeze" || name == "aten::unsqueeze" || name == "aten::transpose" ||
         name == "aten::t";
}

}  // namespace

// A tensor object: memory of its own, or a view of its parent's.
struct Variable {
  ValueId value = kNone;
  std::uint32_t root = 0;    // the object whose memory it shares; itself when it is no view
  std::uint32_t parent = 0;  // 0: no view
  std::uint64_t version =
      0;  // of the root: its own number of changes; of a view: the root's when `value` was made
  bool in_order = true;
  const Entry* made_by = nullptr;
  std::vector<Argument> bound;
  std::size_t index = 0;  // into the list which the operator gave
};

struct Aten::State {
  explicit State(graph::Builder& builder) : b(builder), variables(1) {}

  graph::Builder& b;
  struct Written {
    std::uint32_t id = 0;
    Variable before;
    bool reshaped = false;
  };

  std::vector<Variable> variables;
  Notes notes;
  std::vector<Written> written;
  std::vector<std::uint32_t> refreshed;  // views that were made again

  std::uint32_t add(ValueId value) {
    const auto id = static_cast<std::uint32_t>(variables.size());
    variables.push_back({.value = value, .root = id});
    return id;
  }

  // Views are made again from what they view, parents first; chains are as long as the program's, so no
  // recursion.
  ValueId current(std::uint32_t id) {
    const std::uint64_t version = variables[variables[id].root].version;
    std::vector<std::uint32_t> stale;
    for (std::uint32_t at = id; variables[at].parent != 0 && variables[at].version != version;
         at = variables[at].parent)
      stale.push_back(at);
    for (const std::uint32_t each : stale | std::views::reverse) {
      Variable& view = variables[each];
      std::get<Tensor>(view.bound[0].value).value = variables[view.parent].value;
      Call call(b, view.made_by->schema, view.bound, notes);
      const Outputs outputs = view.made_by->lower(call);
      view.value = element(outputs, view.index);
      view.version = version;
      refreshed.push_back(each);
    }
    return variables[id].value;
  }

  static ValueId element(const Outputs& outputs, std::size_t index) {
    if (outputs.results.empty()) return kNone;
    const Argument& first = outputs.results.front();
    if (const auto* const tensor = first.get<Tensor>()) return tensor->value;
    const auto* const items = first.get<Argument::List>();
    if (items == nullptr || index >= items->size()) return kNone;
    const auto* const tensor = (*items)[index].get<Tensor>();
    return tensor != nullptr ? tensor->value : kNone;
  }

  base::Status write(std::uint32_t id, ValueId value) {
    if (current(id) == value) return {};
    std::vector<std::pair<std::uint32_t, ValueId>> changed{{id, value}};
    std::uint32_t at = id;
    ValueId part = value;
    while (variables[at].parent != 0) {
      const std::uint32_t parent = variables[at].parent;
      const ValueId whole = current(parent);
      Variable& view = variables[at];
      std::get<Tensor>(view.bound[0].value).value = whole;
      Call call(b, view.made_by->schema, view.bound, notes);
      const Alias& alias = *view.made_by->alias;
      if (alias.put_back == nullptr)
        call.refuse("its result is changed in place, which wherry cannot follow");
      else
        part = alias.put_back(call, whole, part, view.index);
      TRY(b.status());
      at = parent;
      changed.emplace_back(at, part);
    }
    written.push_back({at, variables[at]});
    const std::uint64_t version = ++variables[at].version;
    for (const auto& [each, now] : changed) {
      variables[each].value = now;
      variables[each].version = version;
    }
    return {};
  }

  void refresh(std::vector<Argument>& arguments) {
    for (Argument& argument : arguments) {
      if (auto* const tensor = std::get_if<Tensor>(&argument.value)) {
        if (tensor->variable != 0) tensor->value = current(tensor->variable);
      } else if (auto* const items = std::get_if<Argument::List>(&argument.value)) {
        refresh(*items);
      }
    }
  }

  bool shares(const Entry& entry, const Tensor& viewed, ValueId result) const {
    if (entry.alias == nullptr || viewed.variable == 0) return false;
    switch (entry.alias->sharing) {
      case Sharing::kNever:
        return false;
      case Sharing::kIfInOrder:
        return variables[viewed.variable].in_order;
      case Sharing::kAlways:
        return b.dtype(result) == b.dtype(viewed.value);  // to() another dtype copies
    }
    return false;
  }

  void make_object(const Entry& entry, const std::vector<Argument>& bound, Tensor& result,
                   std::size_t index) {
    if (result.variable != 0) return;
    const Tensor* const viewed = bound.empty() ? nullptr : bound[0].get<Tensor>();
    result.variable = add(result.value);
    if (viewed == nullptr || !shares(entry, *viewed, result.value)) return;
    const Variable parent = variables[viewed->variable];
    Variable& made = variables[result.variable];
    made.root = parent.root;
    made.parent = viewed->variable;
    made.version = variables[parent.root].version;
    made.in_order = parent.in_order && entry.alias->in_order;
    made.made_by = &entry;
    made.bound = bound;
    made.index = index;
  }

  void make_objects(const Entry& entry, const std::vector<Argument>& bound, std::vector<Argument>& results) {
    for (Argument& result : results) {
      if (auto* const tensor = std::get_if<Tensor>(&result.value)) {
        make_object(entry, bound, *tensor, 0);
      } else if (auto* const items = std::get_if<Argument::List>(&result.value)) {
        for (std::size_t i = 0; i < items->size(); ++i)
          if (auto* const item = std::get_if<Tensor>(&(*items)[i].value)) make_object(entry, bound, *item, i);
      }
    }
  }

  Result<std::vector<Argument>> finish_in_place(const Entry& entry, const std::vector<Argument>& bound,
                                                const Outputs& outputs) {
    const auto* const target = bound.empty() ? nullptr : bound[0].get<Tensor>();
    if (target == nullptr)
      return base::fail(base::Code::kInvalidInput, "torch.bad_call",
                        cat(entry.schema.qualified(), "_: needs a tensor to change"));
    ValueId value = graph::cast(b, element(outputs, 0), b.dtype(target->value));
    Tensor result{value, target->variable};
    if (target->variable == 0) return std::vector<Argument>{result};
    if (changes_shape_only(entry.schema.name)) {
      Variable& variable = variables[target->variable];
      written.push_back({target->variable, variable, true});
      variable = {.value = value, .root = target->variable};
    } else {
      if (b.type(value).dims != b.type(target->value).dims)
        value = graph::expand(b, value, graph::shape_of(b, target->value));
      TRY(write(target->variable, value));
      result.value = value;
    }
    return std::vector<Argument>{result};
  }
};

Aten::Aten(graph::Builder& builder) : state_(std::make_unique<State>(builder)) {}
Aten::~Aten() = default;

graph::Builder& Aten::builder() {
  return state_->b;
}

Result<std::vector<Argument>> Aten::call(std::string_view name, std::string_view overload,
                                         std::vector<Argument> positional,
                                         std::vector<NamedArgument> keywords) {
  if (!table()) return std::unexpected(table().error());
  const Found found = find_name(name);
  if (found.in_place)  // dropout_(self, p, train) beside dropout(input, p, train)
    for (NamedArgument& keyword : keywords)
      if (keyword.name == "self") keyword.name = found.overloads->front().schema.parameters.front().name;
  const Entry* const entry = choose(found, overload, positional, keywords);
  if (entry == nullptr)
    return base::fail(
        base::Code::kUnsupported, "torch.unsupported_operator",
        cat(name, overload.empty() ? "" : ".", overload,
            found.overloads == nullptr ? ": wherry does not know this operator"
                                       : ": no overload that wherry knows takes these arguments"),
        "export the model to ONNX with torch.onnx.export");
  TRY_ASSIGN(std::vector<Argument> bound, bind(entry->schema, std::move(positional), std::move(keywords)));
  state_->refresh(bound);
  Call call(state_->b, entry->schema, bound, state_->notes);
  Outputs outputs = entry->lower(call);
  TRY(state_->b.status());
  if (found.in_place) return state_->finish_in_place(*entry, bound, outputs);
  state_->make_objects(*entry, bound, outputs.results);
  return std::move(outputs.results);
}

bool Aten::knows(std::string_view name, std::string_view overload) {
  const Found found = find_name(name);
  if (found.overloads == nullptr) return false;
  return overload.empty() || found.in_place || std::ranges::any_of(*found.overloads, [&](const Entry& entry) {
           return entry.schema.overload == overload;
         });
}

std::vector<std::string> Aten::names() {
  std::vector<std::string> out;
  if (table())
    for (const auto& [name, overloads] : *table()) out.push_back(name);
  return out;
}

Tensor Aten::tensor(graph::ValueId value) {
  return {value, state_->add(value)};
}

graph::ValueId Aten::current(const Tensor& tensor) {
  return tensor.variable != 0 ? state_->current(tensor.variable) : tensor.value;
}

base::Status Aten::write(const Tensor& tensor, graph::ValueId value) {
  if (tensor.variable == 0) return {};
  TRY(state_->write(tensor.variable, value));
  return state_->b.status();
}

Aten::Mark Aten::mark() const {
  return {state_->written.size(), state_->refreshed.size(),
          static_cast<std::uint32_t>(state_->variables.size())};
}

std::vector<Aten::Change> Aten::changed_since(const Mark& mark) const {
  std::vector<Change> changes;
  for (std::size_t i = mark.writes; i < state_->written.size(); ++i) {
    const State::Written& each = state_->written[i];
    if (each.id >= mark.objects) continue;
    const auto known =
        std::ranges::find(changes, each.id, [](const Change& change) { return change.tensor.variable; });
    if (known != changes.end()) {
      known->reshaped = known->reshaped || each.reshaped;
      continue;
    }
    changes.push_back({Tensor{each.before.value, each.id}, each.before.value,
                       state_->variables[each.id].value, each.reshaped});
  }
  return changes;
}

void Aten::rewind(const Mark& mark) {
  constexpr std::uint64_t kStale = ~std::uint64_t{0};
  for (std::size_t i = state_->written.size(); i > mark.writes; --i) {
    State::Written& each = state_->written[i - 1];
    if (each.id >= mark.objects) continue;
    Variable& variable = state_->variables[each.id];
    const std::uint64_t version = std::max(variable.version, each.before.version) + 1;
    variable = std::move(each.before);
    variable.version = variable.parent == 0 ? version : kStale;
  }
  for (std::size_t i = mark.views; i < state_->refreshed.size(); ++i)
    state_->variables[state_->refreshed[i]].version = kStale;
  state_->written.resize(mark.writes);
  state_->refreshed.resize(mark.views);
}

}  // namespace wherry::torch
