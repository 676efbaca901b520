#include "import/torch/script_forward.h"

#include <algorithm>

#include "graph/verbs.h"

#include "base/text.h"
#include "import/torch/script_state.h"

namespace wherry::torch {
namespace {

using base::Result;

constexpr int kMostAttempts = 24;

// What attempts before this one found out.
struct Guess {
  int rank = -1;
  std::optional<tensor::DType> dtype;
  std::map<std::int64_t, std::int64_t> lengths;  // by axis

  bool operator==(const Guess&) const = default;
};
using Guesses = std::map<std::size_t, Guess>;

// How the lengths of example inputs are taken: a model that works with any keeps working with any.
enum class Lengths : std::uint8_t { kFree, kFreeBatch, kAsGiven };

struct Attempt {
  SourceSet& sources;
  const ReadModel& read;
  const std::vector<InputHint>& hints;
  Lengths lengths = Lengths::kFree;
  std::vector<StateInput> states = {};
  bool squeezes = false;  // Interpreter::squeezes_unknown
  int left = kMostAttempts;
  std::vector<StateInput> observed = {};  // state that the latest run of forward() kept

  struct Outcome {
    Result<Model> model;
    std::optional<InputNeed> need;
    std::vector<InputLength> learned = {};
  };

  Result<Model> search(const Guesses& guesses);
  Outcome once(const Guesses& guesses);
  base::Status run(Interpreter& in, const Guesses& guesses, Model& model, std::vector<std::string>& unstated);
};

// The annotation without Optional[…] around it.
std::string type_name(const python::Expression* annotation, bool& optional) {
  if (!annotation) return "";
  if (const auto* part = annotation->as<python::Subscript>()) {
    const std::string outer = python::Module::dotted(*part->object);
    if (outer.ends_with("Optional")) {
      optional = true;
      return type_name(part->index, optional);
    }
    return outer;
  }
  if (const auto* either = annotation->as<python::Binary>()) {  // Tensor | None
    optional = true;
    return type_name(either->left, optional);
  }
  return python::Module::dotted(*annotation);
}

// The tensors that an annotation asks for: 0 is one tensor, n is a tuple of n; nullopt: something else.
std::optional<std::size_t> tuple_size(const python::Expression* annotation) {
  const auto* part = annotation ? annotation->as<python::Subscript>() : nullptr;
  if (!part || !python::Module::dotted(*part->object).ends_with("uple")) return std::nullopt;
  const auto* items = part->index->as<python::TupleDisplay>();
  if (!items) return std::nullopt;
  for (const python::Expression* item : items->items) {
    if (!python::Module::dotted(*item).ends_with("Tensor")) return std::nullopt;
  }
  return items->items.size();
}

struct Inputs {
  Interpreter& in;
  const std::vector<InputHint>& hints;
  const Guesses& guesses;
  Lengths lengths;
  std::size_t count = 0;
  std::vector<std::string> unstated;  // names of inputs whose types nobody said

  const InputHint* hint(std::string_view name) const {
    const auto found = std::ranges::find(hints, name, &InputHint::name);
    return found != hints.end() ? &*found : nullptr;
  }

