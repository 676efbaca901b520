// Operators that rearrange, pick or make elements, and reductions.
#include <algorithm>
#include <array>

#include "graph/rules.h"
#include "graph/slices.h"

#include "base/text.h"

namespace wherry::graph {
namespace {

using tensor::DType;

// Product of what is known and the symbols left over.
struct Product {
  std::int64_t number = 1;
  std::vector<std::uint32_t> symbols;
  bool valid = true;

  void times(const Dim& dim) {
    if (dim.known())
      valid = valid && !__builtin_mul_overflow(number, dim.number, &number);
    else
      symbols.push_back(dim.symbol);
  }
};

// What an axis of length `whole` is, when the others of its tensor have the length `part`.
Dim quotient(Builder& builder, Product whole, const Product& part) {
  for (const std::uint32_t symbol : part.symbols) {
    const auto at = std::ranges::find(whole.symbols, symbol);
    if (at == whole.symbols.end()) return builder.fresh();
    whole.symbols.erase(at);
  }
  if (!whole.valid || !part.valid || part.number == 0 || whole.number % part.number != 0)
    return builder.fresh();
  const std::int64_t number = whole.number / part.number;
  if (whole.symbols.empty()) return {number, 0};
  if (whole.symbols.size() == 1 && number == 1) return {0, whole.symbols[0]};
  return builder.fresh();
}

void reshape(Inference& i) {
  const auto target = i.elements(1);
  const Type& shape = i.in(1);
  if (shape.dtype != DType::kInt64) return i.fail("the shape is not int64");
  if (!target) {
    if (shape.ranked && shape.rank() == 1 && shape.dims[0].known() && shape.dims[0].number < 64) {
      Dims dims;
      for (std::int64_t k = 0; k < shape.dims[0].number; ++k) dims.push_back(i.builder.fresh());
      i.dims(0, std::move(dims));
    }
    return;
  }
  const Type& from = i.in(0);
  const bool zero_is_zero = i.int_or("allowzero", 0) != 0;
  Dims dims;
  Product part;
  std::optional<std::size_t> computed;
  for (std::size_t k = 0; k < target->size(); ++k) {
    Dim dim = (*target)[k];
    if (dim.is(0) && !zero_is_zero) {
      if (from.ranked && k >= from.rank())
        return i.fail("a length is to be kept of an axis which is not there");
      dim = from.ranked ? from.dims[k] : i.builder.fresh();
    } else if (dim.is(-1)) {
      if (computed) return i.fail("two lengths are to be computed");
      computed = k;
    } else if (dim.known() && dim.number < 0) {
      return i.fail("a length is negative");
    }
    if (!dim.is(-1)) part.times(dim);
    dims.push_back(dim);
  }
  Product whole;
  for (const Dim& dim : from.dims) whole.times(dim);
  if (computed) dims[*computed] = from.ranked ? quotient(i.builder, whole, part) : i.builder.fresh();
  const bool all_known = whole.symbols.empty() && part.symbols.empty() && from.ranked;
  if (all_known && whole.valid && part.valid) {
    const std::int64_t rest = computed ? dims[*computed].known() ? dims[*computed].number : -1 : 1;
    if (rest < 0 || whole.number != part.number * rest)
      return i.fail(base::cat(to_string(from), " does not have that many elements"));
  }
  i.dims(0, std::move(dims));
}

void transpose(Inference& i) {
  const Type& from = i.in(0);
  if (!from.ranked) return;
  const auto perm = ints_of(i.node.attributes, "perm");
  if (!perm.empty() && perm.size() != from.rank())
    return i.fail(base::cat(perm.size(), " axes for ", to_string(from)));
  Dims dims(from.dims.rbegin(), from.dims.rend());
  std::vector<bool> seen(perm.size());
  for (std::size_t k = 0; k < perm.size(); ++k) {
    if (perm[k] < 0 || perm[k] >= static_cast<std::int64_t>(perm.size()) ||
        seen[static_cast<std::size_t>(perm[k])])
      return i.fail("the axes are not a permutation");
    seen[static_cast<std::size_t>(perm[k])] = true;
    dims[k] = from.dims[static_cast<std::size_t>(perm[k])];
  }
  i.dims(0, std::move(dims));
}

void flatten(Inference& i) {
  const Type& from = i.in(0);
  if (!from.ranked) return;
  std::int64_t at = i.int_or("axis", 1);
  if (at < 0) at += static_cast<std::int64_t>(from.rank());
  if (at < 0 || at > static_cast<std::int64_t>(from.rank())) return i.fail("there is no such axis");
  Product halves[2];
  for (std::size_t k = 0; k < from.rank(); ++k)
    halves[static_cast<std::int64_t>(k) < at ? 0 : 1].times(from.dims[k]);
  i.dims(0, {quotient(i.builder, halves[0], {}), quotient(i.builder, halves[1], {})});
}

void squeeze(Inference& i) {
  const Type& from = i.in(0);
  const auto axes = i.known_ints(1);
  if (!from.ranked || (i.has(1) && !axes)) return;
  std::vector<bool> gone(from.rank());
  if (!axes)
    for (std::size_t k = 0; k < from.rank(); ++k) {
      if (!from.dims[k].known()) return;
      gone[k] = from.dims[k].is(1);
    }
  else
    for (const std::int64_t given : *axes) {
      const auto axis = i.axis(given, from.rank());
      if (!axis) return;
      if (from.dims[*axis].known() && !from.dims[*axis].is(1))
        return i.fail(base::cat("axis ", given, " of ", to_string(from), " is not of length 1"));
      gone[*axis] = true;
    }
  Dims dims;
  for (std::size_t k = 0; k < from.rank(); ++k)
    if (!gone[k]) dims.push_back(from.dims[k]);
  i.dims(0, std::move(dims));
}

void unsqueeze(Inference& i) {
  const Type& from = i.in(0);
  const auto axes = i.known_ints(1);
  if (!from.ranked || !axes) return;
  const std::size_t rank = from.rank() + axes->size();
  std::vector<bool> is_new(rank);
  for (const std::int64_t given : *axes) {
    const auto axis = i.axis(given, rank);
    if (!axis) return;
    if (is_new[*axis]) return i.fail("an axis is named twice");
    is_new[*axis] = true;
  }
  Dims dims;
  std::size_t next = 0;
  for (std::size_t k = 0; k < rank; ++k) dims.push_back(is_new[k] ? Dim{1, 0} : from.dims[next++]);
  i.dims(0, std::move(dims));
}

void concat(Inference& i) {
  const Type& first = i.in(0);
  if (!first.ranked) return;
  const auto axis = i.axis(i.int_or("axis", 0), first.rank());
  if (!axis) return;
  Dims dims = first.dims;
  for (std::size_t k = 1; k < i.node.inputs.size(); ++k) {
    const Type& next = i.in(k);
    if (next.dtype != first.dtype || (next.ranked && next.rank() != first.rank()))
      return i.fail(base::cat("inputs of the types ", to_string(first), " and ", to_string(next)));
    for (std::size_t a = 0; a < dims.size(); ++a) {
      const Dim other = next.ranked ? next.dims[a] : i.builder.fresh();
      if (a == *axis)
        dims[a] = sum(i.builder, dims[a], other);
      else if (!dims[a].known() && other.known())
        dims[a] = other;
      else if (dims[a].known() && other.known() && dims[a] != other)
        return i.fail(base::cat("inputs of the types ", to_string(first), " and ", to_string(next)));
    }
  }
  i.dims(0, std::move(dims));
}

void split(Inference& i) {
  const Type& from = i.in(0);
  if (!from.ranked) return;
  const auto axis = i.axis(i.int_or("axis", 0), from.rank());
  if (!axis) return;
  const auto sizes = i.known_ints(1);
  if (sizes && sizes->size() != i.outputs.size()) return i.fail("as many sizes as parts are needed");
  const Dim whole = from.dims[*axis];
  const auto parts = static_cast<std::int64_t>(i.outputs.size());
  for (std::size_t k = 0; k < i.outputs.size(); ++k) {
    Dims dims = from.dims;
    if (sizes) {
      dims[*axis] = {(*sizes)[k], 0};
    } else if (whole.known() && !i.has(1)) {
      const std::int64_t each = (whole.number + parts - 1) / parts;
      const auto before = static_cast<std::int64_t>(k) * each;
      dims[*axis] = {std::clamp(whole.number - before, std::int64_t{0}, each), 0};
    } else {
      dims[*axis] = i.builder.fresh();
    }
    i.dims(k, std::move(dims));
  }
}

Dim sliced(Inference& i, const Dim& length, std::int64_t start, std::int64_t end, std::int64_t step) {
  if (step == 0) {
    i.fail("a step is 0");
    return length;
  }
  if (!length.known()) {
    const bool whole = start == 0 && step == 1 && end >= INT32_MAX;
    return whole || (step == -1 && start == -1 && end <= -INT32_MAX) ? length : i.builder.fresh();
  }
  return {slice_bounds(start, end, step, length.number).count, 0};
}

void slice(Inference& i) {
  const Type& from = i.in(0);
  if (!from.ranked) return;
  const auto starts = i.known_ints(1);
  const auto ends = i.known_ints(2);
  const auto axes = i.known_ints(3);
  const auto steps = i.known_ints(4);
  Dims dims = from.dims;
  if (i.has(3) && !axes) {
    for (Dim& dim : dims) dim = i.builder.fresh();
    return i.dims(0, std::move(dims));
  }
  const std::size_t count = axes ? axes->size() : starts ? starts->size() : from.rank();
  if ((starts && starts->size() > count) || (ends && ends->size() > count) ||
      (steps && steps->size() != count))
    return i.fail("more bounds than axes");
  for (std::size_t k = 0; k < count; ++k) {
    const auto axis = i.axis(axes ? (*axes)[k] : static_cast<std::int64_t>(k), from.rank());
    if (!axis) return;
    if (starts && ends && k < starts->size() && k < ends->size() && (steps || !i.has(4)))
      dims[*axis] = sliced(i, dims[*axis], (*starts)[k], (*ends)[k], steps ? (*steps)[k] : 1);
    else
      dims[*axis] = i.builder.fresh();
  }
  i.dims(0, std::move(dims));
}

void gather(Inference& i) {
  const Type& from = i.in(0);
  const Type& indices = i.in(1);
  if (!from.ranked || !indices.ranked) return;
  const auto axis = i.axis(i.int_or("axis", 0), from.rank());
  if (!axis) return;
  const auto at = from.dims.begin() + static_cast<std::ptrdiff_t>(*axis);
  Dims dims(from.dims.begin(), at);
  dims.insert(dims.end(), indices.dims.begin(), indices.dims.end());
  dims.insert(dims.end(), at + 1, from.dims.end());
  i.dims(0, std::move(dims));
}

void gather_elements(Inference& i) {
  i.outputs[0] = {i.in(0).dtype, i.in(1).ranked, i.in(1).dims};
}

void gather_nd(Inference& i) {
  const Type& from = i.in(0);
  const Type& indices = i.in(1);
  if (!from.ranked || !indices.ranked || indices.rank() == 0 || !indices.dims.back().known()) return;
  const auto batch = static_cast<std::size_t>(std::max<std::int64_t>(i.int_or("batch_dims", 0), 0));
  const auto used = static_cast<std::size_t>(std::max<std::int64_t>(indices.dims.back().number, 0));
  if (batch + used > from.rank()) return i.fail("more indices than axes");
  Dims dims(indices.dims.begin(), indices.dims.end() - 1);
  dims.insert(dims.end(), from.dims.begin() + static_cast<std::ptrdiff_t>(batch + used), from.dims.end());
  i.dims(0, std::move(dims));
}

void same(Inference& i) {
  i.outputs[0] = i.in(0);
}

void expand(Inference& i) {
  const auto target = i.elements(1);
  if (!target) {
    const Type& shape = i.in(1);
    if (!i.in(0).ranked || !shape.ranked || shape.rank() != 1 || !shape.dims[0].known() ||
        shape.dims[0].number > 64)
      return;
    Dims dims(std::max(static_cast<std::size_t>(shape.dims[0].number), i.in(0).rank()));
    for (Dim& dim : dims) dim = i.builder.fresh();
    return i.dims(0, std::move(dims));
  }
  const Type to{i.in(0).dtype, true, *target};
  const Type* const types[] = {&i.in(0), &to};
  if (auto dims = broadcast(i.builder, types)) i.dims(0, std::move(*dims));
}

void tile(Inference& i) {
  const auto repeats = i.known_ints(1);
  if (!i.in(0).ranked) return;
  Dims dims = i.in(0).dims;
  if (repeats && repeats->size() != dims.size()) return i.fail("as many repeats as axes are needed");
  for (std::size_t k = 0; k < dims.size(); ++k) {
    std::int64_t length = 0;
    if (repeats && (*repeats)[k] == 1) continue;
    dims[k] = repeats && dims[k].known() && !__builtin_mul_overflow(dims[k].number, (*repeats)[k], &length)
                  ? Dim{length, 0}
                  : i.builder.fresh();
  }
  i.dims(0, std::move(dims));
}

void pad(Inference& i) {
  const Type& from = i.in(0);
  if (!from.ranked) return;
  const auto pads = i.known_ints(1);
  const auto axes = i.known_ints(3);
  Dims dims = from.dims;
  const std::size_t count = axes ? axes->size() : dims.size();
  if (pads && pads->size() != 2 * count) return i.fail("two lengths per axis are needed");
  for (std::size_t k = 0; k < count; ++k) {
    const auto axis = i.axis(axes ? (*axes)[k] : static_cast<std::int64_t>(k), dims.size());
    if (!axis) return;
    const bool is_known = pads && !(i.has(3) && !axes);
    const Dim before{is_known ? (*pads)[k] : 0, 0};
    const Dim after{is_known ? (*pads)[count + k] : 0, 0};
    if (is_known && before.number == 0 && after.number == 0) continue;
    Dim& dim = dims[*axis];
    dim = is_known ? sum(i.builder, sum(i.builder, dim, before), after) : i.builder.fresh();
    if (dim.known()) dim.number = std::max<std::int64_t>(dim.number, 0);
  }
  i.dims(0, std::move(dims));
}

void shape(Inference& i) {
  i.outputs[0] = {DType::kInt64, true, {i.builder.fresh()}};
  if (!i.in(0).ranked) return;
  const auto rank = static_cast<std::int64_t>(i.in(0).rank());
  i.outputs[0].dims = {{slice_bounds(i.int_or("start", 0), i.int_or("end", rank), 1, rank).count, 0}};
}

void size(Inference& i) {
  i.outputs[0] = {DType::kInt64, true, {}};
}

void constant_of_shape(Inference& i) {
  const auto* value = find(i.node.attributes, "value");
  const auto* tensor = value ? std::get_if<tensor::Tensor>(value) : nullptr;
  i.outputs[0] = {tensor ? tensor->dtype() : DType::kFloat32, false, {}};
  if (const auto target = i.elements(0)) {
    i.dims(0, *target);
  } else if (const Type& t = i.in(0);
             t.ranked && t.rank() == 1 && t.dims[0].known() && t.dims[0].number < 64) {
    Dims dims(static_cast<std::size_t>(std::max<std::int64_t>(t.dims[0].number, 0)));
    for (Dim& dim : dims) dim = i.builder.fresh();
    i.dims(0, std::move(dims));
  }
}

void range(Inference& i) {
  if (i.in(1).dtype != i.in(0).dtype || i.in(2).dtype != i.in(0).dtype) i.fail("bounds of two types");
  Dim length = i.builder.fresh();
  const auto start = i.elements(0);
  const auto limit = i.elements(1);
  const auto delta = i.elements(2);
  if (start && limit && delta && start->size() == 1 && limit->size() == 1 && delta->size() == 1) {
    if (start->front().is(0) && delta->front().is(1)) length = limit->front();
    if (start->front().known() && limit->front().known() && delta->front().known() &&
        delta->front().number != 0) {
      const std::int64_t step = delta->front().number;
      std::int64_t span = 0;
      const bool fits =
          !__builtin_sub_overflow(limit->front().number, start->front().number, &span) && step != INT64_MIN;
      if (fits)
        length = {
            std::max<std::int64_t>(0, span / step + (span % step != 0 && (span < 0) == (step < 0) ? 1 : 0)),
            0};
    }
  }
  i.dims(0, {length});
}

void reduce(Inference& i) {
  const Type& from = i.in(0);
  if (!from.ranked) return;
  const bool keep = i.int_or("keepdims", 1) != 0;
  const auto axes = i.known_ints(1);
  if (i.has(1) && !axes) {
    if (keep) {
      Dims dims = from.dims;
      for (Dim& dim : dims) dim = i.builder.fresh();
      i.dims(0, std::move(dims));
    }
    return;
  }
  std::vector<bool> gone(from.rank(), !axes || axes->empty());
  if (axes && axes->empty() && i.int_or("noop_with_empty_axes", 0) != 0) gone.assign(from.rank(), false);
  if (axes)
    for (const std::int64_t given : *axes) {
      const auto axis = i.axis(given, from.rank());
      if (!axis) return;
      gone[*axis] = true;
    }
  Dims dims;
  for (std::size_t k = 0; k < from.rank(); ++k) {
    if (!gone[k])
      dims.push_back(from.dims[k]);
    else if (keep)
      dims.push_back({1, 0});
  }
  i.dims(0, std::move(dims));
}

void arg_reduce(Inference& i) {
  i.outputs[0].dtype = DType::kInt64;
  const Type& from = i.in(0);
  if (!from.ranked) return;
  const auto axis = i.axis(i.int_or("axis", 0), from.rank());
  if (!axis) return;
  Dims dims = from.dims;
  if (i.int_or("keepdims", 1) != 0)
    dims[*axis] = {1, 0};
  else
    dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(*axis));
  i.dims(0, std::move(dims));
}

void top_k(Inference& i) {
  if (i.outputs.size() != 2) return i.fail("TopK has two outputs");
  i.outputs[1].dtype = DType::kInt64;
  const Type& from = i.in(0);
  if (!from.ranked) return;
  const auto axis = i.axis(i.int_or("axis", -1), from.rank());
  if (!axis) return;
  Dims dims = from.dims;
  const auto k = i.elements(1);
  dims[*axis] = k && k->size() == 1 ? k->front() : i.builder.fresh();
  i.dims(0, dims);
  i.dims(1, std::move(dims));
}

void one_hot(Inference& i) {
  i.outputs[0].dtype = i.in(2).dtype;
  const Type& from = i.in(0);
  if (!from.ranked) return;
  const auto axis = i.axis(i.int_or("axis", -1), from.rank() + 1);
  if (!axis) return;
  Dims dims = from.dims;
  const auto depth = i.builder.known_int(i.node.inputs[1]);
  dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(*axis), depth ? Dim{*depth, 0} : i.builder.fresh());
  i.dims(0, std::move(dims));
}

