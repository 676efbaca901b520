#include <algorithm>

#include "base/text.h"
#include "import/torch/script_interpreter.h"
#include "import/torch/script_scope.h"

namespace wherry::torch {
namespace {

using base::Result;
using ClassRef = std::shared_ptr<const ClassObject>;

// Classes in the order in which a method is looked up: depth first, a base shared by several behind all of
// them.
void linearize(const ClassRef& type, std::vector<ClassRef>& order, int depth) {
  if (depth > 50) return;
  order.push_back(type);
  for (const ClassRef& base : type->bases) linearize(base, order, depth + 1);
}
std::vector<ClassRef> linearized(const ClassRef& type) {
  std::vector<ClassRef> all;
  linearize(type, all, 0);
  std::vector<ClassRef> order;
  for (auto each = all.rbegin(); each != all.rend(); ++each) {
    if (std::ranges::find(order, *each) == order.end()) order.push_back(*each);
  }
  std::ranges::reverse(order);
  return order;
}

std::string_view last_part(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

std::string_view decorator_name(const python::Expression& decorator) {
  if (const auto* name = decorator.as<python::Name>()) return name->id;
  if (const auto* attribute = decorator.as<python::Attribute>()) return attribute->name;
  if (const auto* call = decorator.as<python::Call>()) return decorator_name(*call->callee);
  return {};
}
bool decorated(const python::Function& function, std::string_view name) {
  return std::ranges::any_of(function.decorators,
                             [&](const python::Expression* each) { return decorator_name(*each) == name; });
}
// Decorators that do not change what a function computes for inference.
bool harmless(std::string_view decorator) {
  static constexpr std::string_view kNames[] = {"no_grad",
                                                "inference_mode",
                                                "export",
                                                "staticmethod",
                                                "classmethod",
                                                "property",
                                                "script",
                                                "autocast",
                                                "compile",
                                                "override",
                                                "abstractmethod",
                                                "custom_fwd",
                                                "script_method",
                                                "overload",
                                                "script_if_tracing",
                                                "cached_property",
                                                "setter",
                                                "typechecked",
                                                "jaxtyped",
                                                "ignore",
                                                "disable",
                                                "unused",
                                                "add_start_docstrings_to_model_forward",
                                                "replace_return_docstrings",
                                                "add_code_sample_docstrings",
                                                "wraps"};
  return std::ranges::find(kNames, decorator) != std::end(kNames);
}

}  // namespace

Value Interpreter::closure(const python::Function* definition, const python::Lambda* lambda) {
  auto made = std::make_shared<FunctionObject>();
  made->definition = definition;
  made->lambda = lambda;
  made->source = frame_->source;
  made->closure = frame_;
  made->owner = frame_->owner;
  closures_.push_back(frame_);
  return FunctionRef(made);
}

Object Interpreter::new_instance(std::string class_name, ClassRef definition) {
  auto made = std::make_shared<Instance>();
  made->class_name = std::move(class_name);
  made->definition = std::move(definition);
  made->branch = branches_;
  instances_.push_back(made);
  return made;
}

Result<Value> Interpreter::call(const Value& callee, Values positional, NamedValues keywords) {
  if (const auto* function = callee.get<FunctionRef>()) {
    return call_function(**function, std::move(positional), std::move(keywords));
  }
  if (const auto* native = callee.get<NativeRef>())
    return (*native)->call(*this, std::move(positional), std::move(keywords));
  if (const auto* named = callee.get<Named>())
    return call_named(*named, std::move(positional), std::move(keywords));
  if (const auto* type = callee.get<ClassRef>())
    return construct(*type, std::move(positional), std::move(keywords));
  if (const auto* object = callee.get<Object>()) {
    TRY_ASSIGN(const ClassRef type, definition(**object));
    const bool own_call = find_method(type, "__call__") != nullptr;
    return call_method(callee, own_call ? "__call__" : "forward", std::move(positional), std::move(keywords));
  }
  return refuse(base::cat(describe(callee), " cannot be called"));
}

Result<Value> Interpreter::call_method(const Value& object, std::string_view name, Values positional,
                                       NamedValues keywords) {
  TRY_ASSIGN(const Value method, attribute(object, name));
  return call(method, std::move(positional), std::move(keywords));
}

namespace {

// Gives every parameter its argument, in the frame of the call.
struct Binder {
  Interpreter& in;
  std::string name;
  const std::vector<python::Parameter>& parameters;
  Frame& frame;
  std::shared_ptr<Frame> definition_frame;  // where defaults are evaluated

