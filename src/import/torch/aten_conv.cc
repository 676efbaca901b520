// Convolutions.
#include <array>

#include "import/torch/operators.h"

namespace wherry::torch {
namespace {

struct Geometry {
  std::size_t spatial = 0;  // axes besides batch and channels
  Ints stride;
  Ints before;  // padding
  Ints after;
  Ints dilation;
  Ints output_padding;
  std::int64_t groups = 1;
};

Ints spread(Call& c, std::string_view parameter, std::size_t count, std::int64_t otherwise) {
  Ints given = c.has(parameter) ? c.ints(parameter) : Ints{};
  if (given.empty()) given.push_back(otherwise);
  if (given.size() == 1) given.resize(count, given.front());
  if (given.size() != count) {
    c.refuse("a list has another length than there are axes");
    given.resize(count, otherwise);
  }
  return given;
}

// "same" pads the odd one behind, "valid" nothing.
void named_padding(Call& c, std::string_view name, ValueId weight, Geometry& out) {
  out.before.assign(out.spatial, 0);
  out.after.assign(out.spatial, 0);
  if (name == "valid") return;
  for (std::size_t i = 0; i < out.spatial; ++i) {
    const std::int64_t total = out.dilation[i] * (c.size(weight, static_cast<std::int64_t>(i) + 2) - 1);
    out.before[i] = total / 2;
    out.after[i] = total - total / 2;
  }
}

Geometry geometry(Call& c, ValueId weight) {
  Geometry out;
  const int rank = c.rank(weight);
  if (rank < 3) {
    c.refuse("its kernel has fewer than three axes");
    return out;
  }
  out.spatial = static_cast<std::size_t>(rank) - 2;
  out.stride = spread(c, "stride", out.spatial, 1);
  out.dilation = spread(c, "dilation", out.spatial, 1);
  out.output_padding = spread(c, "output_padding", out.spatial, 0);
  out.groups = c.integer("groups", 1);
  if (const auto* const name = c["padding"].get<std::string>()) {
    named_padding(c, *name, weight, out);
  } else {
    out.before = spread(c, "padding", out.spatial, 0);
    out.after = out.before;
  }
  return out;
}

Ints both_sides(const Geometry& geometry) {
  Ints out = geometry.before;
  out.insert(out.end(), geometry.after.begin(), geometry.after.end());
  return out;
}

Outputs lowered(Call& c, std::string_view data, bool transposed) {
  Builder& b = c.b;
  ValueId x = c.tensor(data);
  const ValueId weight = c.tensor("weight");
  const Geometry g = geometry(c, weight);
  if (g.spatial == 0) return kNone;
  const bool lone = b.rank(x) == static_cast<int>(g.spatial) + 1;  // no batch
  if (lone) x = graph::unsqueeze(b, x, {0});
  std::vector<ValueId> inputs{x, weight};
  if (c.has("bias")) inputs.push_back(c.tensor("bias"));
  graph::Attributes attributes{
      {"strides", g.stride}, {"pads", both_sides(g)}, {"dilations", g.dilation}, {"group", g.groups}};
  if (transposed) attributes.push_back({"output_padding", g.output_padding});
  const ValueId y = b.add(transposed ? "ConvTranspose" : "Conv", inputs, attributes);
  return lone ? graph::squeeze(b, y, {0}) : y;
}

Outputs conv(Call& c) {
  return lowered(c, "input", false);
}
Outputs conv_transpose(Call& c) {
  return lowered(c, "input", true);
}
Outputs convolution(Call& c) {
  return lowered(c, "input", c.flag("transposed"));
}

constexpr auto kRows = std::to_array<Operator>({
    {"aten::conv1d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=1, SymInt[1] padding=0, "
     "SymInt[1] "
     "dilation=1, SymInt groups=1) -> Tensor",
     conv},
    {"aten::conv1d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=1, str "
     "padding=\"valid\", "
     "SymInt[1] dilation=1, SymInt groups=1) -> Tensor",
     conv},
    {"aten::conv2d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=1, SymInt[2] padding=0, "
     "SymInt[2] "
     "dilation=1, SymInt groups=1) -> Tensor",
     conv},
    {"aten::conv2d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=1, str "
     "padding=\"valid\", "
     "SymInt[2] dilation=1, SymInt groups=1) -> Tensor",
     conv},
    {"aten::conv3d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=1, SymInt[3] padding=0, "
     "SymInt[3] "
     "dilation=1, SymInt groups=1) -> Tensor",
     conv},
    {"aten::conv3d.padding(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=1, str "
     "padding=\"valid\", "
     "SymInt[3] dilation=1, SymInt groups=1) -> Tensor",
     conv},
    {"aten::conv_transpose1d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[1] stride=1, SymInt[1] "
     "padding=0, "
     "SymInt[1] output_padding=0, SymInt groups=1, SymInt[1] dilation=1) -> Tensor",
     conv_transpose},
    {"aten::conv_transpose2d.input(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=1, "
     "SymInt[2] "
     "padding=0, SymInt[2] output_padding=0, SymInt groups=1, SymInt[2] dilation=1) -> Tensor",
     conv_transpose},
    {"aten::conv_transpose3d.input(Tensor input, Tensor weight, Tensor? bias=None, SymInt[3] stride=1, "
     "SymInt[3] "
     "padding=0, SymInt[3] output_padding=0, SymInt groups=1, SymInt[3] dilation=1) -> Tensor",
     conv_transpose},
    {"aten::convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, "
     "SymInt[] "
     "dilation, bool transposed, SymInt[] output_padding, SymInt groups) -> Tensor",
     convolution},
    {"aten::_convolution(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] padding, "
     "SymInt[] "
     "dilation, bool transposed, SymInt[] output_padding, SymInt groups, bool benchmark, bool deterministic, "
     "bool "
     "cudnn_enabled, bool allow_tf32) -> Tensor",
     convolution},
    {"aten::_convolution.deprecated(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, SymInt[] "
     "padding, "
     "SymInt[] dilation, bool transposed, int[] output_padding, SymInt groups, bool benchmark, bool "
     "deterministic, "
     "bool cudnn_enabled) -> Tensor",
     convolution},
    {"aten::_convolution_mode(Tensor input, Tensor weight, Tensor? bias, SymInt[] stride, str padding, "
     "SymInt[] "
     "dilation, SymInt groups) -> Tensor",
     conv},
});

}  // namespace

std::span<const Operator> convolution_operators() {
  return kRows;
}

}  // namespace wherry::torch
