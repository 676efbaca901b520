// Activation functions, softmax, dropout.
#include <array>
#include <cmath>
#include <limits>

#include "import/torch/operators.h"
#include "import/torch/scalar_type.h"

namespace wherry::torch {
namespace {

Outputs relu(Call& c) {
  const ValueId x = c.tensor("self");
  const DType dtype = c.b.dtype(x);
  if (is_floating(dtype)) return graph::unary(c.b, "Relu", x);
  const DType wide = computing_type(dtype);
  return graph::cast(c.b, graph::binary(c.b, "Max", graph::cast(c.b, x, wide), 0.0), dtype);
}

Outputs relu6(Call& c) {
  return graph::clip(c.b, c.tensor("self"), 0, 6);
}

Outputs hardtanh(Call& c) {
  return graph::clip(c.b, c.tensor("self"), c.number("min_val"), c.number("max_val"));
}

Outputs sigmoid(Call& c) {
  return graph::unary(c.b, "Sigmoid", to_float(c.b, c.tensor("self")));
}

Outputs tanh(Call& c) {
  return graph::unary(c.b, "Tanh", to_float(c.b, c.tensor("self")));
}

Outputs log_sigmoid(Call& c) {
  const ValueId x = c.tensor("self");
  return graph::unary(c.b, "Neg", graph::unary(c.b, "Softplus", graph::unary(c.b, "Neg", x)));
}

Outputs gelu(Call& c) {
  return graph::gelu(c.b, c.tensor("self"), c.text("approximate", "none") == "tanh");
}

Outputs silu(Call& c) {
  return graph::silu(c.b, c.tensor("self"));
}

Outputs mish(Call& c) {
  const ValueId x = c.tensor("self");
  return graph::binary(c.b, "Mul", x, graph::unary(c.b, "Tanh", graph::unary(c.b, "Softplus", x)));
}

ValueId hard_sigmoid(Builder& b, ValueId x) {
  return b.add("HardSigmoid", {x}, {{"alpha", 1.0F / 6}, {"beta", 0.5F}});
}

Outputs hardsigmoid(Call& c) {
  return hard_sigmoid(c.b, c.tensor("self"));
}

Outputs hardswish(Call& c) {
  const ValueId x = c.tensor("self");
  return graph::binary(c.b, "Mul", x, hard_sigmoid(c.b, x));
}

Outputs leaky_relu(Call& c) {
  return c.b.add("LeakyRelu", {c.tensor("self")},
                 {{"alpha", static_cast<float>(c.number("negative_slope"))}});
}

// Outside of training the slope is the middle of its range.
Outputs rrelu(Call& c) {
  if (c.flag("training"))
    return c.refuse(
        "the model was saved in training mode, where rrelu is random: call model.eval() before saving");
  return c.b.add("LeakyRelu", {c.tensor("self")},
                 {{"alpha", static_cast<float>((c.number("lower") + c.number("upper")) / 2)}});
}

// (scale · alpha · (exp(x · input_scale) - 1)) where x < 0, scale · x elsewhere.
Outputs elu(Call& c) {
  Builder& b = c.b;
  const ValueId x = c.tensor("self");
  const double alpha = c.number("alpha", 1);
  const double scale = c.number("scale", 1);
  const double input_scale = c.number("input_scale", 1);
  if (scale == 1 && input_scale == 1) return b.add("Elu", {x}, {{"alpha", static_cast<float>(alpha)}});
  const ValueId grown = graph::unary(b, "Exp", graph::binary(b, "Mul", x, input_scale));
  const ValueId negative = graph::binary(b, "Mul", graph::binary(b, "Sub", grown, 1.0), scale * alpha);
  return graph::where(b, graph::binary(b, "Greater", x, 0.0), graph::binary(b, "Mul", x, scale), negative);
}

Outputs selu(Call& c) {
  return c.b.add("Selu", {c.tensor("self")},
                 {{"alpha", 1.6732632423543772F}, {"gamma", 1.0507009873554805F}});
}

Outputs celu(Call& c) {
  return c.b.add("Celu", {c.tensor("self")}, {{"alpha", static_cast<float>(c.number("alpha", 1))}});
}

Outputs softplus(Call& c) {
  Builder& b = c.b;
  const ValueId x = c.tensor("self");
  const double beta = c.number("beta", 1);
  const double threshold = c.number("threshold", 20);
  const ValueId scaled = beta == 1 ? x : graph::binary(b, "Mul", x, beta);
  ValueId soft = graph::unary(b, "Softplus", scaled);
  if (beta != 1) soft = graph::binary(b, "Div", soft, beta);
  return graph::where(b, graph::binary(b, "Greater", scaled, threshold), x, soft);
}

Outputs softsign(Call& c) {
  return graph::unary(c.b, "Softsign", c.tensor("self"));
}

Outputs threshold(Call& c) {
  Builder& b = c.b;
  const ValueId x = c.tensor("self");
  return graph::where(b, graph::binary(b, "LessOrEqual", x, c.number("threshold")),
                      graph::scalar_like(b, x, c.number("value")), x);
}

Outputs hardshrink(Call& c) {
  Builder& b = c.b;
  const ValueId x = c.tensor("self");
  return graph::where(b, graph::binary(b, "LessOrEqual", graph::unary(b, "Abs", x), c.number("lambd")),
                      graph::scalar_like(b, x, 0), x);
}

Outputs softshrink(Call& c) {
  Builder& b = c.b;
  const ValueId x = c.tensor("self");
  const double lambd = c.number("lambd");
  const ValueId above =
      graph::clip(b, graph::binary(b, "Sub", x, lambd), 0, std::numeric_limits<double>::infinity());
  const ValueId below =
      graph::clip(b, graph::binary(b, "Add", x, lambd), -std::numeric_limits<double>::infinity(), 0);
  return graph::binary(b, "Add", above, below);
}

Outputs tanhshrink(Call& c) {
  const ValueId x = c.tensor("self");
  return graph::binary(c.b, "Sub", x, graph::unary(c.b, "Tanh", x));
}

// One slope, or one per channel (axis 1).
Outputs prelu(Call& c) {
  Builder& b = c.b;
  const ValueId x = c.tensor("self");
  ValueId slope = c.tensor("weight");
  const int rank = c.rank(x);
  if (rank > 2 && b.rank(slope) == 1 && !b.dim(slope, 0).is(1)) {
    Ints shape(static_cast<std::size_t>(rank) - 1, 1);
    shape[0] = -1;
    slope = graph::reshape(b, slope, shape);
  }
  return b.add("PRelu", {x, slope});
}

Outputs glu(Call& c) {
  Builder& b = c.b;
  const ValueId x = c.tensor("self");
  const std::int64_t axis = c.axis("dim", c.rank(x));
  const std::int64_t half = c.size(x, axis) / 2;
  const std::vector<ValueId> parts = graph::split(b, x, {half, half}, axis);
  if (parts.size() != 2) return kNone;
  return graph::binary(b, "Mul", parts[0], graph::unary(b, "Sigmoid", parts[1]));
}

ValueId softmax_input(Call& c) {
  const ValueId x = c.tensor("self");
  if (const auto dtype = c.dtype()) return graph::cast(c.b, x, *dtype);
  return to_float(c.b, x);
}

Outputs softmax(Call& c) {
  const ValueId x = softmax_input(c);
  const int rank = c.rank(x);
  if (rank == 0) return graph::scalar_like(c.b, x, 1);
  return graph::softmax(c.b, x, c.axis("dim", rank));
}

Outputs log_softmax(Call& c) {
  const ValueId x = softmax_input(c);
  const int rank = c.rank(x);
  if (rank == 0) return graph::scalar_like(c.b, x, 0);
  return c.b.add("LogSoftmax", {x}, {{"axis", c.axis("dim", rank)}});
}

Outputs softmin(Call& c) {
  const ValueId x = graph::unary(c.b, "Neg", softmax_input(c));
  return graph::softmax(c.b, x, c.axis("dim", c.rank(x)));
}

Outputs dropout(Call& c) {
  if (c.flag("train"))
    return c.refuse(
        "the model was saved in training mode, where dropout is random: call model.eval() before saving");
  return c.tensor("input");
}

Outputs native_dropout(Call& c) {
  if (c.flag("train"))
    return c.refuse(
        "the model was saved in training mode, where dropout is random: call model.eval() before saving");
  const ValueId x = c.tensor("input");
  const ValueId all = graph::expand(c.b, graph::bool_scalar(c.b, true), graph::shape_of(c.b, x));
  return Outputs::many(std::array{x, all});
}

constexpr auto kRows = std::to_array<Operator>({
    {"aten::relu(Tensor self) -> Tensor", relu},
    {"aten::relu6(Tensor self) -> Tensor", relu6},
    {"aten::hardtanh(Tensor self, Scalar min_val=-1, Scalar max_val=1) -> Tensor", hardtanh},
    {"aten::sigmoid(Tensor self) -> Tensor", sigmoid},
    {"aten::special_expit(Tensor self) -> Tensor", sigmoid},
    {"aten::tanh(Tensor self) -> Tensor", tanh},
    {"aten::log_sigmoid(Tensor self) -> Tensor", log_sigmoid},
    {"aten::gelu(Tensor self, *, str approximate='none') -> Tensor", gelu},
    {"aten::silu(Tensor self) -> Tensor", silu},
    {"aten::mish(Tensor self) -> Tensor", mish},
    {"aten::hardsigmoid(Tensor self) -> Tensor", hardsigmoid},
    {"aten::hardswish(Tensor self) -> Tensor", hardswish},
    {"aten::leaky_relu(Tensor self, Scalar negative_slope=0.01) -> Tensor", leaky_relu},
    {"aten::rrelu(Tensor self, Scalar lower=0.125, Scalar upper=0.3333333333333333, bool training=False, "
     "Generator? "
     "generator=None) -> Tensor",
     rrelu},
    {"aten::rrelu_with_noise_functional(Tensor self, Tensor noise, Scalar lower=0.125, Scalar "
     "upper=0.3333333333333333, bool training=False, Generator? generator=None) -> (Tensor, Tensor "
     "noise_out)",
     [](Call& c) -> Outputs {
       Outputs out = rrelu(c);
       out.results.emplace_back(Tensor{c.tensor("noise")});
       return out;
     }},
    {"aten::elu(Tensor self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor", elu},
    {"aten::selu(Tensor self) -> Tensor", selu},
    {"aten::celu(Tensor self, Scalar alpha=1.) -> Tensor", celu},
    {"aten::softplus(Tensor self, Scalar beta=1, Scalar threshold=20) -> Tensor", softplus},
    {"aten::softsign(Tensor self) -> Tensor", softsign},
    {"aten::threshold(Tensor self, Scalar threshold, Scalar value) -> Tensor", threshold},
    {"aten::hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor", hardshrink},
    {"aten::softshrink(Tensor self, Scalar lambd=0.5) -> Tensor", softshrink},
    {"aten::tanhshrink(Tensor self) -> Tensor", tanhshrink},
    {"aten::prelu(Tensor self, Tensor weight) -> Tensor", prelu},
    {"aten::_prelu_kernel(Tensor self, Tensor weight) -> Tensor", prelu},
    {"aten::glu(Tensor self, int dim=-1) -> Tensor", glu},
    {"aten::softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", softmax},
    {"aten::_softmax(Tensor self, int dim, bool half_to_float) -> Tensor", softmax},
    {"aten::special_softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", softmax},
    {"aten::log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", log_softmax},
    {"aten::_log_softmax(Tensor self, int dim, bool half_to_float) -> Tensor", log_softmax},
    {"aten::special_log_softmax(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor", log_softmax},
    {"aten::softmin(Tensor self, int dim, ScalarType? dtype=None) -> Tensor", softmin},
    {"aten::dropout(Tensor(a) input, float p, bool train) -> Tensor(a)", dropout},
    {"aten::feature_dropout(Tensor(a) input, float p, bool train) -> Tensor(a)", dropout},
    {"aten::alpha_dropout(Tensor(a) input, float p, bool train) -> Tensor(a)", dropout},
    {"aten::feature_alpha_dropout(Tensor(a) input, float p, bool train) -> Tensor(a)", dropout},
    {"aten::native_dropout(Tensor input, float p, bool? train) -> (Tensor, Tensor)", native_dropout},
});

}  // namespace

std::span<const Operator> activation_operators() {
  return kRows;
}

}  // namespace wherry::torch
