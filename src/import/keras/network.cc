// Sequential and Functional models: which layer is called on what.
#include <algorithm>
#include <queue>
#include <tuple>

#include "base/text.h"
#include "import/keras/lowering.h"

namespace wherry::keras {

using base::cat;
using base::Code;
using base::Result;

namespace {

// A tensor somewhere in a model: output `tensor` of call `node` of layer `layer`.
struct Reference {
  std::string_view layer;
  std::int64_t node = 0, tensor = 0;
};

std::optional<Reference> reference_of(const Json& json) {
  // Keras 3: {"class_name": "__keras_tensor__", "config": {"keras_history": [name, node, tensor]}}.
  const Json* history = &json;
  if (json.is_object()) {
    const std::string* class_name = text::find_string(json, "class_name");
    const Json* config = text::find_object(json, "config");
    if (class_name == nullptr || *class_name != "__keras_tensor__" || config == nullptr) return std::nullopt;
    history = text::find_array(*config, "keras_history");
    if (history == nullptr) return std::nullopt;
  }
  if (!history->is_array() || history->size() < 3 || history->size() > 4) return std::nullopt;
  const Json& list = *history;
  if (!list[0].is_string() || !list[1].is_number_integer() || !list[2].is_number_integer())
    return std::nullopt;
  if (list.size() == 4 && !list[3].is_object()) return std::nullopt;
  return Reference{list[0].get_ref<const std::string&>(), list[1].get<std::int64_t>(),
                   list[2].get<std::int64_t>()};
}

bool is_constant_marker(const Reference& reference) {
  return reference.layer == "_CONSTANT_VALUE";
}

class Network {
 public:
  Network(Lowering& l, const Layer& model) : l_(l), model_(model) {}

  Value run(const std::vector<Value>& inputs);

 private:
  struct Node {
    std::size_t layer = 0;
    const Json* data = nullptr;
    std::size_t waits = 0;
    std::vector<std::size_t> feeds;
    bool done = false;
    std::vector<Value> outputs;
  };

  std::optional<std::size_t> find(const Reference& reference) const;
  void index();
  void find_dependencies(const Json& json, std::size_t node, std::size_t depth);
  void count_references(const Json& json, std::size_t depth);
  Value resolve(const Json& json, std::size_t depth);
  Value fetch(const Reference& reference);
  Call arguments(const Node& node);
  Value structure(const Json& json);
  void finish(std::size_t node, const Value& result);

