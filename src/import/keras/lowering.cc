#include "import/keras/lowering.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace wherry::keras {

using base::cat;
using base::Code;

namespace {

constexpr std::int64_t kMostInteger = std::int64_t{1} << 31;

bool sane(double number) {
  return std::isfinite(number);
}

void flatten_into(const Value& value, std::vector<Value>& out) {
  if (value.is_tensor()) out.push_back(value);
  for (const Value& item : value.items) flatten_into(item, out);
}

}  // namespace

std::string policy_of(const Layer& layer, std::string_view otherwise) {
  const Json* dtype = text::find(*layer.config, "dtype");
  if (dtype == nullptr || dtype->is_null()) return std::string(otherwise);
  if (const std::string* name = dtype->get_ptr<const std::string*>()) return *name;
  const Json* config = text::find_object(*dtype, "config");
  const std::string* name = config ? text::find_string(*config, "name") : nullptr;
  return name ? *name : std::string(otherwise);
}

const Value& Call::arg(std::size_t position, std::string_view name) const {
  static const Value kAbsent;
  if (position < args.size()) return args[position];
  const auto found = kwargs.find(name);
  return found == kwargs.end() ? kAbsent : found->second;
}

std::int64_t Lowering::integer(const Layer& layer, std::string_view key, std::int64_t otherwise) {
  const Json* value = text::find(*layer.config, key);
  if (value == nullptr || value->is_null()) return otherwise;
  if (value->is_array() && value->size() == 1) value = &value->front();
  const double real = value->is_number() ? value->get<double>() : NAN;
  if (!(std::abs(real) <= kMostInteger) || real != std::floor(real)) {
    bad(layer, cat(base::quoted(key), " is not an integer"));
    return otherwise;
  }
  return static_cast<std::int64_t>(real);
}

double Lowering::number(const Layer& layer, std::string_view key, double otherwise) {
  const Json* value = text::find(*layer.config, key);
  if (value == nullptr || value->is_null()) return otherwise;
  // Numpy's numbers are sometimes saved as {"class_name": "__numpy__", "config": {"value": …}}.
  if (value->is_object())
    if (const Json* config = text::find_object(*value, "config"))
      if (const Json* inner = text::find(*config, "value")) value = inner;
  if (!value->is_number() || !sane(value->get<double>())) {
    bad(layer, cat(base::quoted(key), " is not a number"));
    return otherwise;
  }
  return value->get<double>();
}

bool Lowering::flag(const Layer& layer, std::string_view key, bool otherwise) {
  const Json* value = text::find(*layer.config, key);
  if (value == nullptr || value->is_null()) return otherwise;
  if (value->is_boolean()) return value->get<bool>();
  if (value->is_number_integer()) return value->get<std::int64_t>() != 0;
  bad(layer, cat(base::quoted(key), " is neither true nor false"));
  return otherwise;
}

std::string Lowering::text(const Layer& layer, std::string_view key, std::string_view otherwise) {
  const Json* value = text::find(*layer.config, key);
  if (value == nullptr || value->is_null()) return std::string(otherwise);
  if (const auto* string = value->get_ptr<const std::string*>()) return *string;
  bad(layer, cat(base::quoted(key), " is not text"));
  return std::string(otherwise);
}

Ints Lowering::integers(const Layer& layer, std::string_view key) {
  const Json* value = text::find(*layer.config, key);
  Ints out;
  if (value == nullptr || value->is_null()) return out;
  const auto add = [&](const Json& item) {
    const double real = item.is_number() ? item.get<double>() : NAN;
    if (std::abs(real) <= kMostInteger && real == std::floor(real))
      out.push_back(static_cast<std::int64_t>(real));
    else
      bad(layer, cat(base::quoted(key), " is not a list of integers"));
  };
  if (!value->is_array()) {
    add(*value);
    return out;
  }
  for (const Json& item : *value) add(item);
  return out;
}

Ints Lowering::spread(const Layer& layer, std::string_view key, std::size_t n, std::int64_t otherwise) {
  Ints out = integers(layer, key);
  if (out.empty()) out.assign(n, otherwise);
  if (out.size() == 1) out.resize(n, out.front());
  if (out.size() != n) {
    bad(layer, cat(base::quoted(key), " does not have ", n, " numbers"));
    out.resize(n, otherwise);
  }
  return out;
}

