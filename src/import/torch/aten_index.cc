// Picking elements by index, and putting them back.
#include <algorithm>
#include <array>
#include <numeric>
#include <ranges>

#include "graph/scatter.h"

#include "base/text.h"
#include "import/torch/operators.h"
#include "import/torch/scalar_type.h"

namespace wherry::torch {
namespace {

// self[i, :, j]: which axes have an index, and the indices as int64. A mask counts as one index per axis it
// spans.
struct Indexing {
  std::vector<ValueId> index;  // one per indexed axis
  std::vector<std::int64_t> axis;
  bool together = true;  // no axis without index between those with one
};

Indexing indexing(Call& c) {
  Builder& b = c.b;
  Indexing out;
  std::int64_t axis = 0;
  for (const ValueId value : c.tensors("indices")) {
    if (value == kNone) {
      ++axis;
      continue;
    }
    const DType dtype = b.dtype(value);
    if (dtype == DType::kBool || dtype == DType::kUint8) {
      const int rank = std::max(c.rank(value), 1);
      const ValueId places = b.add("NonZero", {graph::cast(b, value, DType::kBool)});  // [rank, n]
      for (int i = 0; i < rank; ++i) {
        out.index.push_back(graph::select(b, places, 0, i));
        out.axis.push_back(axis++);
      }
    } else {
      out.index.push_back(graph::cast(b, value, DType::kInt64));
      out.axis.push_back(axis++);
    }
  }
  for (std::size_t i = 1; i < out.axis.size(); ++i)
    out.together = out.together && out.axis[i] == out.axis[i - 1] + 1;
  return out;
}

// The axes with an index first.
Ints indexed_first(const Indexing& indexing, int rank) {
  Ints perm(indexing.axis.begin(), indexing.axis.end());
  for (int i = 0; i < rank; ++i)
    if (std::ranges::find(indexing.axis, i) == indexing.axis.end()) perm.push_back(i);
  return perm;
}

Ints inverse_of(const Ints& perm) {
  Ints out(perm.size());
  for (std::size_t i = 0; i < perm.size(); ++i)
    out[static_cast<std::size_t>(perm[i])] = static_cast<std::int64_t>(i);
  return out;
}

struct Joined {
  ValueId indices = kNone;  // [broadcast…, number of indexed axes]
  int rank = 0;             // of the broadcast part
};

Joined joined(Call& c, const Indexing& indexing) {
  Builder& b = c.b;
  ValueId all = indexing.index[0];
  for (std::size_t i = 1; i < indexing.index.size(); ++i)
    all = graph::binary(b, "Add", all, graph::binary(b, "Mul", indexing.index[i], graph::int_scalar(b, 0)));
  const bool alike = std::ranges::all_of(indexing.index, [&](ValueId index) {
    return b.rank(index) == b.rank(all) && b.type(index).dims == b.type(all).dims;
  });
  std::vector<ValueId> parts = indexing.index;
  if (!alike) {
    const ValueId shape = graph::shape_of(b, all);
    for (ValueId& part : parts) part = graph::expand(b, part, shape);
  }
  return {graph::stack(b, parts, -1), c.rank(all)};
}

Outputs index(Call& c) {
  Builder& b = c.b;
  const ValueId x = c.tensor("self");
  const Indexing where = indexing(c);
  const int rank = c.rank(x);
  if (where.index.empty()) return x;
  if (where.axis.back() >= rank) return c.refuse("more indices than axes");
  if (where.index.size() == 1) return graph::gather(b, x, where.index[0], where.axis[0]);
  const Ints perm = indexed_first(where, rank);
  const Joined all = joined(c, where);
  const ValueId picked = b.add("GatherND", {graph::transpose(b, x, perm), all.indices});
  // The broadcast axes stand first; they belong where the indexed ones were if these stood together.
  const std::int64_t place = where.together ? where.axis[0] : 0;
  if (place == 0) return picked;
  const int result = rank - static_cast<int>(where.axis.size()) + all.rank;
  Ints back;
  for (std::int64_t i = 0; i < place; ++i) back.push_back(all.rank + i);
  for (int i = 0; i < all.rank; ++i) back.push_back(i);
  for (int i = all.rank + static_cast<int>(place); i < result; ++i) back.push_back(i);
  return graph::transpose(b, picked, back);
}

// self[mask] = one value
std::optional<ValueId> masked_put(Call& c, ValueId x, ValueId values) {
  Builder& b = c.b;
  const std::vector<ValueId> indices = c.tensors("indices");
  if (indices.empty() || indices[0] == kNone || b.dtype(indices[0]) != DType::kBool || c.flag("accumulate"))
    return std::nullopt;
  if (std::ranges::any_of(indices | std::views::drop(1), [](ValueId value) { return value != kNone; }))
    return std::nullopt;
  const bool one =
      b.rank(values) == 0 ||
      (b.type(values).is_static() &&
       std::ranges::all_of(b.type(values).dims, [](const graph::Dim& dim) { return dim.is(1); }));
  if (!one) return std::nullopt;
  ValueId mask = indices[0];
  Ints behind;
  for (int i = c.rank(mask); i < c.rank(x); ++i) behind.push_back(i);
  if (!behind.empty()) mask = graph::unsqueeze(b, mask, behind);
  return graph::where(b, mask, graph::reshape(b, values, Ints{}), x);
}

Outputs index_put(Call& c) {
  Builder& b = c.b;
  const ValueId x = c.tensor("self");
  const DType dtype = b.dtype(x);
  const ValueId values = graph::cast(b, c.tensor("values"), dtype);
  if (const auto masked = masked_put(c, x, values)) return *masked;
  const Indexing where = indexing(c);
  const int rank = c.rank(x);
  if (where.index.empty()) return graph::expand(b, values, graph::shape_of(b, x));
  if (where.axis.back() >= rank) return c.refuse("more indices than axes");
  const Ints perm = indexed_first(where, rank);
  const ValueId data = graph::transpose(b, x, perm);
  const Joined all = joined(c, where);
  const auto indexed = static_cast<std::int64_t>(where.axis.size());
  const std::int64_t place = where.together ? where.axis[0] : 0;
  // The shape of self[indices], and the values in it.
  const ValueId broadcast = graph::slice(b, graph::shape_of(b, all.indices), 0, 0, -1);
  const ValueId rest = graph::slice(b, graph::shape_of(b, data), 0, indexed, graph::kToEnd);
  const ValueId shape = graph::concat(
      b, {graph::slice(b, rest, 0, 0, place), broadcast, graph::slice(b, rest, 0, place, graph::kToEnd)}, 0);
  ValueId updates = graph::expand(b, values, shape);
  if (place != 0) {
    const int result = rank - static_cast<int>(indexed) + all.rank;
    Ints front;
    for (int i = 0; i < all.rank; ++i) front.push_back(place + i);
    for (int i = 0; i < result; ++i)
      if (i < place || i >= place + all.rank) front.push_back(i);
    updates = graph::transpose(b, updates, front);
  }
  const ValueId put = c.flag("accumulate") ? graph::scatter_reduced(b, data, all.indices, updates, "add")
                                           : b.add("ScatterND", {data, all.indices, updates});
  return graph::transpose(b, put, inverse_of(perm));
}

Outputs gather(Call& c) {
  const ValueId x = c.tensor("self");
  const int rank = c.rank(x);
  const ValueId index = graph::cast(c.b, c.tensor("index"), DType::kInt64);
  if (rank == 0) return graph::expand(c.b, x, graph::shape_of(c.b, index));
  return c.b.add("GatherElements", {x, index}, {{"axis", c.axis("dim", rank)}});
}

ValueId cut_to(Call& c, ValueId source, ValueId index) {
  Builder& b = c.b;
  if (b.type(source).dims == b.type(index).dims) return source;
  Ints axes;
  for (int i = 0; i < c.rank(index); ++i) axes.push_back(i);
  return graph::slice(b, source, graph::ints(b, Ints(axes.size(), 0)), graph::shape_of(b, index), axes);
}

Outputs scattered(Call& c, std::string_view reduction) {
  Builder& b = c.b;
  const ValueId x = c.tensor("self");
  const DType dtype = b.dtype(x);
  const ValueId index = graph::cast(b, c.tensor("index"), DType::kInt64);
  const bool by_value = c.has("value");
  const ValueId updates = by_value
                              ? graph::expand(b, as_dtype(b, c["value"], dtype), graph::shape_of(b, index))
                              : cut_to(c, graph::cast(b, c.tensor("src"), dtype), index);
  return b.add("ScatterElements", {x, index, updates},
               {{"axis", c.axis("dim", c.rank(x))}, {"reduction", std::string(reduction)}});
}

Outputs scatter(Call& c) {
  const std::string reduce = c.text("reduce");
  return scattered(c, reduce.empty() ? "none" : reduce == "add" ? "add" : "mul");
}
Outputs scatter_add(Call& c) {
  return scattered(c, "add");
}

struct Reduction {
  std::string_view torch;
  std::string_view onnx;
};
constexpr auto kReductions =
    std::to_array<Reduction>({{"sum", "add"}, {"prod", "mul"}, {"amax", "max"}, {"amin", "min"}});

Outputs scatter_reduce(Call& c) {
  const std::string reduce = c.text("reduce");
  const auto row = std::ranges::find(kReductions, reduce, &Reduction::torch);
  if (row == kReductions.end() || !c.flag("include_self", true))
    return c.refuse(base::cat("the reduction ", reduce, ", or include_self=False"));
  return scattered(c, row->onnx);
}

Outputs index_select(Call& c) {
  const ValueId x = c.tensor("self");
  const int rank = c.rank(x);
  ValueId index = c.tensor("index");
  if (c.rank(index) == 0) index = graph::reshape(c.b, index, Ints{1});
  if (rank == 0) return x;
  return graph::gather(c.b, x, index, c.axis("dim", rank));
}

// Rows of self along an axis, changed at `index` (a vector).
Outputs along_axis(Call& c, ValueId updates, std::string_view reduction) {
  Builder& b = c.b;
  const ValueId x = c.tensor("self");
  const int rank = c.rank(x);
  const std::int64_t axis = c.axis("dim", rank);
  ValueId index = graph::cast(b, c.tensor("index"), DType::kInt64);
  if (c.rank(index) == 0) index = graph::reshape(b, index, Ints{1});
  Ints perm(static_cast<std::size_t>(rank));
  std::iota(perm.begin(), perm.end(), 0);
  std::swap(perm[0], perm[static_cast<std::size_t>(axis)]);
  const ValueId data = graph::transpose(b, x, perm);
  ValueId values = updates;
  if (c.rank(updates) == 0) {
    const ValueId rest = graph::slice(b, graph::shape_of(b, data), 0, 1, graph::kToEnd);
    values = graph::expand(b, updates, graph::concat(b, {graph::shape_of(b, index), rest}, 0));
  } else {
    values = graph::transpose(b, updates, perm);
  }
  const ValueId places = graph::unsqueeze(b, index, {1});
  const ValueId put = reduction == "none" ? b.add("ScatterND", {data, places, values})
                                          : graph::scatter_reduced(b, data, places, values, reduction);
  return graph::transpose(b, put, perm);
}

Outputs index_add(Call& c) {
  const DType dtype = c.b.dtype(c.tensor("self"));
  ValueId source = graph::cast(c.b, c.tensor("source"), dtype);
  if (const double alpha = c.number("alpha", 1); alpha != 1)
    source = graph::binary(c.b, "Mul", source, alpha);
  return along_axis(c, source, "add");
}
Outputs index_copy(Call& c) {
  return along_axis(c, graph::cast(c.b, c.tensor("source"), c.b.dtype(c.tensor("self"))), "none");
}
Outputs index_fill(Call& c) {
  return along_axis(c, as_dtype(c.b, c["value"], c.b.dtype(c.tensor("self"))), "none");
}

Outputs take(Call& c) {
  return graph::gather(c.b, graph::reshape(c.b, c.tensor("self"), Ints{-1}), c.tensor("index"), 0);
}

Outputs take_along_dim(Call& c) {
  Builder& b = c.b;
  ValueId x = c.tensor("self");
  ValueId index = c.tensor("indices");
  if (!c.has("dim"))
    return b.add("GatherElements", {graph::reshape(b, x, Ints{-1}), graph::reshape(b, index, Ints{-1})},
                 {{"axis", std::int64_t{0}}});
  // Both are broadcast along the other axes.
  const std::int64_t axis = c.axis("dim", c.rank(x));
  const auto widened = [&](ValueId value, ValueId other) {
    std::vector<Length> shape;
    for (int i = 0; i < c.rank(other); ++i) {
      const graph::Dim dim = b.dim(other, i);
      shape.push_back(i == axis     ? Length(std::int64_t{1})
                      : dim.known() ? Length(dim.number)
                                    : Length(graph::dim_of(b, other, i)));
    }
    return graph::expand(b, value, graph::lengths(b, shape));
  };
  return b.add("GatherElements", {widened(x, index), widened(index, x)}, {{"axis", axis}});
}

Outputs masked_select(Call& c) {
  Builder& b = c.b;
  const ValueId x = c.tensor("self");
  const ValueId mask = graph::cast(b, c.tensor("mask"), DType::kBool);
  const ValueId wide_mask =
      graph::binary(b, "And", mask, graph::expand(b, graph::bool_scalar(b, true), graph::shape_of(b, x)));
  const ValueId wide = graph::expand(b, x, graph::shape_of(b, wide_mask));
  return b.add("Compress", {graph::reshape(b, wide, Ints{-1}), graph::reshape(b, wide_mask, Ints{-1})},
               {{"axis", std::int64_t{0}}});
}

Outputs nonzero(Call& c) {
  return graph::swap_axes(c.b, c.b.add("NonZero", {c.tensor("self")}), 0, 1);
}

Outputs nonzero_numpy(Call& c) {
  const std::string_view name = c.schema().parameters.front().name;
  const ValueId x = c.tensor(name);
  const ValueId places = c.b.add("NonZero", {x});
  std::vector<ValueId> out;
  for (int i = 0; i < std::max(c.rank(x), 1); ++i) out.push_back(graph::select(c.b, places, 0, i));
  return Outputs::list(out);
}

// `source` in the place of self[start:end:step] along an axis.
ValueId scatter_range(Call& c, ValueId x, ValueId source, std::int64_t axis, ValueId start,
                      std::int64_t step) {
  Builder& b = c.b;
  const int rank = c.rank(x);
  Ints perm(static_cast<std::size_t>(rank));
  std::iota(perm.begin(), perm.end(), 0);
  std::swap(perm[0], perm[static_cast<std::size_t>(axis)]);
  const ValueId count = graph::dim_scalar(b, source, axis);
  const ValueId places = graph::binary(
      b, "Add",
      graph::binary(b, "Mul", b.add("Range", {graph::int_scalar(b, 0), count, graph::int_scalar(b, 1)}),
                    graph::int_scalar(b, step)),
      start);
  const ValueId put = b.add("ScatterND", {graph::transpose(b, x, perm), graph::unsqueeze(b, places, {1}),
                                          graph::transpose(b, source, perm)});
  return graph::transpose(b, put, perm);
}

ValueId from_front(Call& c, ValueId x, std::int64_t axis, std::int64_t index) {
  if (index >= 0) return graph::int_scalar(c.b, index);
  const ValueId sum =
      graph::binary(c.b, "Add", graph::dim_scalar(c.b, x, axis), graph::int_scalar(c.b, index));
  return graph::binary(c.b, "Max", sum, graph::int_scalar(c.b, 0));
}

Outputs slice_scatter(Call& c) {
  const ValueId x = c.tensor("self");
  const ValueId source = graph::cast(c.b, c.tensor("src"), c.b.dtype(x));
  const std::int64_t axis = c.axis("dim", c.rank(x));
  const Length start = c.has("start") ? c.length("start") : Length(std::int64_t{0});
  const ValueId from = std::holds_alternative<ValueId>(start)
                           ? graph::reshape(c.b, std::get<ValueId>(start), Ints{})
                           : from_front(c, x, axis, std::get<std::int64_t>(start));
  return scatter_range(c, x, source, axis, from, c.integer("step", 1));
}

Outputs select_scatter(Call& c) {
  const ValueId x = c.tensor("self");
  const std::int64_t axis = c.axis("dim", c.rank(x));
  const ValueId source = graph::unsqueeze(c.b, graph::cast(c.b, c.tensor("src"), c.b.dtype(x)), {axis});
  return scatter_range(c, x, source, axis, from_front(c, x, axis, c.integer("index")), 1);
}

// How many boundaries lie before each number.
Outputs ranked(Call& c, std::string_view numbers, std::string_view boundaries, bool right) {
  Builder& b = c.b;
  const Argument::List both{c[numbers], c[boundaries]};
  const DType dtype = computing_type(result_type(b, both));
  ValueId edges = as_dtype(b, c[boundaries], dtype);
  const ValueId x = graph::unsqueeze(b, as_dtype(b, c[numbers], dtype), {-1});
  if (c.rank(edges) > 1) edges = graph::unsqueeze(b, edges, {-2});
  const ValueId before = graph::binary(b, right ? "LessOrEqual" : "Less", edges, x);
  const ValueId counted = graph::reduce(b, "ReduceSum", graph::cast(b, before, DType::kInt64), {-1}, false);
  return graph::cast(b, counted, c.flag("out_int32") ? DType::kInt32 : DType::kInt64);
}

Outputs bucketize(Call& c) {
  return ranked(c, "self", "boundaries", c.flag("right"));
}
Outputs searchsorted(Call& c) {
  if (c.has("sorter")) return c.refuse("a sorter");
  return ranked(c, "self", "sorted_sequence", c.flag("right") || c.text("side") == "right");
}

Outputs isin(Call& c) {
  Builder& b = c.b;
  const ValueId x = graph::unsqueeze(b, c.tensor("elements"), {-1});
  const ValueId tested = graph::reshape(b, graph::cast(b, c.tensor("test_elements"), b.dtype(x)), Ints{-1});
  const ValueId same = graph::cast(b, graph::binary(b, "Equal", x, tested), DType::kInt32);
  const ValueId found = graph::cast(b, graph::reduce(b, "ReduceMax", same, {-1}, false), DType::kBool);
  return c.flag("invert") ? graph::unary(b, "Not", found) : found;
}

constexpr auto kRows = std::to_array<Operator>({
    {"aten::index.Tensor(Tensor self, Tensor?[] indices) -> Tensor", index},
    {"aten::_unsafe_index.Tensor(Tensor self, Tensor?[] indices) -> Tensor", index},
    {"aten::index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor",
     index_put},
    {"aten::_unsafe_index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> "
     "Tensor",
     index_put},
    {"aten::gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor", gather},
    {"aten::scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor", scatter},
    {"aten::scatter.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor", scatter},
    {"aten::scatter.reduce(Tensor self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor",
     scatter},
    {"aten::scatter.value_reduce(Tensor self, int dim, Tensor index, Scalar value, *, str reduce) -> Tensor",
     scatter},
    {"aten::scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor", scatter_add},
    {"aten::scatter_reduce.two(Tensor self, int dim, Tensor index, Tensor src, str reduce, *, bool "
     "include_self=True) "
     "-> Tensor",
     scatter_reduce},
    {"aten::index_select(Tensor self, int dim, Tensor index) -> Tensor", index_select},
    {"aten::index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor",
     index_add},
    {"aten::index_copy(Tensor self, int dim, Tensor index, Tensor source) -> Tensor", index_copy},
    {"aten::index_fill.int_Scalar(Tensor self, int dim, Tensor index, Scalar value) -> Tensor", index_fill},
    {"aten::index_fill.int_Tensor(Tensor self, int dim, Tensor index, Tensor value) -> Tensor", index_fill},
    {"aten::take(Tensor self, Tensor index) -> Tensor", take},
    {"aten::take_along_dim(Tensor self, Tensor indices, int? dim=None) -> Tensor", take_along_dim},
    {"aten::masked_select(Tensor self, Tensor mask) -> Tensor", masked_select},
    {"aten::nonzero(Tensor self) -> Tensor", nonzero},
    {"aten::argwhere(Tensor self) -> Tensor", nonzero},
    {"aten::nonzero_numpy(Tensor self) -> Tensor[]", nonzero_numpy},
    {"aten::where(Tensor condition) -> Tensor[]", nonzero_numpy},
    {"aten::slice_scatter(Tensor self, Tensor src, int dim=0, SymInt? start=None, SymInt? end=None, SymInt "
     "step=1) -> "
     "Tensor",
     slice_scatter},
    {"aten::select_scatter(Tensor self, Tensor src, int dim, SymInt index) -> Tensor", select_scatter},
    {"aten::bucketize.Tensor(Tensor self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> "
     "Tensor",
     bucketize},
    {"aten::searchsorted.Tensor(Tensor sorted_sequence, Tensor self, *, bool out_int32=False, bool "
     "right=False, str? "
     "side=None, Tensor? sorter=None) -> Tensor",
     searchsorted},
    {"aten::isin.Tensor_Tensor(Tensor elements, Tensor test_elements, *, bool assume_unique=False, bool "
     "invert=False) "
     "-> Tensor",
     isin},
});

}  // namespace

std::span<const Operator> index_operators() {
  return kRows;
}

}  // namespace wherry::torch
