// Activation functions and the layers which are nothing else (keras/src/activations, layers/activations).
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "import/keras/lowering.h"

namespace wherry::keras {

using base::cat;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

ValueId with_alpha(Lowering& l, std::string_view op, ValueId x, double alpha) {
  return l.b.add(op, {x}, {{"alpha", static_cast<float>(alpha)}});
}

ValueId linear(Lowering&, ValueId x) {
  return x;
}
ValueId relu(Lowering& l, ValueId x) {
  return graph::unary(l.b, "Relu", x);
}
ValueId relu6(Lowering& l, ValueId x) {
  return graph::clip(l.b, x, 0, 6);
}
ValueId leaky_relu(Lowering& l, ValueId x) {
  return with_alpha(l, "LeakyRelu", x, 0.2);
}
ValueId softmax(Lowering& l, ValueId x) {
  return graph::softmax(l.b, x, -1);
}
ValueId log_softmax(Lowering& l, ValueId x) {
  return l.b.add("LogSoftmax", {x}, {{"axis", std::int64_t{-1}}});
}
ValueId elu(Lowering& l, ValueId x) {
  return with_alpha(l, "Elu", x, 1);
}
ValueId celu(Lowering& l, ValueId x) {
  return with_alpha(l, "Celu", x, 1);
}
ValueId selu(Lowering& l, ValueId x) {
  return l.b.add("Selu", {x}, {{"alpha", 1.6732632423543772F}, {"gamma", 1.0507009873554805F}});
}
ValueId softplus(Lowering& l, ValueId x) {
  return graph::unary(l.b, "Softplus", x);
}
ValueId softsign(Lowering& l, ValueId x) {
  return graph::unary(l.b, "Softsign", x);
}
ValueId tanh(Lowering& l, ValueId x) {
  return graph::unary(l.b, "Tanh", x);
}
ValueId sigmoid(Lowering& l, ValueId x) {
  return graph::unary(l.b, "Sigmoid", x);
}
ValueId exponential(Lowering& l, ValueId x) {
  return graph::unary(l.b, "Exp", x);
}
ValueId silu(Lowering& l, ValueId x) {
  return graph::silu(l.b, x);
}
ValueId gelu(Lowering& l, ValueId x) {
  return graph::gelu(l.b, x, false);
}
ValueId mish(Lowering& l, ValueId x) {
  return graph::binary(l.b, "Mul", x, tanh(l, softplus(l, x)));
}
// 0.2 x + 0.5 in Keras 2, x / 6 + 0.5 since.
ValueId hard_sigmoid(Lowering& l, ValueId x) {
  return l.b.add("HardSigmoid", {x}, {{"alpha", l.keras < 3 ? 0.2F : 1.0F / 6.0F}, {"beta", 0.5F}});
}
ValueId hard_silu(Lowering& l, ValueId x) {
  return graph::binary(l.b, "Mul", x, l.b.add("HardSigmoid", {x}, {{"alpha", 1.0F / 6.0F}, {"beta", 0.5F}}));
}
ValueId hard_tanh(Lowering& l, ValueId x) {
  return graph::clip(l.b, x, -1, 1);
}
ValueId hard_shrink(Lowering& l, ValueId x) {
  const ValueId inside = graph::binary(l.b, "LessOrEqual", graph::unary(l.b, "Abs", x), 0.5);
  return graph::where(l.b, inside, graph::scalar_like(l.b, x, 0), x);
}
ValueId soft_shrink(Lowering& l, ValueId x) {
  return l.b.add("Shrink", {x}, {{"lambd", 0.5F}, {"bias", 0.5F}});
}
ValueId tanh_shrink(Lowering& l, ValueId x) {
  return graph::binary(l.b, "Sub", x, tanh(l, x));
}
ValueId squareplus(Lowering& l, ValueId x) {
  const ValueId root =
      graph::unary(l.b, "Sqrt", graph::binary(l.b, "Add", graph::binary(l.b, "Mul", x, x), 4.0));
  return graph::binary(l.b, "Div", graph::binary(l.b, "Add", x, root), 2.0);
}
ValueId sparse_plus(Lowering& l, ValueId x) {
  const ValueId up = graph::binary(l.b, "Add", x, 1.0);
  const ValueId middle = graph::binary(l.b, "Mul", graph::binary(l.b, "Mul", up, up), 0.25);
  const ValueId low =
      graph::where(l.b, graph::binary(l.b, "LessOrEqual", x, -1.0), graph::scalar_like(l.b, x, 0), middle);
  return graph::where(l.b, graph::binary(l.b, "Less", x, 1.0), low, x);
}
ValueId sparse_sigmoid(Lowering& l, ValueId x) {
  return graph::clip(l.b, graph::binary(l.b, "Mul", graph::binary(l.b, "Add", x, 1.0), 0.5), 0, 1);
}
ValueId log_sigmoid(Lowering& l, ValueId x) {
  return graph::unary(l.b, "Neg", softplus(l, graph::unary(l.b, "Neg", x)));
}
ValueId glu(Lowering& l, ValueId x) {
  const graph::Dim width = l.b.dim(x, -1);
  if (!width.known() || width.number % 2 != 0) {
    l.b.fail("glu needs an even number of channels");
    return x;
  }
  const auto halves = graph::split(l.b, x, {width.number / 2, width.number / 2}, -1);
  return graph::binary(l.b, "Mul", halves[0], sigmoid(l, halves[1]));
}

struct ActivationRow {
  std::string_view name;
  ValueId (*lower)(Lowering&, ValueId);
  bool elementwise = true;
};
constexpr ActivationRow kActivations[] = {
    {"linear", linear},
    {"relu", relu},
    {"relu6", relu6},
    {"leaky_relu", leaky_relu},
    {"softmax", softmax, false},
    {"log_softmax", log_softmax, false},
    {"elu", elu},
    {"celu", celu},
    {"selu", selu},
    {"softplus", softplus},
    {"softsign", softsign},
    {"tanh", tanh},
    {"sigmoid", sigmoid},
    {"exponential", exponential},
    {"silu", silu},
    {"swish", silu},
    {"gelu", gelu},
    {"mish", mish},
    {"hard_sigmoid", hard_sigmoid},
    {"hard_silu", hard_silu},
    {"hard_swish", hard_silu},
    {"hard_tanh", hard_tanh},
    {"hard_shrink", hard_shrink},
    {"soft_shrink", soft_shrink},
    {"tanh_shrink", tanh_shrink},
    {"squareplus", squareplus},
    {"sparse_plus", sparse_plus},
    {"sparse_sigmoid", sparse_sigmoid},
    {"log_sigmoid", log_sigmoid},
    {"glu", glu, false},
};

// The name of a function, in any of the ways Keras writes one; empty for anything else.
std::string function_name(const Json* json) {
  if (json == nullptr || json->is_null()) return "linear";
  if (const auto* name = json->get_ptr<const std::string*>()) return *name;
  const std::string* class_name = text::find_string(*json, "class_name");
  const std::string* config = text::find_string(*json, "config");
  return class_name && config && *class_name == "function" ? *config : std::string();
}

ValueId apply(Lowering& l, const Layer& layer, std::string_view name, ValueId x) {
  const auto row = std::ranges::find(kActivations, name, &ActivationRow::name);
  if (row == std::end(kActivations)) {
    l.refuse(layer, cat("the activation ", base::quoted(name)));
    return x;
  }
  if (!row->elementwise) return row->lower(l, x);
  return l.elementwise(x, [&](ValueId y) { return row->lower(l, y); });
}

ValueId input_of(Lowering& l, const Layer& layer, const Call& call) {
  return l.floating(tensor_of(l, layer, call.arg(0, "inputs")));
}

Value activation_layer(Lowering& l, const Layer& layer, const Call& call) {
  return Value::of(activate(l, layer, "activation", input_of(l, layer, call)));
}

// keras/src/activations/activations.py ReLU.static_call.
Value relu_layer(Lowering& l, const Layer& layer, const Call& call) {
  const double slope = l.number(layer, "negative_slope", 0), threshold = l.number(layer, "threshold", 0);
  const Json* most_json = text::find(*layer.config, "max_value");
  const double most =
      most_json == nullptr || most_json->is_null() ? kInfinity : l.number(layer, "max_value", 0);
  const auto lower = [&](ValueId x) {
    Builder& b = l.b;
    if (slope != 0 && most == kInfinity && threshold == 0) return with_alpha(l, "LeakyRelu", x, slope);
    ValueId negative = kNone;
    if (slope != 0)
      negative = relu(l, threshold != 0 ? graph::binary(b, "Add", graph::unary(b, "Neg", x), threshold)
                                        : graph::unary(b, "Neg", x));
    ValueId y = threshold != 0 ? graph::where(b, graph::binary(b, "Greater", x, threshold), x,
                                              graph::scalar_like(b, x, 0))
                               : relu(l, x);
    if (most != kInfinity) y = graph::clip(b, y, 0, most);
    return slope != 0 ? graph::binary(b, "Sub", y, graph::binary(b, "Mul", negative, slope)) : y;
  };
  return Value::of(l.elementwise(input_of(l, layer, call), lower));
}

Value leaky_relu_layer(Lowering& l, const Layer& layer, const Call& call) {
  const double alpha = l.number(layer, "negative_slope", l.number(layer, "alpha", 0.3));
  return Value::of(l.elementwise(input_of(l, layer, call),
                                 [&](ValueId x) { return with_alpha(l, "LeakyRelu", x, alpha); }));
}

Value elu_layer(Lowering& l, const Layer& layer, const Call& call) {
  const double alpha = l.number(layer, "alpha", 1);
  return Value::of(
      l.elementwise(input_of(l, layer, call), [&](ValueId x) { return with_alpha(l, "Elu", x, alpha); }));
}

Value thresholded_relu_layer(Lowering& l, const Layer& layer, const Call& call) {
  const double theta = l.number(layer, "theta", 1);
  return Value::of(l.elementwise(input_of(l, layer, call),
                                 [&](ValueId x) { return with_alpha(l, "ThresholdedRelu", x, theta); }));
}

Value prelu_layer(Lowering& l, const Layer& layer, const Call& call) {
  const ValueId x = input_of(l, layer, call);
  return Value::of(graph::binary(l.b, "PRelu", x, graph::unsqueeze(l.b, l.weight(layer, 0), {0})));
}

Value softmax_layer(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  ValueId x = input_of(l, layer, call);
  const Value& mask = call.arg(1, "mask");
  if (mask.is_tensor()) {
    const ValueId keep = graph::cast(b, mask.tensor, DType::kBool);
    if (l.keras < 3) {
      const ValueId away = graph::cast(b, graph::unary(b, "Not", keep), l.dtype());
      x = graph::binary(b, "Add", x, graph::binary(b, "Mul", away, -1e9));
    } else {
      x = graph::where(b, keep, x, graph::scalar_like(b, x, -1e9));
    }
  }
  Ints axes = l.integers(layer, "axis");
  if (axes.empty()) axes = {-1};
  ValueId y;
  if (axes.size() == 1) {
    y = graph::softmax(b, x, axes[0]);
  } else {
    const ValueId top = graph::reduce(b, "ReduceMax", x, axes, true);
    const ValueId e = graph::unary(b, "Exp", graph::binary(b, "Sub", x, top));
    y = graph::binary(b, "Div", e, graph::reduce(b, "ReduceSum", e, axes, true));
  }
  if (mask.is_tensor() && l.keras >= 3)
    y = graph::where(b, graph::cast(b, mask.tensor, DType::kBool), y, graph::scalar_like(b, y, 0));
  return Value::of(y);
}

constexpr LayerRow kRows[] = {
    {"Activation", activation_layer, Mask::kPass},
    {"ReLU", relu_layer, Mask::kPass},
    {"LeakyReLU", leaky_relu_layer, Mask::kPass},
    {"ELU", elu_layer, Mask::kPass},
    {"ThresholdedReLU", thresholded_relu_layer, Mask::kPass},
    {"PReLU", prelu_layer, Mask::kPass},
    {"Softmax", softmax_layer, Mask::kPass},
};

}  // namespace

