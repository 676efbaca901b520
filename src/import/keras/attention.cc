// Attention (keras/src/layers/attention). Masks are bool, true where a position counts.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "import/keras/lowering.h"

namespace wherry::keras {

using base::cat;

namespace {

bool literal_flag(const Value& value) {
  return value.kind == Value::Kind::kLiteral && value.literal.is_boolean() && value.literal.get<bool>();
}

// [1, queries, keys]: whether a query may look at a key; `distance` is that of the key behind the query.
ValueId position_difference(Lowering& l, ValueId query, ValueId value) {
  Builder& b = l.b;
  const auto range = [&](ValueId x) {
    return b.add("Range", {graph::int_scalar(b, 0), graph::dim_scalar(b, x, 1), graph::int_scalar(b, 1)});
  };
  return graph::binary(b, "Sub", graph::unsqueeze(b, range(query), {0, 2}),
                       graph::unsqueeze(b, range(value), {0, 1}));
}
ValueId causal_mask(Lowering& l, ValueId query, ValueId value) {
  return graph::binary(l.b, "GreaterOrEqual", position_difference(l, query, value), 0.0);
}

ValueId both(Lowering& l, ValueId one, ValueId other) {
  if (one == kNone || other == kNone) return std::max(one, other);
  return graph::binary(l.b, "And", one, other);
}

// Attention and AdditiveAttention, called on [query, value] or [query, value, key].
Value simple_attention(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const auto inputs = tensors_of(call.arg(0, "inputs"));
  if (inputs.size() < 2) {
    l.bad(layer, "is not called on a query and a value");
    return {};
  }
  const ValueId q = inputs[0].tensor, v = inputs[1].tensor, k = inputs.size() > 2 ? inputs[2].tensor : v;
  ValueId q_mask = inputs[0].mask, v_mask = inputs[1].mask;
  const Value& given = call.arg(1, "mask");
  if (given.kind == Value::Kind::kList && given.items.size() >= 2) {
    q_mask = given.items[0].tensor;
    v_mask = given.items[1].tensor;
  }
  const bool additive =
      layer.class_name == "AdditiveAttention" || l.text(layer, "score_mode", "dot") == "concat";
  const bool scale = l.flag(layer, "use_scale", layer.class_name == "AdditiveAttention");
  ValueId scores;
  if (!additive) {
    scores = graph::matmul(b, q, graph::swap_axes(b, k, -2, -1));
    if (scale) scores = graph::binary(b, "Mul", scores, l.weight(layer, 0));
  } else {
    ValueId sum = graph::binary(b, "Add", graph::unsqueeze(b, q, {2}), graph::unsqueeze(b, k, {1}));
    if (layer.class_name == "AdditiveAttention") {
      sum = graph::unary(b, "Tanh", sum);
      if (scale) sum = graph::binary(b, "Mul", sum, l.weight(layer, 0));
      scores = graph::reduce(b, "ReduceSum", sum, {-1}, false);
    } else {
      if (scale) sum = graph::binary(b, "Mul", sum, l.weight(layer, 0));
      scores = graph::reduce(b, "ReduceSum", graph::unary(b, "Tanh", sum), {-1}, false);
      scores = graph::binary(b, "Mul", scores, l.weight(layer, std::size_t{scale}));
    }
  }
  ValueId mask = v_mask == kNone ? kNone : graph::unsqueeze(b, v_mask, {1});
  if (literal_flag(call.arg(99, "use_causal_mask")) || l.flag(layer, "causal", false))
    mask = both(l, mask, causal_mask(l, q, v));
  if (mask != kNone) scores = graph::where(b, mask, scores, graph::binary(b, "Sub", scores, 1e9));
  const ValueId weights = graph::softmax(b, scores, -1);
  ValueId y = graph::matmul(b, weights, v);
  if (q_mask != kNone) y = graph::where(b, graph::unsqueeze(b, q_mask, {2}), y, graph::scalar_like(b, y, 0));
  if (!literal_flag(call.arg(99, "return_attention_scores"))) return Value::of(y, q_mask);
  return Value::list({Value::of(y, q_mask), Value::of(weights)});
}

struct Heads {
  ValueId query = kNone, key = kNone, value = kNone, gate = kNone;  // [batch, steps, heads, width]
};

// Softmax of the scores as Keras does it: masked ones become very small, exactly so in each version.
ValueId masked_softmax(Lowering& l, ValueId scores, ValueId mask, bool fused) {
  Builder& b = l.b;
  if (mask == kNone) return graph::softmax(b, scores, -1);
  if (l.keras < 3) {
    const ValueId away = graph::cast(b, graph::unary(b, "Not", mask), l.dtype());
    return graph::softmax(b, graph::binary(b, "Add", scores, graph::binary(b, "Mul", away, -1e9)), -1);
  }
  const double low = fused ? -0.7 * 3.4028234663852886e38 : -1e9;
  const ValueId weights =
      graph::softmax(b, graph::where(b, mask, scores, graph::scalar_like(b, scores, low)), -1);
  return fused ? weights : graph::where(b, mask, weights, graph::scalar_like(b, weights, 0));
}

ValueId mask_of(const Call& call, std::string_view name, const Value& tensor) {
  const auto given = call.kwargs.find(name);
  return given != call.kwargs.end() && given->second.is_tensor() ? given->second.tensor : tensor.mask;
}

// [batch, 1, queries, keys], or kNone.
ValueId attention_mask(Lowering& l, const Layer& layer, const Call& call, const Value& query,
                       const Value& value, const Value& key) {
  Builder& b = l.b;
  ValueId mask = kNone;
  const ValueId q = mask_of(call, "query_mask", query), v = mask_of(call, "value_mask", value);
  const ValueId k = mask_of(call, "key_mask", key);
  if (q != kNone) mask = graph::unsqueeze(b, graph::cast(b, q, DType::kBool), {2});
  if (v != kNone) mask = both(l, mask, graph::unsqueeze(b, graph::cast(b, v, DType::kBool), {1}));
  if (k != kNone) mask = both(l, mask, graph::unsqueeze(b, graph::cast(b, k, DType::kBool), {1}));
  if (literal_flag(call.arg(99, "use_causal_mask")))
    mask = both(l, mask, causal_mask(l, query.tensor, value.tensor));
  if (const std::int64_t window = l.integer(layer, "sliding_window", 0); window > 0) {
    const ValueId away = graph::unary(b, "Abs", position_difference(l, query.tensor, value.tensor));
    mask = both(l, mask, graph::binary(b, "Less", away, static_cast<double>(window)));
  }
  if (mask != kNone) mask = graph::unsqueeze(b, mask, {1});
  const Value& given = call.arg(99, "attention_mask");
  if (given.is_tensor()) {
    ValueId own = graph::cast(b, given.tensor, DType::kBool);
    if (b.rank(own) == 3) own = graph::unsqueeze(b, own, {1});
    if (b.rank(own) == 2) own = graph::unsqueeze(b, own, {0, 1});
    mask = both(l, own, mask);
  }
  return mask;
}

ValueId project(Lowering& l, const Layer& layer, std::string_view role, ValueId x) {
  const Layer* part = layer.part(role);
  if (part == nullptr) {
    l.bad(layer, cat("has no ", role));
    return x;
  }
  return einsum_dense(l, *part, x, "abc,cde->abde");
}

// All axes between the batch and the features become one.
ValueId flat_steps(Lowering& l, ValueId x) {
  const int rank = l.b.rank(x);
  return rank > 3 ? graph::flatten(l.b, x, 1, rank - 2) : x;
}

Value multi_head(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  Value query = call.arg(0, "query"), value = call.arg(1, "value"), key = call.arg(2, "key");
  if (query.kind == Value::Kind::kList && query.items.size() >= 2) {
    l.refuse(layer, "called on a list");
    return {};
  }
  if (!query.is_tensor() || !value.is_tensor()) {
    l.bad(layer, "is not called on a query and a value");
    return {};
  }
  const bool own_key = key.is_tensor();
  if (!own_key) key = value;
  const bool grouped = layer.class_name.starts_with("Group");
  const int rank = b.rank(query.tensor);
  const Ints axes = l.integers(layer, "attention_axes");
  if (rank < 3 || b.rank(value.tensor) != rank ||
      (!axes.empty() && axes.size() != static_cast<std::size_t>(rank) - 2)) {
    l.refuse(layer, "attention_axes that leave some axes out");
    return {};
  }
  const ValueId original = query.tensor;
  query.tensor = flat_steps(l, query.tensor);
  value.tensor = flat_steps(l, value.tensor);
  key.tensor = flat_steps(l, key.tensor);
  const ValueId mask = attention_mask(l, layer, call, query, value, own_key ? key : Value());
  Heads heads{project(l, layer, "query_dense", query.tensor), project(l, layer, "key_dense", key.tensor),
              project(l, layer, "value_dense", value.tensor)};
  const bool gate = l.flag(layer, "use_gate", false);
  if (gate) heads.gate = project(l, layer, "gate_dense", query.tensor);
  const graph::Dim width = b.dim(heads.query, -1);
  const graph::Dim query_heads = b.dim(heads.query, 2), key_heads = b.dim(heads.key, 2);
  if (!width.known() || !query_heads.known() || !key_heads.known() || key_heads.number == 0) {
    l.bad(layer, "has weights of unknown shape");
    return {};
  }
  if (grouped && query_heads.number != key_heads.number) {
    // Each key and value head serves several query heads in a row.
    const std::int64_t times = query_heads.number / key_heads.number;
    for (ValueId* x : {&heads.key, &heads.value})
      *x = graph::flatten(b, graph::tile(b, graph::unsqueeze(b, *x, {3}), {1, 1, 1, times, 1}), 2, 3);
  }
  const bool wants_scores = literal_flag(call.arg(99, "return_attention_scores"));
  const bool fused = l.number(layer, "dropout", 0) == 0 && !wants_scores && rank == 3;
  const ValueId q = graph::binary(b, "Mul", heads.query, 1.0 / std::sqrt(static_cast<double>(width.number)));
  const ValueId scores =
      graph::matmul(b, graph::transpose(b, q, {0, 2, 1, 3}), graph::transpose(b, heads.key, {0, 2, 3, 1}));
  const ValueId weights = masked_softmax(l, scores, mask, fused);
  ValueId y = graph::matmul(b, weights, graph::transpose(b, heads.value, {0, 2, 1, 3}));
  y = graph::transpose(b, y, {0, 2, 1, 3});
  if (gate) y = graph::binary(b, "Mul", y, heads.gate);
  const Layer* out = layer.part("output_dense");
  if (out == nullptr) return {};
  // Output kernels are [heads, width, features…].
  const std::string features = b.rank(l.weight(*out, 0)) == 3 ? "f" : "fg";
  y = einsum_dense(l, *out, y, cat("abde,de", features, "->ab", features));
  if (rank > 3) {
    const ValueId shape = graph::concat(b,
                                        {graph::slice(b, graph::shape_of(b, original), 0, 0, rank - 1),
                                         graph::slice(b, graph::shape_of(b, y), 0, 2, graph::kToEnd)},
                                        0);
    y = graph::reshape(b, y, shape);
    if (wants_scores) l.refuse(layer, "scores over several axes");
  }
  const Value output = Value::of(y, query.mask);
  return wants_scores ? Value::list({output, Value::of(weights)}) : output;
}

constexpr LayerRow kRows[] = {
    {"Attention", simple_attention, Mask::kOwn},     {"AdditiveAttention", simple_attention, Mask::kOwn},
    {"MultiHeadAttention", multi_head, Mask::kOwn},  {"GroupedQueryAttention", multi_head, Mask::kOwn},
    {"GroupQueryAttention", multi_head, Mask::kOwn},
};

}  // namespace

std::span<const LayerRow> attention_layers() {
  return kRows;
}

}  // namespace wherry::keras
