#include "import/torch/script_native.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "graph/verbs.h"

#include "base/text.h"
#include "import/torch/scalar_type.h"
#include "import/torch/script_text.h"

namespace wherry::torch {
namespace {

using base::Result;
using Maybe = Result<std::optional<Value>>;

Maybe give(Value value) {
  return std::optional<Value>(std::move(value));
}
Maybe give(Result<Value> value) {
  if (!value) return std::unexpected(value.error());
  return std::optional<Value>(*std::move(value));
}

const Value* find(const NativeCall& c, std::string_view keyword, std::size_t position = SIZE_MAX) {
  if (position < c.positional.size()) return &c.positional[position];
  for (const auto& [name, value] : c.keywords) {
    if (name == keyword) return &value;
  }
  return nullptr;
}

Maybe nothing(NativeCall&) {
  return give(Value());
}
Maybe no(NativeCall&) {
  return give(Value(false));
}
Maybe first(NativeCall& c) {
  return give(c.positional[0]);
}

// --- numbers and containers --------------------------------------------------------------------------------

Maybe length(NativeCall& c) {
  const Value& of = c.positional[0];
  if (const auto* tensor = of.get<Tensor>()) {
    TRY_ASSIGN(const Values lengths, c.in.shape(*tensor));
    if (lengths.empty()) return c.in.refuse("len() of a tensor without axes");
    return give(lengths[0]);
  }
  if (of.is<Object>()) return give(c.in.call_method(of, "__len__", {}));
  if (const auto* text = of.get<std::string>()) return give(Value(static_cast<std::int64_t>(text->size())));
  TRY_ASSIGN(const Values items, c.in.iterate(of));
  return give(Value(static_cast<std::int64_t>(items.size())));
}

Maybe range(NativeCall& c) {
  std::int64_t parts[3] = {0, 0, 1};
  for (std::size_t i = 0; i < std::min<std::size_t>(c.positional.size(), 3); ++i) {
    const auto* number = c.positional[i].get<std::int64_t>();
    if (!number)
      return c.in.refuse(base::cat("range() of ", describe(c.positional[i]), " is supported in `for` only"));
    parts[i] = *number;
  }
  if (c.positional.size() == 1) std::swap(parts[0], parts[1]);
  if (parts[2] == 0) return c.in.refuse("range() with step 0");
  return give(Value(RangeValue{parts[0], parts[1], parts[2]}));
}

Maybe enumerate(NativeCall& c) {
  TRY_ASSIGN(const Values items, c.in.iterate(c.positional[0]));
  const Value* start = find(c, "start", 1);
  std::int64_t next = start && start->is<std::int64_t>() ? *start->get<std::int64_t>() : 0;
  Values made;
  for (const Value& item : items) made.push_back(make_tuple({Value(next++), item}));
  return give(make_list(std::move(made), c.in.branches()));
}

Maybe zip(NativeCall& c) {
  std::vector<Values> columns;
  std::size_t least = SIZE_MAX;
  for (const Value& each : c.positional) {
    TRY_ASSIGN(Values items, c.in.iterate(each));
    least = std::min(least, items.size());
    columns.push_back(std::move(items));
  }
  Values made;
  for (std::size_t i = 0; !columns.empty() && i < least; ++i) {
    Values row;
    for (const Values& column : columns) row.push_back(column[i]);
    made.push_back(make_tuple(std::move(row)));
  }
  return give(make_list(std::move(made), c.in.branches()));
}

Maybe as_list(NativeCall& c) {
  if (c.positional.empty()) return give(make_list({}, c.in.branches()));
  TRY_ASSIGN(Values items, c.in.iterate(c.positional[0]));
  return give(make_list(std::move(items), c.in.branches()));
}
Maybe as_tuple(NativeCall& c) {
  if (c.positional.empty()) return give(make_tuple({}));
  TRY_ASSIGN(Values items, c.in.iterate(c.positional[0]));
  return give(make_tuple(std::move(items)));
}
Maybe as_set(NativeCall& c) {
  Values made;
  if (!c.positional.empty()) {
    TRY_ASSIGN(const Values items, c.in.iterate(c.positional[0]));
    for (const Value& item : items) {
      TRY_ASSIGN(const bool known, c.in.contains(make_list(made), item));
      if (!known) made.push_back(item);
    }
  }
  return give(make_list(std::move(made), c.in.branches()));
}

Maybe as_dict(NativeCall& c) {
  auto made = std::make_shared<DictObject>();
  made->branch = c.in.branches();
  const Value dict = Dict(made);
  if (!c.positional.empty()) {
    if (const Dict* other = c.positional[0].get<Dict>()) {
      made->entries = (*other)->entries;
    } else {
      TRY_ASSIGN(const Values pairs, c.in.iterate(c.positional[0]));
      for (const Value& pair : pairs) {
        TRY_ASSIGN(const Values two, c.in.iterate(pair));
        if (two.size() != 2) return c.in.refuse("dict() wants pairs");
        TRY(c.in.set_subscript(dict, two[0], two[1]));
      }
    }
  }
  for (auto& [name, value] : c.keywords) TRY(c.in.set_subscript(dict, Value(name), value));
  return give(dict);
}

Result<Value> item_of(Interpreter& in, const Value& tensor) {
  return in.call_aten("aten::item", {tensor}, {});
}

Maybe as_int(NativeCall& c) {
  if (c.positional.empty()) return give(Value(std::int64_t{0}));
  Value value = c.positional[0];
  if (value.is<Tensor>()) return give(c.in.call_aten("aten::Int", {value}, {}));
  if (const auto* text = value.get<std::string>()) {
    const auto number = base::parse_unsigned(*text);
    if (!number || *number > INT64_MAX) return c.in.refuse(base::cat("int(", *text, ")"));
    return give(Value(static_cast<std::int64_t>(*number)));
  }
  return give(c.in.call_aten("torch::sym_int", {value}, {}));
}
Maybe as_float(NativeCall& c) {
  if (c.positional.empty()) return give(Value(0.0));
  Value value = c.positional[0];
  if (const auto* text = value.get<std::string>()) {
    const std::string lower = base::to_lower(*text);
    if (lower == "inf" || lower == "infinity") return give(Value(std::numeric_limits<double>::infinity()));
    if (lower == "-inf") return give(Value(-std::numeric_limits<double>::infinity()));
    if (lower == "nan") return give(Value(std::numeric_limits<double>::quiet_NaN()));
    return c.in.refuse(base::cat("float('", *text, "')"));
  }
  if (value.is<Tensor>()) {
    TRY_ASSIGN(value, item_of(c.in, value));
  }
  return give(c.in.call_aten("torch::sym_float", {value}, {}));
}
Maybe as_bool(NativeCall& c) {
  if (c.positional.empty()) return give(Value(false));
  TRY_ASSIGN(const auto truth, c.in.truth(c.positional[0]));
  if (const bool* known = std::get_if<bool>(&truth)) return give(Value(*known));
  return give(Value(std::get<Symbol>(truth)));
}
Maybe as_text(NativeCall& c) {
  return give(Value(c.positional.empty() ? std::string() : text_of(c.positional[0])));
}

Maybe as_repr(NativeCall& c) {
  return give(Value(repr_of(c.positional[0])));
}

Maybe extreme(NativeCall& c, std::string_view op, std::string_view of_tensors) {
  Values items = c.positional;
  if (items.size() == 1) {
    if (items[0].is<Tensor>()) return give(c.in.call_aten(of_tensors, items, {}));
    TRY_ASSIGN(items, c.in.iterate(items[0]));
  }
  if (items.empty()) {
    if (const Value* otherwise = find(c, "default")) return give(*otherwise);
    return c.in.raised("min() or max() of nothing");
  }
  Value best = items[0];
  for (std::size_t i = 1; i < items.size(); ++i) {
    if (best.is<Tensor>() || items[i].is<Tensor>())
      return c.in.refuse("min() and max() of tensors: use torch.minimum");
    TRY_ASSIGN(best, c.in.call_aten(op, {best, items[i]}, {}));
  }
  return give(best);
}
Maybe largest(NativeCall& c) {
  return extreme(c, "torch::sym_max", "aten::max");
}
Maybe smallest(NativeCall& c) {
  return extreme(c, "torch::sym_min", "aten::min");
}

Maybe sum(NativeCall& c) {
  TRY_ASSIGN(const Values items, c.in.iterate(c.positional[0]));
  const Value* start = find(c, "start", 1);
  Value total = start ? *start : Value(std::int64_t{0});
  for (const Value& item : items) {
    TRY_ASSIGN(total, c.in.binary("+", total, item));
  }
  return give(total);
}

Maybe absolute(NativeCall& c) {
  const Value& x = c.positional[0];
  if (x.is<Tensor>()) return give(c.in.call_aten("aten::abs", {x}, {}));
  if (const auto* number = x.get<std::int64_t>()) return give(Value(*number < 0 ? -*number : *number));
  if (const auto* number = x.get<double>()) return give(Value(std::abs(*number)));
  TRY_ASSIGN(const Value negative, c.in.unary("-", x));
  return give(c.in.call_aten("torch::sym_max", {x, negative}, {}));
}

Maybe rounded(NativeCall& c) {
  const Value& x = c.positional[0];
  if (c.positional.size() > 1) return c.in.refuse("round() to digits");
  if (x.is<Tensor>()) return give(c.in.call_aten("aten::round", {x}, {}));
  return give(c.in.call_aten("builtins::round", {x}, {}));
}

Maybe any_or_all(NativeCall& c, bool all) {
  TRY_ASSIGN(const Values items, c.in.iterate(c.positional[0]));
  for (const Value& item : items) {
    TRY_ASSIGN(const bool yes, c.in.known_truth(item, "any() or all()"));
    if (yes != all) return give(Value(yes));
  }
  return give(Value(all));
}
Maybe any(NativeCall& c) {
  return any_or_all(c, false);
}
Maybe all(NativeCall& c) {
  return any_or_all(c, true);
}

Maybe map(NativeCall& c) {
  if (c.positional.size() != 2) return c.in.refuse("map() over several lists");
  TRY_ASSIGN(Values items, c.in.iterate(c.positional[1]));
  for (Value& item : items) {
    TRY_ASSIGN(item, c.in.call(c.positional[0], {item}));
  }
  return give(make_list(std::move(items), c.in.branches()));
}

Maybe reversed(NativeCall& c) {
  TRY_ASSIGN(Values items, c.in.iterate(c.positional[0]));
  std::ranges::reverse(items);
  return give(make_list(std::move(items), c.in.branches()));
}

Maybe sorted(NativeCall& c) {
  TRY_ASSIGN(Values items, c.in.iterate(c.positional[0]));
  if (!c.keywords.empty()) return c.in.refuse("sorted() with a key");
  const bool texts = std::ranges::all_of(items, [](const Value& each) { return each.is<std::string>(); });
  const bool ints = std::ranges::all_of(items, [](const Value& each) { return each.is<std::int64_t>(); });
  if (!texts && !ints) return c.in.refuse("sorted() of other than numbers or texts");
  std::ranges::sort(items, [&](const Value& a, const Value& b) {
    return texts ? *a.get<std::string>() < *b.get<std::string>()
                 : *a.get<std::int64_t>() < *b.get<std::int64_t>();
  });
  return give(make_list(std::move(items), c.in.branches()));
}

// --- objects -----------------------------------------------------------------------------------------------

bool derives(const std::shared_ptr<const ClassObject>& type, const std::shared_ptr<const ClassObject>& from) {
  return type == from ||
         std::ranges::any_of(type->bases, [&](const auto& base) { return derives(base, from); });
}

Result<bool> is_a(Interpreter& in, const Value& value, const Value& type) {
  if (const Values* several = sequence(type)) {
    for (const Value& each : *several) {
      TRY_ASSIGN(const bool yes, is_a(in, value, each));
      if (yes) return true;
    }
    return false;
  }
  if (type.is_none()) return value.is_none();
  if (const auto* of = type.get<std::shared_ptr<const ClassObject>>()) {
    const Object* object = value.get<Object>();
    if (!object) return false;
    TRY_ASSIGN(const auto own, in.definition(**object));
    return derives(own, *of);
  }
  const Named* named = type.get<Named>();
  if (!named) return in.refuse(base::cat("isinstance() with ", describe(type)));
  const std::string_view path = named->path;
  const auto* symbol = value.get<Symbol>();
  const auto of_graph = symbol ? std::optional(in.builder().dtype(symbol->value)) : std::nullopt;
  if (path.ends_with("Tensor") || path == "torch.nn.Parameter") return value.is<Tensor>();
  if (path == "builtins.int")
    return value.is<std::int64_t>() || value.is<bool>() || (of_graph && !is_floating(*of_graph));
  if (path == "builtins.float") return value.is<double>() || (of_graph && is_floating(*of_graph));
  if (path == "builtins.bool") return value.is<bool>() || (of_graph && *of_graph == tensor::DType::kBool);
  if (path == "builtins.str") return value.is<std::string>();
  if (path == "builtins.list" || path == "List" || path == "typing.List") return value.is<List>();
  if (path == "builtins.tuple" || path == "Tuple" || path == "torch.Size" || path == "typing.Tuple")
    return value.is<Tuple>();
  if (path == "builtins.dict" || path == "Dict" || path.ends_with("OrderedDict") || path.ends_with("Mapping"))
    return value.is<Dict>();
  if (path.ends_with("Sequence") || path.ends_with("Iterable")) return value.is<List>() || value.is<Tuple>();
  if (path == "NoneType") return value.is_none();
  if (path.starts_with("torch.nn.") || path.starts_with("torchvision.")) {
    const Object* object = value.get<Object>();
    if (!object) return false;
    const auto of = in.class_by_path(path);
    if (!of) return false;
    TRY_ASSIGN(const auto own, in.definition(**object));
    return derives(own, *of);
  }
  return false;
}

Maybe isinstance(NativeCall& c) {
  if (c.positional.size() != 2) return c.in.refuse("isinstance() wants two arguments");
  TRY_ASSIGN(const bool yes, is_a(c.in, c.positional[0], c.positional[1]));
  return give(Value(yes));
}

Maybe type_of(NativeCall& c) {
  const Value& value = c.positional[0];
  if (const Object* object = value.get<Object>()) {
    TRY_ASSIGN(const auto type, c.in.definition(**object));
    return give(Value(type));
  }
  static constexpr std::string_view kNames[] = {"NoneType", "bool", "int", "float", "str"};
  if (value.value.index() < 5) return give(Value(Named{base::cat("builtins.", kNames[value.value.index()])}));
  if (value.is<List>()) return give(Value(Named{"builtins.list"}));
  if (value.is<Tuple>()) return give(Value(Named{"builtins.tuple"}));
  if (value.is<Dict>()) return give(Value(Named{"builtins.dict"}));
  if (value.is<Tensor>()) return give(Value(Named{"torch.Tensor"}));
  return c.in.refuse(base::cat("type() of ", describe(value)));
}

Maybe getattr(NativeCall& c) {
  const auto* name = c.positional.size() > 1 ? c.positional[1].get<std::string>() : nullptr;
  if (!name) return c.in.refuse("getattr() with a name that is not known");
  if (c.positional.size() > 2 && !c.positional[0].is<Tensor>() && !c.positional[0].is<Named>()) {
    TRY_ASSIGN(auto found, c.in.find_attribute(c.positional[0], *name));
    return give(found ? *found : c.positional[2]);
  }
  return give(c.in.attribute(c.positional[0], *name));
}

Maybe hasattr(NativeCall& c) {
  const auto* name = c.positional.size() > 1 ? c.positional[1].get<std::string>() : nullptr;
  if (!name) return c.in.refuse("hasattr() with a name that is not known");
  if (c.positional[0].is<Tensor>() || c.positional[0].is<Named>()) return give(Value(true));
  TRY_ASSIGN(const auto found, c.in.find_attribute(c.positional[0], *name));
  return give(Value(found.has_value()));
}

Maybe setattr(NativeCall& c) {
  const auto* name = c.positional.size() > 2 ? c.positional[1].get<std::string>() : nullptr;
  if (!name) return c.in.refuse("setattr() with a name that is not known");
  TRY(c.in.set_attribute(c.positional[0], *name, c.positional[2]));
  return give(Value());
}

Maybe callable(NativeCall& c) {
  const Value& value = c.positional[0];
  return give(Value(value.is<FunctionRef>() || value.is<NativeRef>() || value.is<Object>() ||
                    value.is<Named>() || value.is<std::shared_ptr<const ClassObject>>()));
}

Maybe next_of(NativeCall& c) {
  TRY_ASSIGN(const Values items, c.in.iterate(c.positional[0]));
  if (items.empty()) return c.in.refuse("next() of nothing");
  return give(items[0]);
}

// A parameter that __init__ makes: its values come from the state_dict, so nothing is computed with them
// before.
Maybe parameter(NativeCall& c) {
  if (!c.in.building && !c.positional.empty()) return give(c.positional[0]);
  if (!c.in.building) return c.in.refuse("a parameter is made in forward()");
  return give(Value(Named{std::string(kParameter)}));
}

Value deep_copy(Interpreter& in, const Value& value, std::map<const Instance*, Value>& known) {
  const Object* object = value.get<Object>();
  if (!object) return value;
  if (const auto found = known.find(object->get()); found != known.end()) return found->second;
  const Object made = in.new_instance((*object)->class_name, (*object)->definition);
  known.emplace(object->get(), Value(made));
  made->modules = (*object)->modules;
  for (const auto& [name, attribute] : (*object)->attributes)
    made->attributes.emplace(name, deep_copy(in, attribute, known));
  return Value(made);
}
Maybe copied(NativeCall& c) {
  std::map<const Instance*, Value> known;
  return give(deep_copy(c.in, c.positional[0], known));
}

constexpr NativeRow kRows[] = {
    {"torch.nn.Parameter", 0, parameter},
    {"torch.nn.parameter.Parameter", 0, parameter},
    {"torch.nn.Buffer", 1, first},
    {"wherry.copy", 1, copied},
    {"builtins.len", 1, length},
    {"builtins.range", 1, range},
    {"builtins.enumerate", 1, enumerate},
    {"builtins.zip", 0, zip},
    {"builtins.list", 0, as_list},
    {"builtins.tuple", 0, as_tuple},
    {"builtins.set", 0, as_set},
    {"builtins.frozenset", 0, as_set},
    {"builtins.dict", 0, as_dict},
    {"collections.OrderedDict", 0, as_dict},
    {"builtins.int", 0, as_int},
    {"builtins.float", 0, as_float},
    {"builtins.bool", 0, as_bool},
    {"builtins.str", 0, as_text},
    {"builtins.repr", 1, as_repr},
    {"builtins.max", 1, largest},
    {"builtins.min", 1, smallest},
    {"builtins.sum", 1, sum},
    {"builtins.abs", 1, absolute},
    {"builtins.round", 1, rounded},
    {"builtins.any", 1, any},
    {"builtins.all", 1, all},
    {"builtins.map", 1, map},
    {"builtins.reversed", 1, reversed},
    {"builtins.sorted", 1, sorted},
    {"builtins.print", 0, nothing},
    {"builtins.isinstance", 2, isinstance},
    {"builtins.type", 1, type_of},
    {"builtins.getattr", 2, getattr},
    {"builtins.hasattr", 2, hasattr},
    {"builtins.setattr", 3, setattr},
    {"builtins.callable", 1, callable},
    {"builtins.iter", 1, first},
    {"builtins.next", 1, next_of},
    {"warnings.warn", 0, nothing},
    {"torch.no_grad", 0, nothing},
    {"torch.enable_grad", 0, nothing},
    {"torch.inference_mode", 0, nothing},
    {"torch.set_grad_enabled", 0, nothing},
    {"torch.autocast", 0, nothing},
    {"torch.amp.autocast", 0, nothing},
    {"torch.cuda.amp.autocast", 0, nothing},
    {"torch.profiler.record_function", 0, nothing},
    {"torch.autograd.profiler.record_function", 0, nothing},
    {"torch.manual_seed", 0, nothing},
    {"torch._assert", 0, nothing},
    {"torch._C._log_api_usage_once", 0, nothing},
    {"torch._check", 0, nothing},
    {"torch.is_grad_enabled", 0, no},
    {"torch.is_autocast_enabled", 0, no},
    {"torch.jit.is_scripting", 0, no},
    {"torch.jit.is_tracing", 0, no},
    {"torch.compiler.is_compiling", 0, no},
    {"torch.compiler.is_dynamo_compiling", 0, no},
    {"torch.onnx.is_in_onnx_export", 0, no},
    {"torch.cuda.is_available", 0, no},
    {"torch.overrides.has_torch_function", 0, no},
    {"torch.overrides.has_torch_function_unary", 0, no},
    {"torch.overrides.has_torch_function_variadic", 0, no},
    {"copy.deepcopy", 1, copied},
    {"copy.copy", 1, copied},
};

}  // namespace

std::span<const NativeRow> builtin_rows() {
  return kRows;
}

const NativeRow* find_native(std::string_view path) {
  static const auto table = [] {
    std::map<std::string_view, const NativeRow*> rows;
    for (const auto part : {builtin_rows(), method_rows(), torch_rows(), script_rows()}) {
      for (const NativeRow& row : part) rows.emplace(row.path, &row);
    }
    return rows;
  }();
  const auto found = table.find(path);
  return found == table.end() ? nullptr : found->second;
}

}  // namespace wherry::torch