  Value tensor(const std::string& name) {
    graph::Builder& b = in.builder();
    const std::size_t index = count++;
    if (hint(name) == nullptr) unstated.push_back(name);
    struct {
      int rank = -1;
      tensor::DType dtype = tensor::DType::kFloat32;
      std::vector<std::int64_t> dims;
    } guess;
    bool exact = false;
    std::map<std::int64_t, std::int64_t> learned;
    if (const InputHint* given = hint(name)) {
      guess.dtype = given->dtype;
      exact = given->exact;
      if (given->ranked) {
        guess.rank = static_cast<int>(given->dims.size());
        guess.dims = given->dims;
      }
    }
    if (const auto guessed = guesses.find(index); guessed != guesses.end()) {
      if (guessed->second.rank >= 0) guess.rank = guessed->second.rank;
      if (guessed->second.dtype) guess.dtype = *guessed->second.dtype;
      if (!exact) learned = guessed->second.lengths;
    }
    if (guess.rank < 0) {
      const graph::ValueId value = b.input(name, guess.dtype);
      in.track_input(index, value);
      return Value(in.aten().tensor(value));
    }
    graph::Dims dims;
    for (int i = 0; i < guess.rank; ++i) {
      const std::int64_t given =
          static_cast<std::size_t>(i) < guess.dims.size() ? guess.dims[static_cast<std::size_t>(i)] : -1;
      if (const auto said = learned.find(i); said != learned.end()) {
        dims.push_back({said->second, 0});
        continue;
      }
      const bool fixed =
          given >= 0 && (exact || lengths == Lengths::kAsGiven || (lengths == Lengths::kFreeBatch && i > 0));
      dims.push_back(fixed ? graph::Dim{given, 0} : i == 0 ? b.symbol("batch") : b.fresh());
    }
    const graph::ValueId value = b.input(name, guess.dtype, std::move(dims));
    in.track_input(index, value);
    return Value(in.aten().tensor(value));
  }

