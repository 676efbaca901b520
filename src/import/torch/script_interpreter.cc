#include "import/torch/script_interpreter.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "graph/verbs.h"

#include "base/text.h"
#include "import/torch/scalar_type.h"
#include "import/torch/script_scope.h"

namespace wherry::torch {
namespace {

using base::Result;

struct NamedNumber {
  std::string_view path;
  double value;
};
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr NamedNumber kNumbers[] = {{"math.pi", std::numbers::pi},
                                    {"math.e", std::numbers::e},
                                    {"math.inf", kInfinity},
                                    {"math.nan", kNan},
                                    {"math.tau", 2 * std::numbers::pi},
                                    {"torch.pi", std::numbers::pi},
                                    {"torch.e", std::numbers::e},
                                    {"torch.inf", kInfinity},
                                    {"torch.nan", kNan},
                                    {"numpy.pi", std::numbers::pi},
                                    {"numpy.e", std::numbers::e},
                                    {"numpy.inf", kInfinity},
                                    {"numpy.nan", kNan}};

// Builtins that are looked up by name; each is called as "builtins.NAME".
constexpr std::string_view kBuiltins[] = {"len",
                                          "range",
                                          "enumerate",
                                          "zip",
                                          "isinstance",
                                          "int",
                                          "float",
                                          "bool",
                                          "str",
                                          "list",
                                          "tuple",
                                          "dict",
                                          "set",
                                          "max",
                                          "min",
                                          "sum",
                                          "abs",
                                          "print",
                                          "getattr",
                                          "hasattr",
                                          "setattr",
                                          "reversed",
                                          "sorted",
                                          "any",
                                          "all",
                                          "map",
                                          "filter",
                                          "round",
                                          "super",
                                          "type",
                                          "callable",
                                          "iter",
                                          "next",
                                          "slice",
                                          "object",
                                          "repr",
                                          "property",
                                          "pow",
                                          "divmod",
                                          "id",
                                          "staticmethod",
                                          "classmethod",
                                          "bytes",
                                          "frozenset",
                                          "complex",
                                          "issubclass",
                                          "vars",
                                          "NotImplementedError",
                                          "ValueError",
                                          "RuntimeError",
                                          "AssertionError",
                                          "TypeError",
                                          "KeyError",
                                          "IndexError",
                                          "Exception",
                                          "AttributeError",
                                          "ImportError",
                                          "NotImplemented",
                                          "StopIteration",
                                          "ArithmeticError",
                                          "OSError"};
// Names that TorchScript's code uses without an import.
constexpr std::string_view kTorchScriptNames[] = {
    "torch",  "ops",      "CONSTANTS", "prim", "__torch__", "Tensor",    "fork",
    "wait",   "NoneType", "Dict",      "List", "Optional",  "Tuple",     "Device",
    "number", "device",   "Future",    "Any",  "Union",     "NamedTuple"};
constexpr std::string_view kRecipeNames[] = {"torch", "aten", "math", "F", "wherry"};

bool listed(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

Interpreter::Interpreter(Aten& aten, Resolver& resolver, const ScriptLimits& limits)
    : aten_(aten), resolver_(resolver), limits_(limits), frame_(std::make_shared<Frame>()) {}

Interpreter::~Interpreter() {
  for (const auto& each : closures_) {
    if (const auto frame = each.lock()) frame->variables.clear();
  }
  for (const auto& each : instances_) {
    if (const auto instance = each.lock()) instance->attributes.clear();
  }
}

std::string Interpreter::where() const {
  if (!frame_ || !frame_->source) return "the model";
  return frame_->source->module.where(at_);
}

std::unexpected<base::Error> Interpreter::refuse(std::string message, std::string hint) const {
  std::string text = base::cat(where(), ": ", message);
  if (frame_ && frame_->source)
    text += base::cat(", in `", frame_->source->module.line(at_).substr(0, 120), "`");
  if (hint.empty())
    hint =
        "rewrite this part, or export the model in Python with torch.export.save(torch.export.export(model, "
        "example), 'model.pt2')";
  return base::fail(base::Code::kUnsupported, "torch.unsupported_python", std::move(text), std::move(hint));
}

std::unexpected<base::Error> Interpreter::raised(std::string message) const {
  return base::fail(base::Code::kInvalidInput, kRaised, base::cat(where(), ": the model raises: ", message),
                    "the model checks its inputs: state their shapes, or look at the line named");
}

base::Status Interpreter::step() {
  if (++steps_ <= limits_.steps) return {};
  return base::fail(base::Code::kLimit, "torch.limit_python",
                    base::cat(where(), ": the model's code takes more than ", limits_.steps, " steps"));
}

base::Status Interpreter::check_change(int branch, std::string_view what) const {
  if (branch >= branches_) return {};
  return refuse(
      base::cat(what, " made outside is changed inside of a branch or loop that depends on the data"));
}

Result<Value> Interpreter::lookup(std::string_view name) {
  for (const Frame* frame = frame_.get(); frame; frame = frame->outer.get()) {
    const auto found = frame->variables.find(name);
    if (found == frame->variables.end()) continue;
    if (found->second.is<Uninitialized>()) {
      if (source().kind == SourceKind::kTorchScript) return found->second;
      return refuse(base::cat("the branches before give '", name, "' values of different kinds"));
    }
    return found->second;
  }
  TRY_ASSIGN(auto found, global(source(), name));
  if (found) return *std::move(found);
  if (listed(kBuiltins, name)) return Value(Named{base::cat("builtins.", name)});
  if (source().kind == SourceKind::kTorchScript) {
    if (name == "inf") return Value(kInfinity);
    if (name == "nan") return Value(kNan);
    if (listed(kTorchScriptNames, name)) return Value(Named{std::string(name)});
  }
  if (source().kind == SourceKind::kRecipes && listed(kRecipeNames, name))
    return Value(Named{std::string(name)});
  if (name == "__name__") return Value(std::string("model"));
  return refuse(base::cat("'", name, "' has no value here"));
}

namespace {

struct GlobalFinder {
  Interpreter& in;
  const Source& source;
  std::string_view name;

  Result<std::optional<Value>> imported(const python::ImportFrom& import) const {
    for (const python::ImportedName& each : import.names) {
      const std::string_view as = each.alias.empty() ? std::string_view(each.name) : each.alias;
      if (each.name == "*") {
        TRY_ASSIGN(const Source* other, in.resolver().source(import.module));
        if (!other || other == &source) continue;
        TRY_ASSIGN(auto value, in.global(*other, name));
        if (value) return value;
      } else if (as == name) {
        TRY_ASSIGN(const Source* other, in.resolver().source(import.module));
        if (other && other != &source) {
          TRY_ASSIGN(auto value, in.global(*other, each.name));
          if (value) return value;
        }
        TRY_ASSIGN(Value value, in.named_attribute(Named{import.module}, each.name));
        return std::optional<Value>(std::move(value));
      }
    }
    return std::optional<Value>();
  }

  Result<std::optional<Value>> in_statement(const python::Statement& statement) const {
    if (const auto* function = statement.as<python::Function>(); function && function->name == name) {
      auto made = std::make_shared<FunctionObject>();
      made->definition = function;
      made->source = &source;
      return std::optional<Value>(FunctionRef(made));
    }
    if (const auto* type = statement.as<python::Class>(); type && type->name == name) {
      TRY_ASSIGN(auto made, in.find_class(source, name));
      return std::optional<Value>(std::move(made));
    }
    if (const auto* import = statement.as<python::Import>()) {
      for (const python::ImportedName& each : import->names) {
        const std::string_view top = std::string_view(each.name).substr(0, each.name.find('.'));
        if (!each.alias.empty() && each.alias == name) return std::optional<Value>(Named{each.name});
        if (each.alias.empty() && top == name) return std::optional<Value>(Named{std::string(top)});
      }
    }
    if (const auto* import = statement.as<python::ImportFrom>()) return imported(*import);
    const python::Expression* value = nullptr;
    if (const auto* assign = statement.as<python::Assign>()) {
      for (const python::Expression* target : assign->targets) {
        const auto* variable = target->as<python::Name>();
        if (variable && variable->id == name) value = assign->value;
      }
    } else if (const auto* annotated = statement.as<python::AnnotatedAssign>()) {
      const auto* variable = annotated->target->as<python::Name>();
      if (variable && variable->id == name) value = annotated->value;
    } else if (const auto* attempt = statement.as<python::Try>()) {
      return in_body(attempt->body);
    } else if (const auto* choice = statement.as<python::If>()) {
      return in_body(choice->body);
    }
    if (!value) return std::optional<Value>();
    if (!source.evaluating.emplace(name).second) return in.refuse(base::cat("'", name, "' needs itself"));
    const auto frame = std::make_shared<Frame>();
    frame->source = &source;
    const FrameScope scope(in, frame);
    TRY_ASSIGN(Value made, in.evaluate(*value));
    return std::optional<Value>(std::move(made));
  }

  Result<std::optional<Value>> in_body(const python::Body& body) const {
    for (auto statement = body.rbegin(); statement != body.rend(); ++statement) {
      TRY_ASSIGN(auto found, in_statement(**statement));
      if (found) return found;
    }
    return std::optional<Value>();
  }
};

// The full names of things which are known under several.
std::string canonical(std::string path) {
  static constexpr std::pair<std::string_view, std::string_view> kModules[] = {
      {"torch.functional.", "torch."},
      {"torch._C._nn.", "torch."},
      {"torch.nn.functional.", "F."},
      {"torch._C._VariableFunctions.", "torch."}};
  for (const auto& [from, to] : kModules) {
    if (path.starts_with(from)) return base::cat(to, std::string_view(path).substr(from.size()));
  }
  return path;
}

}  // namespace

Result<std::optional<Value>> Interpreter::global(const Source& from, std::string_view name) {
  const auto known = from.globals.find(name);
  if (known != from.globals.end()) return std::optional<Value>(known->second);
  TRY_ASSIGN(auto found, (GlobalFinder{*this, from, name}.in_body(from.module.body())));
  if (found) from.globals.emplace(std::string(name), *found);
  return found;
}

Result<Value> Interpreter::named_attribute(const Named& named, std::string_view name) {
  if (named.path == "CONSTANTS") {
    auto constant = resolver_.constant(name);
    if (!constant) return refuse(base::cat("the file has no constant ", name));
    return *std::move(constant);
  }
  const std::string path = base::cat(named.path, ".", name);
  TRY_ASSIGN(const Source* module, resolver_.source(named.path));
  if (module) {
    TRY_ASSIGN(auto found, global(*module, name));
    if (found) return *std::move(found);
  }
  for (const NamedNumber& number : kNumbers) {
    if (number.path == path) return Value(number.value);
  }
  if (named.path == "torch" || named.path == "numpy") {
    if (const auto dtype = dtype_of_name(name); dtype && !name.ends_with("Storage")) return Value(*dtype);
    if (name == "float" || name == "double" || name == "half") return Value(*dtype_of_name(name));
    if (name == "strided") return Value(Layout{0});
    if (name == "contiguous_format") return Value(MemoryFormat{0});
    if (name == "preserve_format") return Value(MemoryFormat{1});
    if (name == "channels_last") return Value(MemoryFormat{2});
    if (name == "newaxis") return Value();
  }
  if (path == "typing.TYPE_CHECKING") return Value(false);
  return Value(Named{canonical(path)});
}

Result<Value> Interpreter::attribute(const Value& object, std::string_view name) {
  if (const auto* named = object.get<Named>()) return named_attribute(*named, name);
  if (const auto* tensor = object.get<Tensor>()) return tensor_attribute(*tensor, name);
  TRY_ASSIGN(auto found, find_attribute(object, name));
  if (found) return *std::move(found);
  const bool has_methods =
      object.is<List>() || object.is<Dict>() || object.is<std::string>() || object.is<Tuple>();
  if (has_methods) {
    auto method = std::make_shared<NativeMethod>();
    method->name = std::string(name);
    method->call = [object, path = base::cat("methods.", name)](Interpreter& in, Values positional,
                                                                NamedValues keywords) {
      positional.insert(positional.begin(), object);
      return in.call_named(Named{path}, std::move(positional), std::move(keywords));
    };
    return Value(NativeRef(method));
  }
  if (const auto* device = object.get<Device>()) {
    if (name == "type") return Value(device->name);
    if (name == "index") return Value();
  }
  if (const auto* dtype = object.get<tensor::DType>()) {
    if (name == "is_floating_point") return Value(is_floating(*dtype));
    if (name == "is_complex") return Value(false);
    if (name == "itemsize") return Value(static_cast<std::int64_t>(tensor::info(*dtype).size));
  }
  if (object.is<SuperValue>()) return refuse(base::cat("no base class has '", name, "'"));
  return refuse(base::cat(describe(object), " has no attribute '", name, "'"));
}

// --- numbers -----------------------------------------------------------------------------------------------

std::optional<tensor::DType> Interpreter::number_type(const Value& value) {
  if (value.is<bool>()) return tensor::DType::kBool;
  if (value.is<std::int64_t>()) return tensor::DType::kInt64;
  if (value.is<double>()) return tensor::DType::kFloat64;
  return std::nullopt;
}

Result<Value> Interpreter::number(graph::ValueId scalar) {
  TRY(builder().status());
  const tensor::DType dtype = builder().dtype(scalar);
  if (const auto known = builder().known_int(scalar)) {
    if (dtype == tensor::DType::kBool) return Value(*known != 0);
    return Value(*known);
  }
  if (const tensor::Tensor* constant = builder().constant(scalar); constant && constant->size() == 1) {
    if (dtype == tensor::DType::kFloat32) return Value(static_cast<double>(constant->as<float>()[0]));
    if (dtype == tensor::DType::kFloat64) return Value(constant->as<double>()[0]);
  }
  return Value(Symbol{scalar});
}

Result<graph::ValueId> Interpreter::scalar(const Value& number, tensor::DType dtype) {
  if (const auto* symbol = number.get<Symbol>()) return graph::cast(builder(), symbol->value, dtype);
  if (const auto* integer = number.get<std::int64_t>(); integer && dtype == tensor::DType::kInt64) {
    return graph::int_scalar(builder(), *integer);
  }
  double value = 0;
  if (const auto* flag = number.get<bool>()) {
    value = *flag ? 1 : 0;
  } else if (const auto* integer = number.get<std::int64_t>()) {
    value = static_cast<double>(*integer);
  } else if (const auto* real = number.get<double>()) {
    value = *real;
  } else {
    return refuse(base::cat("expected a number, found ", describe(number)));
  }
  return graph::scalar(builder(), dtype, value);
}

Result<std::variant<bool, Symbol>> Interpreter::truth(const Value& value) {
  using Truth = std::variant<bool, Symbol>;
  if (value.is_none()) return Truth(false);
  if (const auto* flag = value.get<bool>()) return Truth(*flag);
  if (const auto* integer = value.get<std::int64_t>()) return Truth(*integer != 0);
  if (const auto* real = value.get<double>()) return Truth(*real != 0);
  if (const auto* text = value.get<std::string>()) return Truth(!text->empty());
  if (const auto* dict = value.get<Dict>()) return Truth(!(*dict)->entries.empty());
  if (const auto* range = value.get<RangeValue>()) {
    return Truth(range->step > 0 ? range->start < range->stop : range->start > range->stop);
  }
  if (const Values* items = sequence(value)) return Truth(!items->empty());
  Value scalar = value;
  if (const auto* tensor = value.get<Tensor>()) {
    TRY_ASSIGN(scalar, number(graph::reshape(builder(), aten_.current(*tensor), graph::Ints{})));
    if (!scalar.is<Symbol>()) return truth(scalar);
  }
  if (const auto* symbol = scalar.get<Symbol>()) {
    TRY_ASSIGN(const Value flag, number(graph::cast(builder(), symbol->value, tensor::DType::kBool)));
    if (const auto* known = flag.get<bool>()) return Truth(*known);
    return Truth(*flag.get<Symbol>());
  }
  if (const auto* object = value.get<Object>()) {
    TRY_ASSIGN(const auto type, definition(**object));
    if (find_method(type, "__len__")) {
      TRY_ASSIGN(const Value length, call_method(value, "__len__", {}));
      return truth(length);
    }
  }
  return Truth(true);
}

Result<bool> Interpreter::known_truth(const Value& value, std::string_view role) {
  TRY_ASSIGN(const auto found, truth(value));
  if (const bool* known = std::get_if<bool>(&found)) return *known;
  return refuse(base::cat(role, " depends on the data"));
}

// --- containers --------------------------------------------------------------------------------------------

Result<Values> Interpreter::iterate(const Value& value) {
  if (const Values* items = sequence(value)) {
    if (const List* list = value.get<List>(); list && (*list)->rounds)
      return refuse("a list whose length is not known");
    return *items;
  }
  Values items;
  if (const auto* range = value.get<RangeValue>()) {
    const auto span = static_cast<double>(range->stop) - static_cast<double>(range->start);
    if (span / static_cast<double>(range->step) > static_cast<double>(limits_.items)) {
      return base::fail(base::Code::kLimit, "torch.limit_python",
                        base::cat(where(), ": a range has too many items"));
    }
    for (std::int64_t i = range->start; range->step > 0 ? i < range->stop : i > range->stop;
         i += range->step) {
      items.emplace_back(i);
      TRY(step());
    }
    return items;
  }
  if (const auto* dict = value.get<Dict>()) {
    for (const auto& [key, entry] : (*dict)->entries) items.push_back(key);
    return items;
  }
  if (const auto* text = value.get<std::string>()) {
    for (const char c : *text) items.emplace_back(std::string(1, c));
    return items;
  }
  if (const auto* object = value.get<Object>()) {
    TRY_ASSIGN(const auto type, definition(**object));
    if (find_method(type, "__iter__")) {
      TRY_ASSIGN(const Value made, call_method(value, "__iter__", {}));
      return iterate(made);
    }
  }
  if (const auto* tensor = value.get<Tensor>()) {
    TRY_ASSIGN(const Values lengths, shape(*tensor));
    if (lengths.empty()) return refuse("iteration over a tensor without axes");
    const auto* count = lengths[0].get<std::int64_t>();
    if (!count) return refuse("iteration over an axis whose length is not known");
    for (std::int64_t i = 0; i < *count; ++i) {
      TRY(step());
      TRY_ASSIGN(Value item, call_aten("aten::select", {value, Value(std::int64_t{0}), Value(i)}, {}));
      items.push_back(std::move(item));
    }
    return items;
  }
  return refuse(base::cat(describe(value), " cannot be iterated over"));
}

namespace {

// A Python index into `size` items, counted from the front; nullopt outside.
std::optional<std::size_t> position(std::int64_t index, std::size_t size) {
  if (index < 0) index += static_cast<std::int64_t>(size);
  if (index < 0 || index >= static_cast<std::int64_t>(size)) return std::nullopt;
  return static_cast<std::size_t>(index);
}

}  // namespace

Result<Value> Interpreter::subscript(const Value& object, const Value& index) {
  if (const auto* tensor = object.get<Tensor>()) return tensor_index(*tensor, index);
  if (const auto* dict = object.get<Dict>()) {
    for (const auto& [key, value] : (*dict)->entries) {
      TRY(step());
      TRY_ASSIGN(const Value found, equal(key, index));
      if (const bool* yes = found.get<bool>(); yes && *yes) return value;
    }
    return refuse(base::cat("the dict has no key ", describe(index)));
  }
  if (object.is<Object>()) return call_method(object, "__getitem__", {index});
  Values made;
  const Values* items = sequence(object);
  if (object.is<std::string>() || object.is<RangeValue>()) {
    TRY_ASSIGN(made, iterate(object));
    items = &made;
  }
  if (!items) return refuse(base::cat(describe(object), " has no parts"));
  if (const auto* slice = index.get<SliceValue>()) {
    std::int64_t parts[3] = {0, static_cast<std::int64_t>(items->size()), 1};
    const auto size = static_cast<std::int64_t>(items->size());
    const auto* step = (*slice->parts)[2].get<std::int64_t>();
    if (step) parts[2] = *step;
    if (parts[2] == 0) return refuse("a slice with step 0");
    if (parts[2] < 0) {
      parts[0] = size - 1;
      parts[1] = -1;
    }
    for (std::size_t i = 0; i < 2; ++i) {
      if ((*slice->parts)[i].is_none()) continue;
      const auto* given = (*slice->parts)[i].get<std::int64_t>();
      if (!given) return refuse(base::cat("a list is sliced with ", describe((*slice->parts)[i])));
      const std::int64_t from_front = *given < 0 ? *given + size : *given;
      parts[i] = std::clamp<std::int64_t>(from_front, parts[2] < 0 ? -1 : 0, parts[2] < 0 ? size - 1 : size);
    }
    Values part;
    for (std::int64_t i = parts[0]; parts[2] > 0 ? i < parts[1] : i > parts[1]; i += parts[2]) {
      part.push_back((*items)[static_cast<std::size_t>(i)]);
    }
    if (object.is<std::string>()) {
      std::string text;
      for (const Value& each : part) text += *each.get<std::string>();
      return Value(std::move(text));
    }
    return object.is<Tuple>() ? make_tuple(std::move(part)) : make_list(std::move(part), branches_);
  }
  const auto* number = index.get<std::int64_t>();
  if (!number) return refuse(base::cat("an index must be a known number, found ", describe(index)));
  const List* list = object.get<List>();
  if (list && (*list)->rounds) return refuse("an item of a list whose length is not known");
  const auto at = position(*number, items->size());
  if (!at) return raised(base::cat("index ", *number, " of ", describe(object)));
  return (*items)[*at];
}

base::Status Interpreter::set_subscript(const Value& object, const Value& index, Value value) {
  if (const auto* dict = object.get<Dict>()) {
    TRY(check_change((*dict)->branch, "a dict"));
    for (auto& [key, entry] : (*dict)->entries) {
      TRY(step());
      TRY_ASSIGN(const Value found, equal(key, index));
      if (const bool* yes = found.get<bool>(); yes && *yes) {
        entry = std::move(value);
        return {};
      }
    }
    (*dict)->entries.emplace_back(index, std::move(value));
    return {};
  }
  if (const auto* list = object.get<List>()) {
    TRY(check_change((*list)->branch, "a list"));
    const auto* number = index.get<std::int64_t>();
    const auto at = number ? position(*number, (*list)->items.size()) : std::nullopt;
    if (!at) return refuse(base::cat("item ", describe(index), " of ", describe(object), " cannot be set"));
    (*list)->items[*at] = std::move(value);
    return {};
  }
  if (object.is<Object>()) {
    TRY(call_method(object, "__setitem__", {index, std::move(value)}));
    return {};
  }
  if (const auto* tensor = object.get<Tensor>()) return set_tensor_part(*tensor, index, std::move(value));
  return refuse(base::cat("parts of ", describe(object), " cannot be set"));
}

}  // namespace wherry::torch
