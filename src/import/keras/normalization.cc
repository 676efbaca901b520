// Normalisation as it is at inference (keras/src/layers/normalization).
#include <algorithm>
#include <numeric>

#include "base/text.h"
#include "import/keras/lowering.h"

namespace wherry::keras {

using base::cat;

namespace {

ValueId input_of(Lowering& l, const Layer& layer, const Call& call) {
  return l.floating(tensor_of(l, layer, call.arg(0, "inputs")));
}

ValueId ones(Lowering& l, ValueId like, double number) {
  Ints shape;
  for (const graph::Dim& dim : l.b.type(like).dims) shape.push_back(dim.number);
  return graph::full(l.b, l.b.dtype(like), shape, number);
}

// A vector along `axes` of x, with ones elsewhere. x's rank is known.
ValueId along(Lowering& l, ValueId vector, ValueId x, const Ints& axes) {
  const auto rank = static_cast<std::size_t>(l.b.rank(x));
  Ints shape(rank, 1);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const graph::Dim length = l.b.dim(vector, static_cast<std::int64_t>(i));
    shape[static_cast<std::size_t>(axes[i])] = length.number;
  }
  return graph::reshape(l.b, vector, shape);
}

Ints axes_of(Lowering& l, const Layer& layer, ValueId x, std::int64_t otherwise) {
  Ints axes = l.integers(layer, "axis");
  if (axes.empty()) axes = {otherwise};
  for (std::int64_t& axis : axes) axis = l.axis(x, axis);
  return axes;
}

Value batch_normalization(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const ValueId x = input_of(l, layer, call);
  const Ints axes = axes_of(l, layer, x, -1);
  const bool scale = l.flag(layer, "scale", true), center = l.flag(layer, "center", true);
  const std::size_t at = std::size_t{scale} + std::size_t{center};
  const ValueId mean = l.weight(layer, at), variance = l.weight(layer, at + 1);
  const ValueId gamma = scale ? l.weight(layer, 0) : ones(l, mean, 1);
  const ValueId beta = center ? l.weight(layer, std::size_t{scale}) : ones(l, mean, 0);
  const double epsilon = l.number(layer, "epsilon", 1e-3);
  const int rank = b.rank(x);
  if (axes.size() != 1 || rank < 2) {
    l.refuse(layer, "several axes");
    return {};
  }
  const bool last = axes[0] == rank - 1;
  if (rank > 2 && ((last && l.has_first(x)) || axes[0] == 1)) {
    const ValueId y =
        b.add("BatchNormalization", {last && axes[0] != 1 ? l.first(x) : x, gamma, beta, mean, variance},
              {{"epsilon", static_cast<float>(epsilon)}});
    return Value::of(last && axes[0] != 1 ? l.last(y) : y);
  }
  const ValueId root = graph::unary(b, "Sqrt", graph::binary(b, "Add", variance, epsilon));
  const ValueId factor = graph::binary(b, "Div", gamma, root);
  ValueId y = graph::binary(b, "Sub", x, along(l, mean, x, axes));
  y = graph::binary(b, "Mul", y, along(l, factor, x, axes));
  return Value::of(graph::binary(b, "Add", y, along(l, beta, x, axes)));
}

// (x - mean) / sqrt(variance + epsilon) over `axes`.
ValueId standardise(Lowering& l, ValueId x, const Ints& axes, double epsilon) {
  Builder& b = l.b;
  const ValueId centered = graph::binary(b, "Sub", x, graph::reduce(b, "ReduceMean", x, axes, true));
  const ValueId variance =
      graph::reduce(b, "ReduceMean", graph::binary(b, "Mul", centered, centered), axes, true);
  return graph::binary(b, "Div", centered,
                       graph::unary(b, "Sqrt", graph::binary(b, "Add", variance, epsilon)));
}

ValueId root_mean_square(Lowering& l, ValueId x, const Ints& axes, double epsilon) {
  Builder& b = l.b;
  const ValueId mean = graph::reduce(b, "ReduceMean", graph::binary(b, "Mul", x, x), axes, true);
  return graph::binary(b, "Div", x, graph::unary(b, "Sqrt", graph::binary(b, "Add", mean, epsilon)));
}

Value layer_normalization(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const ValueId x = input_of(l, layer, call);
  Ints axes = axes_of(l, layer, x, -1);
  const double epsilon = l.number(layer, "epsilon", 1e-3);
  const bool rms = l.flag(layer, "rms_scaling", false);
  const bool scale = l.flag(layer, "scale", true) || rms, center = l.flag(layer, "center", true) && !rms;
  const bool only_last = axes.size() == 1 && axes[0] == b.rank(x) - 1;
  if (only_last && !rms && scale) {
    std::vector<ValueId> inputs{x, l.weight(layer, 0)};
    if (center) inputs.push_back(l.weight(layer, 1));
    return Value::of(b.add("LayerNormalization", inputs,
                           {{"axis", std::int64_t{-1}}, {"epsilon", static_cast<float>(epsilon)}}));
  }
  if (rms) {
    // Keras divides by the deviation, not by the root of the mean of squares.
    const ValueId centered = graph::binary(b, "Sub", x, graph::reduce(b, "ReduceMean", x, axes, true));
    const ValueId variance =
        graph::reduce(b, "ReduceMean", graph::binary(b, "Mul", centered, centered), axes, true);
    const ValueId root = graph::unary(b, "Sqrt", graph::binary(b, "Add", variance, epsilon));
    return Value::of(
        graph::binary(b, "Mul", graph::binary(b, "Div", x, root), along(l, l.weight(layer, 0), x, axes)));
  }
  ValueId y = standardise(l, x, axes, epsilon);
  if (scale) y = graph::binary(b, "Mul", y, along(l, l.weight(layer, 0), x, axes));
  if (center) y = graph::binary(b, "Add", y, along(l, l.weight(layer, std::size_t{scale}), x, axes));
  return Value::of(y);
}

Value rms_normalization(Lowering& l, const Layer& layer, const Call& call) {
  const ValueId x = input_of(l, layer, call);
  const Ints axes = axes_of(l, layer, x, -1);
  const ValueId y = root_mean_square(l, x, axes, l.number(layer, "epsilon", 1e-6));
  if (!l.flag(layer, "scale", true) || layer.weights.empty()) return Value::of(y);
  return Value::of(graph::binary(l.b, "Mul", y, along(l, l.weight(layer, 0), x, axes)));
}

Value group_normalization(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const ValueId x = input_of(l, layer, call);
  const Ints axes = axes_of(l, layer, x, -1);
  const int rank = b.rank(x);
  if (axes.size() != 1 || axes[0] == 0) {
    l.refuse(layer, "several axes");
    return {};
  }
  Ints to_front(static_cast<std::size_t>(rank)), back(static_cast<std::size_t>(rank));
  std::iota(to_front.begin(), to_front.end(), 0);
  std::rotate(to_front.begin() + 1, to_front.begin() + axes[0], to_front.begin() + axes[0] + 1);
  for (std::size_t i = 0; i < to_front.size(); ++i)
    back[static_cast<std::size_t>(to_front[i])] = static_cast<std::int64_t>(i);
  const bool last = axes[0] == rank - 1 && rank > 2;
  const ValueId front = last ? l.first(x) : graph::transpose(b, x, to_front);
  const graph::Dim channels = b.dim(front, 1);
  std::int64_t groups = l.integer(layer, "groups", 32);
  if (groups == -1) groups = channels.number;
  if (!channels.known() || groups <= 0 || channels.number % groups != 0) {
    l.bad(layer, "has groups that do not divide its channels");
    return {};
  }
  const ValueId flat = graph::reshape(b, front, {0, groups, -1});
  ValueId y = standardise(l, flat, {2}, l.number(layer, "epsilon", 1e-3));
  y = graph::reshape(b, y, graph::shape_of(b, front));
  const bool scale = l.flag(layer, "scale", true), center = l.flag(layer, "center", true);
  if (scale) y = graph::binary(b, "Mul", y, along(l, l.weight(layer, 0), front, {1}));
  if (center) y = graph::binary(b, "Add", y, along(l, l.weight(layer, std::size_t{scale}), front, {1}));
  return Value::of(last ? l.last(y) : graph::transpose(b, y, back));
}

Value unit_normalization(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const ValueId x = input_of(l, layer, call);
  const Ints axes = axes_of(l, layer, x, -1);
  const ValueId squares = graph::reduce(b, "ReduceSum", graph::binary(b, "Mul", x, x), axes, true);
  const ValueId norm =
      graph::unary(b, "Sqrt", graph::clip(b, squares, 1e-12, std::numeric_limits<double>::infinity()));
  return Value::of(graph::binary(b, "Div", x, norm));
}

// The layer inside keeps the normalised kernel.
Value spectral_normalization(Lowering& l, const Layer& layer, const Call& call) {
  const Layer* inner = layer.part("layer");
  if (inner == nullptr) {
    l.bad(layer, "has no layer inside");
    return {};
  }
  return l.call(*inner, call);
}

constexpr LayerRow kRows[] = {
    {"BatchNormalization", batch_normalization, Mask::kPass},
    {"BatchNormalizationV1", batch_normalization, Mask::kPass},
    {"BatchNormalizationV2", batch_normalization, Mask::kPass},
    {"SyncBatchNormalization", batch_normalization, Mask::kPass},
    {"LayerNormalization", layer_normalization, Mask::kPass},
    {"RMSNormalization", rms_normalization},
    {"GroupNormalization", group_normalization, Mask::kPass},
    {"UnitNormalization", unit_normalization, Mask::kPass},
    {"SpectralNormalization", spectral_normalization, Mask::kOwn},
};

}  // namespace

std::span<const LayerRow> normalization_layers() {
  return kRows;
}

}  // namespace wherry::keras
