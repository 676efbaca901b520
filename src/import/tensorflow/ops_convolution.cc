// Convolutions: tensorflow/core/ops/nn_ops.cc. Filters are [spatial…, in, out] there, [out, in, spatial…] in
// ONNX.
#include <algorithm>

#include "base/text.h"
#include "import/tensorflow/lower.h"
#include "import/tensorflow/windows.h"

namespace wherry::tensorflow {
namespace {

using graph::Length;

// Lengths of the filter's first axes.
Ints kernel_of(Op& op, ValueId filter, std::size_t spatial) {
  Ints kernel;
  for (std::size_t i = 0; i < spatial; ++i) {
    const graph::Dim length = op.b.dim(filter, static_cast<std::int64_t>(i));
    if (!length.known()) op.refuse("a filter of unknown size");
    kernel.push_back(std::max<std::int64_t>(length.number, 1));
  }
  return kernel;
}

// [spatial…, a, b] → [b, a, spatial…].
ValueId filter_first(Builder& b, ValueId filter, std::size_t spatial) {
  const auto n = static_cast<std::int64_t>(spatial);
  Ints perm{n + 1, n};
  for (std::int64_t i = 0; i < n; ++i) perm.push_back(i);
  return graph::transpose(b, filter, perm);
}

template <std::size_t kSpatial>
void convolution(Op& op) {
  Builder& b = op.b;
  const Window window = window_of(op, kSpatial, true);
  const ValueId x = to_first(b, window, op.in(0)), filter = op.in(1);
  const Ints kernel = kernel_of(op, filter, kSpatial);
  graph::Attributes attributes = window_attributes(op, window, x, kernel);
  if (op.failed()) return;
  const graph::Dim in = b.dim(x, 1), own = b.dim(filter, kSpatial);
  if (in.known() && own.known() && own.number > 0 && in.number != own.number)
    attributes.push_back({"group", in.number / own.number});
  attributes.push_back({"kernel_shape", kernel});
  op.out(from_first(b, window, b.add("Conv", {x, filter_first(b, filter, kSpatial)}, attributes)));
}

// Filter [h, w, channels, multiplier].
void depthwise(Op& op) {
  Builder& b = op.b;
  const Window window = window_of(op, 2, true);
  const ValueId x = to_first(b, window, op.in(0)), filter = op.in(1);
  const Ints kernel = kernel_of(op, filter, 2);
  graph::Attributes attributes = window_attributes(op, window, x, kernel);
  const graph::Dim channels = b.dim(filter, 2);
  if (!channels.known()) return op.refuse("a filter of unknown size");
  if (op.failed()) return;
  attributes.push_back({"group", channels.number});
  attributes.push_back({"kernel_shape", kernel});
  const ValueId moved =
      graph::reshape(b, graph::transpose(b, filter, {2, 3, 0, 1}), Ints{-1, 1, kernel[0], kernel[1]});
  op.out(from_first(b, window, b.add("Conv", {x, moved}, attributes)));
}

// Output lengths of a transposed convolution as far as they are known.
graph::Dims output_lengths(Op& op, std::size_t spatial, bool channels_last) {
  graph::Dims lengths;
  const auto elements = op.b.elements(op.in(0));
  for (std::size_t i = 0; i < spatial; ++i) {
    std::size_t at = i + (channels_last ? 1 : 2);
    if (elements && elements->size() == spatial) at = i;
    lengths.push_back(elements && at < elements->size() ? (*elements)[at] : op.b.fresh());
  }
  return lengths;
}

// Without padding first; then each spatial axis is cut (or filled with zeros) to the length asked for.
ValueId cut_to(Op& op, ValueId full, const Window& window, std::size_t spatial, bool same) {
  Builder& b = op.b;
  const ValueId sizes = op.index(0);
  for (std::size_t i = 0; i < spatial; ++i) {
    const auto axis = static_cast<std::int64_t>(i + 2);
    const auto at = static_cast<std::int64_t>(i + (window.channels_last ? 1 : 2));
    const ValueId wanted = graph::slice(b, sizes, 0, at, at + 1);
    const ValueId zero = graph::ints(b, {0});
    const ValueId missing = graph::binary(b, "Sub", wanted, graph::dim_of(b, full, axis));
    ValueId before = zero;
    if (same) before = graph::binary(b, "Div", b.add("Max", {graph::unary(b, "Neg", missing), zero}), 2.0);
    // Zeros before every axis and behind those in front of this one, then behind the others.
    const auto rank = static_cast<std::int64_t>(spatial) + 2;
    std::vector<ValueId> pads{graph::full(b, DType::kInt64, tensor::Shape{rank + axis}, 0),
                              b.add("Max", {missing, zero})};
    if (axis + 1 < rank) pads.push_back(graph::full(b, DType::kInt64, tensor::Shape{rank - axis - 1}, 0));
    full = b.add("Pad", {full, graph::concat(b, pads, 0), graph::scalar_like(b, full, 0)});
    full = graph::slice(b, full, before, graph::binary(b, "Add", before, wanted), Ints{axis});
  }
  return full;
}

// Conv2DBackpropInput is the transposed convolution: input sizes, filter [spatial…, out, in], x.
template <std::size_t kSpatial>
void transposed(Op& op) {
  Builder& b = op.b;
  const Window window = window_of(op, kSpatial, true);
  const ValueId x = to_first(b, window, op.in(2)), filter = op.in(1);
  const Ints kernel = kernel_of(op, filter, kSpatial);
  const std::string_view padding = op.text("padding", "VALID");
  if (padding != "SAME" && padding != "VALID") return op.refuse("explicit paddings");
  if (op.failed()) return;
  graph::Attributes attributes{{"strides", window.strides}, {"kernel_shape", kernel}};
  if (std::ranges::any_of(window.dilations, [](std::int64_t each) { return each != 1; }))
    attributes.push_back({"dilations", window.dilations});
  const ValueId moved = filter_first(b, filter, kSpatial);
  const graph::Dims wanted = output_lengths(op, kSpatial, window.channels_last);
  Ints pads(2 * kSpatial), extra(kSpatial);
  bool known = true;
  for (std::size_t i = 0; i < kSpatial; ++i) {
    const std::int64_t reach = (kernel[i] - 1) * window.dilations[i] + 1;
    const graph::Dim length = b.dim(x, static_cast<std::int64_t>(i + 2));
    known = known && length.known() && wanted[i].known();
    if (!known) break;
    const std::int64_t surplus = (length.number - 1) * window.strides[i] + reach - wanted[i].number;
    const std::int64_t before = padding == "SAME" ? std::max<std::int64_t>(surplus, 0) / 2 : 0;
    pads[i] = before;
    pads[kSpatial + i] = std::max<std::int64_t>(surplus, 0) - before;
    extra[i] = std::max<std::int64_t>(-surplus, 0);
    known = known && extra[i] < std::max(window.strides[i], window.dilations[i]);
  }
  if (known) {
    attributes.push_back({"pads", pads});
    attributes.push_back({"output_padding", extra});
    return op.out(from_first(b, window, b.add("ConvTranspose", {x, moved}, attributes)));
  }
  const ValueId full = b.add("ConvTranspose", {x, moved}, attributes);
  op.out(from_first(b, window, cut_to(op, full, window, kSpatial, padding == "SAME")));
}

constexpr OpRow kRows[] = {
    {"Conv2D", convolution<2>},
    {"Conv3D", convolution<3>},
    {"DepthwiseConv2dNative", depthwise},
    {"Conv2DBackpropInput", transposed<2>},
    {"Conv3DBackpropInputV2", transposed<3>},
};

}  // namespace

std::span<const OpRow> convolution_rows() {
  return kRows;
}

}  // namespace wherry::tensorflow
