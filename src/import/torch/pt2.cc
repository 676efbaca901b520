#include "import/torch/pt2.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <map>
#include <set>

#include "graph/verbs.h"

#include "base/text.h"
#include "import/torch/aten.h"
#include "import/torch/pt2_names.h"
#include "import/torch/pt2_payload.h"
#include "import/torch/scalar_type.h"
#include "text/json.h"

namespace wherry::torch {
namespace {

using base::cat;
using base::Code;
using base::Result;
using base::Status;
using text::Json;

constexpr std::int64_t kNewestSchema = 8;
constexpr std::size_t kMostNamed = 20;  // in messages
constexpr int kMostNested = 50;         // graphs in graphs

std::unexpected<base::Error> bad_file(std::string what) {
  return base::fail(Code::kInvalidInput, "torch.bad_file", cat("exported program: ", what),
                    "the file is damaged; save the program again with torch.export.save");
}

// The member of a union which is set: torch 2.1 lists the others with null.
struct Union {
  std::string_view kind;  // "as_tensor"; empty when all are null
  const Json* value = nullptr;
};

Union chosen(const Json& object) {
  if (object.is_object())
    for (auto it = object.begin(); it != object.end(); ++it)
      if (!it.value().is_null()) return {it.key(), &it.value()};
  return {};
}

std::string name_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  const std::string* const name = text::find_string(value, "name");
  if (name != nullptr) return *name;
  const std::string* const as_name = text::find_string(value, "as_name");
  return as_name != nullptr ? *as_name : "";
}

// "aten::conv2d" and "default" of "torch.ops.aten.conv2d.default"; "_operator::mul" of "_operator.mul".
struct Target {
  std::string name;
  std::string overload;
};

Target parse_target(std::string_view text) {
  constexpr std::string_view kOps = "torch.ops.";
  if (text.starts_with(kOps)) {
    const std::string_view rest = text.substr(kOps.size());
    const std::size_t first = rest.find('.');
    const std::size_t last = rest.rfind('.');
    if (first == std::string_view::npos) return {std::string(rest), ""};
    if (first == last) return {cat(rest.substr(0, first), "::", rest.substr(first + 1)), ""};
    return {cat(rest.substr(0, first), "::", rest.substr(first + 1, last - first - 1)),
            std::string(rest.substr(last + 1))};
  }
  const std::size_t dot = text.rfind('.');
  if (dot == std::string_view::npos) return {std::string(text), ""};
  return {cat(text.substr(0, dot), "::", text.substr(dot + 1)), ""};
}

// Operators whose arguments hold a graph which they run as it is.
struct Wrapper {
  std::string_view target;
  std::size_t graph_at;
};
constexpr auto kWrappers = std::to_array<Wrapper>({
    {"torch.ops.higher_order.wrap_with_set_grad_enabled", 1},
    {"torch.ops.higher_order.wrap_with_autocast", 4},
});

const Wrapper* find_wrapper(std::string_view target) {
  const auto found = std::ranges::find(kWrappers, target, &Wrapper::target);
  return found != kWrappers.end() ? &*found : nullptr;
}

class Importer {
 public:
  explicit Importer(ProgramFiles files) : files_(std::move(files)), aten_(b_) {}

  Result<Model> run() {
    TRY(check_version());
    const Json* const module = text::find_object(files_.program, "graph_module");
    const Json* const graph = module != nullptr ? text::find_object(*module, "graph") : nullptr;
    const Json* const signature = module != nullptr ? text::find_object(*module, "signature") : nullptr;
    if (graph == nullptr || signature == nullptr)
      return bad_file("it has no graph_module with graph and signature");
    TRY(check_coverage(*graph));
    TRY(inputs(*module, *graph, *signature));
    TRY(nodes(*graph, values_, 0));
    TRY(outputs(*module, *signature));
    Model model;
    TRY_ASSIGN(model.graph, std::move(b_).build());
    model.kind = "exported program";
    const std::string* const version = text::find_string(files_.program, "torch_version");
    model.torch_version = version != nullptr ? *version : "";
    model.facts.emplace_back("schema", schema_);
    model.facts.emplace_back("nodes", cat(node_count_));
    return model;
  }

