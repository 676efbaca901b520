#include "import/keras/resampling.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "graph/resampling.h"

#include "base/text.h"

namespace wherry::keras {

using base::cat;

namespace {

std::vector<float> area(std::int64_t from, std::int64_t to) {
  std::vector<float> weights(static_cast<std::size_t>(from * to), 0.0F);
  const float scale = static_cast<float>(from) / static_cast<float>(to);
  for (std::int64_t y = 0; y < to; ++y) {
    const float start = static_cast<float>(y) * scale, end = static_cast<float>(y + 1) * scale;
    for (auto i = static_cast<std::int64_t>(std::floor(start)); static_cast<float>(i) < end; ++i) {
      const auto low = static_cast<float>(i), high = static_cast<float>(i + 1);
      const float covered = std::min(high, end) - std::max(low, start);
      weights[static_cast<std::size_t>(y * from + std::clamp<std::int64_t>(i, 0, from - 1))] +=
          covered / scale;
    }
  }
  return weights;
}

float triangle(float x) {
  return x < 1 ? 1 - x : 0;
}
float keys_cubic(float x) {
  if (x >= 2) return 0;
  if (x >= 1) return ((-0.5F * x + 2.5F) * x - 4) * x + 2;
  return (1.5F * x - 2.5F) * x * x + 1;
}
float mitchell_cubic(float x) {
  if (x >= 2) return 0;
  if (x >= 1) return (((-7.0F / 18) * x + 2) * x - 10.0F / 3) * x + 16.0F / 9;
  return ((7.0F / 6) * x - 2) * x * x + 8.0F / 9;
}
float gaussian(float x) {
  constexpr float kSigma = 1.5F / 3;
  return x >= 1.5F ? 0 : std::exp(-x * x / (2 * kSigma * kSigma));
}
template <int radius>
float lanczos(float x) {
  constexpr float kPi = std::numbers::pi_v<float>;
  if (x > radius) return 0;
  if (x <= 1e-3F) return 1;
  return radius * std::sin(kPi * x) * std::sin(kPi * x / radius) / (kPi * kPi * x * x);
}

struct KernelRow {
  std::string_view method;
  float radius;
  float (*kernel)(float);
};
constexpr KernelRow kKernels[] = {
    {"bilinear", 1, triangle},   {"bicubic", 2, keys_cubic},   {"lanczos3", 3, lanczos<3>},
    {"lanczos5", 5, lanczos<5>}, {"gaussian", 1.5F, gaussian}, {"mitchellcubic", 2, mitchell_cubic},
};

// ScaleAndTranslate: the kernel at the pixels around each place, wider where the image becomes smaller.
std::vector<float> sampled(const KernelRow& row, bool antialias, std::int64_t from, std::int64_t to) {
  std::vector<float> weights(static_cast<std::size_t>(from * to), 0.0F);
  const auto inverse = static_cast<float>(1.0 / (static_cast<float>(to) / static_cast<float>(from)));
  const float width = antialias ? std::max(inverse, 1.0F) : 1.0F;
  const float narrow = 1.0F / width;
  for (std::int64_t y = 0; y < to; ++y) {
    const float at = (static_cast<float>(y) + 0.5F) * inverse;
    if (at < 0 || at > static_cast<float>(from)) continue;
    const auto first = static_cast<std::int64_t>(std::ceil(at - row.radius * width - 0.5F));
    const auto last = static_cast<std::int64_t>(std::floor(at + row.radius * width - 0.5F));
    float* line = weights.data() + y * from;
    for (auto i = std::clamp<std::int64_t>(first, 0, from - 1);
         i <= std::clamp<std::int64_t>(last, 0, from - 1); ++i)
      line[i] = row.kernel(std::abs((static_cast<float>(i) + 0.5F - at) * narrow));
    graph::normalise({line, static_cast<std::size_t>(from)});
  }
  return weights;
}

ValueId nearest(Lowering& l, ValueId x, std::int64_t axis, std::int64_t size) {
  const ValueId pixels = graph::ints(l.b, graph::nearest_pixels(l.b.dim(x, axis).number, size));
  return graph::gather(l.b, x, pixels, axis);
}

ValueId matrix(Lowering& l, std::vector<float> weights, std::int64_t rows, std::int64_t columns) {
  const ValueId made = l.b.constant(tensor::Tensor::of<float>({rows, columns}, std::move(weights)));
  return graph::cast(l.b, made, l.dtype());
}

}  // namespace

std::vector<float> resampling_weights(std::string_view method, bool antialias, std::int64_t from,
                                      std::int64_t to) {
  if (method == "bicubic" && !antialias) return graph::cubic_weights(from, to);
  if (method == "area") return area(from, to);
  const auto row = std::ranges::find(kKernels, method, &KernelRow::method);
  return row == std::end(kKernels) ? std::vector<float>() : sampled(*row, antialias, from, to);
}

ValueId resample(Lowering& l, const Layer& layer, ValueId x, std::int64_t rows, std::int64_t columns,
                 std::string_view method, bool antialias) {
  Builder& b = l.b;
  if (method == "bilinear" && !antialias) {
    const ValueId sizes = graph::concat(
        b, {graph::slice(b, graph::shape_of(b, x), 0, 0, 2), graph::ints(b, {rows, columns})}, 0);
    return b.add("Resize", {x, kNone, kNone, sizes},
                 {{"mode", "linear"}, {"coordinate_transformation_mode", "half_pixel"}});
  }
  const graph::Dim height = b.dim(x, 2), width = b.dim(x, 3);
  if (!height.known() || !width.known() || height.number < 1 || width.number < 1 ||
      height.number * rows > 1 << 26 || width.number * columns > 1 << 26) {
    l.refuse(layer, cat("interpolation ", base::quoted(method), antialias ? " with antialias" : "",
                        " of images whose size is not known before it runs, or very large"));
    return x;
  }
  if (method == "nearest") return nearest(l, nearest(l, x, 2, rows), 3, columns);
  auto down = resampling_weights(method, antialias, height.number, rows);
  auto along = resampling_weights(method, antialias, width.number, columns);
  if (down.empty() || along.empty()) {
    l.refuse(layer, cat("interpolation ", base::quoted(method)));
    return x;
  }
  // The last axis first, as the kernels do.
  const ValueId turned = graph::transpose(b, matrix(l, std::move(along), columns, width.number), {1, 0});
  return graph::matmul(b, matrix(l, std::move(down), rows, height.number), graph::matmul(b, x, turned));
}

}  // namespace wherry::keras
