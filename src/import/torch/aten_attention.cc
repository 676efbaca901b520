// Scaled dot product attention.
#include <array>
#include <cmath>
#include <limits>

#include "import/torch/operators.h"

namespace wherry::torch {
namespace {

constexpr double kLowest = -std::numeric_limits<double>::infinity();

ValueId positions(Builder& b, ValueId x, std::int64_t axis) {
  return b.add("Range", {graph::int_scalar(b, 0), graph::dim_scalar(b, x, axis), graph::int_scalar(b, 1)});
}

// [L, S]: whether query i may look at key j.
ValueId causal_mask(Builder& b, ValueId query, ValueId key) {
  const ValueId rows = graph::unsqueeze(b, positions(b, query, -2), {1});
  return graph::binary(b, "GreaterOrEqual", rows, graph::unsqueeze(b, positions(b, key, -2), {0}));
}

// Each head of `x` as often as query has more of them (grouped query attention).
ValueId repeated_heads(Call& c, ValueId x, ValueId query) {
  const std::int64_t wanted = c.size(query, -3);
  const std::int64_t have = c.size(x, -3);
  if (have <= 0 || wanted == have) return x;
  const int rank = c.rank(x);
  Ints copies(static_cast<std::size_t>(rank) + 1, 1);
  copies[static_cast<std::size_t>(rank) - 2] = wanted / have;
  const ValueId wide = graph::tile(c.b, graph::unsqueeze(c.b, x, {rank - 2}), copies);
  return graph::flatten(c.b, wide, rank - 3, rank - 2);
}

ValueId attend(Call& c, std::string_view mask_parameter) {
  Builder& b = c.b;
  const ValueId query = c.tensor("query");
  ValueId key = c.tensor("key");
  ValueId value = c.tensor("value");
  if (c.number("dropout_p") != 0)
    return c.refuse(
        "the model was saved in training mode, where dropout is random: call model.eval() before saving");
  if (c.flag("enable_gqa")) {
    key = repeated_heads(c, key, query);
    value = repeated_heads(c, value, query);
  }
  const double scale =
      c.has("scale") ? c.number("scale") : 1 / std::sqrt(static_cast<double>(c.size(query, -1)));
  ValueId scores = graph::matmul(b, graph::binary(b, "Mul", query, scale), graph::swap_axes(b, key, -2, -1));
  ValueId allowed = c.flag("is_causal") ? causal_mask(b, query, key) : kNone;
  if (c.has(mask_parameter)) {
    const ValueId mask = c.tensor(mask_parameter);
    if (b.dtype(mask) == DType::kBool)
      allowed = mask;
    else
      scores = graph::binary(b, "Add", scores, graph::cast(b, mask, b.dtype(scores)));
  }
  if (allowed != kNone) scores = graph::where(b, allowed, scores, graph::scalar_like(b, scores, kLowest));
  ValueId weights = graph::softmax(b, scores, -1);
  // A query that may look at nothing gets zeros instead of the NaN of an empty softmax.
  if (allowed != kNone) weights = graph::where(b, allowed, weights, graph::scalar_like(b, weights, 0));
  return graph::matmul(b, weights, value);
}

Outputs attention(Call& c) {
  return attend(c, "attn_mask");
}

template <std::size_t Others>
Outputs attention_with_state(Call& c) {
  std::array<ValueId, Others + 1> out{};
  out[0] = attend(c, "attn_mask");
  return Outputs::many(out);
}

// The fused encoder layer of torch.nn.TransformerEncoderLayer in eval mode.
struct Encoder {
  Call& c;
  std::int64_t width;
  std::int64_t heads;