void Lowering::refuse(const Layer& layer, std::string what) {
  b.fail({Code::kUnsupported,
          "keras.unsupported_option",
          cat("layer ", base::quoted(layer.name), " (", layer.class_name, "): ", what),
          "change the layer, or export the model as a SavedModel with model.export()",
          {}});
}

void Lowering::bad(const Layer& layer, std::string what) {
  b.fail({Code::kInvalidInput,
          "keras.bad_model",
          cat("layer ", base::quoted(layer.name), " (", layer.class_name, "): ", what),
          "save the model again",
          {}});
}

ValueId Lowering::first(ValueId channels_last) {
  const auto found = first_.find(channels_last);
  if (found != first_.end()) return found->second;
  const ValueId made = graph::channels_first(b, channels_last);
  first_.emplace(channels_last, made);
  return made;
}

ValueId Lowering::last(ValueId channels_first) {
  const ValueId made = graph::channels_last(b, channels_first);
  first_.emplace(made, channels_first);
  return made;
}

std::string Lowering::shape_of(std::string_view layer) const {
  const auto found = results_.find(layer);
  return found == results_.end() ? std::string() : graph::to_string(b.type(found->second));
}

ValueId tensor_of(Lowering& l, const Layer& layer, const Value& value) {
  if (value.is_tensor()) return value.tensor;
  if (value.kind == Value::Kind::kList && value.items.size() == 1) return tensor_of(l, layer, value.items[0]);
  if (value.kind == Value::Kind::kLiteral || value.kind == Value::Kind::kList)
    return operand(l, layer, value, graph::kNone);
  l.bad(layer, "is called without the tensor it needs");
  return graph::scalar(l.b, DType::kFloat32, 0);
}

std::vector<Value> tensors_of(const Value& value) {
  std::vector<Value> out;
  flatten_into(value, out);
  return out;
}

std::optional<DType> dtype_named(std::string_view name) {
  if (name == "string") return DType::kString;
  for (const auto& row : tensor::dtypes())
    if (row.numpy_name == name) return row.dtype;
  return std::nullopt;
}

namespace {

bool flatten_numbers(const Json& json, std::size_t depth, tensor::Shape& shape, std::vector<double>& out) {
  if (!json.is_array()) {
    if (depth != shape.size()) return false;
    if (json.is_boolean()) {
      out.push_back(json.get<bool>() ? 1 : 0);
      return true;
    }
    if (!json.is_number()) return false;
    out.push_back(json.get<double>());
    return true;
  }
  if (depth == shape.size()) {
    if (depth >= 16 || !out.empty()) return false;
    shape.push_back(static_cast<std::int64_t>(json.size()));
  }
  if (static_cast<std::size_t>(shape[depth]) != json.size()) return false;
  return std::ranges::all_of(json,
                             [&](const Json& item) { return flatten_numbers(item, depth + 1, shape, out); });
}

// Python's own kinds: a list with a float in it is of floats.
DType natural_dtype(const Json& json) {
  if (json.is_array()) {
    DType widest = DType::kBool;
    for (const Json& item : json) {
      const DType dtype = natural_dtype(item);
      if (dtype == DType::kFloat32) return dtype;
      if (dtype == DType::kInt32) widest = dtype;
    }
    return json.empty() ? DType::kFloat32 : widest;
  }
  if (json.is_boolean()) return DType::kBool;
  return json.is_number_integer() ? DType::kInt32 : DType::kFloat32;
}

// A list of literals (and nothing else) as the literal it was.
bool as_json(const Value& value, Json& out) {
  if (value.kind == Value::Kind::kLiteral) {
    out = value.literal;
    return true;
  }
  if (value.kind != Value::Kind::kList) return false;
  out = Json::array();
  for (const Value& item : value.items) {
    Json inner;
    if (!as_json(item, inner)) return false;
    out.push_back(std::move(inner));
  }
  return true;
}

}  // namespace

bool is_float(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kFloat16 ||
         dtype == DType::kBfloat16;
}

const Json* unwrapped(const Json* json) {
  const Json* config = json != nullptr && json->is_object() ? text::find_object(*json, "config") : nullptr;
  return config == nullptr ? json : text::find(*config, config->contains("items") ? "items" : "value");
}