 private:
  using Values = std::map<std::string, Argument, std::less<>>;

  Status check_version() {
    const Json* const version = text::find(files_.program, "schema_version");
    std::optional<std::int64_t> major;
    if (version != nullptr) {
      major = version->is_number_integer() ? std::optional(version->get<std::int64_t>())
                                           : text::find_integer(*version, "major");
      const auto minor = text::find_integer(*version, "minor");
      schema_ = cat(major.value_or(0), minor ? cat(".", *minor) : "");
    }
    if (!major) return bad_file("it has no schema_version");
    if (*major < 1 || *major > kNewestSchema)
      return base::fail(
          Code::kUnsupported, "torch.unsupported_version",
          cat("the exported program has schema version ", schema_, "; wherry reads 1 to ", kNewestSchema),
          "save the program with a PyTorch between 2.1 and 2.15");
    return {};
  }

  // --- what is not covered, all at once
  // ----------------------------------------------------------------------

  void collect_missing(const Json& graph, std::map<std::string, std::string>& missing, int depth) {
    const Json* const nodes = text::find_array(graph, "nodes");
    if (nodes == nullptr || depth > kMostNested) return;
    for (const Json& node : *nodes) {
      const std::string* const target = text::find_string(node, "target");
      if (target == nullptr) continue;
      if (find_wrapper(*target) != nullptr) {
        if (const Json* const inputs = text::find_array(node, "inputs"))
          for (const Json& input : *inputs)
            if (const Json* const arg = text::find(input, "arg"))
              if (const Union chosen_arg = chosen(*arg); chosen_arg.kind == "as_graph")
                if (const Json* const inner = text::find_object(*chosen_arg.value, "graph"))
                  collect_missing(*inner, missing, depth + 1);
        continue;
      }
      const Target parsed = parse_target(*target);
      if (!Aten::knows(parsed.name, parsed.overload)) missing.emplace(*target, node_name(node));
    }
  }

  static std::string node_name(const Json& node) {
    if (const std::string* const name = text::find_string(node, "name")) return *name;
    const Json* const outputs = text::find_array(node, "outputs");
    if (outputs == nullptr || outputs->empty()) return "?";
    const Union first = chosen(outputs->front());
    if (first.value == nullptr) return "?";
    return first.value->is_array() && !first.value->empty() ? name_of(first.value->front())
                                                            : name_of(*first.value);
  }

  Status check_coverage(const Json& graph) {
    std::map<std::string, std::string> missing;
    collect_missing(graph, missing, 0);
    if (missing.empty()) return {};
    std::vector<std::string> listed;
    bool custom = false;
    for (const auto& [target, node] : missing) {
      custom = custom || (target.starts_with("torch.ops.") && !target.starts_with("torch.ops.aten.") &&
                          !target.starts_with("torch.ops.higher_order."));
      if (listed.size() < kMostNamed) listed.push_back(cat(target, " (node ", node, ")"));
    }
    if (missing.size() > listed.size())
      listed.push_back(cat("and ", missing.size() - listed.size(), " more"));
    return base::fail(
        Code::kUnsupported, "torch.unsupported_operator",
        cat("the program uses operators which wherry does not know: ", base::join(listed, ", ")),
        custom ? "replace custom operators by PyTorch's own before exporting"
               : "export again after program.run_decompositions(), or to ONNX with torch.onnx.export");
  }

  // --- inputs
  // --------------------------------------------------------------------------------------------------

  const tensor::Tensor* find_weight(const std::string& name) const {
    if (const auto found = files_.weights.find(name); found != files_.weights.end()) return &found->second;
    if (const auto found = files_.constants.find(name); found != files_.constants.end())
      return &found->second;
    return nullptr;
  }

  Status weight(const std::string& value, const std::string& name) {
    const tensor::Tensor* const tensor = find_weight(name);
    if (tensor == nullptr) return bad_file(cat("the weight ", base::quoted(name), " is missing"));
    values_[value] = Argument(aten_.tensor(b_.constant(*tensor)));
    return {};
  }