  ValueId linear(ValueId x, std::string_view weight, std::string_view bias) const {
    const ValueId y = graph::matmul(c.b, x, graph::swap_axes(c.b, c.tensor(weight), 0, 1));
    return graph::binary(c.b, "Add", y, c.tensor(bias));
  }
  ValueId norm(ValueId x, std::string_view weight, std::string_view bias) const {
    return c.b.add("LayerNormalization", {x, c.tensor(weight), c.tensor(bias)},
                   {{"axis", std::int64_t{-1}}, {"epsilon", static_cast<float>(c.number("eps"))}});
  }
  ValueId split_heads(ValueId x) const {
    return graph::transpose(c.b, graph::reshape(c.b, x, Ints{0, 0, heads, width / heads}), {0, 2, 1, 3});
  }
  // mask_type 0: [L, L], 1: [batch, L]; true keeps out.
  ValueId masked(ValueId scores) const {
    if (!c.has("mask")) return scores;
    ValueId mask = c.tensor("mask");
    if (c.integer("mask_type") == 1) mask = graph::unsqueeze(c.b, mask, {1, 2});
    if (c.b.dtype(mask) != DType::kBool) return graph::binary(c.b, "Add", scores, mask);
    return graph::where(c.b, mask, graph::scalar_like(c.b, scores, kLowest), scores);
  }
  ValueId self_attention(ValueId x) const {
    Builder& b = c.b;
    const std::vector<ValueId> parts =
        graph::split(b, linear(x, "qkv_weight", "qkv_bias"), {width, width, width}, -1);
    const double scale = 1 / std::sqrt(static_cast<double>(width / heads));
    const ValueId keys = graph::swap_axes(b, split_heads(parts[1]), -2, -1);
    const ValueId scores = graph::matmul(b, graph::binary(b, "Mul", split_heads(parts[0]), scale), keys);
    const ValueId mixed = graph::matmul(b, graph::softmax(b, masked(scores), -1), split_heads(parts[2]));
    const ValueId joined = graph::reshape(b, graph::transpose(b, mixed, {0, 2, 1, 3}), Ints{0, 0, width});
    return linear(joined, "proj_weight", "proj_bias");
  }
  ValueId feed_forward(ValueId x) const {
    const ValueId hidden = linear(x, "ffn_weight_1", "ffn_bias_1");
    const ValueId active =
        c.flag("use_gelu") ? graph::gelu(c.b, hidden, false) : graph::unary(c.b, "Relu", hidden);
    return linear(active, "ffn_weight_2", "ffn_bias_2");
  }
};

Outputs encoder_layer(Call& c) {
  Builder& b = c.b;
  const Encoder encoder{c, c.integer("embed_dim"), std::max<std::int64_t>(c.integer("num_heads"), 1)};
  const ValueId x = c.tensor("src");
  if (c.has("mask") && c.integer("mask_type") == 2) return c.refuse("a mask of type 2");
  if (c.flag("norm_first")) {
    const ValueId first =
        graph::binary(b, "Add", x, encoder.self_attention(encoder.norm(x, "norm_weight_1", "norm_bias_1")));
    return graph::binary(b, "Add", first,
                         encoder.feed_forward(encoder.norm(first, "norm_weight_2", "norm_bias_2")));
  }
  const ValueId first =
      encoder.norm(graph::binary(b, "Add", x, encoder.self_attention(x)), "norm_weight_1", "norm_bias_1");
  return encoder.norm(graph::binary(b, "Add", first, encoder.feed_forward(first)), "norm_weight_2",
                      "norm_bias_2");
}

// The fused self-attention of torch.nn.MultiheadAttention in eval mode; no weights are given back.
Outputs multi_head_attention(Call& c) {
  Builder& b = c.b;
  const Encoder encoder{c, c.integer("embed_dim"), std::max<std::int64_t>(c.integer("num_head"), 1)};
  const ValueId query = c.tensor("query");
  if (query != c.tensor("key") || query != c.tensor("value")) return c.refuse("other keys than queries");
  if (c.has("mask") && c.integer("mask_type") == 2) return c.refuse("a mask of type 2");
  const ValueId y = encoder.self_attention(query);
  return Outputs::many(std::array{y, graph::full(b, b.dtype(y), tensor::Shape{0}, 0)});
}

constexpr auto kRows = std::to_array<Operator>({
    {"aten::scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, "
     "float "
     "dropout_p=0.0, bool is_causal=False, *, float? scale=None, bool enable_gqa=False) -> Tensor",
     attention},
    {"aten::_scaled_dot_product_flash_attention_for_cpu(Tensor query, Tensor key, Tensor value, float "
     "dropout_p=0.0, "
     "bool is_causal=False, *, Tensor? attn_mask=None, float? scale=None) -> (Tensor output, Tensor "
     "logsumexp)",
     attention_with_state<1>},
    {"aten::_scaled_dot_product_flash_attention(Tensor query, Tensor key, Tensor value, float dropout_p=0.0, "
     "bool "
     "is_causal=False, bool return_debug_mask=False, *, float? scale=None) -> (Tensor output, Tensor "
     "logsumexp, Tensor "
     "cum_seq_q, Tensor cum_seq_k, SymInt max_q, SymInt max_k, Tensor rng_state, Tensor unused, Tensor "
     "debug_attn_mask)",
     attention_with_state<8>},
    {"aten::_scaled_dot_product_attention_math(Tensor query, Tensor key, Tensor value, Tensor? "
     "attn_mask=None, float "
     "dropout_p=0.0, bool is_causal=False, Tensor? dropout_mask=None, *, float? scale=None, bool "
     "enable_gqa=False) -> "
     "(Tensor, Tensor)",
     attention_with_state<1>},
    {"aten::_transformer_encoder_layer_fwd(Tensor src, int embed_dim, int num_heads, Tensor qkv_weight, "
     "Tensor "
     "qkv_bias, Tensor proj_weight, Tensor proj_bias, bool use_gelu, bool norm_first, float eps, Tensor "
     "norm_weight_1, "
     "Tensor norm_bias_1, Tensor norm_weight_2, Tensor norm_bias_2, Tensor ffn_weight_1, Tensor ffn_bias_1, "
     "Tensor "
     "ffn_weight_2, Tensor ffn_bias_2, Tensor? mask=None, int? mask_type=None) -> Tensor",
     encoder_layer},
    {"aten::_native_multi_head_attention(Tensor query, Tensor key, Tensor value, int embed_dim, int "
     "num_head, Tensor "
     "qkv_weight, Tensor qkv_bias, Tensor proj_weight, Tensor proj_bias, Tensor? mask=None, bool "
     "need_weights=True, "
     "bool average_attn_weights=True, int? mask_type=None) -> (Tensor, Tensor)",
     multi_head_attention},
});

}  // namespace

std::span<const Operator> attention_operators() {
  return kRows;
}

}  // namespace wherry::torch