  Lowering& l_;
  const Layer& model_;
  std::map<std::string_view, std::size_t> layers_;  // by name
  std::vector<std::vector<std::size_t>> calls_;     // by layer: its nodes
  std::vector<std::int64_t> bases_;                 // by layer: the number of its first call
  std::vector<Node> nodes_;
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready_;
};

constexpr std::size_t kMostDepth = 32;

std::optional<std::size_t> Network::find(const Reference& reference) const {
  const auto layer = layers_.find(reference.layer);
  if (layer == layers_.end()) return std::nullopt;
  const auto& calls = calls_[layer->second];
  const std::int64_t call = reference.node - bases_[layer->second];
  if (call < 0 || static_cast<std::size_t>(call) >= calls.size()) return std::nullopt;
  return calls[static_cast<std::size_t>(call)];
}

// Keras 2 counts the calls of a nested model from 1: call 0 is the one which made it.
void Network::count_references(const Json& json, std::size_t depth) {
  if (depth > kMostDepth) return;
  if (const auto reference = reference_of(json)) {
    const auto layer = layers_.find(reference->layer);
    if (layer != layers_.end() && model_.parts[layer->second].is_model() &&
        reference->node == static_cast<std::int64_t>(calls_[layer->second].size()))
      bases_[layer->second] = 1;
  }
  if (json.is_structured())
    for (const Json& item : json) count_references(item, depth + 1);
}

void Network::find_dependencies(const Json& json, std::size_t node, std::size_t depth) {
  if (depth > kMostDepth) return;
  if (const auto reference = reference_of(json)) {
    if (const auto source = find(*reference)) {
      nodes_[*source].feeds.push_back(node);
      ++nodes_[node].waits;
    }
    if (json.is_array() && json.size() == 4) find_dependencies(json[3], node, depth + 1);
    return;
  }
  if (json.is_structured())
    for (const Json& item : json) find_dependencies(item, node, depth + 1);
}

void Network::index() {
  calls_.resize(model_.parts.size());
  bases_.resize(model_.parts.size(), 0);
  for (std::size_t i = 0; i < model_.parts.size(); ++i) {
    const Layer& layer = model_.parts[i];
    if (!layers_.emplace(layer.name, i).second) l_.bad(layer, "two layers have this name");
    const auto add = [&](const Json* data) {
      calls_[i].push_back(nodes_.size());
      nodes_.push_back({i, data, 0, {}, false, {}});
    };
    if (layer.class_name == "InputLayer")
      add(nullptr);
    else if (layer.inbound != nullptr)
      for (const Json& data : *layer.inbound) add(&data);
  }
  for (const Layer& layer : model_.parts)
    if (layer.inbound != nullptr) count_references(*layer.inbound, 0);
  if (const Json* outputs = text::find(*model_.config, "output_layers")) count_references(*outputs, 0);
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (nodes_[i].data != nullptr) find_dependencies(*nodes_[i].data, i, 0);
}

Value Network::fetch(const Reference& reference) {
  const auto node = find(reference);
  if (!node || !nodes_[*node].done) {
    l_.bad(model_, cat("there is no call ", reference.node, " of layer ", base::quoted(reference.layer)));
    return {};
  }
  const auto& outputs = nodes_[*node].outputs;
  if (reference.tensor < 0 || static_cast<std::size_t>(reference.tensor) >= outputs.size()) {
    l_.bad(model_, cat("layer ", base::quoted(reference.layer), " has no output ", reference.tensor));
    return {};
  }
  return outputs[static_cast<std::size_t>(reference.tensor)];
}

// An argument as Keras writes it: tensors by where they come from, Python's values by their kind.
Value Network::resolve(const Json& json, std::size_t depth) {
  Value value;
  if (depth > kMostDepth || json.is_null()) return value;
  if (const auto reference = reference_of(json)) {
    if (json.is_object() || layers_.contains(reference->layer)) return fetch(*reference);
    if (is_constant_marker(*reference)) return resolve(json[2], depth + 1);
  }
  if (json.is_array()) {
    if (json.size() >= 3 && json[0].is_string() && json[0].get_ref<const std::string&>() == "_CONSTANT_VALUE")
      return resolve(json[2], depth + 1);
    value.kind = Value::Kind::kList;
    for (const Json& item : json) value.items.push_back(resolve(item, depth + 1));
    return value;
  }
  if (!json.is_object()) {
    value.kind = Value::Kind::kLiteral;
    value.literal = json;
    return value;
  }
  const std::string* class_name = text::find_string(json, "class_name");
  const Json* config = text::find(json, "config");
  if (class_name != nullptr && config != nullptr) {
    if (*class_name == "__numpy__" || *class_name == "__tensor__") {
      const std::string* dtype = text::find_string(*config, "dtype");
      const Json* numbers = text::find(*config, "value");
      const auto known = dtype ? dtype_named(*dtype) : std::nullopt;
      const auto constant = numbers && known ? literal_tensor(*numbers, *known) : std::nullopt;
      if (constant) return Value::of(l_.b.constant(*constant));
      l_.refuse(model_, "a constant of an unusual dtype among the arguments of a layer");
      return value;
    }
    if (*class_name == "__tuple__")
      if (const Json* items = text::find_array(*config, "items")) return resolve(*items, depth + 1);
    if (*class_name == "__slice__" || *class_name == "__ellipsis__" || *class_name == "__lambda__" ||
        *class_name == "DTypePolicy") {
      value.kind = Value::Kind::kLiteral;
      value.literal = json;
      if (*class_name != "__slice__") return value;
    }
  }
  // Slices of Keras 2, and dictionaries of tensors.
  const Json& members =
      class_name != nullptr && *class_name == "__slice__" && config != nullptr ? *config : json;
  value.kind = Value::Kind::kDict;
  for (const auto& [key, item] : members.items()) {
    value.keys.push_back(key);
    value.items.push_back(resolve(item, depth + 1));
  }
  if (class_name != nullptr && *class_name == "__slice__") value.literal = "slice";
  return value;
}

Call Network::arguments(const Node& node) {
  Call call;
  const Json& data = *node.data;
  if (data.is_object() && text::find_array(data, "args") != nullptr) {  // Keras 3
    for (const Json& arg : *text::find_array(data, "args")) call.args.push_back(resolve(arg, 0));
    if (const Json* kwargs = text::find_object(data, "kwargs"))
      for (const auto& [name, value] : kwargs->items()) call.kwargs[name] = resolve(value, 0);
    return call;
  }
  // Keras 2: a tensor, a list of tensors or a dictionary of them, each with the keyword arguments at the end.
  const auto add_kwargs = [&](const Json& tensor) {
    if (tensor.is_array() && tensor.size() == 4 && tensor[3].is_object())
      for (const auto& [name, value] : tensor[3].items()) call.kwargs[name] = resolve(value, 0);
  };
  const auto one = [&](const Json& tensor) -> Value {
    add_kwargs(tensor);
    return resolve(tensor, 0);
  };
  if (data.is_array() && !data.empty() && data[0].is_string()) {
    call.args.push_back(one(data));
  } else if (data.is_array()) {
    std::vector<Value> tensors;
    for (const Json& tensor : data) tensors.push_back(one(tensor));
    if (tensors.size() == 1)
      call.args.push_back(std::move(tensors.front()));
    else
      call.args.push_back(Value::list(std::move(tensors)));
  } else if (data.is_object()) {
    Value dict;
    dict.kind = Value::Kind::kDict;
    for (const auto& [key, tensor] : data.items()) {
      dict.keys.push_back(key);
      dict.items.push_back(one(tensor));
    }
    call.args.push_back(std::move(dict));
  }
  return call;
}

void Network::finish(std::size_t node, const Value& result) {
  nodes_[node].outputs = tensors_of(result);
  nodes_[node].done = true;
  for (const std::size_t next : nodes_[node].feeds)
    if (--nodes_[next].waits == 0) ready_.push(next);
}

Value Network::structure(const Json& json) {
  if (const auto reference = reference_of(json)) return fetch(*reference);
  Value value;
  if (json.is_object()) {
    value.kind = Value::Kind::kDict;
    for (const auto& [key, item] : json.items()) {
      value.keys.push_back(key);
      value.items.push_back(structure(item));
    }
    return value;
  }
  value.kind = Value::Kind::kList;
  if (json.is_array())
    for (const Json& item : json) value.items.push_back(structure(item));
  if (value.items.size() == 1 && value.items[0].is_tensor()) return value.items[0];
  return value;
}

// The input layers in the order of the model's arguments, with the key of each in a dictionary.
std::vector<std::pair<std::string, Reference>> input_references(const Layer& model) {
  std::vector<std::pair<std::string, Reference>> out;
  const Json* inputs = text::find(*model.config, "input_layers");
  if (inputs == nullptr) return out;
  if (const auto single = reference_of(*inputs)) {
    out.emplace_back(single->layer, *single);
  } else if (inputs->is_object()) {
    for (const auto& [key, item] : inputs->items())
      if (const auto reference = reference_of(item)) out.emplace_back(key, *reference);
  } else if (inputs->is_array()) {
    for (const Json& item : *inputs)
      if (const auto reference = reference_of(item)) out.emplace_back(reference->layer, *reference);
  }
  return out;
}

Value Network::run(const std::vector<Value>& inputs) {
  index();
  const auto references = input_references(model_);
  if (references.size() != inputs.size()) {
    l_.bad(model_, cat("is called on ", inputs.size(), " tensors but has ", references.size(), " inputs"));
    return {};
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    if (nodes_[i].data != nullptr && nodes_[i].waits == 0) ready_.push(i);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto node = find(references[i].second);
    if (!node || nodes_[*node].data != nullptr) {
      l_.bad(model_, cat(base::quoted(references[i].second.layer), " is not an input layer"));
      return {};
    }
    finish(*node, inputs[i]);
  }
  while (!ready_.empty() && l_.b.status()) {
    const std::size_t node = ready_.top();
    ready_.pop();
    finish(node, l_.call(model_.parts[nodes_[node].layer], arguments(nodes_[node])));
  }
  const Json* outputs = text::find(*model_.config, "output_layers");
  if (outputs == nullptr) {
    l_.bad(model_, "has no outputs");
    return {};
  }
  return l_.b.status() ? structure(*outputs) : Value();
}

Value run_sequence(Lowering& l, const Layer& model, Value x) {
  for (const Layer& layer : model.parts) {
    if (layer.class_name == "InputLayer") continue;
    Call call;
    call.args.push_back(std::move(x));
    x = l.call(layer, std::move(call));
  }
  return x;
}

// Dictionaries and lists as the model's inputs, in its order.
std::vector<Value> order_inputs(Lowering& l, const Layer& model, const Value& given) {
  const auto references = input_references(model);
  if (given.kind != Value::Kind::kDict) return tensors_of(given);
  std::vector<Value> out;
  for (const auto& [key, reference] : references) {
    auto found = std::ranges::find(given.keys, key);
    if (found == given.keys.end()) found = std::ranges::find(given.keys, reference.layer);
    if (found == given.keys.end()) {
      l.bad(model, cat("is called without ", base::quoted(key)));
      return out;
    }
    out.push_back(given.items[static_cast<std::size_t>(found - given.keys.begin())]);
  }
  return out;
}

Result<ModelInput> input_of(const Layer& layer, const Json* shape) {
  ModelInput input;
  input.name = layer.name;
  const Json* dtype = text::find(*layer.config, "dtype");
  if (dtype != nullptr && dtype->is_string()) {
    const auto known = dtype_named(dtype->get_ref<const std::string&>());
    if (!known)
      return base::fail(Code::kUnsupported, "keras.unsupported_option",
                        cat("input ", base::quoted(layer.name), " has dtype ",
                            base::quoted(dtype->get_ref<const std::string&>())));
    input.dtype = *known;
  }
  for (const std::string_view key : {"sparse", "ragged"})
    if (text::find_bool(*layer.config, key).value_or(false))
      return base::fail(Code::kUnsupported, "keras.unsupported_option",
                        cat("input ", base::quoted(layer.name), " is ", key), "use a dense input");
  if (shape == nullptr || !shape->is_array() || shape->size() > 16)
    return base::fail(Code::kInvalidInput, "keras.bad_model",
                      cat("input ", base::quoted(layer.name), " has no shape"),
                      "build the model before saving it, or begin it with keras.Input");
  for (const Json& length : *shape) {
    if (!length.is_null() && (!length.is_number_integer() || length.get<std::int64_t>() < 0 ||
                              length.get<std::int64_t>() > std::int64_t{1} << 31))
      return base::fail(Code::kInvalidInput, "keras.bad_model",
                        cat("input ", base::quoted(layer.name), " has an impossible shape"));
    input.shape.push_back(length.is_null() ? -1 : length.get<std::int64_t>());
  }
  return input;
}

const Json* first_of(const Json& object, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys)
    if (const Json* found = text::find_array(object, key)) return found;
  return nullptr;
}

}  // namespace