void non_zero(Inference& i) {
  i.outputs[0].dtype = DType::kInt64;
  if (!i.in(0).ranked) return;
  i.dims(0, {{static_cast<std::int64_t>(i.in(0).rank()), 0}, i.builder.fresh()});
}

void compress(Inference& i) {
  const Type& from = i.in(0);
  const auto* axis = find(i.node.attributes, "axis");
  if (axis == nullptr) return i.dims(0, {i.builder.fresh()});
  if (!from.ranked) return;
  const auto at = i.axis(i.int_or("axis", 0), from.rank());
  if (!at) return;
  Dims dims = from.dims;
  dims[*at] = i.builder.fresh();
  i.dims(0, std::move(dims));
}

void unique(Inference& i) {
  const Type& from = i.in(0);
  const Dim count = i.builder.fresh();
  if (find(i.node.attributes, "axis") == nullptr)
    i.dims(0, {count});
  else if (from.ranked) {
    const auto at = i.axis(i.int_or("axis", 0), from.rank());
    if (!at) return;
    Dims dims = from.dims;
    dims[*at] = count;
    i.dims(0, std::move(dims));
  }
  for (std::size_t k = 1; k < i.outputs.size(); ++k) {
    i.outputs[k].dtype = DType::kInt64;
    i.dims(k, {k == 2 ? i.builder.fresh() : count});
  }
}

