// Pooling. ceil_mode becomes padding behind, because ONNX Runtime's own counts windows and divisors
// otherwise.
#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <optional>

#include "import/torch/operators.h"

namespace wherry::torch {
namespace {

constexpr double kLowest = -std::numeric_limits<double>::infinity();

struct Windows {
  std::size_t spatial = 0;
  ValueId x = kNone;  // with a batch axis
  bool lone = false;  // it had none
  Ints kernel;
  Ints stride;
  Ints padding;
  Ints dilation;
  Ints extra;  // padding behind that ceil_mode needs
  std::vector<ValueId>
      reach;  // instead of `extra` where that depends on lengths known only at run time; or empty
};

Ints spread(Call& c, std::string_view parameter, std::size_t count, const Ints& otherwise) {
  Ints given = c.has(parameter) ? c.ints(parameter) : Ints{};
  if (given.empty()) given = otherwise;
  if (given.size() == 1) given.resize(count, given.front());
  if (given.size() != count) {
    c.refuse("a list has another length than there are axes");
    given.assign(count, 1);
  }
  return given;
}

// How far behind the padding the last window of ceil_mode reaches. Windows that would start there do not
// count. nullopt: it depends on a length known only at run time.
std::optional<std::int64_t> reach_behind(Call& c, const Windows& w, std::size_t i) {
  const graph::Dim dim = c.b.dim(w.x, static_cast<std::int64_t>(i) + 2);
  const std::int64_t window = w.dilation[i] * (w.kernel[i] - 1) + 1;
  if (!dim.known()) {
    if (w.padding[i] + w.stride[i] > window) return std::nullopt;
    return w.stride[i] - 1;
  }
  const std::int64_t room = dim.number + 2 * w.padding[i] - window;
  std::int64_t count = (room + w.stride[i] - 1) / w.stride[i] + 1;
  if ((count - 1) * w.stride[i] >= dim.number + w.padding[i]) --count;
  return std::max<std::int64_t>((count - 1) * w.stride[i] - room, 0);
}

// The same as a value of shape [1].
ValueId reach_value(Call& c, const Windows& w, std::size_t i) {
  Builder& b = c.b;
  const auto number = [&](std::int64_t of) { return graph::ints(b, {of}); };
  const auto compute = [&](std::string_view op, ValueId x, ValueId y) { return graph::binary(b, op, x, y); };
  const ValueId length = graph::dim_of(b, w.x, static_cast<std::int64_t>(i) + 2);
  const std::int64_t window = w.dilation[i] * (w.kernel[i] - 1) + 1;
  const ValueId room = compute("Add", length, number(2 * w.padding[i] - window));
  const ValueId steps =
      compute("Div", compute("Add", room, number(w.stride[i] - 1)), number(w.stride[i]));  // windows less one
  const ValueId last = compute("Mul", steps, number(w.stride[i]));
  const ValueId outside = compute("GreaterOrEqual", last, compute("Add", length, number(w.padding[i])));
  const ValueId reached = graph::where(b, outside, compute("Sub", last, number(w.stride[i])), last);
  return compute("Max", compute("Sub", reached, room), number(0));
}

// `x` with `w.padding` around it and, behind that, what ceil_mode needs.
ValueId padded_by_values(Call& c, const Windows& w, ValueId x, bool around, double number) {
  Builder& b = c.b;
  std::vector<ValueId> pads;
  for (const bool behind : {false, true}) {
    pads.push_back(graph::ints(b, {0, 0}));
    for (std::size_t i = 0; i < w.spatial; ++i) {
      const ValueId all = graph::ints(b, {around ? w.padding[i] : 0});
      pads.push_back(behind ? graph::binary(b, "Add", all, w.reach[i]) : all);
    }
  }
  return b.add("Pad", {x, graph::concat(b, std::move(pads), 0), graph::scalar_like(b, x, number)},
               {{"mode", std::string("constant")}});
}

Windows windows(Call& c, std::size_t spatial) {
  Windows out;
  out.spatial = spatial;
  out.x = c.tensor("self");
  out.lone = c.rank(out.x) == static_cast<int>(spatial) + 1;
  if (out.lone) out.x = graph::unsqueeze(c.b, out.x, {0});
  out.kernel = spread(c, "kernel_size", spatial, {1});
  out.stride = spread(c, "stride", spatial, out.kernel);
  for (std::int64_t& step : out.stride) step = std::max<std::int64_t>(step, 1);
  out.padding = spread(c, "padding", spatial, {0});
  out.dilation = spread(c, "dilation", spatial, {1});
  out.extra.assign(spatial, 0);
  if (c.flag("ceil_mode"))
    for (std::size_t i = 0; i < spatial; ++i) {
      const auto reach = reach_behind(c, out, i);
      if (!reach) {
        out.reach.clear();
        for (std::size_t j = 0; j < spatial; ++j) out.reach.push_back(reach_value(c, out, j));
        break;
      }
      out.extra[i] = *reach;
    }
  return out;
}

Ints pads(const Ints& before, const Ints& after) {
  Ints out = before;
  out.insert(out.end(), after.begin(), after.end());
  return out;
}

Ints sum(const Ints& one, const Ints& other) {
  Ints out = one;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] += other[i];
  return out;
}

ValueId padded(Call& c, ValueId x, const Ints& before, const Ints& after, double number) {
  Ints front{0, 0};
  Ints back{0, 0};
  front.insert(front.end(), before.begin(), before.end());
  back.insert(back.end(), after.begin(), after.end());
  return graph::pad(c.b, x, front, back, "constant", number);
}

Outputs finished(Call& c, const Windows& w, ValueId y) {
  return w.lone ? graph::squeeze(c.b, y, {0}) : y;
}

// Values, and their places in the plane.
std::array<ValueId, 2> max_pooled(Call& c, Windows& w) {
  Builder& b = c.b;
  Ints after = sum(w.padding, w.extra);
  Ints before = w.padding;
  bool fits = true;
  for (std::size_t i = 0; i < w.spatial; ++i) fits = fits && after[i] < w.kernel[i];
  fits = fits && w.reach.empty();
  if (!fits) {
    w.x =
        w.reach.empty() ? padded(c, w.x, before, after, kLowest) : padded_by_values(c, w, w.x, true, kLowest);
    before.assign(w.spatial, 0), after.assign(w.spatial, 0);
  }
  const std::vector<ValueId> both = b.add_many("MaxPool", {w.x}, 2,
                                               {{"kernel_shape", w.kernel},
                                                {"strides", w.stride},
                                                {"pads", pads(before, after)},
                                                {"dilations", w.dilation}});
  ValueId plane = kNone;
  for (std::size_t i = 0; i < w.spatial; ++i) {
    const ValueId length = graph::dim_scalar(b, w.x, static_cast<std::int64_t>(i) + 2);
    plane = plane == kNone ? length : graph::binary(b, "Mul", plane, length);
  }
  return {both[0], graph::binary(b, "Mod", both[1], plane)};
}

template <std::size_t Spatial, bool Indices>
Outputs max_pool(Call& c) {
  Windows w = windows(c, Spatial);
  auto [values, indices] = max_pooled(c, w);
  if (w.lone) values = graph::squeeze(c.b, values, {0}), indices = graph::squeeze(c.b, indices, {0});
  if constexpr (Indices) return Outputs::many(std::array{values, indices});
  return values;
}

// Sums over elements counted by a second pooling: what counts is known only at run time.
Outputs avg_pool_by_values(Call& c, const Windows& w, bool include, std::int64_t divisor) {
  Builder& b = c.b;
  const auto pool = [&](ValueId x) {
    return b.add("AveragePool", {x},
                 {{"kernel_shape", w.kernel}, {"strides", w.stride}, {"pads", Ints(2 * w.spatial, 0)}});
  };
  const ValueId mean = pool(padded_by_values(c, w, w.x, true, 0));
  if (divisor != 0) {
    const double count = static_cast<double>(
        std::accumulate(w.kernel.begin(), w.kernel.end(), std::int64_t{1}, std::multiplies<>()));
    return finished(c, w, graph::binary(b, "Mul", mean, count / static_cast<double>(divisor)));
  }
  const Ints none(w.spatial, 0);
  const ValueId counted = include ? padded(c, w.x, w.padding, w.padding, 0) : w.x;
  const ValueId ones = graph::full(b, b.dtype(w.x), graph::shape_of(b, counted), 1);
  const ValueId share = pool(padded_by_values(c, w, ones, !include, 0));
  return finished(c, w, graph::binary(b, "Div", mean, share));
}

template <std::size_t Spatial>
Outputs avg_pool(Call& c) {
  Builder& b = c.b;
  Windows w = windows(c, Spatial);
  const bool include = c.flag("count_include_pad", true);
  const std::int64_t divisor = c.has("divisor_override") ? c.integer("divisor_override") : 0;
  const Ints none(Spatial, 0);
  const auto pool = [&](ValueId x, const Ints& before, const Ints& after) {
    return b.add("AveragePool", {x},
                 {{"kernel_shape", w.kernel}, {"strides", w.stride}, {"pads", pads(before, after)}});
  };
  if (!w.reach.empty()) return avg_pool_by_values(c, w, include, divisor);
  if (divisor != 0) {
    const double count = static_cast<double>(
        std::accumulate(w.kernel.begin(), w.kernel.end(), std::int64_t{1}, std::multiplies<>()));
    const ValueId mean = pool(padded(c, w.x, w.padding, sum(w.padding, w.extra), 0), none, none);
    return finished(c, w, graph::binary(b, "Mul", mean, count / static_cast<double>(divisor)));
  }
  const bool has_padding = std::ranges::any_of(w.padding, [](std::int64_t each) { return each != 0; });
  if (include && has_padding)
    return finished(c, w, pool(padded(c, w.x, w.padding, w.padding, 0), none, w.extra));
  return finished(c, w, pool(w.x, w.padding, sum(w.padding, w.extra)));
}

// --- adaptive pooling: window i of n spans floor(i·size/n) … ceil((i+1)·size/n)
// ------------------------------

struct Span {
  std::int64_t start;
  std::int64_t end;
};

Span span_of(std::int64_t i, std::int64_t count, std::int64_t size) {
  return {i * size / count, ((i + 1) * size + count - 1) / count};
}

constexpr std::int64_t kMostWindows = 4096;

// A matrix whose rows average the windows.
ValueId averaging(Call& c, std::int64_t count, std::int64_t size) {
  constexpr std::int64_t kMostWeights = 1 << 24;
  if (size < 1 || size > kMostWeights / count) return c.refuse("an input too large, or empty");
  std::vector<float> weights(static_cast<std::size_t>(count * size), 0.0F);
  for (std::int64_t i = 0; i < count; ++i) {
    const Span span = span_of(i, count, size);
    for (std::int64_t j = span.start; j < span.end; ++j)
      weights[static_cast<std::size_t>(i * size + j)] = 1.0F / static_cast<float>(span.end - span.start);
  }
  return c.b.constant(tensor::Tensor::of<float>({count, size}, std::move(weights)));
}

// Where the windows start and end, [count, 1], on an axis whose length the graph knows.
std::array<ValueId, 2> spans(Call& c, ValueId x, std::int64_t axis, std::int64_t count) {
  Builder& b = c.b;
  const ValueId size = graph::dim_scalar(b, x, axis);
  Ints first(static_cast<std::size_t>(count));
  std::iota(first.begin(), first.end(), 0);
  Ints next(first);
  for (std::int64_t& each : next) ++each;
  const auto column = [&](Ints numbers) {
    return graph::unsqueeze(b, graph::ints(b, std::move(numbers)), {1});
  };
  const ValueId number = graph::int_scalar(b, count);
  const ValueId start = graph::binary(b, "Div", graph::binary(b, "Mul", column(first), size), number);
  const ValueId above =
      graph::binary(b, "Add", graph::binary(b, "Mul", column(next), size), graph::int_scalar(b, count - 1));
  return {start, graph::binary(b, "Div", above, number)};
}

// averaging() of a length that the graph knows.
ValueId averaging_by_values(Call& c, ValueId x, std::int64_t axis, std::int64_t count) {
  Builder& b = c.b;
  const auto [start, end] = spans(c, x, axis, count);
  const ValueId places =
      b.add("Range", {graph::int_scalar(b, 0), graph::dim_scalar(b, x, axis), graph::int_scalar(b, 1)});
  const ValueId inside = graph::binary(b, "And", graph::binary(b, "GreaterOrEqual", places, start),
                                       graph::binary(b, "Less", places, end));
  const ValueId width = graph::cast(b, graph::binary(b, "Sub", end, start), DType::kFloat32);
  return graph::binary(b, "Div", graph::cast(b, inside, DType::kFloat32), width);
}

ValueId average_axis(Call& c, ValueId x, std::int64_t axis, std::int64_t count) {
  Builder& b = c.b;
  const graph::Dim size = b.dim(x, axis);
  const ValueId weights =
      size.known() ? averaging(c, count, size.number) : averaging_by_values(c, x, axis, count);
  const ValueId matrix = graph::cast(b, weights, b.dtype(x));
  const ValueId last = graph::swap_axes(b, x, axis, -1);
  return graph::swap_axes(b, graph::matmul(b, last, graph::swap_axes(b, matrix, 0, 1)), axis, -1);
}

ValueId max_axis(Call& c, ValueId x, std::int64_t axis, std::int64_t count) {
  Builder& b = c.b;
  std::vector<ValueId> parts;
  const graph::Dim size = b.dim(x, axis);
  std::array<ValueId, 2> bounds{kNone, kNone};
  if (!size.known()) bounds = spans(c, x, axis, count);
  for (std::int64_t i = 0; i < count; ++i) {
    if (!size.known()) {
      const ValueId part = graph::slice(b, x, graph::select(b, bounds[0], 0, i),
                                        graph::select(b, bounds[1], 0, i), Ints{axis});
      parts.push_back(graph::reduce(b, "ReduceMax", part, {axis}, true));
      continue;
    }
    const Span span = span_of(i, count, size.number);
    parts.push_back(
        graph::reduce(c.b, "ReduceMax", graph::slice(c.b, x, axis, span.start, span.end), {axis}, true));
  }
  return graph::concat(c.b, parts, axis);
}

struct Adaptive {
  ValueId x = kNone;
  bool lone = false;
  Ints count;  // windows per axis
};

Adaptive adaptive(Call& c, std::size_t spatial) {
  Adaptive out;
  out.x = c.tensor("self");
  out.lone = c.rank(out.x) == static_cast<int>(spatial) + 1;
  if (out.lone) out.x = graph::unsqueeze(c.b, out.x, {0});
  out.count = spread(c, "output_size", spatial, {1});
  for (std::int64_t& count : out.count) {
    if (count < 1 || count > kMostWindows) c.refuse("an output size that is not between 1 and 4096");
    count = std::clamp<std::int64_t>(count, 1, kMostWindows);
  }
  return out;
}

bool all_are(const Ints& counts, std::int64_t number) {
  return std::ranges::all_of(counts, [&](std::int64_t count) { return count == number; });
}

// The kernel when every axis divides evenly; empty otherwise.
Ints even_kernel(Call& c, const Adaptive& a) {
  Ints kernel;
  for (std::size_t i = 0; i < a.count.size(); ++i) {
    const graph::Dim dim = c.b.dim(a.x, static_cast<std::int64_t>(i) + 2);
    if (!dim.known() || dim.number < a.count[i] || dim.number % a.count[i] != 0) return {};
    kernel.push_back(dim.number / a.count[i]);
  }
  return kernel;
}

Ints spatial_axes(std::size_t spatial) {
  Ints axes(spatial);
  std::iota(axes.begin(), axes.end(), 2);
  return axes;
}

template <std::size_t Spatial>
Outputs adaptive_avg_pool(Call& c) {
  Builder& b = c.b;
  const Adaptive a = adaptive(c, Spatial);
  ValueId y = a.x;
  if (all_are(a.count, 1)) {
    y = graph::reduce(b, "ReduceMean", a.x, spatial_axes(Spatial), true);
  } else if (const Ints kernel = even_kernel(c, a); !kernel.empty()) {
    y = b.add("AveragePool", {a.x}, {{"kernel_shape", kernel}, {"strides", kernel}});
  } else {
    for (std::size_t i = 0; i < Spatial; ++i) {
      const auto axis = static_cast<std::int64_t>(i) + 2;
      if (a.count[i] == 1)
        y = graph::reduce(b, "ReduceMean", y, {axis}, true);
      else
        y = average_axis(c, y, axis, a.count[i]);
    }
  }
  return a.lone ? graph::squeeze(b, y, {0}) : y;
}

template <std::size_t Spatial>
Outputs adaptive_max_pool(Call& c) {
  Builder& b = c.b;
  const Adaptive a = adaptive(c, Spatial);
  ValueId y = a.x;
  ValueId indices = kNone;
  if (const Ints kernel = even_kernel(c, a); !kernel.empty()) {
    Windows w{.spatial = Spatial,
              .x = a.x,
              .kernel = kernel,
              .stride = kernel,
              .padding = Ints(Spatial, 0),
              .dilation = Ints(Spatial, 1),
              .extra = Ints(Spatial, 0)};
    const auto both = max_pooled(c, w);
    y = both[0], indices = both[1];
  } else if (all_are(a.count, 1)) {
    y = graph::reduce(b, "ReduceMax", a.x, spatial_axes(Spatial), true);
  } else {
    for (std::size_t i = 0; i < Spatial; ++i) {
      const auto axis = static_cast<std::int64_t>(i) + 2;
      y = max_axis(c, y, axis, a.count[i]);
    }
  }
  if (a.lone) y = graph::squeeze(b, y, {0});
  return Outputs::many(std::array{y, indices});
}

constexpr auto kRows = std::to_array<Operator>({
    {"aten::max_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=0, int[1] "
     "dilation=1, bool "
     "ceil_mode=False) -> Tensor",
     max_pool<1, false>},
    {"aten::max_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, int[2] "
     "dilation=1, bool "
     "ceil_mode=False) -> Tensor",
     max_pool<2, false>},
    {"aten::max_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, int[3] "
     "dilation=1, bool "
     "ceil_mode=False) -> Tensor",
     max_pool<3, false>},
    {"aten::max_pool1d_with_indices(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=0, "
     "int[1] "
     "dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)",
     max_pool<1, true>},
    {"aten::max_pool2d_with_indices(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, "
     "int[2] "
     "dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)",
     max_pool<2, true>},
    {"aten::max_pool3d_with_indices(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, "
     "int[3] "
     "dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)",
     max_pool<3, true>},
    {"aten::avg_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=0, bool "
     "ceil_mode=False, bool "
     "count_include_pad=True) -> Tensor",
     avg_pool<1>},
    {"aten::avg_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, bool "
     "ceil_mode=False, bool "
     "count_include_pad=True, int? divisor_override=None) -> Tensor",
     avg_pool<2>},
    {"aten::avg_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, bool "
     "ceil_mode=False, bool "
     "count_include_pad=True, int? divisor_override=None) -> Tensor",
     avg_pool<3>},
    {"aten::adaptive_avg_pool1d(Tensor self, int[1] output_size) -> Tensor", adaptive_avg_pool<1>},
    {"aten::adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor", adaptive_avg_pool<2>},
    {"aten::_adaptive_avg_pool2d(Tensor self, SymInt[2] output_size) -> Tensor", adaptive_avg_pool<2>},
    {"aten::adaptive_avg_pool3d(Tensor self, SymInt[3] output_size) -> Tensor", adaptive_avg_pool<3>},
    {"aten::_adaptive_avg_pool3d(Tensor self, SymInt[3] output_size) -> Tensor", adaptive_avg_pool<3>},
    {"aten::adaptive_max_pool1d(Tensor self, int[1] output_size) -> (Tensor, Tensor)", adaptive_max_pool<1>},
    {"aten::adaptive_max_pool2d(Tensor self, int[2] output_size) -> (Tensor, Tensor)", adaptive_max_pool<2>},
    {"aten::adaptive_max_pool3d(Tensor self, int[3] output_size) -> (Tensor, Tensor)", adaptive_max_pool<3>},
});

}  // namespace

std::span<const Operator> pooling_operators() {
  return kRows;
}

}  // namespace wherry::torch