  // The one symbol of an expression: "s77", "Symbol('s77', positive=True, integer=True)"; "" for others.
  static std::string symbol_name(std::string_view expression) {
    if (const std::size_t open = expression.find("Symbol('"); open != std::string_view::npos) {
      const std::size_t start = open + 8;
      const std::size_t end = expression.find('\'', start);
      if (open != 0 || end == std::string_view::npos ||
          expression.find("Symbol(", end) != std::string_view::npos || expression.back() != ')')
        return "";
      return std::string(expression.substr(start, end - start));
    }
    const bool plain =
        std::ranges::all_of(expression, [](char c) { return base::is_ascii_alphanumeric(c) || c == '_'; });
    return plain ? std::string(expression) : "";
  }

  // Symbols get names people know: the first axis is the batch, others keep the exporter's.
  graph::Dim symbol(const std::string& name, bool first_axis) {
    auto found = symbols_.find(name);
    if (found == symbols_.end()) {
      std::string shown = name;
      if (first_axis && !batch_named_) {
        shown = "batch";
        batch_named_ = true;
      }
      found = symbols_.emplace(name, b_.symbol(shown)).first;
    }
    return found->second;
  }

  Result<graph::Dims> dims(const Json& meta, const std::string& name) {
    const Json* const sizes = text::find_array(meta, "sizes");
    if (sizes == nullptr) return bad_file(cat("the input ", base::quoted(name), " has no sizes"));
    graph::Dims out;
    for (const Json& size : *sizes) {
      const Union item = chosen(size);
      if (item.kind == "as_int" && item.value->is_number_integer()) {
        out.push_back({item.value->get<std::int64_t>()});
        continue;
      }
      const std::string* const expression =
          item.kind == "as_expr" ? text::find_string(*item.value, "expr_str") : nullptr;
      if (expression == nullptr) return bad_file(cat("the shape of ", base::quoted(name), " cannot be read"));
      const std::string named = symbol_name(*expression);
      out.push_back(named.empty() ? b_.fresh() : symbol(named, out.empty()));
    }
    return out;
  }

  Status tensor_input(const Json& graph, const std::string& value, const std::string& shown) {
    const Json* const metas = text::find_object(graph, "tensor_values");
    const Json* meta = metas != nullptr ? text::find_object(*metas, value) : nullptr;
    if (meta != nullptr && text::find_object(*meta, "meta") != nullptr)
      meta = text::find_object(*meta, "meta");
    if (meta == nullptr) return bad_file(cat("the input ", base::quoted(value), " has no type"));
    TRY_ASSIGN(const std::int64_t type, text::require_integer(*meta, "dtype", value));
    const auto dtype = dtype_of_serde(type);
    if (!dtype)
      return base::fail(Code::kUnsupported, "torch.unsupported_dtype",
                        cat("the input ", base::quoted(shown), " has dtype number ", type,
                            ", which is complex, quantised or unknown"),
                        "export the model with float, int or bool inputs");
    TRY_ASSIGN(graph::Dims shape, dims(*meta, value));
    values_[value] = Argument(aten_.tensor(b_.input(shown, *dtype, std::move(shape))));
    return {};
  }

  Status user_input(const Json& graph, const Json& argument, const std::string& shown) {
    const Union arg = chosen(argument);
    if (arg.kind == "as_tensor")
      return tensor_input(graph, name_of(*arg.value), shown.empty() ? name_of(*arg.value) : shown);
    if (arg.kind == "as_sym_int") {
      const std::string name = name_of(*arg.value);
      if (!name.empty()) {
        values_[name] =
            Argument(Symbol{b_.input(shown.empty() ? name : shown, tensor::DType::kInt64, graph::Dims{})});
        return {};
      }
    }
    return {};  // None and numbers are part of the graph
  }

