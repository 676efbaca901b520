// Views, and what only moves elements.
#include <algorithm>
#include <array>

#include "import/torch/operators.h"
#include "import/torch/scalar_type.h"

namespace wherry::torch {
namespace {

ValueId reshaped(Call& c, ValueId x, const std::vector<Length>& shape) {
  Ints known;
  for (const Length& length : shape)
    if (const auto* const number = std::get_if<std::int64_t>(&length)) known.push_back(*number);
  if (known.size() == shape.size()) return graph::reshape(c.b, x, known);
  return graph::reshape(c.b, x, graph::lengths(c.b, shape));
}

Outputs view(Call& c) {
  return reshaped(c, c.tensor("self"), c.lengths(c.has("size") ? "size" : "shape"));
}

Outputs view_as(Call& c) {
  return graph::reshape(c.b, c.tensor("self"), graph::shape_of(c.b, c.tensor("other")));
}

Outputs flatten(Call& c) {
  const ValueId x = c.tensor("self");
  const int rank = c.rank(x);
  if (rank == 0) return graph::reshape(c.b, x, Ints{1});
  const std::int64_t first = c.axis("start_dim", rank);
  const std::int64_t last = c.axis("end_dim", rank);
  return first == last ? x : graph::flatten(c.b, x, first, last);
}

Outputs ravel(Call& c) {
  return graph::reshape(c.b, c.tensor("self"), Ints{-1});
}

Outputs unflatten(Call& c) {
  const ValueId x = c.tensor("self");
  const int rank = c.rank(x);
  const std::int64_t axis = c.axis("dim", rank);
  std::vector<Length> shape;
  for (int i = 0; i < rank; ++i) {
    if (i == axis)
      for (const Length& length : c.lengths("sizes")) shape.push_back(length);
    else if (const graph::Dim dim = c.b.dim(x, i); dim.known())
      shape.emplace_back(dim.number);
    else
      shape.emplace_back(graph::dim_of(c.b, x, i));
  }
  return reshaped(c, x, shape);
}

Outputs expand(Call& c) {
  std::vector<Length> shape = c.lengths("size");
  for (Length& length : shape)  // a 1 leaves the axis as it is in ONNX, as -1 does in PyTorch
    if (const auto* const number = std::get_if<std::int64_t>(&length); number != nullptr && *number == -1)
      length = std::int64_t{1};
  return graph::expand(c.b, c.tensor("self"), graph::lengths(c.b, shape));
}

Outputs expand_as(Call& c) {
  return graph::expand(c.b, c.tensor("self"), graph::shape_of(c.b, c.tensor("other")));
}

Outputs broadcast_tensors(Call& c) {
  std::vector<ValueId> values = c.tensors("tensors");
  if (values.empty()) return Outputs::list(values);
  const ValueId shape = [&] {
    ValueId sum = graph::shape_of(c.b, values[0]);
    for (std::size_t i = 1; i < values.size(); ++i) {
      const ValueId grown = graph::expand(c.b, graph::expand(c.b, graph::int_scalar(c.b, 0), sum),
                                          graph::shape_of(c.b, values[i]));
      sum = graph::shape_of(c.b, grown);
    }
    return sum;
  }();
  for (ValueId& value : values) value = graph::expand(c.b, value, shape);
  return Outputs::list(values);
}

Outputs permute(Call& c) {
  const ValueId x = c.tensor("self");
  const int rank = c.rank(x);
  Ints perm = c.ints("dims");
  for (std::int64_t& axis : perm)
    if (axis < 0) axis += rank;
  return graph::transpose(c.b, x, perm);
}

Outputs transpose(Call& c) {
  const ValueId x = c.tensor("self");
  const int rank = c.rank(x);
  return graph::swap_axes(c.b, x, c.axis("dim0", rank), c.axis("dim1", rank));
}

Outputs swapaxes(Call& c) {
  const ValueId x = c.tensor("self");
  const int rank = c.rank(x);
  return graph::swap_axes(c.b, x, c.axis("axis0", rank), c.axis("axis1", rank));
}

Outputs t(Call& c) {
  const ValueId x = c.tensor("self");
  return c.rank(x) < 2 ? x : graph::swap_axes(c.b, x, 0, 1);
}

Outputs matrix_transpose(Call& c) {
  return graph::swap_axes(c.b, c.tensor("self"), -2, -1);
}

Outputs numpy_t(Call& c) {
  const ValueId x = c.tensor("self");
  Ints perm;
  for (int i = c.rank(x); i-- > 0;) perm.push_back(i);
  return graph::transpose(c.b, x, perm);
}

Outputs movedim(Call& c) {
  const ValueId x = c.tensor("self");
  const int rank = c.rank(x);
  const auto axes = [&](std::string_view parameter) {
    Ints out = c[parameter].get<Argument::List>() != nullptr ? c.ints(parameter) : Ints{c.integer(parameter)};
    for (std::int64_t& axis : out)
      axis = std::clamp<std::int64_t>(axis < 0 ? axis + rank : axis, 0, rank - 1);
    return out;
  };
  const Ints from = axes("source");
  const Ints to = axes("destination");
  if (from.size() != to.size()) return c.refuse("source and destination differ in length");
  Ints perm(static_cast<std::size_t>(rank), -1);
  for (std::size_t i = 0; i < to.size(); ++i) perm[static_cast<std::size_t>(to[i])] = from[i];
  std::int64_t next = 0;
  for (std::int64_t& axis : perm) {
    if (axis >= 0) continue;
    while (std::ranges::find(from, next) != from.end()) ++next;
    axis = next++;
  }
  return graph::transpose(c.b, x, perm);
}

// Only axes of length 1 go; a length known at run time only is never 1 (torch.export guards it).
Outputs squeeze(Call& c) {
  const ValueId x = c.tensor("self");
  const int rank = c.rank(x);
  if (rank == 0) return x;
  Ints gone;
  for (const std::int64_t axis : c.axes("dim", rank))
    if (c.b.dim(x, axis).is(1)) gone.push_back(axis);
  return gone.empty() ? x : graph::squeeze(c.b, x, gone);
}

Outputs unsqueeze(Call& c) {
  const ValueId x = c.tensor("self");
  return graph::unsqueeze(c.b, x, {c.axis("dim", c.rank(x) + 1)});
}

Outputs cat(Call& c) {
  std::vector<ValueId> values = c.tensors("tensors");
  // Tensors of shape [0] are skipped, whatever the others' shape: PyTorch's legacy.
  std::erase_if(values, [&](ValueId value) { return c.b.rank(value) == 1 && c.b.dim(value, 0).is(0); });
  if (values.empty()) return c.refuse("no tensors");
  Argument::List given;
  for (const ValueId value : values) given.emplace_back(Tensor{value});
  const DType dtype = result_type(c.b, given);
  for (ValueId& value : values) value = graph::cast(c.b, value, dtype);
  return graph::concat(c.b, values, c.axis("dim", c.rank(values[0])));
}

Outputs stack(Call& c) {
  std::vector<ValueId> values = c.tensors("tensors");
  if (values.empty()) return c.refuse("no tensors");
  Argument::List given;
  for (const ValueId value : values) given.emplace_back(Tensor{value});
  const DType dtype = result_type(c.b, given);
  for (ValueId& value : values) value = graph::cast(c.b, value, dtype);
  return graph::stack(c.b, values, c.axis("dim", c.rank(values[0]) + 1));
}

Outputs stacked_along(Call& c, std::int64_t axis, int least_rank) {
  std::vector<ValueId> values = c.tensors("tensors");
  for (ValueId& value : values) {
    const int rank = c.rank(value);
    if (rank == 0) value = graph::reshape(c.b, value, Ints{1});
    if (rank < 2 && least_rank == 2) value = graph::unsqueeze(c.b, value, {0});
  }
  if (values.empty()) return c.refuse("no tensors");
  return graph::concat(c.b, values, std::min<std::int64_t>(axis, c.rank(values[0]) - 1));
}
Outputs hstack(Call& c) {
  return stacked_along(c, 1, 1);
}
Outputs vstack(Call& c) {
  return stacked_along(c, 0, 2);
}

Outputs pieces(Call& c, ValueId x, const Ints& sizes, std::int64_t axis) {
  if (sizes.size() == 1) return Outputs::list(std::array{x});
  return Outputs::list(graph::split(c.b, x, sizes, axis));
}

constexpr std::int64_t kMostPieces = 100'000;

Ints equal_sizes(Call& c, std::int64_t total, std::int64_t size) {
  Ints out;
  if (size <= 0 || total / size > kMostPieces) {
    c.refuse("a piece has no length, or there are too many pieces");
    return out;
  }
  for (std::int64_t left = total; left > 0; left -= size) out.push_back(std::min(size, left));
  if (out.empty()) out.push_back(0);
  return out;
}

Outputs split(Call& c) {
  const ValueId x = c.tensor("self");
  const std::int64_t axis = c.axis("dim", c.rank(x));
  return pieces(c, x, equal_sizes(c, c.size(x, axis), c.integer("split_size")), axis);
}

Outputs split_with_sizes(Call& c) {
  const ValueId x = c.tensor("self");
  return pieces(c, x, c.ints(c.has("split_sizes") ? "split_sizes" : "split_size"), c.axis("dim", c.rank(x)));
}

Outputs chunk(Call& c) {
  const ValueId x = c.tensor("self");
  const std::int64_t axis = c.axis("dim", c.rank(x));
  const std::int64_t chunks = std::max<std::int64_t>(c.integer("chunks"), 1);
  const std::int64_t total = c.size(x, axis);
  return pieces(c, x, equal_sizes(c, total, std::max<std::int64_t>((total + chunks - 1) / chunks, 1)), axis);
}

Outputs tensor_split(Call& c) {
  const ValueId x = c.tensor("self");
  const std::int64_t axis = c.axis("dim", c.rank(x));
  const std::int64_t total = c.size(x, axis);
  Ints sizes;
  if (c.has("indices")) {
    std::int64_t from = 0;
    for (const std::int64_t index : c.ints("indices")) {
      const std::int64_t to = std::clamp(index < 0 ? index + total : index, from, total);
      sizes.push_back(to - from);
      from = to;
    }
    sizes.push_back(total - from);
  } else {
    const std::int64_t sections = std::clamp<std::int64_t>(c.integer("sections"), 1, kMostPieces);
    for (std::int64_t i = 0; i < sections; ++i)
      sizes.push_back(total / sections + (i < total % sections ? 1 : 0));
  }
  return pieces(c, x, sizes, axis);
}

Outputs unbind(Call& c) {
  const ValueId x = c.tensor("self");
  const std::int64_t axis = c.axis("dim", c.rank(x));
  const std::int64_t total = c.size(x, axis);
  if (total > kMostPieces) return c.refuse("too many pieces");
  std::vector<ValueId> out;
  for (std::int64_t i = 0; i < total; ++i) out.push_back(graph::select(c.b, x, axis, i));
  return Outputs::list(out);
}

ValueId as_vector(Builder& b, const Length& length) {
  if (const auto* const number = std::get_if<std::int64_t>(&length)) return graph::ints(b, {*number});
  return graph::reshape(b, std::get<ValueId>(length), Ints{1});
}

ValueId sliced(Call& c, ValueId x, std::int64_t axis, const Length& start, const Length& end,
               std::int64_t step) {
  const auto* const from = std::get_if<std::int64_t>(&start);
  const auto* const to = std::get_if<std::int64_t>(&end);
  if (from != nullptr && to != nullptr) {
    if (*from == 0 && *to == graph::kToEnd && step == 1) return x;
    return graph::slice(c.b, x, axis, *from, *to, step);
  }
  return graph::slice(c.b, x, as_vector(c.b, start), as_vector(c.b, end), Ints{axis}, Ints{step});
}

Outputs slice(Call& c) {
  const ValueId x = c.tensor("self");
  const Length start = c.has("start") ? c.length("start") : Length(std::int64_t{0});
  const Length end = c.has("end") ? c.length("end") : Length(graph::kToEnd);
  const std::int64_t axis = c.axis("dim", c.rank(x));
  if (const Length step = c.has("step") ? c.length("step") : Length(std::int64_t{1});
      std::holds_alternative<ValueId>(step)) {
    return c.b.add("Slice", {x, as_vector(c.b, start), as_vector(c.b, end), graph::ints(c.b, {axis}),
                             as_vector(c.b, step)});
  }
  return sliced(c, x, axis, start, end, c.integer("step", 1));
}

Outputs narrow(Call& c) {
  Builder& b = c.b;
  const ValueId x = c.tensor("self");
  const std::int64_t axis = c.axis("dim", c.rank(x));
  Length start = c.length("start");
  const Length length = c.length("length");
  const auto* const from = std::get_if<std::int64_t>(&start);
  const auto* const count = std::get_if<std::int64_t>(&length);
  if (from != nullptr && count != nullptr) {
    const std::int64_t first = *from < 0 ? *from + c.size(x, axis) : *from;
    return graph::slice(b, x, axis, first, first + *count);
  }
  const ValueId end = graph::binary(b, "Add", as_vector(b, start), as_vector(b, length));
  return graph::slice(b, x, as_vector(b, start), end, Ints{axis});
}

Outputs select(Call& c) {
  const ValueId x = c.tensor("self");
  const std::int64_t axis = c.axis("dim", c.rank(x));
  const Length index = c.length("index");
  if (const auto* const number = std::get_if<std::int64_t>(&index))
    return graph::select(c.b, x, axis, *number);
  return graph::gather(c.b, x, std::get<ValueId>(index), axis);
}

Outputs repeat(Call& c) {
  Builder& b = c.b;
  ValueId x = c.tensor("self");
  const std::vector<Length> repeats = c.lengths(c.has("repeats") ? "repeats" : "dims");
  const int missing = static_cast<int>(repeats.size()) - c.rank(x);
  Ints front;
  for (int i = 0; i < missing; ++i) front.push_back(i);
  if (!front.empty()) x = graph::unsqueeze(b, x, front);
  std::vector<Length> all(repeats);
  while (all.size() < static_cast<std::size_t>(c.rank(x)))
    all.insert(all.begin(), std::int64_t{1});  // tile()
  return b.add("Tile", {x, graph::lengths(b, all)});
}

Outputs repeat_interleave(Call& c) {
  Builder& b = c.b;
  ValueId x = c.tensor("self");
  const std::int64_t repeats = c.integer("repeats");
  if (!c.has("dim")) x = graph::reshape(b, x, Ints{-1});
  const int rank = c.rank(x);
  const std::int64_t axis = c.has("dim") ? c.axis("dim", rank) : 0;
  Ints copies(static_cast<std::size_t>(rank) + 1, 1);
  copies[static_cast<std::size_t>(axis) + 1] = repeats;
  return graph::flatten(b, graph::tile(b, graph::unsqueeze(b, x, {axis + 1}), copies), axis, axis + 1);
}

Outputs flip(Call& c) {
  ValueId x = c.tensor("self");
  if (c.has("dims") && c[std::string_view("dims")].get<Argument::List>()->empty()) return x;
  for (const std::int64_t axis : c.axes("dims", c.rank(x))) x = graph::slice(c.b, x, axis, -1, INT64_MIN, -1);
  return x;
}

ValueId rolled(Call& c, ValueId x, std::int64_t axis, std::int64_t shift) {
  const graph::Dim dim = c.b.dim(x, axis);
  if (dim.known() && dim.number > 0) shift = (shift % dim.number + dim.number) % dim.number;
  if (shift == 0 || dim.is(0)) return x;
  return graph::concat(
      c.b, {graph::slice(c.b, x, axis, -shift, graph::kToEnd), graph::slice(c.b, x, axis, 0, -shift)}, axis);
}

Outputs roll(Call& c) {
  ValueId x = c.tensor("self");
  const Ints shifts = c.ints("shifts");
  const Ints dims = c.ints("dims");
  if (dims.empty() && shifts.size() == 1) {
    const ValueId flat = graph::reshape(c.b, x, Ints{-1});
    return graph::reshape(c.b, rolled(c, flat, 0, shifts[0]), graph::shape_of(c.b, x));
  }
  if (dims.size() != shifts.size()) return c.refuse("shifts and dims differ in length");
  const int rank = c.rank(x);
  for (std::size_t i = 0; i < dims.size(); ++i)
    x = rolled(c, x, dims[i] < 0 ? dims[i] + rank : dims[i], shifts[i]);
  return x;
}

Length dim_length(Builder& b, ValueId x, std::int64_t axis) {
  const graph::Dim dim = b.dim(x, axis);
  if (dim.known()) return dim.number;
  return graph::dim_of(b, x, axis);
}

Length times(Builder& b, const Length& length, std::int64_t factor, bool divide) {
  if (const auto* const number = std::get_if<std::int64_t>(&length))
    return divide ? *number / factor : *number * factor;
  return b.add(divide ? "Div" : "Mul", {std::get<ValueId>(length), graph::ints(b, {factor})});
}

Outputs pixel_shuffle(Call& c) {
  Builder& b = c.b;
  const ValueId x = c.tensor("self");
  const std::int64_t factor = c.integer("upscale_factor");
  const int rank = c.rank(x);
  if (rank < 3) return c.refuse("needs three axes");
  const ValueId in = rank == 3 ? graph::unsqueeze(b, x, {0}) : x;
  if (rank > 4) return c.refuse("more than four axes");
  const ValueId out = b.add("DepthToSpace", {in}, {{"blocksize", factor}, {"mode", std::string("CRD")}});
  return rank == 3 ? graph::squeeze(b, out, {0}) : out;
}

Outputs pixel_unshuffle(Call& c) {
  Builder& b = c.b;
  const ValueId x = c.tensor("self");
  const std::int64_t factor = c.integer("downscale_factor");
  if (c.rank(x) != 4) return c.refuse("needs four axes");
  const Length n = dim_length(b, x, 0);
  const std::int64_t channels = c.size(x, 1);
  const Length h = times(b, dim_length(b, x, 2), factor, true);
  const Length w = times(b, dim_length(b, x, 3), factor, true);
  const ValueId cut = reshaped(c, x, {n, channels, h, factor, w, factor});
  return reshaped(c, graph::transpose(b, cut, {0, 1, 3, 5, 2, 4}), {n, channels * factor * factor, h, w});
}

Outputs channel_shuffle(Call& c) {
  Builder& b = c.b;
  const ValueId x = c.tensor("self");
  const std::int64_t groups = std::max<std::int64_t>(c.integer("groups"), 1);
  const std::int64_t channels = c.size(x, 1);
  if (c.rank(x) != 4) return c.refuse("needs four axes");
  const Length n = dim_length(b, x, 0);
  const Length h = dim_length(b, x, 2);
  const Length w = dim_length(b, x, 3);
  const ValueId cut = reshaped(c, x, {n, groups, channels / groups, h, w});
  return reshaped(c, graph::transpose(b, cut, {0, 2, 1, 3, 4}), {n, channels, h, w});
}

ValueId range(Builder& b, ValueId count) {
  return b.add("Range", {graph::int_scalar(b, 0), count, graph::int_scalar(b, 1)});
}

ValueId int_op(Builder& b, std::string_view op, ValueId x, std::int64_t y) {
  return graph::binary(b, op, x, graph::int_scalar(b, y));
}

// The number of windows along an axis of `length` (int64 []).
ValueId window_count(Builder& b, ValueId length, std::int64_t window, std::int64_t step) {
  return int_op(b, "Add", int_op(b, "Div", int_op(b, "Sub", length, window), step), 1);
}

Outputs unfold(Call& c) {
  Builder& b = c.b;
  const ValueId x = c.tensor("self");
  const int rank = c.rank(x);
  const std::int64_t axis = c.axis("dimension", rank);
  const std::int64_t size = c.integer("size");
  const std::int64_t step = std::max<std::int64_t>(c.integer("step"), 1);
  const ValueId starts =
      int_op(b, "Mul", range(b, window_count(b, graph::dim_scalar(b, x, axis), size, step)), step);
  const ValueId indices =
      graph::binary(b, "Add", graph::unsqueeze(b, starts, {1}), range(b, graph::int_scalar(b, size)));
  const ValueId windows = graph::gather(b, x, indices, axis);
  Ints perm;
  for (int i = 0; i <= rank; ++i)
    if (i != axis + 1) perm.push_back(i);
  perm.push_back(axis + 1);
  return graph::transpose(b, windows, perm);
}

Outputs im2col(Call& c) {
  Builder& b = c.b;
  ValueId x = c.tensor("self");
  const Ints kernel = c.ints("kernel_size");
  const Ints dilation = c.ints("dilation");
  const Ints padding = c.ints("padding");
  const Ints stride = c.ints("stride");
  if (c.rank(x) != 4 || kernel.size() != 2 || dilation.size() != 2 || padding.size() != 2 ||
      stride.size() != 2)
    return c.refuse("needs a batch of images");
  const Length n = dim_length(b, x, 0);
  const std::int64_t channels = c.size(x, 1);
  x = graph::pad(b, x, {0, 0, padding[0], padding[1]}, {0, 0, padding[0], padding[1]});
  const auto indices = [&](std::size_t i, std::int64_t axis) {  // [kernel, windows]
    const std::int64_t reach = dilation[i] * (kernel[i] - 1) + 1;
    const ValueId count =
        window_count(b, graph::dim_scalar(b, x, axis), reach, std::max<std::int64_t>(stride[i], 1));
    const ValueId starts = int_op(b, "Mul", range(b, count), stride[i]);
    const ValueId steps = int_op(b, "Mul", range(b, graph::int_scalar(b, kernel[i])), dilation[i]);
    return graph::binary(b, "Add", graph::unsqueeze(b, steps, {1}), starts);
  };
  const ValueId rows = indices(0, 2);
  const ValueId columns = indices(1, 3);
  const ValueId cut = graph::gather(b, graph::gather(b, x, rows, 2), columns, 4);  // n c kh oh kw ow
  return reshaped(c, graph::transpose(b, cut, {0, 1, 2, 4, 3, 5}),
                  {n, channels * kernel[0] * kernel[1], std::int64_t{-1}});
}

Outputs col2im(Call& c) {
  const Ints padding = c.ints("padding");
  if (padding.size() != 2) return c.refuse("needs two paddings");
  return c.b.add("Col2Im",
                 {c.tensor("self"), graph::lengths(c.b, c.lengths("output_size")),
                  graph::ints(c.b, c.ints("kernel_size"))},
                 {{"dilations", c.ints("dilation")},
                  {"pads", Ints{padding[0], padding[1], padding[0], padding[1]}},
                  {"strides", c.ints("stride")}});
}

Outputs trilu(Call& c, bool upper) {
  const ValueId x = c.tensor("self");
  const DType dtype = c.b.dtype(x);
  const DType wide = is_floating(dtype) || dtype == DType::kBool ? dtype : DType::kInt64;
  const ValueId part =
      c.b.add("Trilu", {graph::cast(c.b, x, wide), graph::int_scalar(c.b, c.integer("diagonal"))},
              {{"upper", std::int64_t{upper ? 1 : 0}}});
  return graph::cast(c.b, part, dtype);
}
// The elements of a tensor that lies in order, read with other strides.
Outputs as_strided(Call& c) {
  Builder& b = c.b;
  const ValueId x = c.tensor("self");
  const std::vector<Length> size = c.lengths("size");
  const Ints stride = c.ints("stride");
  const std::int64_t offset = c.integer("storage_offset");
  if (size.size() != stride.size()) return c.refuse("size and stride differ in length");
  const auto known = [&](std::size_t i) { return std::get_if<std::int64_t>(&size[i]); };
  bool in_order = offset == 0;
  std::int64_t step = 1;
  for (std::size_t i = size.size(); i-- > 0;) {
    const auto* const length = known(i);
    in_order = in_order && ((length != nullptr && *length == 1) || stride[i] == step) &&
               (length != nullptr || i == 0);
    if (length != nullptr && __builtin_mul_overflow(step, std::max<std::int64_t>(*length, 1), &step))
      return c.refuse("too many elements");
  }
  if (in_order) return reshaped(c, x, size);
  constexpr std::int64_t kMost = 1 << 22;
  if (step > kMost || !b.type(x).is_static()) return c.refuse("other strides than those of its input");
  Ints indices{offset};
  for (std::size_t i = 0; i < size.size(); ++i) {
    const auto* const length = known(i);
    if (length == nullptr) return c.refuse("other strides than those of its input");
    Ints next;
    for (const std::int64_t at : indices)
      for (std::int64_t j = 0; j < *length; ++j) next.push_back(at + j * stride[i]);
    indices = std::move(next);
  }
  return reshaped(c, graph::gather(b, graph::reshape(b, x, Ints{-1}), graph::ints(b, indices), 0), size);
}

Outputs tril(Call& c) {
  return trilu(c, false);
}
Outputs triu(Call& c) {
  return trilu(c, true);
}

Outputs diagonal(Call& c) {
  Builder& b = c.b;
  ValueId x = c.tensor("self");
  const int rank = c.rank(x);
  if (rank < 2) return c.refuse("needs two axes");
  const std::int64_t one = c.axis("dim1", rank);
  const std::int64_t two = c.axis("dim2", rank);
  const std::int64_t offset = c.integer("offset", c.integer("diagonal"));
  Ints perm;
  for (int i = 0; i < rank; ++i)
    if (i != one && i != two) perm.push_back(i);
  perm.push_back(one), perm.push_back(two);
  x = graph::transpose(b, x, perm);
  const std::int64_t rows = c.size(x, -2);
  const std::int64_t columns = c.size(x, -1);
  if (std::max(rows, columns) > kMostPieces) return c.refuse("a diagonal that is too long");
  Ints indices;
  for (std::int64_t i = 0; i < rows; ++i)
    if (i + offset >= 0 && i + offset < columns) indices.push_back(i * columns + i + offset);
  return graph::gather(b, graph::flatten(b, x, rank - 2, rank - 1), graph::ints(b, indices), rank - 2);
}

Outputs diag(Call& c) {
  Builder& b = c.b;
  const ValueId x = c.tensor("self");
  const int rank = c.rank(x);
  const std::int64_t offset = c.integer("diagonal");
  if (rank == 2) {
    const std::int64_t rows = c.size(x, 0);
    const std::int64_t columns = c.size(x, 1);
    if (std::max(rows, columns) > kMostPieces) return c.refuse("a diagonal that is too long");
    Ints indices;
    for (std::int64_t i = 0; i < rows; ++i)
      if (i + offset >= 0 && i + offset < columns) indices.push_back(i * columns + i + offset);
    return graph::gather(b, graph::reshape(b, x, Ints{-1}), graph::ints(b, indices), 0);
  }
  if (offset != 0) return c.refuse("an offset");
  const std::int64_t n = c.size(x, 0);
  if (n > 4096) return c.refuse("a diagonal that is too long");
  const ValueId eye = b.add("EyeLike", {graph::full(b, b.dtype(x), tensor::Shape{n, n}, 0)});
  return graph::binary(b, "Mul", graph::unsqueeze(b, x, {0}), eye);
}

Outputs meshgrid(Call& c) {
  Builder& b = c.b;
  std::vector<ValueId> values = c.tensors("tensors");
  const bool xy = c.text("indexing", "ij") == "xy" && values.size() > 1;
  if (xy) std::swap(values[0], values[1]);
  std::vector<ValueId> sizes;
  for (const ValueId value : values)
    sizes.push_back(c.rank(value) == 0 ? graph::ints(b, {1}) : graph::dim_of(b, value, 0));
  if (values.empty()) return c.refuse("no tensors");
  const ValueId shape = graph::concat(b, sizes, 0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    Ints as(values.size(), 1);
    as[i] = -1;
    values[i] = graph::expand(b, graph::reshape(b, values[i], as), shape);
    if (xy) values[i] = graph::swap_axes(b, values[i], 0, 1);
  }
  if (xy) std::swap(values[0], values[1]);
  return Outputs::list(values);
}

Outputs to(Call& c) {
  const ValueId x = c.tensor("self");
  if (const auto dtype = c.dtype()) return graph::cast(c.b, x, *dtype);
  if (c.has("other")) return graph::cast(c.b, x, c.b.dtype(c.tensor("other")));
  return x;
}

template <DType dtype>
Outputs cast_to(Call& c) {
  return graph::cast(c.b, c.tensor("self"), dtype);
}

Outputs atleast(Call& c, int least) {
  ValueId x = c.tensor("self");
  if (c.rank(x) == 0) x = graph::reshape(c.b, x, Ints{1});
  if (least >= 2 && c.rank(x) == 1) x = graph::unsqueeze(c.b, x, {0});
  return x;
}
Outputs atleast_1d(Call& c) {
  return atleast(c, 1);
}
Outputs atleast_2d(Call& c) {
  return atleast(c, 2);
}

constexpr auto kRows = std::to_array<Operator>({
    {"aten::view(Tensor(a) self, SymInt[] size) -> Tensor(a)", view},
    {"aten::view_copy(Tensor self, SymInt[] size) -> Tensor", view},
    {"aten::_unsafe_view(Tensor self, SymInt[] size) -> Tensor", view},
    {"aten::view_as(Tensor(a) self, Tensor other) -> Tensor(a)", view_as},
    {"aten::reshape(Tensor(a) self, SymInt[] shape) -> Tensor(a)", view},
    {"aten::_reshape_copy(Tensor self, SymInt[] size) -> Tensor", view},
    {"aten::reshape_as(Tensor(a) self, Tensor other) -> Tensor(a)", view_as},
    {"aten::flatten.using_ints(Tensor(a) self, int start_dim=0, int end_dim=-1) -> Tensor(a)", flatten},
    {"aten::ravel(Tensor(a) self) -> Tensor(a)", ravel},
    {"aten::unflatten.int(Tensor(a) self, int dim, SymInt[] sizes) -> Tensor(a)", unflatten},
    {"aten::expand(Tensor(a) self, SymInt[] size, *, bool implicit=False) -> Tensor(a)", expand},
    {"aten::expand_copy(Tensor self, SymInt[] size, *, bool implicit=False) -> Tensor", expand},
    {"aten::broadcast_to(Tensor(a) self, SymInt[] size) -> Tensor(a)", expand},
    {"aten::expand_as(Tensor(a) self, Tensor other) -> Tensor(a)", expand_as},
    {"aten::broadcast_tensors(Tensor[] tensors) -> Tensor[]", broadcast_tensors},
    {"aten::permute(Tensor(a) self, int[] dims) -> Tensor(a)", permute},
    {"aten::permute_copy(Tensor self, int[] dims) -> Tensor", permute},
    {"aten::transpose.int(Tensor(a) self, int dim0, int dim1) -> Tensor(a)", transpose},
    {"aten::swapdims(Tensor(a) self, int dim0, int dim1) -> Tensor(a)", transpose},
    {"aten::swapaxes(Tensor(a) self, int axis0, int axis1) -> Tensor(a)", swapaxes},
    {"aten::t(Tensor(a) self) -> Tensor(a)", t},
    {"aten::mT(Tensor(a) self) -> Tensor(a)", matrix_transpose},
    {"aten::adjoint(Tensor(a) self) -> Tensor(a)", matrix_transpose},
    {"aten::numpy_T(Tensor(a) self) -> Tensor(a)", numpy_t},
    {"aten::movedim.int(Tensor(a) self, int source, int destination) -> Tensor(a)", movedim},
    {"aten::movedim.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)", movedim},
    {"aten::moveaxis.int(Tensor(a) self, int source, int destination) -> Tensor(a)", movedim},
    {"aten::moveaxis.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)", movedim},
    {"aten::squeeze(Tensor(a) self) -> Tensor(a)", squeeze},
    {"aten::squeeze.dim(Tensor(a) self, int dim) -> Tensor(a)", squeeze},
    {"aten::squeeze.dims(Tensor(a) self, int[] dim) -> Tensor(a)", squeeze},
    {"aten::unsqueeze(Tensor(a) self, int dim) -> Tensor(a)", unsqueeze},
    {"aten::unsqueeze_copy(Tensor self, int dim) -> Tensor", unsqueeze},
    {"aten::cat(Tensor[] tensors, int dim=0) -> Tensor", cat},
    {"aten::concat(Tensor[] tensors, int dim=0) -> Tensor", cat},
    {"aten::concatenate(Tensor[] tensors, int dim=0) -> Tensor", cat},
    {"aten::stack(Tensor[] tensors, int dim=0) -> Tensor", stack},
    {"aten::hstack(Tensor[] tensors) -> Tensor", hstack},
    {"aten::vstack(Tensor[] tensors) -> Tensor", vstack},
    {"aten::split.Tensor(Tensor(a) self, SymInt split_size, int dim=0) -> Tensor(a)[]", split},
    {"aten::split.sizes(Tensor(a) self, SymInt[] split_size, int dim=0) -> Tensor(a)[]", split_with_sizes},
    {"aten::split_with_sizes(Tensor(a) self, SymInt[] split_sizes, int dim=0) -> Tensor(a)[]",
     split_with_sizes},
    {"aten::split_with_sizes_copy(Tensor self, SymInt[] split_sizes, int dim=0) -> Tensor[]",
     split_with_sizes},
    {"aten::unsafe_split.Tensor(Tensor self, SymInt split_size, int dim=0) -> Tensor[]", split},
    {"aten::unsafe_split_with_sizes(Tensor self, SymInt[] split_sizes, int dim=0) -> Tensor[]",
     split_with_sizes},
    {"aten::unsafe_chunk(Tensor self, int chunks, int dim=0) -> Tensor[]", chunk},
    {"aten::as_strided(Tensor(a) self, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) -> "
     "Tensor(a)",
     as_strided},
    {"aten::chunk(Tensor(a) self, int chunks, int dim=0) -> Tensor(a)[]", chunk},
    {"aten::tensor_split.sections(Tensor(a) self, SymInt sections, int dim=0) -> Tensor(a)[]", tensor_split},
    {"aten::tensor_split.indices(Tensor(a) self, SymInt[] indices, int dim=0) -> Tensor(a)[]", tensor_split},
    {"aten::unbind.int(Tensor(a) self, int dim=0) -> Tensor(a)[]", unbind},
    {"aten::slice.Tensor(Tensor(a) self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) -> "
     "Tensor(a)",
     slice},
    {"aten::slice_copy.Tensor(Tensor self, int dim=0, SymInt? start=None, SymInt? end=None, SymInt step=1) "
     "-> Tensor",
     slice},
    {"aten::narrow(Tensor(a) self, int dim, SymInt start, SymInt length) -> Tensor(a)", narrow},
    {"aten::select.int(Tensor(a) self, int dim, SymInt index) -> Tensor(a)", select},
    {"aten::select_copy.int(Tensor self, int dim, SymInt index) -> Tensor", select},
    {"aten::repeat(Tensor self, SymInt[] repeats) -> Tensor", repeat},
    {"aten::tile(Tensor self, SymInt[] dims) -> Tensor", repeat},
    {"aten::repeat_interleave.self_int(Tensor self, SymInt repeats, int? dim=None, *, SymInt? "
     "output_size=None) -> "
     "Tensor",
     repeat_interleave},
    {"aten::flip(Tensor self, int[] dims) -> Tensor", flip},
    {"aten::roll(Tensor self, SymInt[1] shifts, int[1] dims=[]) -> Tensor", roll},
    {"aten::pixel_shuffle(Tensor self, int upscale_factor) -> Tensor", pixel_shuffle},
    {"aten::pixel_unshuffle(Tensor self, int downscale_factor) -> Tensor", pixel_unshuffle},
    {"aten::channel_shuffle(Tensor self, SymInt groups) -> Tensor", channel_shuffle},
    {"aten::unfold(Tensor(a) self, int dimension, int size, int step) -> Tensor(a)", unfold},
    {"aten::unfold_copy(Tensor self, int dimension, int size, int step) -> Tensor", unfold},
    {"aten::im2col(Tensor self, int[2] kernel_size, int[2] dilation, int[2] padding, int[2] stride) -> "
     "Tensor",
     im2col},
    {"aten::col2im(Tensor self, SymInt[2] output_size, int[2] kernel_size, int[2] dilation, int[2] padding, "
     "int[2] "
     "stride) -> Tensor",
     col2im},
    {"aten::tril(Tensor self, SymInt diagonal=0) -> Tensor", tril},
    {"aten::triu(Tensor self, SymInt diagonal=0) -> Tensor", triu},
    {"aten::diagonal(Tensor(a) self, int offset=0, int dim1=0, int dim2=1) -> Tensor(a)", diagonal},
    {"aten::diagonal_copy(Tensor self, int offset=0, int dim1=0, int dim2=1) -> Tensor", diagonal},
    {"aten::diag(Tensor self, int diagonal=0) -> Tensor", diag},
    {"aten::meshgrid(Tensor[] tensors) -> Tensor[]", meshgrid},
    {"aten::meshgrid.indexing(Tensor[] tensors, *, str indexing) -> Tensor[]", meshgrid},
    {"aten::to.dtype_layout(Tensor(a) self, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, bool? "
     "pin_memory=None, bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> "
     "Tensor(a)",
     to},
    {"aten::to.device(Tensor(a) self, Device device, ScalarType dtype, bool non_blocking=False, bool "
     "copy=False, "
     "MemoryFormat? memory_format=None) -> Tensor(a)",
     to},
    {"aten::to.dtype(Tensor(a) self, ScalarType dtype, bool non_blocking=False, bool copy=False, "
     "MemoryFormat? "
     "memory_format=None) -> Tensor(a)",
     to},
    {"aten::to.other(Tensor(a) self, Tensor other, bool non_blocking=False, bool copy=False, MemoryFormat? "
     "memory_format=None) -> Tensor(a)",
     to},
    {"aten::to.prim_Device(Tensor(a) self, Device? device, int? dtype=None, bool non_blocking=False, bool "
     "copy=False) "
     "-> Tensor(a)",
     to},
    {"aten::_to_copy(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None, bool non_blocking=False, MemoryFormat? memory_format=None) -> Tensor",
     to},
    {"aten::type_as(Tensor self, Tensor other) -> Tensor", to},
    {"aten::float(Tensor(a) self) -> Tensor(a)", cast_to<DType::kFloat32>},
    {"aten::double(Tensor(a) self) -> Tensor(a)", cast_to<DType::kFloat64>},
    {"aten::half(Tensor(a) self) -> Tensor(a)", cast_to<DType::kFloat16>},
    {"aten::bfloat16(Tensor(a) self) -> Tensor(a)", cast_to<DType::kBfloat16>},
    {"aten::long(Tensor(a) self) -> Tensor(a)", cast_to<DType::kInt64>},
    {"aten::int(Tensor(a) self) -> Tensor(a)", cast_to<DType::kInt32>},
    {"aten::bool(Tensor(a) self) -> Tensor(a)", cast_to<DType::kBool>},
    {"aten::atleast_1d(Tensor self) -> Tensor", atleast_1d},
    {"aten::atleast_2d(Tensor self) -> Tensor", atleast_2d},
});

}  // namespace

std::span<const Operator> shape_operators() {
  return kRows;
}

}  // namespace wherry::torch
