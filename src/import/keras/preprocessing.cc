// Numbers and categories (keras/src/layers/preprocessing).
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "import/keras/encoding.h"

namespace wherry::keras {

using base::cat;

namespace {

ValueId input_of(Lowering& l, const Layer& layer, const Call& call) {
  return tensor_of(l, layer, call.arg(0, "inputs"));
}

// A number, a list of them, or one of numpy's arrays, in a configuration.
ValueId numbers_of(Lowering& l, const Layer& layer, std::string_view key, double otherwise) {
  const Json* json = unwrapped(text::find(*layer.config, key));
  if (json == nullptr || json->is_null()) return graph::scalar(l.b, l.dtype(), otherwise);
  const auto made = literal_tensor(*json, l.dtype());
  if (made) return l.rounded(l.b.constant(*made));
  l.bad(layer, cat(base::quoted(key), " is not of numbers"));
  return graph::scalar(l.b, l.dtype(), otherwise);
}

Value rescaling(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const ValueId x = l.floating(input_of(l, layer, call));
  const ValueId scale = numbers_of(l, layer, "scale", 1), offset = numbers_of(l, layer, "offset", 0);
  return Value::of(graph::binary(b, "Add", graph::binary(b, "Mul", x, scale), offset));
}

Value normalization(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const ValueId x = l.floating(input_of(l, layer, call));
  const Json* given = text::find(*layer.config, "mean");
  const bool stated = given != nullptr && !given->is_null();
  ValueId mean = stated ? numbers_of(l, layer, "mean", 0) : l.weight(layer, 0);
  ValueId variance = stated ? numbers_of(l, layer, "variance", 1) : l.weight(layer, 1);
  // Adapted ones lie along the kept axes of x.
  const Json* axis = text::find(*layer.config, "axis");
  Ints axes = axis == nullptr ? Ints{-1} : l.integers(layer, "axis");
  Ints shape(static_cast<std::size_t>(std::max(b.rank(x), 1)), 1);
  const graph::Type type = b.type(mean);
  if (b.rank(x) < 1 || !type.is_static()) {
    l.bad(layer, "has no shape");
    return {};
  }
  if (type.rank() == axes.size() && (type.rank() > 0 || axes.empty()) && !axes.empty()) {
    for (std::size_t i = 0; i < axes.size(); ++i)
      shape[static_cast<std::size_t>(l.axis(x, axes[i]))] = type.dims[i].number;
    mean = graph::reshape(b, mean, shape);
    variance = graph::reshape(b, variance, shape);
  }
  const ValueId deviation =
      graph::clip(b, graph::unary(b, "Sqrt", variance), 1e-7, std::numeric_limits<double>::infinity());
  if (l.flag(layer, "invert", false))
    return Value::of(graph::binary(b, "Add", mean, graph::binary(b, "Mul", x, deviation)));
  return Value::of(graph::binary(b, "Div", graph::binary(b, "Sub", x, mean), deviation));
}

Value discretization(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const ValueId x = l.floating(input_of(l, layer, call));
  const Json* json = text::find_array(*layer.config, "bin_boundaries");
  const auto bounds = json ? literal_tensor(*json, l.dtype()) : std::nullopt;
  if (!bounds || bounds->shape().size() != 1) {
    l.refuse(layer, "its bin_boundaries are not in the file");
    return {};
  }
  const ValueId above =
      graph::binary(b, "GreaterOrEqual", graph::unsqueeze(b, x, {b.rank(x)}), b.constant(*bounds));
  const ValueId indices = graph::reduce(b, "ReduceSum", graph::cast(b, above, DType::kInt64), {-1}, false);
  return encode_categories(l, layer, indices,
                           {.depth = static_cast<std::int64_t>(bounds->size()) + 1,
                            .positions = l.keras < 3 ? DType::kInt64 : DType::kInt32});
}

Value category_encoding(Lowering& l, const Layer& layer, const Call& call) {
  const ValueId x = graph::cast(l.b, input_of(l, layer, call), DType::kInt64);
  const Value& weights = call.arg(1, "count_weights");
  return encode_categories(l, layer, x,
                           {.depth = l.integer(layer, "num_tokens", 0),
                            .weights = weights.is_tensor() ? l.floating(weights.tensor) : kNone});
}

constexpr LayerRow kRows[] = {
    {"Rescaling", rescaling, Mask::kPass},
    {"Normalization", normalization, Mask::kPass},
    {"Discretization", discretization},
    {"CategoryEncoding", category_encoding},
};

}  // namespace

std::span<const LayerRow> preprocessing_layers() {
  return kRows;
}

std::string output_mode_of(Lowering& l, const Layer& layer, std::string_view otherwise) {
  const std::string mode = l.text(layer, "output_mode", std::string(otherwise));
  return mode == "binary" ? "multi_hot" : mode == "tf-idf" ? "tf_idf" : mode;
}

Value encode_categories(Lowering& l, const Layer& layer, ValueId indices, const Encoding& how) {
  const std::int64_t depth = how.depth;
  const ValueId weights = how.weights;
  Builder& b = l.b;
  const std::string default_mode = layer.class_name == "CategoryEncoding" ? "multi_hot" : "int";
  const std::string mode = output_mode_of(l, layer, default_mode);
  const bool weighted = mode == "tf_idf" && how.idf != kNone;
  if (l.flag(layer, "sparse", false) || l.flag(layer, "ragged", false)) {
    l.refuse(layer, "sparse or ragged results");
    return {};
  }
  if (mode == "int") return Value::of(graph::cast(b, indices, how.positions));
  if (depth <= 0 || depth > 1 << 26) {
    l.refuse(layer, "an unknown number of categories");
    return {};
  }
  const auto one_hot = [&](ValueId x) {
    const ValueId categories =
        b.add("Range", {graph::int_scalar(b, 0), graph::int_scalar(b, depth), graph::int_scalar(b, 1)});
    return graph::cast(b, graph::binary(b, "Equal", graph::unsqueeze(b, x, {b.rank(x)}), categories),
                       weighted ? DType::kFloat32 : how.indicators);
  };
  const int rank = b.rank(indices);
  if (mode == "one_hot") {
    if (rank > 1 && b.dim(indices, -1).is(1)) indices = graph::squeeze(b, indices, {-1});
    return Value::of(one_hot(indices));
  }
  if (rank < 1 || (mode != "multi_hot" && mode != "count" && !weighted)) {
    l.refuse(layer, cat("output_mode ", base::quoted(mode)));
    return {};
  }
  ValueId hot = one_hot(indices);
  if (mode == "multi_hot") {
    if (rank == 1) return Value::of(hot);
    return Value::of(graph::reduce(b, "ReduceMax", hot, {-2}, false));
  }
  if (weights != kNone) hot = graph::binary(b, "Mul", hot, graph::unsqueeze(b, weights, {b.rank(weights)}));
  const ValueId counts = rank == 1 ? hot : graph::reduce(b, "ReduceSum", hot, {1}, false);
  return Value::of(weighted ? graph::binary(b, "Mul", counts, how.idf) : counts);
}

}  // namespace wherry::keras
