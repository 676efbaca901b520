// Sums over groups: tensorflow/core/ops/math_ops.cc.
#include "graph/scatter.h"

#include "base/text.h"
#include "import/tensorflow/lower.h"

namespace wherry::tensorflow {
namespace {

using graph::binary;
using graph::cast;

// Which of 0…size-1 each element is, as 0 and 1 along a new last axis: values outside are none.
ValueId bins(Op& op, ValueId x, ValueId size, DType dtype) {
  Builder& b = op.b;
  const ValueId range =
      b.add("Range", {graph::int_scalar(b, 0), graph::reshape(b, size, Ints{}), graph::int_scalar(b, 1)});
  const ValueId hit = b.add("Equal", {graph::unsqueeze(b, cast(b, x, DType::kInt64), {-1}), range});
  return cast(b, hit, dtype);
}

// DenseBincount(input [n] or [batch, n], size, weights of the same shape or empty).
void dense_bincount(Op& op) {
  Builder& b = op.b;
  const bool old = op.def.op == "Bincount";
  ValueId x = op.in(0);
  if (old) x = graph::reshape(b, x, Ints{-1});
  const ValueId weights = op.in(2);
  const DType dtype = b.dtype(weights);
  ValueId counted =
      bins(op, x, op.index(1), dtype == DType::kInt32 || dtype == DType::kInt64 ? dtype : DType::kFloat32);
  if (op.boolean("binary_output", false)) {
    counted = graph::reduce(b, "ReduceMax", counted, {-2}, false);
    return op.out(cast(b, counted, dtype));
  }
  const graph::Type& type = b.type(weights);
  bool empty = false, known = type.ranked;
  for (const graph::Dim& each : type.dims) {
    empty = empty || each.is(0);
    known =
        known && (each.known() || each == b.dim(x, 0) || type.rank() == static_cast<std::size_t>(b.rank(x)));
  }
  if (!known) return op.refuse("weights of unknown shape");
  if (!empty) {
    const ValueId shaped = old ? graph::reshape(b, weights, Ints{-1}) : weights;
    counted = binary(b, "Mul", cast(b, counted, dtype), graph::unsqueeze(b, shaped, {-1}));
  }
  op.out(cast(b, graph::reduce(b, "ReduceSum", counted, {-2}, false), dtype));
}

// Rows of `data` added (or maximised) where their ids say; ids below 0 are left out.
void scatter_rows(Op& op, ValueId data, ValueId ids, ValueId count, double first, const char* reduction) {
  Builder& b = op.b;
  const int id_rank = op.rank(ids);
  const ValueId flat_ids = graph::reshape(b, ids, Ints{-1});
  const ValueId shape = graph::shape_of(b, data);
  const ValueId rest = graph::slice(b, shape, 0, id_rank, graph::kToEnd);
  const ValueId rows = graph::reshape(b, data, graph::concat(b, {graph::ints(b, {-1}), rest}, 0));
  // One more row takes what belongs nowhere.
  const ValueId number = graph::reshape(b, count, Ints{1});
  const ValueId all = binary(b, "Add", number, 1.0);
  const ValueId base = graph::full(b, b.dtype(data), graph::concat(b, {all, rest}, 0), first);
  const ValueId nowhere = binary(b, "Less", flat_ids, graph::int_scalar(b, 0));
  const ValueId places = graph::where(b, nowhere, number, flat_ids);
  const ValueId summed = graph::scatter_reduced(b, base, graph::unsqueeze(b, places, {-1}), rows, reduction);
  op.out(graph::slice(b, summed, graph::ints(b, {0}), number, Ints{0}));
}

void unsorted_sum(Op& op) {
  scatter_rows(op, op.in(0), op.index(1), op.index(2), 0, "add");
}

void unsorted_product(Op& op) {
  scatter_rows(op, op.in(0), op.index(1), op.index(2), 1, "mul");
}

// Sorted ids: as many rows as the last one says.
ValueId rows_of(Op& op, ValueId ids) {
  return binary(op.b, "Add", graph::slice(op.b, ids, 0, -1, graph::kToEnd), 1.0);
}

void segment_sum(Op& op) {
  const ValueId ids = op.index(1);
  scatter_rows(op, op.in(0), ids, rows_of(op, ids), 0, "add");
}

enum class Combine : std::uint8_t { kSum, kMean, kSqrtN };

ValueId segment_total(Op& op, ValueId rows, ValueId ids, ValueId count) {
  Builder& b = op.b;
  const ValueId rest = graph::slice(b, graph::shape_of(b, rows), 0, 1, graph::kToEnd);
  const ValueId base =
      graph::full(b, b.dtype(rows), graph::concat(b, {graph::reshape(b, count, Ints{1}), rest}, 0), 0);
  return graph::scatter_reduced(b, base, graph::unsqueeze(b, ids, {-1}), rows, "add");
}

// SparseSegment*(data, indices, segment ids[, count]): rows of data, then combined; a mean over their number,
// or its square root.
template <Combine kCombine, bool kCounted>
void sparse_segment(Op& op) {
  Builder& b = op.b;
  const ValueId rows = graph::gather(b, op.in(0), op.in(1), 0);
  const ValueId ids = op.index(2);
  const ValueId count = kCounted ? op.index(3) : rows_of(op, ids);
  ValueId total = segment_total(op, rows, ids, count);
  if (kCombine != Combine::kSum) {
    const ValueId ones = graph::full(b, b.dtype(rows), graph::shape_of(b, ids), 1);
    ValueId number = binary(b, "Max", segment_total(op, ones, ids, count), 1.0);
    if (kCombine == Combine::kSqrtN) number = graph::unary(b, "Sqrt", number);
    Ints axes;
    for (int axis = 1; axis < op.rank(rows); ++axis) axes.push_back(axis);
    total = binary(b, "Div", total, graph::unsqueeze(b, number, axes));
  }
  op.out(total);
}

constexpr OpRow kRows[] = {
    {"Bincount", dense_bincount},
    {"DenseBincount", dense_bincount},
    {"UnsortedSegmentSum", unsorted_sum},
    {"UnsortedSegmentProd", unsorted_product},
    {"SegmentSum", segment_sum},
    {"SegmentSumV2", unsorted_sum},
    {"SparseSegmentSum", sparse_segment<Combine::kSum, false>},
    {"SparseSegmentMean", sparse_segment<Combine::kMean, false>},
    {"SparseSegmentSqrtN", sparse_segment<Combine::kSqrtN, false>},
    {"SparseSegmentSumWithNumSegments", sparse_segment<Combine::kSum, true>},
    {"SparseSegmentMeanWithNumSegments", sparse_segment<Combine::kMean, true>},
    {"SparseSegmentSqrtNWithNumSegments", sparse_segment<Combine::kSqrtN, true>},
};

}  // namespace

std::span<const OpRow> segment_rows() {
  return kRows;
}

}  // namespace wherry::tensorflow