std::span<const LayerRow> activation_layers() {
  return kRows;
}

bool is_linear(const Layer& layer, std::string_view key) {
  return function_name(text::find(*layer.config, key)) == "linear";
}

std::string activation_name(const Layer& layer, std::string_view key, std::string_view otherwise) {
  const Json* json = text::find(*layer.config, key);
  return json == nullptr ? std::string(otherwise) : function_name(json);
}

ValueId activate(Lowering& l, const Layer& layer, std::string_view name, ValueId x, std::nullptr_t) {
  return apply(l, layer, name, x);
}

ValueId activate(Lowering& l, const Layer& layer, std::string_view key, ValueId x,
                 std::string_view otherwise) {
  const Json* json = text::find(*layer.config, key);
  if (json == nullptr) return apply(l, layer, otherwise, x);
  const std::string name = function_name(json);
  if (!name.empty()) return apply(l, layer, name, x);
  // A layer as an activation: {"class_name": "LeakyReLU", "config": {…}}.
  const std::string* class_name = text::find_string(*json, "class_name");
  const Json* config = text::find_object(*json, "config");
  const auto row =
      class_name == nullptr
          ? activation_layers().end()
          : std::ranges::find(activation_layers(), std::string_view(*class_name), &LayerRow::class_name);
  if (row == activation_layers().end() || config == nullptr || *class_name == "PReLU" ||
      *class_name == "Activation") {
    l.refuse(layer, cat("the activation ", class_name ? base::quoted(*class_name) : "in its configuration"));
    return x;
  }
  Layer made;
  made.class_name = *class_name;
  made.name = layer.name;
  made.config = config;
  Call call;
  call.args.push_back(Value::of(x));
  return row->lower(l, made, call).tensor;
}

}  // namespace wherry::keras
