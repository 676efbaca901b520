// Images: resizing, cropping, and augmentation, which does nothing at inference
// (keras/src/layers/preprocessing/image_preprocessing).
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "import/keras/lowering.h"
#include "import/keras/resampling.h"

namespace wherry::keras {

using base::cat;

namespace {

ValueId input_of(Lowering& l, const Layer& layer, const Call& call) {
  return l.floating(tensor_of(l, layer, call.arg(0, "inputs")));
}

// The axes of height and width.
std::pair<std::int64_t, std::int64_t> image_axes(Lowering& l, const Layer& layer, ValueId x) {
  const int rank = l.b.rank(x);
  if (rank != 3 && rank != 4) l.bad(layer, "is not called on images");
  return l.channels_last(layer) ? std::pair<std::int64_t, std::int64_t>(rank - 3, rank - 2)
                                : std::pair<std::int64_t, std::int64_t>(rank - 2, rank - 1);
}

// The largest part of the image with the proportions of the target, or the image amid enough of
// fill_value to have them. Lengths are computed as in the framework's float32.
ValueId to_proportions(Lowering& l, const Layer& layer, ValueId x, std::int64_t rows, std::int64_t columns,
                       bool crop) {
  Builder& b = l.b;
  const graph::Dim height = b.dim(x, 2), width = b.dim(x, 3);
  if (!height.known() || !width.known()) {
    l.refuse(layer, "proportions kept of images whose size is not known before it runs");
    return x;
  }
  const auto scaled = [](std::int64_t length, std::int64_t times, std::int64_t by) {
    return static_cast<std::int64_t>(static_cast<float>(length * times) / static_cast<float>(by));
  };
  const std::int64_t high = scaled(width.number, rows, columns), wide = scaled(height.number, columns, rows);
  if (crop) {
    const std::int64_t h = std::max<std::int64_t>(std::min(height.number, high), 1);
    const std::int64_t w = std::max<std::int64_t>(std::min(width.number, wide), 1);
    const std::int64_t top = (height.number - h) / 2, left = (width.number - w) / 2;
    return graph::slice(b, graph::slice(b, x, 2, top, top + h), 3, left, left + w);
  }
  const std::int64_t top = (std::max(height.number, high) - height.number) / 2;
  const std::int64_t left = (std::max(width.number, wide) - width.number) / 2;
  const Ints margin{0, 0, top, left};
  return graph::pad(b, x, margin, margin, "constant", l.number(layer, "fill_value", 0));
}

// `op` on x as [n, c, rows, columns].
template <class Function>
Value on_images(Lowering& l, const Layer& layer, ValueId x, Function&& op) {
  Builder& b = l.b;
  const bool batch = b.rank(x) == 4, last = l.channels_last(layer);
  ValueId first = batch ? x : graph::unsqueeze(b, x, {0});
  if (last) first = l.first(first);
  ValueId y = op(first);
  if (last) y = l.last(y);
  return Value::of(batch ? y : graph::squeeze(b, y, {0}));
}

// Keras 3 gives integers for integers: rounded and kept within their bounds since 3.6 (keras/pull/20213),
// cut off before.
ValueId as_given(Lowering& l, ValueId y, DType dtype) {
  if (is_float(dtype) || l.keras < 3) return y;
  if (l.minor >= 6) {
    y = graph::unary(l.b, "Round", y);
    if (dtype == DType::kUint8) y = graph::clip(l.b, y, 0, 255);
    if (dtype == DType::kInt8) y = graph::clip(l.b, y, -128, 127);
  }
  return graph::cast(l.b, y, dtype);
}

Value resizing(Lowering& l, const Layer& layer, const Call& call) {
  const ValueId given = tensor_of(l, layer, call.arg(0, "inputs"));
  const ValueId x = l.floating(given);
  image_axes(l, layer, x);
  const std::int64_t height = l.integer(layer, "height", 1), width = l.integer(layer, "width", 1);
  const std::string how = l.text(layer, "interpolation", "bilinear");
  const bool crop = l.flag(layer, "crop_to_aspect_ratio", false);
  const bool pad = l.flag(layer, "pad_to_aspect_ratio", false);
  if (height < 1 || width < 1 || height > 1 << 20 || width > 1 << 20) l.bad(layer, "an impossible size");
  if (pad && l.text(layer, "fill_mode", "constant") != "constant") l.refuse(layer, "its fill_mode");
  if (!l.b.status()) return {};
  return on_images(l, layer, x, [&](ValueId image) {
    if (crop || pad) image = to_proportions(l, layer, image, height, width, crop);
    const ValueId y = resample(l, layer, image, height, width, how, l.flag(layer, "antialias", false));
    return as_given(l, y, l.b.dtype(given));
  });
}

Value center_crop(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const ValueId x = input_of(l, layer, call);
  const auto [rows, columns] = image_axes(l, layer, x);
  const std::int64_t height = l.integer(layer, "height", 1), width = l.integer(layer, "width", 1);
  if (!b.status() || !b.dim(x, rows).known() || !b.dim(x, columns).known()) {
    l.refuse(layer, "images of a size not known before it runs");
    return {};
  }
  const std::int64_t more_rows = b.dim(x, rows).number - height;
  const std::int64_t more_columns = b.dim(x, columns).number - width;
  if (more_rows < 0 || more_columns < 0)
    return on_images(l, layer, x, [&](ValueId image) {
      return resample(l, layer, to_proportions(l, layer, image, height, width, true), height, width,
                      "bilinear", false);
    });
  const std::int64_t top = more_rows / 2, left = more_columns / 2;
  return Value::of(graph::slice(b, graph::slice(b, x, rows, top, top + height), columns, left, left + width));
}

Value same(Lowering& l, const Layer& layer, const Call& call) {
  return Value::of(input_of(l, layer, call));
}

constexpr LayerRow kRows[] = {
    {"Resizing", resizing},
    {"CenterCrop", center_crop},
    {"RandomBrightness", same},
    {"RandomColorDegeneration", same},
    {"RandomColorJitter", same},
    {"RandomContrast", same},
    {"RandomElasticTransform", same},
    {"RandomErasing", same},
    {"RandomFlip", same},
    {"RandomGaussianBlur", same},
    {"RandomGrayscale", same},
    {"RandomHeight", same},
    {"RandomHue", same},
    {"RandomInvert", same},
    {"RandomPerspective", same},
    {"RandomPosterization", same},
    {"RandomRotation", same},
    {"RandomSaturation", same},
    {"RandomSharpness", same},
    {"RandomShear", same},
    {"RandomTranslation", same},
    {"RandomWidth", same},
    {"RandomZoom", same},
    {"RandAugment", same},
    {"AugMix", same},
    {"CutMix", same},
    {"MixUp", same},
};

}  // namespace

std::span<const LayerRow> image_layers() {
  return kRows;
}

}  // namespace wherry::keras