  Status input_spec(const Json& graph, const Json& spec) {
    const Union item = chosen(spec);
    if (item.value == nullptr) return bad_file("an input has no kind");
    const Json* const arg = text::find_object(*item.value, "arg");
    if (item.kind == "user_input") return arg != nullptr ? user_input(graph, *arg, "") : Status{};
    if (item.kind == "constant_input") return {};
    struct Kind {
      std::string_view spec;
      std::string_view name;
    };
    constexpr std::array<Kind, 3> kKinds{{{"parameter", "parameter_name"},
                                          {"buffer", "buffer_name"},
                                          {"tensor_constant", "tensor_constant_name"}}};
    const auto kind = std::ranges::find(kKinds, item.kind, &Kind::spec);
    if (kind == kKinds.end() || arg == nullptr)
      return base::fail(Code::kUnsupported, "torch.unsupported_arguments",
                        cat("the program has an input of the kind ", base::quoted(item.kind)),
                        "export the model without custom objects");
    TRY_ASSIGN(const std::string name, text::require_string(*item.value, kind->name, item.kind));
    return weight(name_of(*arg), name);
  }

  // torch 2.1: a map per kind, and a list of the others.
  Status old_inputs(const Json& graph, const Json& signature) {
    for (const std::string_view key :
         {"inputs_to_parameters", "inputs_to_buffers", "inputs_to_lifted_tensor_constants"})
      if (const Json* const map = text::find_object(signature, key))
        for (const auto& [value, name] : map->items()) {
          if (!name.is_string()) return bad_file(cat(key, " is no map of names"));
          TRY(weight(value, name.get<std::string>()));
        }
    const Json* const user = text::find_array(signature, "user_inputs");
    if (user == nullptr) return bad_file("the signature has no user_inputs");
    std::size_t number = 0;
    for (const Json& name : *user) {
      if (!name.is_string()) return bad_file("user_inputs are no names");
      TRY(tensor_input(graph, name.get<std::string>(), user->size() == 1 ? "input" : cat("input_", number)));
      ++number;
    }
    return {};
  }

  Status inputs(const Json&, const Json& graph, const Json& signature) {
    if (const Json* const specs = text::find_array(signature, "input_specs")) {
      for (const Json& spec : *specs) TRY(input_spec(graph, spec));
    } else {
      TRY(old_inputs(graph, signature));
    }
    return b_.status();
  }

  // --- nodes
  // ---------------------------------------------------------------------------------------------------

  Result<Argument> value(const Values& values, const std::string& name) {
    const auto found = values.find(name);
    if (found == values.end())
      if (const auto constant = files_.constants.find(name); constant != files_.constants.end())
        return Argument(aten_.tensor(b_.constant(constant->second)));
    if (found == values.end()) return bad_file(cat("nothing gives the value ", base::quoted(name)));
    return found->second;
  }

  Result<Argument> number(const Values& values, const Json& json) {
    const Union item = chosen(json);
    if (item.kind == "as_name" && item.value->is_string())
      return value(values, item.value->get<std::string>());
    if (item.value != nullptr) return plain(*item.value);
    return bad_file("a number has no value");
  }

  Result<Argument> plain(const Json& json) {
    if (json.is_boolean()) return Argument(json.get<bool>());
    if (json.is_number_integer()) return Argument(json.get<std::int64_t>());
    if (json.is_number()) return Argument(json.get<double>());
    if (json.is_string()) {
      const std::string& text = json.get_ref<const std::string&>();
      if (text == "Infinity") return Argument(std::numeric_limits<double>::infinity());
      if (text == "-Infinity") return Argument(-std::numeric_limits<double>::infinity());
      if (text == "NaN") return Argument(std::numeric_limits<double>::quiet_NaN());
      return Argument(text);
    }
    return bad_file("an argument is neither a number nor a text");
  }

  template <class Read>
  Result<Argument> list(const Json& json, const Read& read) {
    if (!json.is_array()) return bad_file("a list is none");
    Argument::List out;
    for (const Json& item : json) {
      TRY_ASSIGN(Argument argument, read(item));
      out.push_back(std::move(argument));
    }
    return Argument(std::move(out));
  }

  Result<Argument> floating(const Json& json) {
    TRY_ASSIGN(Argument out, plain(json));
    if (const auto* const integer = out.get<std::int64_t>()) return Argument(static_cast<double>(*integer));
    return out;
  }