// b × (c · s²) × h × w ↔ b × c × (h · s) × (w · s)
void rearrange_depth(Inference& i, bool to_space) {
  const Type& from = i.in(0);
  const std::int64_t s = i.int_or("blocksize", 1);
  if (!from.ranked || from.rank() != 4 || s < 1 || s > 1 << 15) return;
  const auto scaled = [&](const Dim& dim, std::int64_t by, bool up) {
    if (!dim.known()) return i.builder.fresh();
    std::int64_t length = 0;
    if (up) return __builtin_mul_overflow(dim.number, by, &length) ? i.builder.fresh() : Dim{length, 0};
    return Dim{dim.number / by, 0};
  };
  i.dims(0, {from.dims[0], scaled(from.dims[1], s * s, !to_space), scaled(from.dims[2], s, to_space),
             scaled(from.dims[3], s, to_space)});
}
void depth_to_space(Inference& i) {
  rearrange_depth(i, true);
}
void space_to_depth(Inference& i) {
  rearrange_depth(i, false);
}

void eye_like(Inference& i) {
  i.outputs[0] = i.in(0);
  if (const auto to = dtype_of_onnx(i.int_or("dtype", 0))) i.outputs[0].dtype = *to;
}

void non_max_suppression(Inference& i) {
  i.outputs[0].dtype = DType::kInt64;
  i.dims(0, {i.builder.fresh(), {3, 0}});
}

