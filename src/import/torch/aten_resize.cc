// Interpolation and sampling by grids.
#include <algorithm>
#include <array>
#include <cmath>

#include "import/torch/operators.h"

namespace wherry::torch {
namespace {

struct Kernel {
  std::string_view mode;       // ONNX's
  std::string_view transform;  // of coordinates, without align_corners
};

// The scale of each spatial axis; empty where the model gives sizes.
std::vector<double> scales_of(Call& c, std::size_t spatial) {
  if (c.has("scale_factors")) return c.numbers("scale_factors");
  std::vector<double> out;
  const std::array<std::string_view, 4> names =
      spatial == 1   ? std::array<std::string_view, 4>{"scales", "", "", ""}
      : spatial == 2 ? std::array<std::string_view, 4>{"scales_h", "scales_w", "", ""}
                     : std::array<std::string_view, 4>{"scales_d", "scales_h", "scales_w", ""};
  for (const std::string_view name : names)
    if (!name.empty() && c.has(name)) out.push_back(c.number(name));
  return out.size() == spatial ? out : std::vector<double>{};
}

graph::Attributes attributes(Call& c, const Kernel& kernel) {
  const bool align = c.flag("align_corners");
  graph::Attributes out{
      {"mode", std::string(kernel.mode)},
      {"coordinate_transformation_mode", std::string(align ? "align_corners" : kernel.transform)}};
  if (kernel.mode == "nearest")
    out.push_back(
        {"nearest_mode", std::string(kernel.transform == "asymmetric" ? "floor" : "round_prefer_ceil")});
  if (kernel.mode == "cubic") out.push_back({"cubic_coeff_a", -0.75F});
  return out;
}

// Output sizes which the scales give; nullopt while a length is not known.
std::optional<Ints> known_sizes(Call& c, ValueId x, const std::vector<double>& scales) {
  Ints out;
  for (std::size_t i = 0; i < scales.size(); ++i) {
    const graph::Dim dim = c.b.dim(x, static_cast<std::int64_t>(i) + 2);
    if (!dim.known()) return std::nullopt;
    out.push_back(static_cast<std::int64_t>(std::floor(static_cast<double>(dim.number) * scales[i])));
  }
  return out;
}

// Whether sizes say the same as the scales, so that coordinates do not depend on which of them is given.
bool divides(Call& c, ValueId x, const std::vector<double>& scales, const Ints& sizes) {
  for (std::size_t i = 0; i < scales.size(); ++i) {
    const auto length = static_cast<double>(c.b.dim(x, static_cast<std::int64_t>(i) + 2).number);
    if (std::abs(length * scales[i] - static_cast<double>(sizes[i])) > 1e-9) return false;
  }
  return true;
}

ValueId by_sizes(Call& c, ValueId x, const std::vector<Length>& sizes, const Kernel& kernel) {
  Builder& b = c.b;
  const ValueId front = graph::slice(b, graph::shape_of(b, x), 0, 0, 2);
  const ValueId all = graph::concat(b, {front, graph::lengths(b, sizes)}, 0);
  return b.add("Resize", {x, kNone, kNone, all}, attributes(c, kernel));
}

ValueId by_scales(Call& c, ValueId x, const std::vector<double>& scales, const Kernel& kernel) {
  std::vector<float> all{1, 1};
  for (const double scale : scales) {
    auto rounded = static_cast<float>(scale);  // never below, else a size would come out one smaller
    if (static_cast<double>(rounded) < scale) rounded = std::nextafter(rounded, 2 * rounded);
    all.push_back(rounded);
  }
  return c.b.add("Resize", {x, kNone, graph::floats(c.b, all)}, attributes(c, kernel));
}

Outputs resized(Call& c, const Kernel& kernel) {
  const ValueId x = c.tensor(c.schema().parameters.front().name);
  const int rank = c.rank(x);
  if (rank < 3 || rank > 5) return c.refuse("an input without one to three spatial axes");
  const auto spatial = static_cast<std::size_t>(rank) - 2;
  const std::vector<double> scales = scales_of(c, spatial);
  if (!scales.empty() && scales.size() != spatial) return c.refuse("a scale per axis is needed");
  if (scales.empty() || c.flag("align_corners")) {
    std::vector<Length> sizes = c.lengths("output_size");
    if (sizes.empty()) {
      const auto known = known_sizes(c, x, scales);
      if (!known) return by_scales(c, x, scales, kernel);
      sizes.assign(known->begin(), known->end());
    }
    return by_sizes(c, x, sizes, kernel);
  }
  if (const auto known = known_sizes(c, x, scales); known && divides(c, x, scales, *known))
    return by_sizes(c, x, {known->begin(), known->end()}, kernel);
  return by_scales(c, x, scales, kernel);
}

Outputs nearest(Call& c) {
  return resized(c, {"nearest", "asymmetric"});
}
Outputs nearest_exact(Call& c) {
  return resized(c, {"nearest", "half_pixel"});
}
Outputs linear(Call& c) {
  return resized(c, {"linear", "half_pixel"});
}
Outputs cubic(Call& c) {
  return resized(c, {"cubic", "half_pixel"});
}
// --- with antialiasing: a matrix of weights per axis (aten/src/ATen/native/cpu/UpSampleKernel.cpp)
// -------------------

double triangle(double x) {
  return std::max(1 - std::abs(x), 0.0);
}

double cubic_filter(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1) return ((kA + 2) * x - (kA + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * kA : 0;
}

ValueId filter_matrix(Call& c, std::int64_t from, std::int64_t to, double scale, double (*filter)(double),
                      double reach) {
  const double support = scale >= 1 ? reach * scale : reach;
  const double shrink = scale >= 1 ? 1 / scale : 1;
  std::vector<float> weights(static_cast<std::size_t>(from * to), 0.0F);
  for (std::int64_t i = 0; i < to; ++i) {
    const double center = scale * (static_cast<double>(i) + 0.5);
    const auto first = std::max<std::int64_t>(static_cast<std::int64_t>(center - support + 0.5), 0);
    const auto last = std::min<std::int64_t>(static_cast<std::int64_t>(center + support + 0.5), from);
    double sum = 0;
    for (std::int64_t j = first; j < last; ++j)
      sum += filter((static_cast<double>(j) - center + 0.5) * shrink);
    for (std::int64_t j = first; j < last; ++j)
      weights[static_cast<std::size_t>(i * from + j)] =
          static_cast<float>(filter((static_cast<double>(j) - center + 0.5) * shrink) / sum);
  }
  return c.b.constant(tensor::Tensor::of<float>({to, from}, std::move(weights)));
}

constexpr std::int64_t kMostWeights = 1 << 24;

Outputs antialiased(Call& c, double (*filter)(double), double reach) {
  Builder& b = c.b;
  ValueId x = c.tensor(c.schema().parameters.front().name);
  if (c.rank(x) != 4) return c.refuse("an input that is no batch of images");
  const std::vector<double> scales = scales_of(c, 2);
  Ints sizes = c.has("output_size") ? c.ints("output_size") : Ints{};
  for (std::size_t i = 0; i < 2; ++i) {
    const auto axis = static_cast<std::int64_t>(i) + 2;
    const std::int64_t from = c.size(x, axis);
    if (sizes.size() <= i && i < scales.size())
      sizes.push_back(static_cast<std::int64_t>(std::floor(static_cast<double>(from) * scales[i])));
    if (sizes.size() <= i || sizes[i] < 1 || from < 1 || sizes[i] > kMostWeights / from)
      return c.refuse("its output size");
    double scale = static_cast<double>(from) / static_cast<double>(sizes[i]);
    if (c.flag("align_corners"))
      scale = sizes[i] > 1 ? static_cast<double>(from - 1) / static_cast<double>(sizes[i] - 1) : 0;
    else if (scales.size() == 2)
      scale = 1 / scales[i];
    const ValueId matrix = graph::cast(b, filter_matrix(c, from, sizes[i], scale, filter, reach), b.dtype(x));
    x = graph::swap_axes(
        b, graph::matmul(b, graph::swap_axes(b, x, axis, -1), graph::swap_axes(b, matrix, 0, 1)), axis, -1);
  }
  return x;
}

Outputs linear_antialiased(Call& c) {
  return antialiased(c, triangle, 1);
}
Outputs cubic_antialiased(Call& c) {
  return antialiased(c, cubic_filter, 2);
}

constexpr std::array<std::string_view, 3> kSampling = {"linear", "nearest", "cubic"};
constexpr std::array<std::string_view, 3> kBorders = {"zeros", "border", "reflection"};

Outputs grid_sampler(Call& c) {
  const std::int64_t mode = c.integer("interpolation_mode");
  const std::int64_t border = c.integer("padding_mode");
  if (mode < 0 || mode > 2 || border < 0 || border > 2) return c.refuse("its mode is unknown");
  return c.b.add("GridSample", {c.tensor("input"), c.tensor("grid")},
                 {{"mode", std::string(kSampling[static_cast<std::size_t>(mode)])},
                  {"padding_mode", std::string(kBorders[static_cast<std::size_t>(border)])},
                  {"align_corners", std::int64_t{c.flag("align_corners") ? 1 : 0}}});
}

constexpr std::int64_t kMostPixels = 1 << 24;

// Positions from -1 to 1: of the pixels' centres, or of the outermost ones with align_corners.
std::vector<float> line(std::int64_t count, bool align) {
  std::vector<float> out(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    const double at = count > 1 ? -1 + 2 * static_cast<double>(i) / static_cast<double>(count - 1)
                      : align   ? 0
                                : 0;
    const double scale =
        align || count == 0 ? 1 : static_cast<double>(count - 1) / static_cast<double>(count);
    out[static_cast<std::size_t>(i)] = static_cast<float>(at * scale);
  }
  return out;
}

Outputs affine_grid(Call& c) {
  Builder& b = c.b;
  const ValueId theta = c.tensor("theta");
  const std::vector<Length> size = c.lengths("size");
  if (size.size() != 4) return c.refuse("only images of two axes");
  const auto* const height = std::get_if<std::int64_t>(&size[2]);
  const auto* const width = std::get_if<std::int64_t>(&size[3]);
  if (height == nullptr || width == nullptr || *height < 1 || *width < 1 || *height > kMostPixels / *width)
    return c.refuse("a size known only at run time, or too large");
  const bool align = c.flag("align_corners");
  const std::vector<float> xs = line(*width, align);
  const std::vector<float> ys = line(*height, align);
  std::vector<float> points;
  for (const float y : ys)
    for (const float x : xs) points.insert(points.end(), {x, y, 1.0F});
  const ValueId base = graph::cast(
      b, b.constant(tensor::Tensor::of<float>({*height * *width, 3}, std::move(points))), b.dtype(theta));
  return graph::reshape(b, graph::matmul(b, base, graph::swap_axes(b, theta, 1, 2)),
                        Ints{-1, *height, *width, 2});
}

constexpr auto kRows = std::to_array<Operator>({
    {"aten::upsample_nearest1d(Tensor self, SymInt[1] output_size, float? scales=None) -> Tensor", nearest},
    {"aten::upsample_nearest2d(Tensor self, SymInt[2] output_size, float? scales_h=None, float? "
     "scales_w=None) -> "
     "Tensor",
     nearest},
    {"aten::upsample_nearest3d(Tensor self, SymInt[3] output_size, float? scales_d=None, float? "
     "scales_h=None, float? "
     "scales_w=None) -> Tensor",
     nearest},
    {"aten::upsample_nearest1d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor",
     nearest},
    {"aten::upsample_nearest2d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor",
     nearest},
    {"aten::upsample_nearest3d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> Tensor",
     nearest},
    {"aten::_upsample_nearest_exact1d(Tensor self, SymInt[1] output_size, float? scales=None) -> Tensor",
     nearest_exact},
    {"aten::_upsample_nearest_exact2d(Tensor self, SymInt[2] output_size, float? scales_h=None, float? "
     "scales_w=None) "
     "-> Tensor",
     nearest_exact},
    {"aten::_upsample_nearest_exact3d(Tensor self, SymInt[3] output_size, float? scales_d=None, float? "
     "scales_h=None, "
     "float? scales_w=None) -> Tensor",
     nearest_exact},
    {"aten::_upsample_nearest_exact1d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> "
     "Tensor",
     nearest_exact},
    {"aten::_upsample_nearest_exact2d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> "
     "Tensor",
     nearest_exact},
    {"aten::_upsample_nearest_exact3d.vec(Tensor input, SymInt[]? output_size, float[]? scale_factors) -> "
     "Tensor",
     nearest_exact},
    {"aten::upsample_linear1d(Tensor self, SymInt[1] output_size, bool align_corners, float? scales=None) -> "
     "Tensor",
     linear},
    {"aten::upsample_linear1d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
     "scale_factors) -> "
     "Tensor",
     linear},
    {"aten::upsample_bilinear2d(Tensor self, SymInt[2] output_size, bool align_corners, float? "
     "scales_h=None, float? "
     "scales_w=None) -> Tensor",
     linear},
    {"aten::upsample_bilinear2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
     "scale_factors) -> "
     "Tensor",
     linear},
    {"aten::upsample_trilinear3d(Tensor self, SymInt[3] output_size, bool align_corners, float? "
     "scales_d=None, float? "
     "scales_h=None, float? scales_w=None) -> Tensor",
     linear},
    {"aten::upsample_trilinear3d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
     "scale_factors) "
     "-> Tensor",
     linear},
    {"aten::upsample_bicubic2d(Tensor self, SymInt[2] output_size, bool align_corners, float? scales_h=None, "
     "float? "
     "scales_w=None) -> Tensor",
     cubic},
    {"aten::upsample_bicubic2d.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
     "scale_factors) -> "
     "Tensor",
     cubic},
    {"aten::_upsample_bilinear2d_aa(Tensor self, SymInt[2] output_size, bool align_corners, float? "
     "scales_h=None, "
     "float? scales_w=None) -> Tensor",
     linear_antialiased},
    {"aten::_upsample_bilinear2d_aa.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
     "scale_factors) -> Tensor",
     linear_antialiased},
    {"aten::_upsample_bicubic2d_aa(Tensor self, SymInt[2] output_size, bool align_corners, float? "
     "scales_h=None, float? "
     "scales_w=None) -> Tensor",
     cubic_antialiased},
    {"aten::_upsample_bicubic2d_aa.vec(Tensor input, SymInt[]? output_size, bool align_corners, float[]? "
     "scale_factors) "
     "-> Tensor",
     cubic_antialiased},
    {"aten::grid_sampler(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool "
     "align_corners) -> "
     "Tensor",
     grid_sampler},
    {"aten::grid_sampler_2d(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool "
     "align_corners) -> "
     "Tensor",
     grid_sampler},
    {"aten::grid_sampler_3d(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool "
     "align_corners) -> "
     "Tensor",
     grid_sampler},
    {"aten::affine_grid_generator(Tensor theta, SymInt[] size, bool align_corners) -> Tensor", affine_grid},
});

}  // namespace

std::span<const Operator> resize_operators() {
  return kRows;
}

}  // namespace wherry::torch
