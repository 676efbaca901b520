#include "import/torch/script_objects.h"

#include <algorithm>

#include "base/text.h"
#include "import/torch/scalar_type.h"

namespace wherry::torch {
namespace {

using base::Result;
using pickle::Kind;
using pickle::View;

constexpr int kDeepest = 400;

Value of_global(const std::string& path) {
  if (path.starts_with("torch.") && path.find('.', 6) == std::string::npos) {
    if (const auto dtype = dtype_of_name(path); dtype && !path.ends_with("Storage")) return Value(*dtype);
  }
  for (const std::string_view from : {"torch._C._nn.", "torch._C._VariableFunctions."}) {
    if (path.starts_with(from))
      return Value(Named{base::cat("torch.", std::string_view(path).substr(from.size()))});
  }
  if (path.starts_with("torch.nn.functional."))
    return Value(Named{base::cat("F.", std::string_view(path).substr(20))});
  return Value(Named{path});
}

}  // namespace

Result<Values> ObjectReader::read_items(const View& view) {
  TRY_ASSIGN(const auto views, view.items());
  Values items;
  for (const View& each : views) {
    TRY_ASSIGN(Value item, read(each));
    items.push_back(std::move(item));
  }
  return items;
}

Result<Value> ObjectReader::read(const View& view) {
  const auto known = known_.find(&view.object());
  if (known != known_.end()) return known->second;
  if (depth_ >= kDeepest) {
    return base::fail(base::Code::kLimit, "torch.limit_python",
                      base::cat(view.where(), ": objects are nested deeper than ", kDeepest));
  }
  ++depth_;
  auto value = read_new(view);
  --depth_;
  if (value) known_.insert_or_assign(&view.object(), *value);
  return value;
}

Result<Value> ObjectReader::read_new(const View& view) {
  switch (view.kind()) {
    case Kind::kNone:
      return Value();
    case Kind::kBool:
      return Value(view.object().boolean());
    case Kind::kInt:
      return Value(view.object().integer());
    case Kind::kFloat:
      return Value(view.object().real());
    case Kind::kStr:
      return Value(std::string(view.object().text()));
    case Kind::kGlobal:
      return of_global(view.global_name());
    case Kind::kList:
    case Kind::kSet:
    case Kind::kFrozenSet: {
      const auto list = std::make_shared<ListObject>();
      known_.insert_or_assign(&view.object(), Value(List(list)));  // it may hold itself
      TRY_ASSIGN(list->items, read_items(view));
      return Value(List(list));
    }
    case Kind::kTuple: {
      TRY_ASSIGN(Values items, read_items(view));
      return make_tuple(std::move(items));
    }
    case Kind::kDict: {
      const auto dict = std::make_shared<DictObject>();
      known_.insert_or_assign(&view.object(), Value(Dict(dict)));
      TRY_ASSIGN(const auto entries, view.entries());
      for (const auto& [key, value] : entries) {
        TRY_ASSIGN(Value name, read(key));
        TRY_ASSIGN(Value entry, read(value));
        dict->entries.emplace_back(std::move(name), std::move(entry));
      }
      return Value(Dict(dict));
    }
    case Kind::kScalar: {
      const auto number = view.as_double();
      if (number) return Value(*number);
      break;
    }
    case Kind::kCall:
      return read_call(view);
    default:
      break;
  }
  return Value(Named{base::cat("an object of the kind ", name(view.kind()))});
}

Result<Value> ObjectReader::read_call(const View& view) {
  if (Saved::is_tensor(view)) {
    TRY_ASSIGN(tensor::Tensor tensor, saved_.tensor(view));
    return Value(in_.aten().tensor(in_.builder().constant(std::move(tensor))));
  }
  const pickle::Call& call = view.object().call();
  const std::string callee = call.callee->kind() == Kind::kGlobal ? call.callee->global().qualified() : "";
  const auto argument = [&](std::size_t i) -> Result<Value> {
    TRY_ASSIGN(const View at, view.argument(i));
    return read(at);
  };
  if (callee == "torch.device") return Value(Device{"cpu"});
  if (callee == "torch.Size" || callee == "builtins.tuple") return argument(0);
  if (callee.starts_with("torch.jit._pickle.") && !call.args.empty())
    return argument(0);  // build_intlist, restore_type_tag …
  if (callee == "builtins.range" && call.args.size() >= 1) {
    TRY_ASSIGN(const pickle::Slice range, view.as_range());
    return Value(RangeValue{*range.start, *range.stop, *range.step});
  }
  if (callee == "builtins.getattr" && call.args.size() == 2) {
    TRY_ASSIGN(const Value object, argument(0));
    TRY_ASSIGN(const Value name, argument(1));
    const auto* text = name.get<std::string>();
    if (const auto* named = object.get<Named>(); named && text)
      return of_global(base::cat(named->path, ".", *text));
  }
  std::string class_name = view.class_name();
  if (class_name.empty()) class_name = callee.empty() ? "an object" : callee;
  return read_instance(view, std::move(class_name));
}

Result<Value> ObjectReader::read_instance(const View& view, std::string class_name) {
  const Object made = in_.new_instance(std::move(class_name), nullptr);
  known_.insert_or_assign(&view.object(), Value(made));
  for (const auto& name : view.attribute_names()) {
    const auto state = view.find(name);
    if (!state) continue;
    const bool grouped = name == "_parameters" || name == "_buffers" || name == "_modules";
    if (grouped && state->is(Kind::kDict)) {
      TRY_ASSIGN(const auto entries, state->entries());
      for (const auto& [key, value] : entries) {
        TRY_ASSIGN(const std::string attribute, key.as_string());
        TRY_ASSIGN(Value read_value, read(value));
        if (name == "_modules") made->modules.push_back(attribute);
        made->attributes.insert_or_assign(attribute, std::move(read_value));
      }
      continue;
    }
    TRY_ASSIGN(Value value, read(*state));
    if (value.is<Object>() && made->class_name.starts_with("__torch__.")) made->modules.emplace_back(name);
    made->attributes.insert_or_assign(std::string(name), std::move(value));
  }
  for (const auto& [name, value] : made->attributes) made->saved.insert(name);
  return Value(made);
}

namespace {

void name_below(const Object& module, const std::string& path, int depth) {
  if (depth > kDeepest) return;
  for (const std::string& name : module->modules) {
    const auto found = module->attributes.find(name);
    const Object* child = found != module->attributes.end() ? found->second.get<Object>() : nullptr;
    if (!child || !*child || !(*child)->path.empty()) continue;
    (*child)->path = path.empty() ? name : base::cat(path, ".", name);
    name_below(*child, (*child)->path, depth + 1);
  }
}

}  // namespace

void name_modules(const Value& root) {
  if (const Object* module = root.get<Object>()) name_below(*module, "", 0);
}

}  // namespace wherry::torch
