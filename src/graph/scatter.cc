#include "graph/scatter.h"

#include "graph/verbs.h"

namespace wherry::graph {
namespace {

ValueId product(Builder& b, ValueId lengths) {  // int64 [1]
  return reduce(b, "ReduceProd", lengths, {0}, true);
}

}  // namespace

ValueId scatter_reduced(Builder& b, ValueId x, ValueId indices, ValueId updates, std::string_view reduction) {
  const Dim last = b.dim(indices, -1);
  const int rank = b.rank(x);
  if (rank < 1 || !last.known() || last.number < 1 || last.number > rank) {
    b.fail("indices of unknown size");
    return kNone;
  }
  const Dims dims = b.type(x).dims;
  const ValueId shape = shape_of(b, x);
  const ValueId lead = slice(b, shape, 0, 0, last.number);
  const ValueId width = product(b, slice(b, shape, 0, last.number, kToEnd));
  // The row of each update, counted through all leading axes.
  ValueId rows = select(b, indices, -1, 0);
  for (std::int64_t axis = 1; axis < last.number; ++axis) {
    const ValueId length = reshape(b, slice(b, lead, 0, axis, axis + 1), Ints{});
    rows = binary(b, "Add", binary(b, "Mul", rows, length), select(b, indices, -1, axis));
  }
  rows = reshape(b, rows, Ints{-1});
  const bool flat = last.number == rank;
  const ValueId count = product(b, lead);
  const ValueId base = reshape(b, x, flat ? count : concat(b, {count, width}, 0));
  const ValueId size = flat ? shape_of(b, rows) : concat(b, {shape_of(b, rows), width}, 0);
  const ValueId places = flat ? rows : expand(b, unsqueeze(b, rows, {1}), size);
  const ValueId made = b.add("ScatterElements", {base, places, reshape(b, updates, size)},
                             {{"axis", std::int64_t{0}}, {"reduction", std::string(reduction)}});
  const ValueId result = reshape(b, made, shape);
  b.refine(result, dims);
  return result;
}

}  // namespace wherry::graph
