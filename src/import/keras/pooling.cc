// Pooling (keras/src/layers/pooling).
#include <algorithm>

#include "base/text.h"
#include "import/keras/lowering.h"

namespace wherry::keras {

using base::cat;

namespace {

ValueId enter(Lowering& l, const Layer& layer, const Call& call) {
  const ValueId x = l.floating(tensor_of(l, layer, call.arg(0, "inputs")));
  if (l.b.rank(x) != static_cast<int>(spatial_axes(layer)) + 2)
    l.bad(layer, "is called on a tensor of another number of axes");
  return l.channels_last(layer) ? l.first(x) : x;
}
ValueId leave(Lowering& l, const Layer& layer, ValueId y) {
  return l.channels_last(layer) ? l.last(y) : y;
}

Value pooling(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const std::size_t n = spatial_axes(layer);
  const ValueId x = enter(l, layer, call);
  const Ints window = l.spread(layer, "pool_size", n, 2);
  Ints strides = l.integers(layer, "strides").empty() ? window : l.spread(layer, "strides", n, 1);
  const std::string padding = l.text(layer, "padding", "valid");
  graph::Attributes attributes{{"kernel_shape", window}, {"strides", strides}};
  if (padding == "same") {
    Ints pads(2 * n, 0);
    bool known = true;
    for (std::size_t i = 0; i < n; ++i) {
      const graph::Dim length = b.dim(x, static_cast<std::int64_t>(i) + 2);
      known = known && length.known();
      if (strides[i] <= 0) {
        l.bad(layer, "has a stride of 0");
        return {};
      }
      const std::int64_t positions = (length.number + strides[i] - 1) / strides[i];
      const std::int64_t total =
          std::max<std::int64_t>((positions - 1) * strides[i] + window[i] - length.number, 0);
      pads[i] = total / 2;
      pads[n + i] = total - total / 2;
    }
    if (known)
      attributes.push_back({"pads", pads});
    else
      attributes.push_back({"auto_pad", "SAME_UPPER"});
  } else if (padding != "valid") {
    l.refuse(layer, cat("padding ", base::quoted(padding)));
  }
  const bool max = layer.class_name.starts_with("Max");
  return Value::of(leave(l, layer, b.add(max ? "MaxPool" : "AveragePool", {x}, attributes)));
}

Value global_pooling(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const bool max = layer.class_name.starts_with("GlobalMax");
  const bool keep = l.flag(layer, "keepdims", false);
  const std::size_t n = spatial_axes(layer);
  // Only GlobalAveragePooling1D knows masks: the mean of the steps that count.
  const Value& argument = call.arg(0, "inputs");
  const Value& given = call.arg(1, "mask");
  const ValueId mask = given.is_tensor() ? given.tensor : argument.mask;
  if (layer.class_name == "GlobalAveragePooling1D" && mask != kNone) {
    const std::int64_t steps = l.channels_last(layer) ? 1 : 2;
    const ValueId x = l.floating(tensor_of(l, layer, argument));
    const ValueId weights =
        graph::unsqueeze(b, graph::cast(b, mask, l.dtype()), {l.channels_last(layer) ? 2 : 1});
    const ValueId sum = graph::reduce(b, "ReduceSum", graph::binary(b, "Mul", x, weights), {steps}, keep);
    return Value::of(graph::binary(b, "Div", sum, graph::reduce(b, "ReduceSum", weights, {steps}, keep)));
  }
  const ValueId x = enter(l, layer, call);
  const ValueId y = b.add(max ? "GlobalMaxPool" : "GlobalAveragePool", {x});
  if (keep) return Value::of(leave(l, layer, y));
  Ints axes;
  for (std::size_t i = 0; i < n; ++i) axes.push_back(static_cast<std::int64_t>(i) + 2);
  return Value::of(graph::squeeze(b, y, axes));
}

// Output position i is of the inputs floor(i · n / m) … ceil((i + 1) · n / m).
Value adaptive_pooling(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const std::size_t n = spatial_axes(layer);
  ValueId x = enter(l, layer, call);
  const Ints sizes = l.spread(layer, "output_size", n, 1);
  const bool max = layer.class_name.starts_with("AdaptiveMax");
  for (std::size_t i = 0; i < n; ++i) {
    const auto axis = static_cast<std::int64_t>(i) + 2;
    const graph::Dim length = b.dim(x, axis);
    if (!length.known() || sizes[i] <= 0 || sizes[i] > 4096) {
      l.refuse(layer, "sizes that are not known before it runs");
      return {};
    }
    std::vector<ValueId> parts;
    for (std::int64_t k = 0; k < sizes[i]; ++k) {
      const std::int64_t from = k * length.number / sizes[i];
      const std::int64_t to = ((k + 1) * length.number + sizes[i] - 1) / sizes[i];
      parts.push_back(graph::reduce(b, max ? "ReduceMax" : "ReduceMean", graph::slice(b, x, axis, from, to),
                                    {axis}, true));
    }
    x = graph::concat(b, parts, axis);
  }
  return Value::of(leave(l, layer, x));
}

constexpr LayerRow kRows[] = {
    {"MaxPooling1D", pooling},
    {"MaxPooling2D", pooling},
    {"MaxPooling3D", pooling},
    {"MaxPool1D", pooling},
    {"MaxPool2D", pooling},
    {"MaxPool3D", pooling},
    {"AveragePooling1D", pooling},
    {"AveragePooling2D", pooling},
    {"AveragePooling3D", pooling},
    {"AvgPool1D", pooling},
    {"AvgPool2D", pooling},
    {"AvgPool3D", pooling},
    {"GlobalMaxPooling1D", global_pooling},
    {"GlobalMaxPooling2D", global_pooling},
    {"GlobalMaxPooling3D", global_pooling},
    {"GlobalAveragePooling1D", global_pooling},
    {"GlobalAveragePooling2D", global_pooling},
    {"GlobalAveragePooling3D", global_pooling},
    {"AdaptiveAveragePooling1D", adaptive_pooling},
    {"AdaptiveAveragePooling2D", adaptive_pooling},
    {"AdaptiveAveragePooling3D", adaptive_pooling},
    {"AdaptiveMaxPooling1D", adaptive_pooling},
    {"AdaptiveMaxPooling2D", adaptive_pooling},
    {"AdaptiveMaxPooling3D", adaptive_pooling},
};

}  // namespace

std::span<const LayerRow> pooling_layers() {
  return kRows;
}

}  // namespace wherry::keras
