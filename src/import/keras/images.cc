// Images: resizing, cropping, and augmentation, which does nothing at inference
// (keras/src/layers/preprocessing/image_preprocessing).
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "import/keras/lowering.h"

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

// TensorFlow's ResizeNearestNeighbor with half_pixel_centers, in its float32.
ValueId nearest(Lowering& l, ValueId x, std::int64_t axis, std::int64_t size) {
  const std::int64_t length = l.b.dim(x, axis).number;
  const float scale = static_cast<float>(length) / static_cast<float>(size);
  Ints indices;
  for (std::int64_t i = 0; i < size; ++i)
    indices.push_back(
        std::min(static_cast<std::int64_t>(std::floor((static_cast<float>(i) + 0.5F) * scale)), length - 1));
  return graph::gather(l.b, x, graph::ints(l.b, indices), axis);
}

Value resizing(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const ValueId x = input_of(l, layer, call);
  const auto [rows, columns] = image_axes(l, layer, x);
  const std::int64_t height = l.integer(layer, "height", 1), width = l.integer(layer, "width", 1);
  const std::string how = l.text(layer, "interpolation", "bilinear");
  for (const std::string_view option : {"crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"})
    if (l.flag(layer, option, false)) l.refuse(layer, cat(option, "=True"));
  if (height < 1 || width < 1 || height > 1 << 20 || width > 1 << 20) l.bad(layer, "an impossible size");
  if (!b.status()) return {};
  if (how == "nearest") {
    if (!b.dim(x, rows).known() || !b.dim(x, columns).known()) {
      l.refuse(layer, "nearest neighbours of images whose size is not known before it runs");
      return {};
    }
    return Value::of(nearest(l, nearest(l, x, rows, height), columns, width));
  }
  if (how != "bilinear") {
    l.refuse(layer, cat("interpolation ", base::quoted(how)));
    return {};
  }
  const bool batch = b.rank(x) == 4, last = l.channels_last(layer);
  ValueId first = batch ? x : graph::unsqueeze(b, x, {0});
  if (last) first = l.first(first);
  const ValueId sizes = graph::concat(
      b, {graph::slice(b, graph::shape_of(b, first), 0, 0, 2), graph::ints(b, {height, width})}, 0);
  ValueId y = b.add("Resize", {first, kNone, kNone, sizes},
                    {{"mode", "linear"}, {"coordinate_transformation_mode", "half_pixel"}});
  if (last) y = l.last(y);
  return Value::of(batch ? y : graph::squeeze(b, y, {0}));
}

Value center_crop(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  ValueId x = input_of(l, layer, call);
  const auto [rows, columns] = image_axes(l, layer, x);
  for (const auto& [axis, key] : {std::pair(rows, "height"), std::pair(columns, "width")}) {
    const std::int64_t size = l.integer(layer, key, 1);
    const graph::Dim length = b.dim(x, axis);
    if (!length.known() || length.number < size) {
      l.refuse(layer, "images smaller than the crop, or of a size not known before it runs");
      return {};
    }
    const std::int64_t from = (length.number - size) / 2;
    x = graph::slice(b, x, axis, from, from + size);
  }
  return Value::of(x);
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
