// Parts of tensors: slices, gathers, scatters (tensorflow/core/ops/array_ops.cc,
// core/util/strided_slice_op.cc).
#include <algorithm>

#include "graph/scatter.h"

#include "base/text.h"
#include "import/tensorflow/lower.h"

namespace wherry::tensorflow {
namespace {

using graph::cast;

// One element of a StridedSlice specification: a number, or one the graph computes (int64 [1]).
struct Bound {
  std::optional<std::int64_t> number;
  ValueId value = kNone;
};

std::vector<Bound> bounds(Op& op, std::size_t input, std::size_t count) {
  Builder& b = op.b;
  const ValueId all = op.index(input);
  const auto elements = b.elements(all);
  std::vector<Bound> list(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (elements && i < elements->size() && (*elements)[i].known())
      list[i].number = (*elements)[i].number;
    else
      list[i].value = graph::slice(b, all, 0, static_cast<std::int64_t>(i), static_cast<std::int64_t>(i + 1));
  }
  return list;
}

std::size_t specification_size(Op& op) {
  for (const std::size_t input : {1, 2, 3}) {
    const graph::Dim length = op.b.dim(op.in(input), 0);
    if (length.known()) return static_cast<std::size_t>(std::clamp<std::int64_t>(length.number, 0, 256));
  }
  op.refuse("its specification has no known length");
  return 0;
}

// StridedSlice's five masks, as Python's x[a:b, ..., None, i] was written.
struct Masks {
  std::int64_t begin, end, ellipsis, new_axis, shrink;
  static bool at(std::int64_t mask, std::size_t i) { return i < 63 && (mask >> i & 1) != 0; }
};

// The parts of a StridedSlice: what is cut along which axis of x, then which axes go and come.
struct Cuts {
  std::vector<graph::Length> starts, ends;
  Ints axes, steps;
  std::vector<std::pair<std::int64_t, ValueId>> picks;  // axis, index [1] computed by the graph
  Ints dropped, added;                                  // axes of x; axes of the result
};

void cut(Op& op, Cuts& cuts, std::int64_t axis, const Masks& masks, std::size_t i, const Bound& begin,
         const Bound& end, std::int64_t step) {
  if (Masks::at(masks.shrink, i)) {
    cuts.dropped.push_back(axis);
    if (!begin.number) return cuts.picks.emplace_back(axis, begin.value), void();
    const std::int64_t at = *begin.number;
    cuts.starts.emplace_back(at);
    cuts.ends.emplace_back(at == -1 ? graph::kToEnd : at + 1);
    cuts.axes.push_back(axis);
    cuts.steps.push_back(1);
    return;
  }
  const bool from_first = Masks::at(masks.begin, i), to_last = Masks::at(masks.end, i);
  if (from_first && to_last && step == 1) return;
  if (step == 0) return op.refuse("a step of 0");
  const auto length = [](const Bound& bound) {
    return bound.number ? graph::Length(*bound.number) : graph::Length(bound.value);
  };
  cuts.starts.push_back(from_first ? graph::Length(step > 0 ? std::int64_t{0} : INT64_MAX) : length(begin));
  cuts.ends.push_back(to_last ? graph::Length(step > 0 ? graph::kToEnd : INT64_MIN) : length(end));
  cuts.axes.push_back(axis);
  cuts.steps.push_back(step);
}

Cuts plan_cuts(Op& op, ValueId x, std::size_t count) {
  const Masks masks{op.integer("begin_mask", 0), op.integer("end_mask", 0), op.integer("ellipsis_mask", 0),
                    op.integer("new_axis_mask", 0), op.integer("shrink_axis_mask", 0)};
  const auto begins = bounds(op, 1, count), ends = bounds(op, 2, count), steps = bounds(op, 3, count);
  std::size_t used = 0;  // axes of x the specification names
  for (std::size_t i = 0; i < count; ++i)
    if (!Masks::at(masks.ellipsis, i) && !Masks::at(masks.new_axis, i)) ++used;
  Cuts cuts;
  std::int64_t axis = 0, made = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (Masks::at(masks.ellipsis, i)) {
      const std::int64_t skipped = std::max<std::int64_t>(op.rank(x) - static_cast<std::int64_t>(used), 0);
      axis += skipped, made += skipped;
    } else if (Masks::at(masks.new_axis, i)) {
      cuts.added.push_back(made++);
    } else {
      if (!steps[i].number) {
        op.refuse("a step which is computed at run time");
        return cuts;
      }
      cut(op, cuts, axis++, masks, i, begins[i], ends[i], *steps[i].number);
      if (!Masks::at(masks.shrink, i)) ++made;
    }
  }
  return cuts;
}

void strided_slice(Op& op) {
  Builder& b = op.b;
  ValueId x = op.in(0);
  const std::size_t count = specification_size(op);
  const Cuts cuts = plan_cuts(op, x, count);
  if (op.failed()) return;
  if (!cuts.axes.empty())
    x = graph::slice(b, x, graph::lengths(b, cuts.starts), graph::lengths(b, cuts.ends), cuts.axes,
                     cuts.steps);
  for (const auto& [axis, index] : cuts.picks) x = graph::gather(b, x, index, axis);
  if (!cuts.dropped.empty()) x = graph::squeeze(b, x, cuts.dropped);
  if (!cuts.added.empty()) x = graph::unsqueeze(b, x, cuts.added);
  op.out(x);
}

// Slice(x, begin, size): -1 is everything behind begin.
void slice(Op& op) {
  Builder& b = op.b;
  const ValueId x = op.in(0);
  const int rank = op.rank(x);
  const auto count = static_cast<std::size_t>(rank);
  const auto begins = bounds(op, 1, count), sizes = bounds(op, 2, count);
  std::vector<graph::Length> starts, ends;
  Ints axes;
  for (std::size_t i = 0; i < count; ++i) {
    const bool rest = sizes[i].number && *sizes[i].number == -1;
    if (rest && begins[i].number && *begins[i].number == 0) continue;
    axes.push_back(static_cast<std::int64_t>(i));
    starts.push_back(begins[i].number ? graph::Length(*begins[i].number) : graph::Length(begins[i].value));
    if (rest) {
      ends.emplace_back(graph::kToEnd);
    } else if (begins[i].number && sizes[i].number) {
      ends.emplace_back(*begins[i].number + *sizes[i].number);
    } else {
      const auto value = [&](const Bound& bound) {
        return bound.number ? graph::ints(b, {*bound.number}) : bound.value;
      };
      const ValueId end = graph::binary(b, "Add", value(begins[i]), value(sizes[i]));
      // A size which may be -1 at run time.
      ends.emplace_back(sizes[i].number
                            ? end
                            : graph::where(b, b.add("Less", {value(sizes[i]), graph::ints(b, {0})}),
                                           graph::ints(b, {graph::kToEnd}), end));
    }
  }
  if (axes.empty()) return op.out(x);
  op.out(graph::slice(b, x, graph::lengths(b, starts), graph::lengths(b, ends), axes));
}

// Gather along `axis`; the first `batch` axes of both go together.
void gather_from(Op& op, ValueId x, ValueId indices, std::int64_t axis, std::int64_t batch) {
  Builder& b = op.b;
  if (batch < 0) batch += op.rank(indices);
  if (batch == 0) return op.out(graph::gather(b, x, indices, axis));
  const int rank = op.rank(x);
  if (axis < 0) axis += rank;
  Ints perm;
  if (axis != batch) {  // GatherND takes the axis right behind the batch
    for (std::int64_t i = 0; i < rank; ++i)
      if (i != axis) perm.push_back(i);
    perm.insert(perm.begin() + batch, axis);
    x = graph::transpose(b, x, perm);
  }
  const int index_rank = op.rank(indices);
  const ValueId last = graph::unsqueeze(b, indices, {-1});
  ValueId y = b.add("GatherND", {x, cast(b, last, DType::kInt64)}, {{"batch_dims", batch}});
  if (axis != batch) {  // [batch…, indices…, between…, rest…] → [batch…, between…, indices…, rest…]
    Ints back;
    const std::int64_t own = index_rank - batch, between = axis - batch, all = rank - 1 + own;
    for (std::int64_t i = 0; i < batch; ++i) back.push_back(i);
    for (std::int64_t i = 0; i < between; ++i) back.push_back(batch + own + i);
    for (std::int64_t i = 0; i < own; ++i) back.push_back(batch + i);
    for (std::int64_t i = batch + own + between; i < all; ++i) back.push_back(i);
    y = graph::transpose(b, y, back);
  }
  op.out(y);
}

void gather(Op& op) {
  gather_from(op, op.in(0), op.in(1), 0, 0);
}

void gather_v2(Op& op) {
  const Ints axis = op.known(2);
  if (axis.size() == 1) gather_from(op, op.in(0), op.in(1), axis[0], op.integer("batch_dims", 0));
}

void resource_gather(Op& op) {
  const std::int64_t batch = op.integer("batch_dims", 0);
  gather_from(op, op.in(0), op.in(1), batch, batch);
}

void gather_nd(Op& op) {
  op.out(op.b.add("GatherND", {op.in(0), op.index(1)}, {{"batch_dims", op.integer("batch_dims", 0)}}));
}

void scatter_nd(Op& op) {
  Builder& b = op.b;
  const ValueId updates = op.in(1);
  const ValueId zeros = graph::full(b, b.dtype(updates), op.index(2), 0);
  op.out(graph::scatter_reduced(b, zeros, op.index(0), updates, "add"));
}

void tensor_scatter_update(Op& op) {
  op.out(op.b.add("ScatterND", {op.in(0), op.index(1), op.in(2)}));
}
template <const char* kReduction>
void tensor_scatter(Op& op) {
  op.out(graph::scatter_reduced(op.b, op.in(0), op.index(1), op.in(2), kReduction));
}
constexpr char kScatterAdd[] = "add", kScatterMax[] = "max", kScatterMin[] = "min";

void tensor_scatter_sub(Op& op) {
  const ValueId negative = graph::unary(op.b, "Neg", op.in(2));
  op.out(graph::scatter_reduced(op.b, op.in(0), op.index(1), negative, "add"));
}

// An index outside 0…depth-1 gives "off" everywhere; ONNX's OneHot would count negative ones from the end.
void one_hot(Op& op) {
  Builder& b = op.b;
  const ValueId indices = op.in(0);
  const int rank = op.rank(indices) + 1;
  std::int64_t axis = op.integer("axis", -1);
  if (axis < 0) axis += rank;
  const ValueId depth = graph::reshape(b, op.index(1), Ints{});
  const ValueId classes = b.add("Range", {graph::int_scalar(b, 0), depth, graph::int_scalar(b, 1)});
  Ints around;
  for (std::int64_t i = axis + 1; i < rank; ++i) around.push_back(i - axis);
  const ValueId spread = around.empty() ? classes : graph::unsqueeze(b, classes, around);
  const ValueId hit = b.add("Equal", {graph::unsqueeze(b, cast(b, indices, DType::kInt64), {axis}), spread});
  const ValueId on = op.in(2), off = op.in(3);
  const DType dtype = b.dtype(on);
  if (dtype == DType::kBool) {
    const DType wide = DType::kUint8;
    return op.out(cast(b, graph::where(b, hit, cast(b, on, wide), cast(b, off, wide)), dtype));
  }
  op.out(graph::where(b, hit, on, off));
}

// Where(condition): the places of what is not 0, one per row.
void places(Op& op) {
  op.out(graph::transpose(op.b, op.b.add("NonZero", {op.in(0)}), {1, 0}));
}

// Unique: in order of the first occurrence, with each element's number.
void unique(Op& op) {
  Builder& b = op.b;
  ValueId x = op.in(0);
  const DType dtype = b.dtype(x);
  if (op.def.op == "UniqueV2") {
    const auto axis = op.maybe_known(1);
    if (!axis || (!axis->empty() && (axis->at(0) != 0 || op.rank(x) != 1)))
      return op.refuse("another axis than that of a vector");
  }
  if (dtype == DType::kInt32) x = cast(b, x, DType::kInt64);  // ONNX Runtime has no kernel
  const auto parts = b.add_many("Unique", {x}, 4, {{"sorted", std::int64_t{0}}});
  const DType index = op.type("out_idx", DType::kInt32);
  op.out(cast(b, parts[0], dtype));
  op.out(cast(b, parts[2], index), 1);
}

// DynamicStitch(indices…, data…): rows put where the indices say, later ones over earlier ones.
void dynamic_stitch(Op& op) {
  Builder& b = op.b;
  const std::size_t parts = op.count() / 2;
  if (parts == 0) return op.refuse("has no parts");
  std::vector<ValueId> places, rows;
  ValueId rest = kNone;
  for (std::size_t i = 0; i < parts; ++i) {
    const ValueId indices = op.index(i), data = op.in(parts + i);
    if (rest == kNone) rest = graph::slice(b, graph::shape_of(b, data), 0, op.rank(indices), graph::kToEnd);
    places.push_back(graph::reshape(b, indices, Ints{-1}));
    rows.push_back(graph::reshape(b, data, graph::concat(b, {graph::ints(b, {-1}), rest}, 0)));
  }
  ValueId last = kNone;
  for (const ValueId each : places) {
    const ValueId own =
        graph::reduce(b, "ReduceMax", graph::concat(b, {each, graph::ints(b, {-1})}, 0), {0}, true);
    last = last == kNone ? own : b.add("Max", {last, own});
  }
  const ValueId count = graph::binary(b, "Add", last, 1.0);
  ValueId all = graph::full(b, b.dtype(rows[0]), graph::concat(b, {count, rest}, 0), 0);
  for (std::size_t i = 0; i < parts; ++i)
    all = b.add("ScatterND", {all, graph::unsqueeze(b, places[i], {-1}), rows[i]});
  op.out(all);
}

constexpr OpRow kRows[] = {
    {"DynamicStitch", dynamic_stitch},
    {"ParallelDynamicStitch", dynamic_stitch},
    {"StridedSlice", strided_slice},
    {"Slice", slice},
    {"Gather", gather},
    {"GatherV2", gather_v2},
    {"ResourceGather", resource_gather},
    {"GatherNd", gather_nd},
    {"ResourceGatherNd", gather_nd},
    {"ScatterNd", scatter_nd},
    {"TensorScatterUpdate", tensor_scatter_update},
    {"TensorScatterAdd", tensor_scatter<kScatterAdd>},
    {"TensorScatterMax", tensor_scatter<kScatterMax>},
    {"TensorScatterMin", tensor_scatter<kScatterMin>},
    {"TensorScatterSub", tensor_scatter_sub},
    {"OneHot", one_hot},
    {"Where", places},
    {"Unique", unique},
    {"UniqueV2", unique},
};

}  // namespace

std::span<const OpRow> indexing_rows() {
  return kRows;
}

}  // namespace wherry::tensorflow