  Result<Argument> argument(const Values& values, const Json& json) {
    const Union item = chosen(json);
    const auto named = [&](const Json& of) { return value(values, name_of(of)); };
    const auto optional_tensor = [&](const Json& of) -> Result<Argument> {
      const Union inner = chosen(of);
      if (inner.kind == "as_tensor") return named(*inner.value);
      if (inner.kind == "name") return named(of);
      return Argument();
    };
    const auto of_plain = [&](const Json& of) { return plain(of); };
    const auto of_number = [&](const Json& of) { return number(values, of); };
    using Read = std::function<Result<Argument>(const Json&)>;
    const std::map<std::string_view, Read> readers{
        {"as_tensor", named},
        {"as_optional_tensor", optional_tensor},
        {"as_int", of_plain},
        {"as_bool", of_plain},
        {"as_string", of_plain},
        {"as_float", [&](const Json& of) { return floating(of); }},
        {"as_sym_int", of_number},
        {"as_sym_bool", of_number},
        {"as_sym_float", of_number},
        {"as_tensors", [&](const Json& of) { return list(of, named); }},
        {"as_optional_tensors", [&](const Json& of) { return list(of, optional_tensor); }},
        {"as_ints", [&](const Json& of) { return list(of, of_plain); }},
        {"as_bools", [&](const Json& of) { return list(of, of_plain); }},
        {"as_strings", [&](const Json& of) { return list(of, of_plain); }},
        {"as_floats",
         [&](const Json& of) { return list(of, [&](const Json& each) { return floating(each); }); }},
        {"as_sym_ints", [&](const Json& of) { return list(of, of_number); }},
        {"as_sym_bools", [&](const Json& of) { return list(of, of_number); }},
        {"as_sym_floats", [&](const Json& of) { return list(of, of_number); }},
        {"as_scalar_type",
         [&](const Json& of) -> Result<Argument> {
           const auto dtype = of.is_number_integer() ? dtype_of_serde(of.get<std::int64_t>()) : std::nullopt;
           if (!dtype)
             return base::fail(Code::kUnsupported, "torch.unsupported_dtype",
                               cat(b_.source(), ": a dtype which is complex, quantised or unknown"),
                               "use a model whose tensors are float, int or bool");
           return Argument(*dtype);
         }},
        {"as_layout", [](const Json&) -> Result<Argument> { return Argument(Layout{}); }},
        {"as_memory_format", [](const Json&) -> Result<Argument> { return Argument(MemoryFormat{}); }},
        {"as_device", [](const Json&) -> Result<Argument> { return Argument(Device{"cpu"}); }},
        {"as_none", [](const Json&) -> Result<Argument> { return Argument(); }},
    };
    if (item.value == nullptr) return Argument();
    const auto reader = readers.find(item.kind);
    if (reader == readers.end())
      return base::fail(Code::kUnsupported, "torch.unsupported_arguments",
                        cat(b_.source(), ": an argument of the kind ", base::quoted(item.kind)),
                        "export the model without custom objects and control flow");
    return reader->second(*item.value);
  }

  Status bind_results(const Json& outputs, std::vector<Argument> results, Values& values) {
    if (outputs.size() == 1 && results.size() == 1) {
      const Union only = chosen(outputs.front());
      const bool names_list = only.kind == "as_tensors" || only.kind == "as_optional_tensors";
      if (names_list) {
        const auto* const items = results[0].get<Argument::List>();
        if (items == nullptr || !only.value->is_array() || items->size() != only.value->size())
          return bad_file(cat(b_.source(), ": it gives another number of tensors than the file says"));
        for (std::size_t i = 0; i < items->size(); ++i) {
          const Json& each = (*only.value)[i];
          const Union inner = chosen(each);
          const std::string name = inner.kind == "as_tensor" ? name_of(*inner.value) : name_of(each);
          if (!name.empty()) values[name] = (*items)[i];
        }
        return {};
      }
    }
    // An operator that gives a list may have one output per item.
    if (results.size() == 1 && outputs.size() != 1)
      if (const auto* const items = results[0].get<Argument::List>()) {
        const Argument::List copy = *items;
        results = copy;
      }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const Union output = chosen(outputs[i]);
      if (output.value == nullptr || output.kind == "as_none") continue;
      const std::string name = name_of(*output.value);
      if (name.empty()) continue;
      if (i >= results.size())
        return bad_file(cat(b_.source(), ": it gives fewer results than the file says"));
      values[name] = results[i];
    }
    return {};
  }