std::optional<tensor::Tensor> literal_tensor(const Json& json, DType dtype) {
  tensor::Shape shape;
  std::vector<double> numbers;
  if (!flatten_numbers(json, 0, shape, numbers)) return std::nullopt;
  const auto make = [&]<class T>(T) {
    std::vector<T> elements;
    for (const double number : numbers) elements.push_back(static_cast<T>(number));
    return tensor::Tensor::of(shape, std::move(elements));
  };
  const bool fits = std::ranges::all_of(numbers, [](double n) { return std::abs(n) < 9e15; });
  switch (dtype) {
    case DType::kBool: {
      std::vector<std::uint8_t> bools;
      for (const double number : numbers) bools.push_back(number != 0);
      return tensor::Tensor::of_bools(shape, std::move(bools));
    }
    case DType::kInt32: {
      if (!std::ranges::all_of(numbers, [](double n) { return std::abs(n) <= 2147483647.0; }))
        return std::nullopt;
      return make(std::int32_t{});
    }
    case DType::kInt64:
      return fits ? std::optional(make(std::int64_t{})) : std::nullopt;
    case DType::kFloat64:
      return make(double{});
    case DType::kFloat32:
      return make(float{});
    default:
      return std::nullopt;
  }
}

ValueId operand(Lowering& l, const Layer& layer, const Value& value, ValueId like) {
  if (value.is_tensor()) return value.tensor;
  Json json;
  if (!as_json(value, json)) {
    l.bad(layer, "an argument is neither a tensor nor a number");
    return graph::scalar(l.b, DType::kFloat32, 0);
  }
  const DType natural = natural_dtype(json);
  DType dtype = natural;
  // A number takes the tensor's dtype, unless that would make an integer of a float.
  if (like != graph::kNone) {
    const DType other = l.b.dtype(like);
    if (is_float(other) || !is_float(natural)) dtype = other == DType::kBool ? natural : other;
  }
  const bool direct = dtype == DType::kBool || dtype == DType::kInt32 || dtype == DType::kInt64 ||
                      dtype == DType::kFloat32 || dtype == DType::kFloat64;
  const auto made = literal_tensor(json, direct ? dtype : natural);
  if (!made) {
    l.bad(layer, "an argument is neither a tensor nor a number");
    return graph::scalar(l.b, DType::kFloat32, 0);
  }
  const ValueId constant = l.b.constant(*made);
  return direct ? constant : graph::cast(l.b, constant, dtype);
}

std::vector<std::span<const LayerRow>> layer_tables() {
  return {core_layers(),          activation_layers(),    convolution_layers(), pooling_layers(),
          normalization_layers(), merging_layers(),       reshaping_layers(),   recurrent_layers(),
          attention_layers(),     preprocessing_layers(), lookup_layers(),      text_layers(),
          image_layers()};
}

std::optional<LayerRow> find_row(const Layer& layer) {
  if (layer.is_operation()) return find_operation(layer.class_name, false);
  if (layer.class_name == "TFOpLambda" || layer.class_name == "SlicingOpLambda") {
    const std::string* function = text::find_string(*layer.config, "function");
    if (function == nullptr) return std::nullopt;
    std::string_view name = *function;
    for (const std::string_view prefix : {"compat.v1.", "math.", "linalg.", "nn.", "__operators__."})
      if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
    return find_operation(name, true);
  }
  // A class of one's own may be called like one of Keras's.
  if (!layer.module.empty() && !layer.module.starts_with("keras")) return std::nullopt;
  for (const auto table : layer_tables()) {
    const auto found = std::ranges::find(table, std::string_view(layer.class_name), &LayerRow::class_name);
    if (found != table.end()) return *found;
  }
  return std::nullopt;
}

std::string kind_of(const Layer& layer) {
  if (layer.is_operation()) return cat("keras.ops ", layer.class_name);
  if (layer.class_name == "TFOpLambda" || layer.class_name == "SlicingOpLambda") {
    const std::string* function = text::find_string(*layer.config, "function");
    return function ? cat("tf.", *function) : layer.class_name;
  }
  return layer.class_name;
}

}  // namespace wherry::keras