constexpr auto kRows = std::to_array<OpRow>({
    {"Reshape", 2, 2, reshape},
    {"Transpose", 1, 1, transpose},
    {"Flatten", 1, 1, flatten},
    {"Squeeze", 1, 2, squeeze},
    {"Unsqueeze", 2, 2, unsqueeze},
    {"Concat", 1, kAny, concat},
    {"Split", 1, 2, split},
    {"Slice", 3, 5, slice},
    {"Gather", 2, 2, gather},
    {"GatherElements", 2, 2, gather_elements},
    {"GatherND", 2, 2, gather_nd},
    {"ScatterElements", 3, 3, same},
    {"ScatterND", 3, 3, same},
    {"Expand", 2, 2, expand},
    {"Tile", 2, 2, tile},
    {"Pad", 2, 4, pad},
    {"Shape", 1, 1, shape},
    {"Size", 1, 1, size},
    {"ConstantOfShape", 1, 1, constant_of_shape},
    {"Range", 3, 3, range},
    {"ReduceL1", 1, 2, reduce},
    {"ReduceL2", 1, 2, reduce},
    {"ReduceLogSum", 1, 2, reduce},
    {"ReduceLogSumExp", 1, 2, reduce},
    {"ReduceMax", 1, 2, reduce},
    {"ReduceMean", 1, 2, reduce},
    {"ReduceMin", 1, 2, reduce},
    {"ReduceProd", 1, 2, reduce},
    {"ReduceSum", 1, 2, reduce},
    {"ReduceSumSquare", 1, 2, reduce},
    {"ArgMax", 1, 1, arg_reduce},
    {"ArgMin", 1, 1, arg_reduce},
    {"TopK", 2, 2, top_k},
    {"OneHot", 3, 3, one_hot},
    {"NonZero", 1, 1, non_zero},
    {"Compress", 2, 2, compress},
    {"Unique", 1, 1, unique},
    {"DepthToSpace", 1, 1, depth_to_space},
    {"SpaceToDepth", 1, 1, space_to_depth},
    {"EyeLike", 1, 1, eye_like},
    {"NonMaxSuppression", 2, 5, non_max_suppression},
});

}  // namespace

std::span<const OpRow> shape_rows() {
  return kRows;
}

}  // namespace wherry::graph