Value call_model(Lowering& l, const Layer& model, const Call& call) {
  if (call.args.empty()) {
    l.bad(model, "is called on nothing");
    return {};
  }
  if (model.is_sequential()) return run_sequence(l, model, call.args.front());
  return Network(l, model).run(order_inputs(l, model, call.args.front()));
}

Result<std::vector<ModelInput>> inputs_of(const Layer& model) {
  std::vector<ModelInput> inputs;
  if (model.is_sequential()) {
    if (model.parts.empty())
      return base::fail(Code::kInvalidInput, "keras.bad_model", "the model has no layers");
    const Layer& first = model.parts.front();
    const bool is_input = first.class_name == "InputLayer";
    const Json* shape = first_of(*first.config, {"batch_shape", "batch_input_shape"});
    if (shape == nullptr && model.config->is_object())
      shape = text::find_array(*model.config, "build_input_shape");
    // A Sequential may begin with a model, which then says what it takes.
    if (shape == nullptr && first.is_model()) return inputs_of(first);
    TRY_ASSIGN(ModelInput input, input_of(first, shape));
    if (!is_input) input.name = cat(first.name, "_input");
    if (!is_input && first.class_name == "Embedding") input.dtype = DType::kFloat32;
    inputs.push_back(std::move(input));
    return inputs;
  }
  for (const auto& [key, reference] : input_references(model)) {
    const auto layer = std::ranges::find(model.parts, reference.layer, &Layer::name);
    if (layer == model.parts.end())
      return base::fail(Code::kInvalidInput, "keras.bad_model",
                        cat("there is no input layer ", base::quoted(key)));
    TRY_ASSIGN(ModelInput input,
               input_of(*layer, first_of(*layer->config, {"batch_shape", "batch_input_shape"})));
    input.name = key;
    inputs.push_back(std::move(input));
  }
  if (inputs.empty()) return base::fail(Code::kInvalidInput, "keras.bad_model", "the model has no inputs");
  return inputs;
}

