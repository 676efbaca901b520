// Normalisation.
#include <array>
#include <limits>

#include "import/torch/operators.h"
#include "import/torch/scalar_type.h"

namespace wherry::torch {
namespace {

// The parameter, or `count` times a number where the model has none.
ValueId parameter_or(Call& c, std::string_view name, ValueId x, std::int64_t count, double number) {
  if (c.has(name)) return c.tensor(name);
  return graph::full(c.b, c.b.dtype(x), tensor::Shape{count}, number);
}

// A vector of channels as [C, 1, 1, …] beside x.
ValueId per_channel(Call& c, ValueId vector, ValueId x) {
  Ints shape(static_cast<std::size_t>(std::max(c.rank(x) - 1, 1)), 1);
  shape[0] = -1;
  return graph::reshape(c.b, vector, shape);
}

ValueId affine(Call& c, ValueId x) {
  if (c.has("weight")) x = graph::binary(c.b, "Mul", x, per_channel(c, c.tensor("weight"), x));
  if (c.has("bias")) x = graph::binary(c.b, "Add", x, per_channel(c, c.tensor("bias"), x));
  return x;
}

struct Normalised {
  ValueId y = kNone;
  ValueId mean = kNone;
  ValueId rstd = kNone;
};

// Over these axes, by their own mean and variance.
Normalised normalised(Call& c, ValueId x, const Ints& axes, double eps) {
  Builder& b = c.b;
  Normalised out;
  out.mean = graph::reduce(b, "ReduceMean", x, axes, true);
  const ValueId gap = graph::binary(b, "Sub", x, out.mean);
  const ValueId variance = graph::reduce(b, "ReduceMean", graph::binary(b, "Mul", gap, gap), axes, true);
  out.rstd = graph::unary(b, "Reciprocal", graph::unary(b, "Sqrt", graph::binary(b, "Add", variance, eps)));
  out.y = graph::binary(b, "Mul", gap, out.rstd);
  return out;
}

// BatchNorm without running statistics takes them from the batch.
ValueId by_batch(Call& c, ValueId x) {
  Ints axes{0};
  for (int i = 2; i < c.rank(x); ++i) axes.push_back(i);
  return affine(c, normalised(c, x, axes, c.number("eps")).y);
}

ValueId by_statistics(Call& c, ValueId x) {
  Builder& b = c.b;
  const ValueId mean = c.tensor("running_mean");
  const auto vector = [&](std::string_view name, double number) {
    if (c.has(name)) return c.tensor(name);
    return graph::expand(b, graph::scalar_like(b, x, number), graph::shape_of(b, mean));
  };
  return b.add("BatchNormalization",
               {x, vector("weight", 1), vector("bias", 0), mean, c.tensor("running_var")},
               {{"epsilon", static_cast<float>(c.number("eps"))}});
}

ValueId batch_normalised(Call& c) {
  const ValueId x = c.tensor("input");
  if (!c.has("running_mean")) return by_batch(c, x);
  if (c.flag("training"))
    return c.refuse(
        "the model was saved in training mode, where normalisation depends on the other rows: call "
        "model.eval() "
        "before saving");
  return by_statistics(c, x);
}

Outputs batch_norm(Call& c) {
  return batch_normalised(c);
}

// (output, saved mean, saved inverse deviation): only the first means anything at inference.
Outputs native_batch_norm(Call& c) {
  const ValueId y = batch_normalised(c);
  const ValueId nothing = graph::full(c.b, c.b.dtype(y), tensor::Shape{0}, 0);
  return Outputs::many(std::array{y, nothing, nothing});
}

Outputs instance_norm(Call& c) {
  const ValueId x = c.tensor("input");
  if (!c.flag("use_input_stats")) return by_statistics(c, x);
  const std::int64_t channels = c.size(x, 1);
  return c.b.add("InstanceNormalization",
                 {x, parameter_or(c, "weight", x, channels, 1), parameter_or(c, "bias", x, channels, 0)},
                 {{"epsilon", static_cast<float>(c.number("eps"))}});
}

ValueId layer_normalised(Call& c, ValueId x, std::int64_t axes) {
  Builder& b = c.b;
  const tensor::Shape shape = c.ints("normalized_shape");
  const ValueId weight = c.has("weight") ? c.tensor("weight") : graph::full(b, b.dtype(x), shape, 1);
  std::vector<ValueId> inputs{x, weight};
  if (c.has("bias")) inputs.push_back(c.tensor("bias"));
  return b.add("LayerNormalization", inputs,
               {{"axis", -axes}, {"epsilon", static_cast<float>(c.number("eps"))}});
}

Outputs layer_norm(Call& c) {
  return layer_normalised(c, c.tensor("input"), static_cast<std::int64_t>(c.ints("normalized_shape").size()));
}

Outputs native_layer_norm(Call& c) {
  const ValueId x = c.tensor("input");
  const auto count = static_cast<std::int64_t>(c.ints("normalized_shape").size());
  Ints axes;
  for (std::int64_t i = 0; i < count; ++i) axes.push_back(i - count);
  const Normalised plain = normalised(c, x, axes, c.number("eps"));
  return Outputs::many(std::array{layer_normalised(c, x, count), plain.mean, plain.rstd});
}

ValueId group_normalised(Call& c, ValueId x, std::int64_t groups) {
  Builder& b = c.b;
  const DType dtype = b.dtype(x);
  const ValueId cut = graph::reshape(b, x, Ints{0, groups, -1});
  const ValueId y = b.add(
      "InstanceNormalization",
      {cut, graph::full(b, dtype, tensor::Shape{groups}, 1), graph::full(b, dtype, tensor::Shape{groups}, 0)},
      {{"epsilon", static_cast<float>(c.number("eps"))}});
  return affine(c, graph::reshape(b, y, graph::shape_of(b, x)));
}

Outputs group_norm(Call& c) {
  return group_normalised(c, c.tensor("input"), c.integer("num_groups"));
}

Outputs native_group_norm(Call& c) {
  const ValueId x = c.tensor("input");
  const std::int64_t groups = c.integer("group");
  const Normalised plain = normalised(c, graph::reshape(c.b, x, Ints{0, groups, -1}), {2}, c.number("eps"));
  return Outputs::many(std::array{group_normalised(c, x, groups), graph::squeeze(c.b, plain.mean, {2}),
                                  graph::squeeze(c.b, plain.rstd, {2})});
}

double epsilon_of(DType dtype) {
  if (dtype == DType::kFloat64) return std::numeric_limits<double>::epsilon();
  if (dtype == DType::kFloat16) return 0.0009765625;
  if (dtype == DType::kBfloat16) return 0.0078125;
  return static_cast<double>(std::numeric_limits<float>::epsilon());
}

std::array<ValueId, 2> rms_normalised(Call& c) {
  Builder& b = c.b;
  const ValueId x = c.tensor("input");
  const auto count = static_cast<std::int64_t>(c.ints("normalized_shape").size());
  Ints axes;
  for (std::int64_t i = 0; i < count; ++i) axes.push_back(i - count);
  const double eps = c.has("eps") ? c.number("eps") : epsilon_of(b.dtype(x));
  const ValueId power = graph::reduce(b, "ReduceMean", graph::binary(b, "Mul", x, x), axes, true);
  const ValueId rstd =
      graph::unary(b, "Reciprocal", graph::unary(b, "Sqrt", graph::binary(b, "Add", power, eps)));
  ValueId y = graph::binary(b, "Mul", x, rstd);
  if (c.has("weight")) y = graph::binary(b, "Mul", y, c.tensor("weight"));
  return {y, rstd};
}

Outputs rms_norm(Call& c) {
  return rms_normalised(c)[0];
}
Outputs fused_rms_norm(Call& c) {
  return Outputs::many(rms_normalised(c));
}

// g · v / |v|, the norm over all axes but one.
std::array<ValueId, 2> weight_normalised(Call& c) {
  Builder& b = c.b;
  const ValueId v = c.tensor("v");
  const std::int64_t kept = c.integer("dim");
  Ints axes;
  for (int i = 0; i < c.rank(v); ++i)
    if (i != kept) axes.push_back(i);
  const ValueId norm = graph::reduce(b, "ReduceL2", v, axes, true);
  return {graph::binary(b, "Mul", v, graph::binary(b, "Div", c.tensor("g"), norm)), norm};
}

Outputs weight_norm(Call& c) {
  return weight_normalised(c)[0];
}
Outputs weight_norm_interface(Call& c) {
  return Outputs::many(weight_normalised(c));
}

constexpr auto kRows = std::to_array<Operator>({
    {"aten::batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? "
     "running_var, bool "
     "training, float momentum, float eps, bool cudnn_enabled) -> Tensor",
     batch_norm},
    {"aten::_native_batch_norm_legit_no_training(Tensor input, Tensor? weight, Tensor? bias, Tensor "
     "running_mean, "
     "Tensor running_var, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
     native_batch_norm},
    {"aten::native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? "
     "running_var, "
     "bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
     native_batch_norm},
    {"aten::_native_batch_norm_legit.no_stats(Tensor input, Tensor? weight, Tensor? bias, bool training, "
     "float "
     "momentum, float eps) -> (Tensor, Tensor, Tensor)",
     native_batch_norm},
    {"aten::instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? "
     "running_var, bool "
     "use_input_stats, float momentum, float eps, bool cudnn_enabled) -> Tensor",
     instance_norm},
    {"aten::layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, Tensor? bias=None, "
     "float "
     "eps=1e-05, bool cudnn_enable=True) -> Tensor",
     layer_norm},
    {"aten::native_layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight, Tensor? bias, float "
     "eps) -> "
     "(Tensor, Tensor, Tensor)",
     native_layer_norm},
    {"aten::group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float "
     "eps=1e-05, bool "
     "cudnn_enabled=True) -> Tensor",
     group_norm},
    {"aten::native_group_norm(Tensor input, Tensor? weight, Tensor? bias, SymInt N, SymInt C, SymInt HxW, "
     "int group, "
     "float eps) -> (Tensor, Tensor, Tensor)",
     native_group_norm},
    {"aten::rms_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, float? eps=None) -> "
     "Tensor",
     rms_norm},
    {"aten::_fused_rms_norm(Tensor input, int[] normalized_shape, Tensor? weight, float? eps) -> (Tensor, "
     "Tensor)",
     fused_rms_norm},
    {"aten::_weight_norm(Tensor v, Tensor g, int dim=0) -> Tensor", weight_norm},
    {"aten::_weight_norm_interface(Tensor v, Tensor g, int dim=0) -> (Tensor, Tensor)",
     weight_norm_interface},
});

}  // namespace

std::span<const Operator> norm_operators() {
  return kRows;
}

}  // namespace wherry::torch