  base::Status bind(Values positional, NamedValues keywords) const {
    std::size_t next = 0;
    for (const python::Parameter& parameter : parameters) {
      const auto keyword = std::ranges::find(keywords, parameter.name, &NamedValues::value_type::first);
      switch (parameter.kind) {
        case python::ParameterKind::kStar: {
          Values rest(positional.begin() + static_cast<std::ptrdiff_t>(std::min(next, positional.size())),
                      positional.end());
          next = positional.size();
          frame.variables[parameter.name] = make_tuple(std::move(rest));
          continue;
        }
        case python::ParameterKind::kDoubleStar: {
          auto rest = std::make_shared<DictObject>();
          for (auto& [key, value] : keywords) rest->entries.emplace_back(Value(key), std::move(value));
          keywords.clear();
          frame.variables[parameter.name] = Dict(rest);
          continue;
        }
        default:
          break;
      }
      const bool by_position =
          parameter.kind != python::ParameterKind::kKeywordOnly && next < positional.size();
      if (by_position) {
        if (keyword != keywords.end())
          return in.refuse(base::cat(name, "() got '", parameter.name, "' twice"));
        frame.variables[parameter.name] = std::move(positional[next++]);
      } else if (keyword != keywords.end()) {
        frame.variables[parameter.name] = std::move(keyword->second);
        keywords.erase(keyword);
      } else if (parameter.fallback) {
        const FrameScope scope(in, definition_frame);
        TRY_ASSIGN(frame.variables[parameter.name], in.evaluate(*parameter.fallback));
      } else {
        return in.refuse(base::cat(name, "() is called without '", parameter.name, "'"));
      }
    }
    if (next < positional.size()) return in.refuse(base::cat(name, "() is called with too many arguments"));
    if (!keywords.empty()) return in.refuse(base::cat(name, "() has no argument '", keywords[0].first, "'"));
    return {};
  }
};

}  // namespace

Result<Value> Interpreter::call_function(const FunctionObject& function, Values positional,
                                         NamedValues keywords) {
  if (depth_ >= limits_.depth) {
    return base::fail(base::Code::kLimit, "torch.limit_python",
                      base::cat(where(), ": calls are nested deeper than ", limits_.depth));
  }
  const auto frame = std::make_shared<Frame>();
  frame->source = function.source;
  frame->owner = function.owner;
  frame->outer = function.closure;
  if (function.bound) {
    if (const Object* self = function.self.get<Object>()) frame->self = *self;
    positional.insert(positional.begin(), function.self);
  } else if (function.owner && !positional.empty()) {
    if (const Object* self = positional[0].get<Object>()) frame->self = *self;
  }
  auto outside = function.closure;
  if (!outside) {
    outside = std::make_shared<Frame>();
    outside->source = function.source;
  }
  const python::Function* definition = function.definition;
  if (definition) {
    if (definition->is_async) return refuse("async functions are not supported");
    for (const python::Expression* decorator : definition->decorators) {
      if (!harmless(decorator_name(*decorator))) {
        return refuse(base::cat("the decorator @", decorator_name(*decorator), " of ", definition->name,
                                "() is not known"));
      }
    }
  }
  const Binder binder{*this, definition ? std::string(definition->name) : "a lambda",
                      definition ? definition->parameters : function.lambda->parameters, *frame, outside};
  TRY(binder.bind(std::move(positional), std::move(keywords)));
  const FrameScope scope(*this, frame);
  ++depth_;
  if (!definition) {
    auto value = evaluate(*function.lambda->body);
    --depth_;
    return value;
  }
  const auto flow = execute(definition->body);
  --depth_;
  if (!flow) return std::unexpected(flow.error());
  if (*flow != Flow::kReturn) return Value();
  return std::exchange(returned_, Value());
}

Result<ClassRef> Interpreter::find_class(const Source& source, std::string_view name) {
  const python::Class* found = source.module.find_class(name);
  if (!found) return ClassRef();
  if (const auto known = classes_.find(found); known != classes_.end()) {
    if (!known->second) return refuse(base::cat("class ", name, " is its own base"));
    return known->second;
  }
  classes_[found] = nullptr;
  auto made = std::make_shared<ClassObject>();
  made->name = std::string(name);
  made->source = &source;
  made->definition = found;
  const auto frame = std::make_shared<Frame>();
  frame->source = &source;
  const FrameScope scope(*this, frame);
  for (const python::Argument& base : found->bases) {
    if (!base.keyword.empty()) continue;
    if (source.kind == SourceKind::kTorchScript) continue;  // Module and NamedTuple, which say nothing more
    TRY_ASSIGN(const Value value, evaluate(*base.value));
    if (const ClassRef* type = value.get<ClassRef>()) {
      made->bases.push_back(*type);
      made->is_module = made->is_module || (*type)->is_module;
    } else if (const Named* named = value.get<Named>()) {
      const bool module = last_part(named->path).ends_with("Module");
      const auto base_class = class_by_path(module ? "torch.nn.Module" : named->path);
      if (base_class) {
        made->bases.push_back(*base_class);
        made->is_module = made->is_module || (*base_class)->is_module;
      }
    }
  }
  if (name == "Module" && source.kind == SourceKind::kRecipes) made->is_module = true;
  classes_[found] = made;
  return ClassRef(made);
}

Result<ClassRef> Interpreter::class_by_path(std::string_view path) {
  const std::string_view name = last_part(path);
  const std::string_view module = path.substr(0, path.size() - std::min(path.size(), name.size() + 1));
  std::vector<std::pair<std::string, std::string>> places = {{std::string(module), std::string(name)}};
  if (path.starts_with("torch.nn.")) places.emplace_back("wherry.nn", name);
  if (path.starts_with("torchvision.")) {
    if (const std::string_view outer = module.substr(0, module.rfind('.')); outer != module)
      places.emplace_back("wherry.vision", base::cat(last_part(outer), "_", last_part(module), "__", name));
    places.emplace_back("wherry.vision", base::cat(last_part(module), "__", name));
    places.emplace_back("wherry.vision", name);
  }
  places.emplace_back("__main__", name);  // a user's file may have another name than when the pickle was made
  for (const auto& [place, class_name] : places) {
    TRY_ASSIGN(const Source* found, resolver_.source(place));
    if (!found) continue;
    TRY_ASSIGN(const ClassRef type, find_class(*found, class_name));
    if (type) return type;
  }
  return base::fail(
      base::Code::kUnsupported, "torch.unknown_class",
      base::cat("the class ", path, " is not known: the file holds its weights, but not what it computes"),
      "give the Python file that defines it with --source FILE.py");
}

Result<ClassRef> Interpreter::definition(Instance& instance) {
  if (!instance.definition) {
    TRY_ASSIGN(instance.definition, class_by_path(instance.class_name));
  }
  return instance.definition;
}

FunctionRef Interpreter::find_method(const ClassRef& type, std::string_view name) {
  for (const ClassRef& each : linearized(type)) {
    const python::Function* found = python::find_method(*each->definition, name);
    if (!found) continue;
    auto made = std::make_shared<FunctionObject>();
    made->definition = found;
    made->source = each->source;
    made->owner = each;
    return made;
  }
  return nullptr;
}

namespace {

// What a class says of a name: a method, bound to `self` when there is one, or the value of an assignment.
Result<std::optional<Value>> class_attribute(Interpreter& in, const std::vector<ClassRef>& order,
                                             const Value& self, std::string_view name) {
  for (const ClassRef& type : order) {
    if (const python::Function* found = python::find_method(*type->definition, name)) {
      auto made = std::make_shared<FunctionObject>();
      made->definition = found;
      made->source = type->source;
      made->owner = type;
      made->bound = !self.is_none() && !decorated(*found, "staticmethod");
      if (made->bound) made->self = self;
      if (decorated(*found, "classmethod")) {
        made->bound = true;
        made->self = order.front();
      }
      if (made->bound && (decorated(*found, "property") || decorated(*found, "cached_property"))) {
        TRY_ASSIGN(Value value, in.call_function(*made, {}, {}));
        return std::optional<Value>(std::move(value));
      }
      return std::optional<Value>(FunctionRef(made));
    }
    for (const python::Statement* statement : type->definition->body) {
      const python::Expression* value = nullptr;
      if (const auto* assign = statement->as<python::Assign>()) {
        const auto* target = assign->targets[0]->as<python::Name>();
        if (target && target->id == name) value = assign->value;
      } else if (const auto* annotated = statement->as<python::AnnotatedAssign>()) {
        const auto* target = annotated->target->as<python::Name>();
        if (target && target->id == name) value = annotated->value;
      }
      if (!value) continue;
      const auto frame = std::make_shared<Frame>();
      frame->source = type->source;
      const FrameScope scope(in, frame);
      TRY_ASSIGN(Value made, in.evaluate(*value));
      return std::optional<Value>(std::move(made));
    }
  }
  return std::optional<Value>();
}

}  // namespace

Result<std::optional<Value>> Interpreter::find_attribute(const Value& object, std::string_view name) {
  if (const auto* instance = object.get<Object>()) {
    const auto own = (*instance)->attributes.find(name);
    if (own != (*instance)->attributes.end()) {
      if (!(*instance)->changed.contains(name)) (*instance)->read.emplace(name);
      return std::optional<Value>(own->second);
    }
    if (name == "_modules") {
      auto modules = std::make_shared<DictObject>();
      for (const std::string& each : (*instance)->modules)
        modules->entries.emplace_back(Value(each), (*instance)->attributes[each]);
      return std::optional<Value>(Dict(modules));
    }
    TRY_ASSIGN(const ClassRef type, definition(**instance));
    if (name == "__class__") return std::optional<Value>(type);
    return class_attribute(*this, linearized(type), object, name);
  }
  if (const auto* type = object.get<ClassRef>()) {
    if (name == "__name__") return std::optional<Value>((*type)->name);
    return class_attribute(*this, linearized(*type), Value(), name);
  }
  if (const auto* super = object.get<SuperValue>()) {
    TRY_ASSIGN(const ClassRef type, definition(*super->object));
    auto order = linearized(type);
    const auto at = std::ranges::find(order, super->after);
    if (at != order.end()) order.erase(order.begin(), at + 1);
    TRY_ASSIGN(auto found, class_attribute(*this, order, super->object, name));
    if (!found && name == "__init__") {
      return std::optional<Value>(NativeRef(std::make_shared<const NativeMethod>(NativeMethod{
          "__init__", [](Interpreter&, Values, NamedValues) { return Result<Value>(Value()); }})));
    }
    return found;
  }
  if (const auto* tuple = object.get<Tuple>()) {
    const auto& names = (*tuple)->names;
    const auto at = std::ranges::find(names, name);
    if (at != names.end())
      return std::optional<Value>((*tuple)->items[static_cast<std::size_t>(at - names.begin())]);
  }
  return std::optional<Value>();
}

Result<Value> Interpreter::construct(const ClassRef& type, Values positional, NamedValues keywords) {
  const auto based_on = [&](std::string_view name) {
    return std::ranges::any_of(type->definition->bases, [&](const python::Argument& base) {
      return last_part(python::Module::dotted(*base.value)) == name;
    });
  };
  const bool is_data = std::ranges::any_of(type->definition->decorators, [](const python::Expression* each) {
    return decorator_name(*each) == "dataclass";
  });
  if (based_on("NamedTuple") || is_data) {
    Values items;
    std::vector<std::string> names;
    std::size_t next = 0;
    for (const python::Statement* statement : type->definition->body) {
      const auto* field = statement->as<python::AnnotatedAssign>();
      const auto* name = field ? field->target->as<python::Name>() : nullptr;
      if (!name) continue;
      const auto keyword = std::ranges::find(keywords, name->id, &NamedValues::value_type::first);
      if (next < positional.size()) {
        items.push_back(positional[next++]);
      } else if (keyword != keywords.end()) {
        items.push_back(keyword->second);
      } else if (field->value) {
        TRY_ASSIGN(Value value, evaluate(*field->value));
        items.push_back(std::move(value));
      } else {
        return refuse(base::cat(type->name, "() is called without '", name->id, "'"));
      }
      names.emplace_back(name->id);
    }
    if (!is_data) return make_tuple(std::move(items), std::move(names));
    const Object made = new_instance(type->name, type);
    for (std::size_t i = 0; i < items.size(); ++i) made->attributes[names[i]] = items[i];
    return Value(made);
  }
  const Object made = new_instance(type->name, type);
  if (const FunctionRef init = find_method(type, "__init__")) {
    FunctionObject bound = *init;
    bound.bound = true;
    bound.self = made;
    TRY(call_function(bound, std::move(positional), std::move(keywords)));
  } else if (!positional.empty() || !keywords.empty()) {
    return refuse(base::cat(type->name, "() takes no arguments"));
  }
  return Value(made);
}

base::Status Interpreter::set_attribute(const Value& object, std::string_view name, Value value) {
  const Object* instance = object.get<Object>();
  if (!instance) return refuse(base::cat("the attribute ", name, " of ", describe(object), " cannot be set"));
  Instance& self = **instance;
  const auto found = self.attributes.find(name);
  const std::optional<Value> before =
      found != self.attributes.end() ? std::optional(found->second) : std::nullopt;
  const bool is_module = value.is<Object>() && (*value.get<Object>())->definition &&
                         (*value.get<Object>())->definition->is_module;
  const auto listed = std::ranges::find(self.modules, name);
  if (is_module || listed != self.modules.end()) TRY(check_change(self.branch, "a submodule"));
  const bool first = self.changed.emplace(name).second;
  if (self.branch < branches_ && journal_) {
    const bool known = std::ranges::any_of(*journal_, [&](const AttributeChange& each) {
      return each.object == *instance && each.name == name;
    });
    if (!known) journal_->push_back({*instance, std::string(name), before, {}, first});
  }
  if (!building && before && self.saved.contains(name) && self.read.contains(name)) {
    const bool known = std::ranges::any_of(
        states_, [&](const StateAttribute& each) { return each.object == *instance && each.name == name; });
    if (!known) states_.push_back({*instance, std::string(name), *before});
  }
  if (is_module && listed == self.modules.end()) self.modules.emplace_back(name);
  if (!is_module && listed != self.modules.end()) self.modules.erase(listed);
  self.attributes.insert_or_assign(std::string(name), std::move(value));
  return {};
}

void Interpreter::put_attribute(const Object& object, std::string_view name, Value value) {
  object->attributes.insert_or_assign(std::string(name), std::move(value));
}

}  // namespace wherry::torch