std::vector<std::string> output_names(const Layer& model, const Value& outputs) {
  std::vector<std::string> names;
  if (model.is_sequential()) {
    for (std::size_t i = 0; i < tensors_of(outputs).size(); ++i) names.push_back(model.parts.back().name);
  } else if (outputs.kind == Value::Kind::kDict) {
    for (std::size_t i = 0; i < outputs.items.size(); ++i)
      for (std::size_t j = 0; j < tensors_of(outputs.items[i]).size(); ++j) names.push_back(outputs.keys[i]);
  } else if (const Json* json = text::find(*model.config, "output_layers")) {
    const auto visit = [&](const auto& self, const Json& item) -> void {
      if (const auto reference = reference_of(item)) {
        names.emplace_back(reference->layer);
      } else if (item.is_structured()) {
        for (const Json& inner : item) self(self, inner);
      }
    };
    visit(visit, *json);
  }
  // A layer with several outputs: name, name_1, name_2.
  std::map<std::string, std::size_t> used;
  std::set<std::string> taken(names.begin(), names.end());
  for (std::string& name : names) {
    const std::string base_name = name;
    while (used[base_name]++ > 0) {
      name = cat(base_name, "_", used[base_name] - 1);
      if (!taken.contains(name)) break;
    }
    taken.insert(name);
  }
  return names;
}

}  // namespace wherry::keras