  Status wrapped(const Json& node, const Wrapper& wrapper, Values& values, int depth) {
    const Json* const inputs = text::find_array(node, "inputs");
    if (inputs == nullptr || inputs->size() <= wrapper.graph_at)
      return bad_file(cat(b_.source(), ": no graph"));
    if (wrapper.target.ends_with("autocast")) {
      const Json* const enabled = text::find(inputs->at(2), "arg");
      if (enabled == nullptr || text::find_bool(*enabled, "as_bool").value_or(true))
        return base::fail(Code::kUnsupported, "torch.unsupported_arguments",
                          cat(b_.source(), ": torch.autocast computes in another precision"),
                          "export the model outside of torch.autocast");
    }
    const Json* const arg = text::find(inputs->at(wrapper.graph_at), "arg");
    const Union held = arg != nullptr ? chosen(*arg) : Union{};
    const Json* const inner = held.kind == "as_graph" ? text::find_object(*held.value, "graph") : nullptr;
    const Json* const inner_inputs = inner != nullptr ? text::find_array(*inner, "inputs") : nullptr;
    const Json* const inner_outputs = inner != nullptr ? text::find_array(*inner, "outputs") : nullptr;
    if (inner_inputs == nullptr || inner_outputs == nullptr ||
        inner_inputs->size() + wrapper.graph_at + 1 != inputs->size())
      return bad_file(cat(b_.source(), ": its graph takes other inputs"));
    Values local;
    for (std::size_t i = 0; i < inner_inputs->size(); ++i) {
      const Json* const given = text::find(inputs->at(wrapper.graph_at + 1 + i), "arg");
      const Union parameter = chosen(inner_inputs->at(i));
      if (given == nullptr || parameter.value == nullptr) continue;
      TRY_ASSIGN(local[name_of(*parameter.value)], argument(values, *given));
    }
    TRY(nodes(*inner, local, depth + 1));
    std::vector<Argument> results;
    for (const Json& output : *inner_outputs) {
      TRY_ASSIGN(Argument result, argument(local, output));
      results.push_back(std::move(result));
    }
    const Json* const outputs = text::find_array(node, "outputs");
    if (outputs != nullptr && outputs->size() == 1 && chosen(outputs->front()).kind == "as_tensors")
      results = {Argument(Argument::List(results))};
    return outputs != nullptr ? bind_results(*outputs, std::move(results), values) : Status{};
  }

  Status node(const Json& json, Values& values, int depth) {
    ++node_count_;
    const std::string* const target_text = text::find_string(json, "target");
    const Json* const inputs = text::find_array(json, "inputs");
    const Json* const outputs = text::find_array(json, "outputs");
    if (target_text == nullptr || inputs == nullptr || outputs == nullptr)
      return bad_file("a node has no target, inputs or outputs");
    b_.source(node_name(json));
    if (const Wrapper* const wrapper = find_wrapper(*target_text))
      return wrapped(json, *wrapper, values, depth);
    const Target target = parse_target(*target_text);
    const bool by_name = target_text->starts_with("torch.ops.");
    std::vector<Argument> positional;
    std::vector<NamedArgument> keywords;
    for (const Json& input : *inputs) {
      const Json* const arg = text::find(input, "arg");
      if (arg == nullptr) return bad_file(cat(b_.source(), ": an argument has no value"));
      TRY_ASSIGN(Argument read, argument(values, *arg));
      const std::string name = name_of(input);
      if (by_name && !name.empty())
        keywords.push_back({name, std::move(read)});
      else
        positional.push_back(std::move(read));
    }
    auto results = aten_.call(target.name, target.overload, std::move(positional), std::move(keywords));
    if (!results)
      return base::with_context(std::move(results).error(), cat("node ", base::quoted(b_.source())));
    return bind_results(*outputs, std::move(*results), values);
  }

