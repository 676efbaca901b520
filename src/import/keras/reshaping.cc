// Layers which move elements about (keras/src/layers/reshaping).
#include <algorithm>

#include "base/text.h"
#include "import/keras/lowering.h"
#include "import/keras/resampling.h"

namespace wherry::keras {

using base::cat;

namespace {

ValueId input_of(Lowering& l, const Layer& layer, const Call& call) {
  return tensor_of(l, layer, call.arg(0, "inputs"));
}

Value reshape(Lowering& l, const Layer& layer, const Call& call) {
  Ints shape{0};
  for (const std::int64_t length : l.integers(layer, "target_shape")) shape.push_back(length);
  const ValueId x = input_of(l, layer, call);
  // 0 would keep an axis that x may not have; the batch is what is left over where all others are known.
  if (std::ranges::find(shape, -1) == shape.end()) shape[0] = -1;
  return Value::of(graph::reshape(l.b, x, shape));
}

Value flatten(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  ValueId x = input_of(l, layer, call);
  if (!l.channels_last(layer) && b.rank(x) > 2) x = graph::channels_last(b, x);
  if (b.rank(x) == 1) return Value::of(graph::unsqueeze(b, x, {1}));
  return Value::of(graph::flatten(b, x, 1, b.rank(x) - 1));
}

Value permute(Lowering& l, const Layer& layer, const Call& call) {
  Ints perm{0};
  for (const std::int64_t axis : l.integers(layer, "dims")) perm.push_back(axis);
  return Value::of(graph::transpose(l.b, input_of(l, layer, call), perm));
}

Value repeat_vector(Lowering& l, const Layer& layer, const Call& call) {
  const ValueId x = graph::unsqueeze(l.b, input_of(l, layer, call), {1});
  return Value::of(graph::tile(l.b, x, {1, l.integer(layer, "n", 1), 1}));
}

// [[before, after], …] of one number, one per axis, or two per axis.
std::vector<std::pair<std::int64_t, std::int64_t>> margins(Lowering& l, const Layer& layer,
                                                           std::string_view key, std::size_t n) {
  std::vector<std::pair<std::int64_t, std::int64_t>> out;
  const Json* value = text::find(*layer.config, key);
  const auto number = [&](const Json& item) -> std::int64_t {
    if (item.is_number_integer() && item.get<std::int64_t>() >= 0 &&
        item.get<std::int64_t>() < std::int64_t{1} << 31)
      return item.get<std::int64_t>();
    l.bad(layer, cat(base::quoted(key), " is not a list of integers"));
    return 0;
  };
  if (value == nullptr || value->is_null()) {
    out.assign(n, {1, 1});
  } else if (!value->is_array()) {
    out.assign(n, {number(*value), number(*value)});
  } else if (n == 1 && value->size() == 2) {
    out.emplace_back(number((*value)[0]), number((*value)[1]));
  } else {
    for (const Json& item : *value) {
      if (item.is_array() && item.size() == 2)
        out.emplace_back(number(item[0]), number(item[1]));
      else
        out.emplace_back(number(item), number(item));
    }
  }
  if (out.size() != n) {
    l.bad(layer, cat(base::quoted(key), " does not have ", n, " parts"));
    out.resize(n);
  }
  return out;
}

// `op` on x, which it gets with its first spatial axis.
template <class Function>
Value spatially(Lowering& l, const Layer& layer, ValueId x, Function&& op) {
  if (!l.channels_last(layer)) return Value::of(op(x, 2));
  if (l.has_first(x)) return Value::of(l.last(op(l.first(x), 2)));
  return Value::of(op(x, 1));
}

Value zero_padding(Lowering& l, const Layer& layer, const Call& call) {
  const std::size_t n = spatial_axes(layer);
  const auto padding = margins(l, layer, "padding", n);
  return spatially(l, layer, input_of(l, layer, call), [&](ValueId x, std::size_t from) {
    Ints before(n + 2, 0), after(n + 2, 0);
    for (std::size_t i = 0; i < n; ++i) {
      before[from + i] = padding[i].first;
      after[from + i] = padding[i].second;
    }
    return graph::pad(l.b, x, before, after);
  });
}

Value cropping(Lowering& l, const Layer& layer, const Call& call) {
  const std::size_t n = spatial_axes(layer);
  const auto cut = margins(l, layer, "cropping", n);
  return spatially(l, layer, input_of(l, layer, call), [&](ValueId x, std::size_t from) {
    for (std::size_t i = 0; i < n; ++i)
      x = graph::slice(l.b, x, static_cast<std::int64_t>(from + i), cut[i].first,
                       cut[i].second == 0 ? graph::kToEnd : -cut[i].second);
    return x;
  });
}

Value up_sampling(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const std::size_t n = spatial_axes(layer);
  const Ints times = l.spread(layer, "size", n, 2);
  const std::string how = n == 2 ? l.text(layer, "interpolation", "nearest") : "nearest";
  const ValueId x = input_of(l, layer, call);
  if (std::ranges::any_of(times, [](std::int64_t t) { return t < 1 || t > 1 << 16; }))
    l.bad(layer, "an impossible size");
  if (!b.status()) return {};
  if (how != "nearest" && how != "bilinear") {
    const ValueId image = l.channels_last(layer) ? l.first(l.floating(x)) : l.floating(x);
    const graph::Dim rows = b.dim(image, 2), columns = b.dim(image, 3);
    const ValueId y = resample(l, layer, image, rows.known() ? rows.number * times[0] : 0,
                               columns.known() ? columns.number * times[1] : 0, how, false);
    return Value::of(l.channels_last(layer) ? l.last(y) : y);
  }
  std::vector<float> scales{1, 1};
  for (const std::int64_t t : times) scales.push_back(static_cast<float>(t));
  graph::Attributes attributes;
  if (how == "nearest")
    attributes = {
        {"mode", "nearest"}, {"coordinate_transformation_mode", "asymmetric"}, {"nearest_mode", "floor"}};
  else
    attributes = {{"mode", "linear"}, {"coordinate_transformation_mode", "half_pixel"}};
  const ValueId first = l.channels_last(layer) ? l.first(l.floating(x)) : l.floating(x);
  const ValueId y = b.add("Resize", {first, kNone, graph::floats(b, scales)}, attributes);
  return Value::of(l.channels_last(layer) ? l.last(y) : y);
}

constexpr LayerRow kRows[] = {
    {"Reshape", reshape},
    {"Flatten", flatten},
    {"Permute", permute},
    {"RepeatVector", repeat_vector},
    {"ZeroPadding1D", zero_padding},
    {"ZeroPadding2D", zero_padding},
    {"ZeroPadding3D", zero_padding},
    {"Cropping1D", cropping},
    {"Cropping2D", cropping},
    {"Cropping3D", cropping},
    {"UpSampling1D", up_sampling},
    {"UpSampling2D", up_sampling},
    {"UpSampling3D", up_sampling},
};

}  // namespace

std::span<const LayerRow> reshaping_layers() {
  return kRows;
}

}  // namespace wherry::keras