  Result<std::optional<Value>> parameter(const python::Parameter& parameter) {
    const std::string name(parameter.name);
    bool optional = false;
    const std::string type = type_name(parameter.annotation, optional);
    if (parameter.fallback && !hint(name)) return std::optional<Value>();
    if (const auto several = tuple_size(parameter.annotation)) {
      Values items;
      for (std::size_t i = 0; i < *several; ++i) items.push_back(tensor(base::cat(name, "_", i)));
      return std::optional<Value>(make_tuple(std::move(items)));
    }
    static constexpr std::pair<std::string_view, tensor::DType> kNumbers[] = {
        {"int", tensor::DType::kInt64}, {"float", tensor::DType::kFloat64}, {"bool", tensor::DType::kBool}};
    for (const auto& [spelling, dtype] : kNumbers) {
      if (type == spelling) return std::optional<Value>(Symbol{in.builder().input(name, dtype, {})});
    }
    if (!type.empty() && !type.ends_with("Tensor") && type != "torch.FloatTensor" &&
        type != "torch.LongTensor") {
      return base::fail(base::Code::kUnsupported, "torch.unsupported_input",
                        base::cat("the input '", name, "' of forward() is of the type ", type,
                                  "; wherry takes tensors, numbers and tuples of tensors"),
                        "wrap the model in a module whose forward() takes tensors");
    }
    return std::optional<Value>(tensor(name));
  }
};

base::Status add_outputs(Interpreter& in, const Value& value, const std::string& name, int depth) {
  if (depth > 20) return in.refuse("forward() returns objects nested too deep");
  if (value.is_none()) return {};
  if (const auto* tensor = value.get<Tensor>()) {
    in.builder().output(name, in.builder().add("Identity", {in.aten().current(*tensor)}));
    return {};
  }
  if (const auto* symbol = value.get<Symbol>()) {
    in.builder().output(name, symbol->value);
    return {};
  }
  if (const auto dtype = Interpreter::number_type(value)) {
    TRY_ASSIGN(const graph::ValueId number, in.scalar(value, *dtype));
    in.builder().output(name, number);
    return {};
  }
  const bool top = name == "output";
  if (const Values* items = sequence(value)) {
    if (items->size() == 1 && top) return add_outputs(in, (*items)[0], name, depth + 1);
    const Tuple* tuple = value.get<Tuple>();
    const bool named = tuple && !(*tuple)->names.empty();
    for (std::size_t i = 0; i < items->size(); ++i) {
      const std::string inner = named && top
                                    ? (*tuple)->names[i]
                                    : base::cat(name, "_", named ? (*tuple)->names[i] : std::to_string(i));
      TRY(add_outputs(in, (*items)[i], inner, depth + 1));
    }
    return {};
  }
  if (const Dict* dict = value.get<Dict>()) {
    for (const auto& [key, entry] : (*dict)->entries) {
      const auto* text = key.get<std::string>();
      const auto* number = key.get<std::int64_t>();
      const std::string inner = text ? *text : number ? std::to_string(*number) : "";
      if (inner.empty()) return in.refuse("forward() returns a dict whose keys are no texts");
      TRY(add_outputs(in, entry, top && text ? inner : base::cat(name, "_", inner), depth + 1));
    }
    return {};
  }
  if (const Object* object = value.get<Object>()) {
    for (const auto& [key, entry] : (*object)->attributes) TRY(add_outputs(in, entry, key, depth + 1));
    return {};
  }
  return in.refuse(base::cat("forward() returns ", describe(value)));
}

Result<FunctionRef> find_forward(Interpreter& in, const Value& model) {
  const Object* object = model.get<Object>();
  if (!object) return in.refuse("the file holds no module");
  TRY_ASSIGN(const auto type, in.definition(**object));
  FunctionRef forward = in.find_method(type, "forward");
  if (!forward) forward = in.find_method(type, "forward__0");  // the first of overloaded ones
  if (forward) return forward;
  return base::fail(base::Code::kUnsupported, "torch.no_forward",
                    base::cat((*object)->class_name, " has no forward()"),
                    "export the model with torch.export, naming the method");
}

base::Status Attempt::run(Interpreter& in, const Guesses& guesses, Model& model,
                          std::vector<std::string>& unstated) {
  TRY_ASSIGN(const Value root, read(in));
  TRY_ASSIGN(const FunctionRef forward, find_forward(in, root));
  Inputs inputs{in, hints, guesses, lengths, 0, {}};
  NamedValues given;
  std::vector<std::string> names;
  const auto& parameters = forward->definition->parameters;
  for (std::size_t i = 1; i < parameters.size(); ++i) {
    const python::ParameterKind kind = parameters[i].kind;
    if (kind == python::ParameterKind::kStar || kind == python::ParameterKind::kDoubleStar) continue;
    TRY_ASSIGN(auto value, inputs.parameter(parameters[i]));
    names.emplace_back(parameters[i].name);
    if (value) given.emplace_back(names.back(), *std::move(value));
  }
  ScriptState state(in, root, states, std::move(names));
  TRY(state.begin());
  FunctionObject bound = *forward;
  bound.bound = true;
  bound.self = root;
  TRY_ASSIGN(const Value result, in.call_function(bound, {}, std::move(given)));
  TRY(add_outputs(in, result, "output", 0));
  TRY_ASSIGN(observed, state.observe());
  TRY(state.add_outputs());
  for (auto& note : state.notes()) model.facts.push_back(std::move(note));
  unstated = std::move(inputs.unstated);
  return in.builder().status();
}

// Operators that are missing, all that this run came by.
base::Error missing_error(const Interpreter& in) {
  const auto& missing = in.missing();
  std::vector<std::string> lines;
  for (const auto& [name, place] : missing) lines.push_back(base::cat(name, " (", place, ")"));
  return {base::Code::kUnsupported, "torch.unsupported_operator",
          missing.size() == 1
              ? base::cat(missing[0].first, " is not supported (", missing[0].second, ")")
              : base::cat(missing.size(), " operators are not supported: ", base::join(lines, ", ")),
          "rewrite the model without it, or convert it to ONNX in Python"};
}

Attempt::Outcome Attempt::once(const Guesses& guesses) {
  graph::Builder builder;
  Aten aten(builder);
  sources.begin();
  Interpreter in(aten, sources);
  in.squeezes_unknown = squeezes;
  std::vector<std::string> unstated;
  Model model;
  const base::Status done = run(in, guesses, model, unstated);
  sources.begin();
  if (!in.missing().empty()) return {std::unexpected(missing_error(in)), in.need()};
  if (!done) return {std::unexpected(done.error()), in.need(), in.learned()};
  auto graph = std::move(builder).build();
  if (!graph) return {std::unexpected(graph.error()), std::nullopt};
  model.graph = *std::move(graph);
  for (const graph::NamedValue& input : model.graph.inputs)
    if (std::ranges::find(unstated, input.name) != unstated.end())
      model.facts.emplace_back(
          base::cat("input ", input.name),
          base::cat(graph::to_string(model.graph.values[input.value].type),
                    " is what the model's operations take; the file does not say it, --shape can"));
  return {std::move(model), std::nullopt, in.learned()};
}

// `guesses` with what a run learned; nothing new when they are equal.
Guesses with_lengths(Guesses guesses, const std::vector<InputLength>& learned, bool behind_only) {
  for (const InputLength& each : learned)
    if (each.behind || !behind_only) guesses[each.input].lengths.emplace(each.axis, each.length);
  return guesses;
}

Result<Model> Attempt::search(const Guesses& guesses) {
  if (--left < 0) {
    return base::fail(base::Code::kUnsupported, "torch.unknown_shapes",
                      "the shapes of the inputs could not be found out",
                      "export the model with torch.export, which records them");
  }
  Outcome outcome = once(guesses);
  if (const Guesses better = with_lengths(guesses, outcome.learned, outcome.model.has_value());
      better != guesses && !outcome.need) {
    const auto before = observed;
    auto model = search(better);
    if (model || !outcome.model) return model;
    observed = before;
  }
  if (outcome.model || !outcome.need) return std::move(outcome.model);
  std::optional<base::Error> first;
  for (const int rank : outcome.need->ranks) {
    auto next = guesses;
    Guess& guess = next[outcome.need->input];
    if (rank >= 0) guess.rank = rank;
    if (outcome.need->dtype) guess.dtype = *outcome.need->dtype;
    auto model = search(next);
    if (model) return model;
    if (!first || first->id == Interpreter::kRaised) first = model.error();
    if (left <= 0 || model.error().id == "torch.unsupported_operator" ||
        model.error().id == "torch.unknown_class" || model.error().id == "torch.unsupported_python") {
      break;
    }
  }
  return std::unexpected(first ? *first : outcome.model.error());
}

// As often as it takes until every attribute that forward() changes is an input of a shape that it keeps.
Result<Model> search_with_state(SourceSet& sources, const ReadModel& read,
                                const std::vector<InputHint>& hints, Lengths lengths, bool squeezes) {
  constexpr int kRounds = 6;
  std::vector<StateInput> states;
  bool held = false;
  for (int round = 0; round < kRounds; ++round) {
    Attempt attempt{sources, read, hints, lengths, states, squeezes};
    auto model = attempt.search({});
    if (model) {
      if (attempt.observed == states) return model;
      states = std::move(attempt.observed);
      for (StateInput& state : states) state.held = held && state.number;
      continue;
    }
    // Numbers of state decide about shapes: every call starts with those of the file.
    if (held || std::ranges::none_of(states, &StateInput::number)) return model;
    held = true;
    for (StateInput& state : states) state.held = state.number;
  }
  return base::fail(base::Code::kUnsupported, "torch.unsupported_python",
                    "the state that the model keeps between calls changes its shape with every call",
                    "export the model with torch.export, with the state as inputs and outputs");
}

}  // namespace

Result<Model> evaluate_forward(SourceSet& sources, const ReadModel& read,
                               const std::vector<InputHint>& hints) {
  std::optional<base::Error> first;
  for (const Lengths lengths : {Lengths::kFree, Lengths::kFreeBatch, Lengths::kAsGiven}) {
    auto model = search_with_state(sources, read, hints, lengths, false);
    if (!model && model.error().id == Interpreter::kRaised) {
      auto squeezed = search_with_state(sources, read, hints, lengths, true);
      if (squeezed) return squeezed;
    }
    if (model) return model;
    if (!first || first->id == Interpreter::kRaised) first = model.error();
    const bool shaped =
        std::ranges::any_of(hints, [](const InputHint& hint) { return hint.ranked && !hint.exact; });
    if (!shaped ||
        (model.error().id != "torch.unsupported_arguments" && model.error().id != Interpreter::kRaised &&
         model.error().id != "graph.invalid" && model.error().id != "torch.unsupported_python")) {
      break;
    }
  }
  return std::unexpected(*first);
}

}  // namespace wherry::torch
