// Convolutions (keras/src/layers/convolutional). Kernels are [spatial…, in / groups, out]; padding "same" is
// TensorFlow's: as many output positions as ceil(length / stride), the odd one of the padding at the end.
#include <algorithm>

#include "base/text.h"
#include "import/keras/lowering.h"

namespace wherry::keras {

using base::cat;

namespace {

// From [spatial…, a, b] to [b, a, spatial…].
ValueId kernel_first(Lowering& l, ValueId kernel) {
  const int rank = l.b.rank(kernel);
  Ints perm{rank - 1, rank - 2};
  for (int axis = 0; axis < rank - 2; ++axis) perm.push_back(axis);
  return graph::transpose(l.b, kernel, perm);
}

// x channels-first, and the result put back the way the layer has it.
ValueId enter(Lowering& l, const Layer& layer, const Call& call) {
  const ValueId x = l.floating(tensor_of(l, layer, call.arg(0, "inputs")));
  return l.channels_last(layer) ? l.first(x) : x;
}
ValueId leave(Lowering& l, const Layer& layer, ValueId y) {
  return activate(l, layer, "activation", l.channels_last(layer) ? l.last(y) : y);
}

bool check_kernel(Lowering& l, const Layer& layer, ValueId kernel, std::size_t n) {
  const graph::Type& type = l.b.type(kernel);
  if (type.is_static() && type.rank() == n + 2 &&
      std::ranges::all_of(type.dims, [](const graph::Dim& dim) { return dim.number > 0; }))
    return true;
  l.b.fail({base::Code::kInvalidInput,
            "keras.bad_weights",
            cat("layer ", base::quoted(layer.name), " has a kernel of another number of axes"),
            "save the model again",
            {}});
  return false;
}

ValueId bias_of(Lowering& l, const Layer& layer, std::size_t index) {
  return l.flag(layer, "use_bias", true) ? l.weight(layer, index) : kNone;
}

Convolution options(Lowering& l, const Layer& layer, std::size_t n) {
  return {l.spread(layer, "strides", n, 1), l.spread(layer, "dilation_rate", n, 1),
          l.text(layer, "padding", "valid"), l.integer(layer, "groups", 1)};
}

Value convolution(Lowering& l, const Layer& layer, const Call& call) {
  const std::size_t n = spatial_axes(layer);
  const ValueId kernel = l.weight(layer, 0);
  if (!check_kernel(l, layer, kernel, n)) return {};
  const ValueId y =
      convolve(l, layer, enter(l, layer, call), kernel, bias_of(l, layer, 1), options(l, layer, n));
  return Value::of(leave(l, layer, y));
}

// A depthwise kernel [spatial…, in, multiplier] as that of a convolution with as many groups as inputs.
ValueId depthwise(Lowering& l, const Layer& layer, ValueId x, ValueId kernel, ValueId bias, Convolution how) {
  Ints shape;
  for (const graph::Dim& dim : l.b.type(kernel).dims) shape.push_back(dim.number);
  const std::size_t n = shape.size() - 2;
  how.groups = shape[n];
  shape[n + 1] *= shape[n];
  shape[n] = 1;
  return convolve(l, layer, x, graph::reshape(l.b, kernel, shape), bias, how);
}

Value depthwise_convolution(Lowering& l, const Layer& layer, const Call& call) {
  const std::size_t n = spatial_axes(layer);
  const ValueId kernel = l.weight(layer, 0);
  if (!check_kernel(l, layer, kernel, n)) return {};
  return Value::of(
      leave(l, layer,
            depthwise(l, layer, enter(l, layer, call), kernel, bias_of(l, layer, 1), options(l, layer, n))));
}

Value separable_convolution(Lowering& l, const Layer& layer, const Call& call) {
  const std::size_t n = spatial_axes(layer);
  const ValueId kernel = l.weight(layer, 0), pointwise = l.weight(layer, 1);
  if (!check_kernel(l, layer, kernel, n) || !check_kernel(l, layer, pointwise, n)) return {};
  const ValueId deep = depthwise(l, layer, enter(l, layer, call), kernel, kNone, options(l, layer, n));
  const Convolution point{Ints(n, 1), Ints(n, 1)};
  return Value::of(leave(l, layer, convolve(l, layer, deep, pointwise, bias_of(l, layer, 2), point)));
}

// The result is (length - 1) · stride + kernel long, less what `pads` takes off and with what is added at the
// end (keras/src/backend/common/backend_utils.py _get_output_shape_given_tf_padding).
Value transposed_convolution(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const std::size_t n = spatial_axes(layer);
  const ValueId kernel = l.weight(layer, 0);
  if (!check_kernel(l, layer, kernel, n)) return {};
  const Convolution how = options(l, layer, n);
  const Ints given =
      l.integers(layer, "output_padding").empty() ? Ints() : l.spread(layer, "output_padding", n, 0);
  Ints kernel_shape, before, after, extra;
  for (std::size_t i = 0; i < n; ++i) {
    const std::int64_t size = b.type(kernel).dims[i].number, stride = how.strides[i];
    const std::int64_t wide = (size - 1) * how.dilations[i] + 1;
    kernel_shape.push_back(size);
    // By how much the result is longer than (length - 1) · stride.
    std::int64_t tail;
    if (how.padding == "same")
      tail = given.empty() ? stride : wide % 2 + given[i];
    else
      tail = given.empty() ? std::max(wide, stride) : wide + given[i];
    const std::int64_t cut = how.padding == "same" ? std::max<std::int64_t>(wide - tail, 0) : 0;
    before.push_back(cut / 2);
    after.push_back(cut - cut / 2);
    extra.push_back(tail - (wide - cut));
  }
  if (how.padding != "same" && how.padding != "valid")
    l.refuse(layer, cat("padding ", base::quoted(how.padding)));
  Ints pads = before;
  pads.insert(pads.end(), after.begin(), after.end());
  // ONNX wants the padding at the end to be less than the stride; more of it is zeros, or the bias alone.
  if (std::ranges::any_of(extra, [](std::int64_t e) { return e < 0; })) l.refuse(layer, "its output_padding");
  Ints inside = extra;
  bool outside = false;
  for (std::size_t i = 0; i < n; ++i) {
    inside[i] = std::min(extra[i], how.strides[i] - 1);
    outside = outside || inside[i] != extra[i];
  }
  const ValueId bias = bias_of(l, layer, 1);
  std::vector<ValueId> inputs{enter(l, layer, call), kernel_first(l, kernel)};
  if (bias != kNone && !outside) inputs.push_back(bias);
  ValueId y = b.add("ConvTranspose", inputs,
                    {{"kernel_shape", kernel_shape},
                     {"strides", how.strides},
                     {"dilations", how.dilations},
                     {"pads", pads},
                     {"output_padding", inside}});
  if (outside) {
    Ints tail(n + 2, 0);
    for (std::size_t i = 0; i < n; ++i) tail[i + 2] = extra[i] - inside[i];
    y = graph::pad(b, y, Ints(n + 2, 0), tail);
    if (bias != kNone) {
      Ints axes;
      for (std::size_t i = 0; i < n; ++i) axes.push_back(static_cast<std::int64_t>(i) + 1);
      y = graph::binary(b, "Add", y, graph::unsqueeze(b, bias, axes));
    }
  }
  return Value::of(leave(l, layer, y));
}

constexpr LayerRow kRows[] = {
    {"Conv1D", convolution},
    {"Conv2D", convolution},
    {"Conv3D", convolution},
    {"Convolution1D", convolution},
    {"Convolution2D", convolution},
    {"Convolution3D", convolution},
    {"DepthwiseConv1D", depthwise_convolution},
    {"DepthwiseConv2D", depthwise_convolution},
    {"SeparableConv1D", separable_convolution},
    {"SeparableConv2D", separable_convolution},
    {"SeparableConvolution1D", separable_convolution},
    {"SeparableConvolution2D", separable_convolution},
    {"Conv1DTranspose", transposed_convolution},
    {"Conv2DTranspose", transposed_convolution},
    {"Conv3DTranspose", transposed_convolution},
};

}  // namespace

std::size_t spatial_axes(const Layer& layer) {
  for (const char digit : {'1', '2', '3'})
    if (layer.class_name.contains(std::string{digit, 'D'})) return static_cast<std::size_t>(digit - '0');
  return 0;
}

std::span<const LayerRow> convolution_layers() {
  return kRows;
}

ValueId convolve(Lowering& l, const Layer& layer, ValueId x, ValueId kernel, ValueId bias,
                 const Convolution& how) {
  Builder& b = l.b;
  const auto n = static_cast<std::size_t>(b.rank(kernel)) - 2;
  Ints kernel_shape, pads(2 * n, 0);
  for (std::size_t i = 0; i < n; ++i) kernel_shape.push_back(b.type(kernel).dims[i].number);
  graph::Attributes attributes{{"kernel_shape", kernel_shape},
                               {"strides", how.strides},
                               {"dilations", how.dilations},
                               {"group", how.groups}};
  if (how.padding == "causal") {
    pads[0] = (kernel_shape[0] - 1) * how.dilations[0];
  } else if (how.padding == "same") {
    bool known = true;
    for (std::size_t i = 0; i < n; ++i) {
      const std::int64_t wide = (kernel_shape[i] - 1) * how.dilations[i] + 1, stride = how.strides[i];
      const graph::Dim length = b.dim(x, static_cast<std::int64_t>(i) + 2);
      known = known && (length.known() || stride == 1);
      if (stride <= 0) {
        l.bad(layer, "has a stride of 0");
        return x;
      }
      const std::int64_t total =
          stride == 1
              ? wide - 1
              : std::max<std::int64_t>(
                    (length.number + stride - 1) / stride * stride - stride + wide - length.number, 0);
      pads[i] = total / 2;
      pads[n + i] = total - total / 2;
    }
    if (!known) {
      attributes.push_back({"auto_pad", "SAME_UPPER"});
      pads.clear();
    }
  } else if (how.padding != "valid") {
    l.refuse(layer, cat("padding ", base::quoted(how.padding)));
  }
  if (!pads.empty()) attributes.push_back({"pads", pads});
  std::vector<ValueId> inputs{x, kernel_first(l, kernel)};
  if (bias != kNone) inputs.push_back(bias);
  return b.add("Conv", inputs, attributes);
}

}  // namespace wherry::keras