  Status nodes(const Json& graph, Values& values, int depth) {
    const Json* const list = text::find_array(graph, "nodes");
    if (list == nullptr) return bad_file("the graph has no nodes");
    if (depth > kMostNested)
      return base::fail(Code::kLimit, "torch.bad_file", "exported program: graphs are nested too deeply",
                        "the file may be hostile");
    for (const Json& each : *list) TRY(node(each, values, depth));
    return {};
  }

  // --- outputs
  // -------------------------------------------------------------------------------------------------

  static const std::string* out_spec(const Json& module) {
    if (const Json* const old = text::find_object(module, "call_spec"))
      return text::find_string(*old, "out_spec");
    const Json* const calls = text::find_array(module, "module_call_graph");
    if (calls == nullptr) return nullptr;
    for (const Json& call : *calls) {
      const std::string* const name = text::find_string(call, "fqn");
      const Json* const signature = text::find_object(call, "signature");
      if (name != nullptr && name->empty() && signature != nullptr)
        return text::find_string(*signature, "out_spec");
    }
    return nullptr;
  }

  Result<std::vector<Argument>> returned(const Json& signature) {
    std::vector<Argument> out;
    if (const Json* const specs = text::find_array(signature, "output_specs")) {
      for (const Json& spec : *specs) {
        const Union item = chosen(spec);
        const Json* const arg = item.value != nullptr ? text::find(*item.value, "arg") : nullptr;
        if (item.kind != "user_output" && item.kind != "loss_output") continue;
        if (arg == nullptr) return bad_file("an output has no value");
        Argument result;
        if (const std::string name = name_of(*arg); !name.empty()) {
          TRY_ASSIGN(result, value(values_, name));
        } else {
          TRY_ASSIGN(result, argument(values_, *arg));
        }
        out.push_back(std::move(result));
      }
      return out;
    }
    const Json* const user = text::find_array(signature, "user_outputs");
    if (user == nullptr) return bad_file("the signature has no outputs");
    for (const Json& name : *user) {
      if (name.is_null()) {
        out.emplace_back();
        continue;
      }
      if (!name.is_string()) return bad_file("user_outputs are no names");
      TRY_ASSIGN(Argument result, value(values_, name.get<std::string>()));
      out.push_back(std::move(result));
    }
    return out;
  }

  Status outputs(const Json& module, const Json& signature) {
    TRY_ASSIGN(const std::vector<Argument> results, returned(signature));
    const std::string* const spec = out_spec(module);
    std::vector<std::string> names = spec != nullptr ? output_names(*spec) : std::vector<std::string>{};
    if (names.size() != results.size()) {
      names.clear();
      for (std::size_t i = 0; i < results.size(); ++i)
        names.push_back(results.size() == 1 ? "output" : cat("output_", i));
    }
    std::set<std::string> taken;
    for (std::size_t i = 0; i < results.size(); ++i) {
      std::string name = names[i];
      for (int copy = 1; !taken.insert(name).second; ++copy) name = cat(names[i], "_", copy);
      if (const auto* const tensor = results[i].get<Tensor>())
        b_.output(name, aten_.current(*tensor));
      else if (const auto* const symbol = results[i].get<Symbol>())
        b_.output(name, symbol->value);
    }
    return b_.status();
  }

  ProgramFiles files_;
  graph::Builder b_;
  Aten aten_;
  Values values_;
  std::map<std::string, graph::Dim> symbols_;
  bool batch_named_ = false;
  std::string schema_;
  std::size_t node_count_ = 0;
};

}  // namespace

Result<Model> read_exported_program(base::Bytes bytes, const std::shared_ptr<const void>& owner) {
  TRY_ASSIGN(ProgramFiles files, read_program_files(bytes, owner));
  return Importer(std::move(files)).run();
}

base::Result<Model> read_program_json(std::string_view json) {
  ProgramFiles files;
  TRY_ASSIGN(files.program, parse_program(json, "the program"));
  return Importer(std::move(files)).run();
}

}  // namespace wherry::torch
