// Activation functions as functions (keras/src/ops/nn.py).
#include "base/text.h"
#include "import/keras/operations.h"

namespace wherry::keras {

namespace {

template <Name name>
Value function(Lowering& l, const Layer& layer, const Call& call) {
  return Value::of(activate(l, layer, name.view(), l.floating(Args{l, layer, call}.x()), nullptr));
}

Value leaky_relu(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const auto alpha = static_cast<float>(args.number({"negative_slope", "alpha"}, 0.2));
  return Value::of(l.b.add("LeakyRelu", {l.floating(args.x())}, {{"alpha", alpha}}));
}
Value gelu(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const bool by_tanh = args.flag({"approximate"}, l.keras >= 3);
  return Value::of(graph::gelu(l.b, l.floating(args.x()), by_tanh));
}
Value softmax(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  return Value::of(graph::softmax(l.b, l.floating(args.x()), args.axis(1, -1)));
}
Value log_softmax(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  return Value::of(l.b.add("LogSoftmax", {l.floating(args.x())}, {{"axis", args.axis(1, -1)}}));
}

constexpr OperationRow kRows[] = {
    {"Relu", "relu", function<"relu">},
    {"Relu6", "relu6", function<"relu6">},
    {"LeakyRelu", "leaky_relu", leaky_relu},
    {"Elu", "elu", function<"elu">},
    {"Selu", "selu", function<"selu">},
    {"Celu", "", function<"celu">},
    {"Silu", "silu", function<"silu">},
    {"", "swish", function<"silu">},
    {"Gelu", "gelu", gelu},
    {"Sigmoid", "sigmoid", function<"sigmoid">},
    {"LogSigmoid", "log_sigmoid", function<"log_sigmoid">},
    {"HardSigmoid", "", function<"hard_sigmoid">},
    {"HardSilu", "", function<"hard_silu">},
    {"HardTanh", "", function<"hard_tanh">},
    {"Softplus", "softplus", function<"softplus">},
    {"Softsign", "softsign", function<"softsign">},
    {"Softmax", "softmax", softmax},
    {"", "softmax_v2", softmax},
    {"LogSoftmax", "log_softmax", log_softmax},
};

}  // namespace

std::span<const OperationRow> activation_operations() {
  return kRows;
}

}  // namespace wherry::keras
