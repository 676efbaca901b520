// Dense, EinsumDense, Embedding, Masking and what does nothing at inference (keras/src/layers/core,
// regularization).
#include <algorithm>

#include "base/text.h"
#include "import/keras/lowering.h"

namespace wherry::keras {

using base::cat;

namespace {

Value dense(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const ValueId x = l.floating(tensor_of(l, layer, call.arg(0, "inputs")));
  const ValueId kernel = l.weight(layer, 0);
  const bool bias = l.flag(layer, "use_bias", true);
  ValueId y;
  if (b.rank(x) == 2 && bias) {
    y = b.add("Gemm", {x, kernel, l.weight(layer, 1)});
  } else {
    y = graph::matmul(b, x, kernel);
    if (bias) y = graph::binary(b, "Add", y, l.weight(layer, 1));
  }
  return Value::of(activate(l, layer, "activation", y));
}

Value einsum_dense_layer(Lowering& l, const Layer& layer, const Call& call) {
  const ValueId x = l.floating(tensor_of(l, layer, call.arg(0, "inputs")));
  const ValueId y = einsum_dense(l, layer, x, l.text(layer, "equation", ""));
  return Value::of(activate(l, layer, "activation", y));
}

ValueId row_numbers(Lowering& l, ValueId x) {
  const DType dtype = l.b.dtype(x);
  return dtype == DType::kInt32 || dtype == DType::kInt64 ? x : graph::cast(l.b, x, DType::kInt32);
}

Value embedding(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const ValueId x = tensor_of(l, layer, call.arg(0, "inputs"));
  const Value& reverse = call.arg(1, "reverse");
  if (reverse.kind == Value::Kind::kLiteral && reverse.literal == true) {
    if (!l.flag(layer, "tie_weights", true)) l.refuse(layer, "reversed with weights of its own");
    ValueId y = graph::matmul(b, x, graph::transpose(b, l.weight(layer, 0), {1, 0}));
    if (const double cap = l.number(layer, "logit_soft_cap", 0); cap != 0)
      y = graph::binary(b, "Mul", graph::unary(b, "Tanh", graph::binary(b, "Div", y, cap)), cap);
    return Value::of(y);
  }
  const ValueId y = graph::gather(b, l.weight(layer, 0), row_numbers(l, x), 0);
  if (!l.flag(layer, "mask_zero", false)) return Value::of(y);
  return Value::of(y, graph::unary(b, "Not", graph::binary(b, "Equal", x, 0.0)));
}

Value masking(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const ValueId x = l.floating(tensor_of(l, layer, call.arg(0, "inputs")));
  const ValueId other =
      graph::unary(b, "Not", graph::binary(b, "Equal", x, l.number(layer, "mask_value", 0)));
  const ValueId any = graph::reduce(b, "ReduceMax", graph::cast(b, other, DType::kInt32), {-1}, true);
  const ValueId keep = graph::cast(b, any, DType::kBool);
  // Keras 2 multiplies, which lets infinite values through as NaN.
  const ValueId y = l.keras < 3 ? graph::binary(b, "Mul", x, graph::cast(b, keep, l.dtype()))
                                : graph::where(b, keep, x, graph::scalar_like(b, x, 0));
  return Value::of(y, graph::squeeze(b, keep, {-1}));
}

Value same(Lowering& l, const Layer& layer, const Call& call) {
  return Value::of(tensor_of(l, layer, call.arg(0, "inputs")));
}

// Of keras.applications' ConvNeXt: a factor per channel.
Value layer_scale(Lowering& l, const Layer& layer, const Call& call) {
  const ValueId x = l.floating(tensor_of(l, layer, call.arg(0, "inputs")));
  return Value::of(graph::binary(l.b, "Mul", x, l.weight(layer, 0)));
}

// "...x,xy->...y" of a tensor of three axes becomes "abx,xy->aby": the axes of the result are known then.
void spell_out_dots(std::string& equation, int rank) {
  const std::size_t letters = equation.find(',');
  if (!equation.contains("...") || letters == std::string::npos || letters < 3 || rank < 0) return;
  const auto missing = rank - static_cast<int>(letters - 3);
  std::string spelled;
  for (char c = 'a'; c <= 'z' && static_cast<int>(spelled.size()) < missing; ++c)
    if (!equation.contains(c)) spelled += c;
  for (std::size_t at = 0; (at = equation.find("...", at)) != std::string::npos; at += spelled.size())
    equation.replace(at, 3, spelled);
}

constexpr LayerRow kRows[] = {
    {"Dense", dense, Mask::kPass},
    {"LayerScale", layer_scale},
    {"StochasticDepth", same},
    {"EinsumDense", einsum_dense_layer},
    {"Embedding", embedding, Mask::kOwn},
    {"ReversibleEmbedding", embedding, Mask::kOwn},
    {"Masking", masking, Mask::kOwn},
    {"Identity", same, Mask::kPass},
    {"ActivityRegularization", same, Mask::kPass},
    {"Dropout", same, Mask::kPass},
    {"AlphaDropout", same, Mask::kPass},
    {"GaussianDropout", same, Mask::kPass},
    {"GaussianNoise", same, Mask::kPass},
    {"SpatialDropout1D", same, Mask::kPass},
    {"SpatialDropout2D", same, Mask::kPass},
    {"SpatialDropout3D", same, Mask::kPass},
};

}  // namespace

std::span<const LayerRow> core_layers() {
  return kRows;
}

ValueId einsum_dense(Lowering& l, const Layer& layer, ValueId x, std::string_view equation) {
  std::string spelled;
  for (const char c : equation)
    if (c != ' ') spelled += c;
  spell_out_dots(spelled, l.b.rank(x));
  ValueId y = l.b.add("Einsum", {x, l.weight(layer, 0)}, {{"equation", spelled}});
  // Keras keeps the bias in a shape which broadcasts.
  if (layer.weights.size() > 1) y = graph::binary(l.b, "Add", y, l.weight(layer, 1));
  return y;
}

}  // namespace wherry::keras
