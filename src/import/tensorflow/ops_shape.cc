// Shapes and rearrangements: tensorflow/core/ops/array_ops.cc.
#include <algorithm>

#include "base/text.h"
#include "import/tensorflow/lower.h"
#include "import/tensorflow/tensor_proto.h"

namespace wherry::tensorflow {
namespace {

using base::cat;
using graph::cast;

ValueId as_shape_type(Op& op, ValueId int64_value) {
  return cast(op.b, int64_value, op.type("out_type", DType::kInt32));
}

void constant(Op& op) {
  const auto message = op.def.attributes.tensor("value");
  if (!message) return op.refuse("has no value");
  auto read = read_tensor(*message, op.lowering.model().owner());
  if (!read) {
    op.b.fail(base::with_context(std::move(read).error(), cat("node ", base::quoted(op.def.name))).error());
    return;
  }
  op.out(op.b.constant(*std::move(read)));
}

void shape(Op& op) {
  op.out(as_shape_type(op, graph::shape_of(op.b, op.in(0))));
}

void shape_n(Op& op) {
  for (std::size_t i = 0; i < op.count(); ++i) op.out(as_shape_type(op, graph::shape_of(op.b, op.in(i))), i);
}

void size(Op& op) {
  op.out(as_shape_type(op, op.b.add("Size", {op.in(0)})));
}

void rank(Op& op) {
  op.out(graph::scalar(op.b, DType::kInt32, op.rank(op.in(0))));
}

void reshape(Op& op) {
  Builder& b = op.b;
  const ValueId x = op.in(0), shape = op.index(1);
  const auto known = op.maybe_known(1);
  // A 0 in TensorFlow's shape is a length of zero, in ONNX's the length as it is.
  if (known && std::ranges::find(*known, 0) != known->end()) {
    if (std::ranges::find(*known, -1) != known->end()) return op.refuse("a shape with 0 and -1");
    return op.out(b.add("Reshape", {x, shape}, {{"allowzero", std::int64_t{1}}}));
  }
  op.out(graph::reshape(b, x, shape));
}

void expand_dims(Op& op) {
  op.out(graph::unsqueeze(op.b, op.in(0), op.known(1)));
}

void squeeze(Op& op) {
  Builder& b = op.b;
  const ValueId x = op.in(0);
  Ints axes = op.def.attributes.integers("squeeze_dims");
  if (axes.empty()) {
    const graph::Type& type = b.type(x);
    if (!type.ranked) return op.refuse("which axes have length 1 is unknown");
    for (std::size_t i = 0; i < type.rank(); ++i) {
      if (type.dims[i].is(1)) axes.push_back(static_cast<std::int64_t>(i));
      if (!type.dims[i].known()) return op.refuse("which axes have length 1 is unknown");
    }
    if (axes.empty()) return op.out(x);
  }
  op.out(graph::squeeze(b, x, axes));
}

void transpose(Op& op) {
  op.out(graph::transpose(op.b, op.in(0), op.known(1)));
}

// ConcatV2: values and then the axis; Concat the other way round.
void concat_v2(Op& op) {
  std::vector<ValueId> values;
  for (std::size_t i = 0; i + 1 < op.count(); ++i) values.push_back(op.in(i));
  const Ints axis = op.known(op.count() - 1);
  if (axis.size() == 1) op.out(graph::concat(op.b, values, axis[0]));
}

void concat_v1(Op& op) {
  std::vector<ValueId> values;
  for (std::size_t i = 1; i < op.count(); ++i) values.push_back(op.in(i));
  const Ints axis = op.known(0);
  if (axis.size() == 1) op.out(graph::concat(op.b, values, axis[0]));
}

void pack(Op& op) {
  std::vector<ValueId> values;
  for (std::size_t i = 0; i < op.count(); ++i) values.push_back(op.in(i));
  op.out(graph::stack(op.b, values, op.integer("axis", 0)));
}

void unpack(Op& op) {
  const ValueId x = op.in(0);
  const std::int64_t axis = op.integer("axis", 0), number = op.integer("num", 0);
  if (number < 0 || number > 100'000) return op.refuse("too many outputs");
  for (std::int64_t i = 0; i < number; ++i)
    op.out(graph::select(op.b, x, axis, i), static_cast<std::size_t>(i));
}

void split_into(Op& op, ValueId x, std::int64_t axis, const Ints& sizes) {
  const auto parts = graph::split(op.b, x, sizes, axis);
  for (std::size_t i = 0; i < parts.size(); ++i) op.out(parts[i], i);
}

void split(Op& op) {
  Builder& b = op.b;
  const ValueId x = op.in(1);
  const Ints axis = op.known(0);
  const std::int64_t number = op.integer("num_split", 1);
  if (axis.size() != 1 || number < 1 || number > 100'000) return;
  const graph::Dim length = b.dim(x, axis[0]);
  if (length.known()) return split_into(op, x, axis[0], Ints(number, length.number / number));
  const auto parts = b.add_many("Split", {x}, static_cast<std::size_t>(number),
                                {{"axis", axis[0]}, {"num_outputs", number}});
  for (std::size_t i = 0; i < parts.size(); ++i) op.out(parts[i], i);
}

void split_v(Op& op) {
  Builder& b = op.b;
  const ValueId x = op.in(0);
  Ints sizes = op.known(1);
  const Ints axis = op.known(2);
  if (axis.size() != 1) return;
  if (const auto open = std::ranges::find(sizes, -1); open != sizes.end()) {
    const graph::Dim length = b.dim(x, axis[0]);
    if (!length.known()) return op.refuse("the length of a part is unknown");
    std::int64_t rest = length.number;
    for (const std::int64_t each : sizes) rest -= std::max<std::int64_t>(each, 0);
    *open = rest;
  }
  split_into(op, x, axis[0], sizes);
}

void tile(Op& op) {
  op.out(op.b.add("Tile", {op.in(0), op.index(1)}));
}

void fill(Op& op) {
  op.out(graph::expand(op.b, op.in(1), op.index(0)));
}

void broadcast_to(Op& op) {
  op.out(graph::expand(op.b, op.in(0), op.index(1)));
}

// The shape two shapes broadcast to: that of two tensors of them, element by element.
void broadcast_args(Op& op) {
  Builder& b = op.b;
  const ValueId x = op.index(0), y = op.index(1);
  const DType dtype = b.dtype(op.in(0));
  const ValueId zeros = graph::expand(b, graph::expand(b, graph::int_scalar(b, 0), x), y);
  op.out(cast(b, graph::shape_of(b, zeros), dtype));
}

void range(Op& op) {
  op.out(op.b.add("Range", {op.in(0), op.in(1), op.in(2)}));
}

void lin_space(Op& op) {
  Builder& b = op.b;
  const ValueId start = op.in(0), stop = op.in(1);
  const Ints number = op.known(2);
  if (number.size() != 1 || number[0] < 1 || number[0] > 1 << 24) return op.refuse("no length");
  if (number[0] == 1) return op.out(graph::reshape(b, start, Ints{1}));
  const ValueId step =
      graph::binary(b, "Div", graph::binary(b, "Sub", stop, start), static_cast<double>(number[0] - 1));
  const ValueId steps =
      b.add("Range", {graph::int_scalar(b, 0), graph::int_scalar(b, number[0] - 1), graph::int_scalar(b, 1)});
  const ValueId most =
      graph::binary(b, "Add", start, graph::binary(b, "Mul", cast(b, steps, b.dtype(start)), step));
  op.out(graph::concat(b, {most, graph::reshape(b, stop, Ints{1})}, 0));  // the last one is exact
}

void reverse_v2(Op& op) {
  Builder& b = op.b;
  ValueId x = op.in(0);
  for (const std::int64_t axis : op.known(1)) x = graph::slice(b, x, axis, -1, INT64_MIN, -1);
  op.out(x);
}

void reverse_sequence(Op& op) {
  const std::int64_t time = op.integer("seq_dim", 0), batch = op.integer("batch_dim", 0);
  if (time + batch != 1 || time * batch != 0) return op.refuse("axes other than 0 and 1");
  op.out(op.b.add("ReverseSequence", {op.in(0), op.index(1)}, {{"time_axis", time}, {"batch_axis", batch}}));
}

void pad_with(Op& op, ValueId fill) {
  Builder& b = op.b;
  const ValueId x = op.in(0);
  // [axes, 2] → all numbers before, then all behind.
  const ValueId pads = graph::reshape(b, graph::transpose(b, op.index(1), {1, 0}), Ints{-1});
  if (b.dtype(x) == DType::kString) return op.refuse("strings");
  op.out(b.add("Pad", {x, pads, fill}, {{"mode", std::string("constant")}}));
}

void pad(Op& op) {
  pad_with(op, graph::scalar_like(op.b, op.in(0), 0));
}

void pad_v2(Op& op) {
  pad_with(op, op.in(2));
}

void mirror_pad(Op& op) {
  Builder& b = op.b;
  ValueId x = op.in(0);
  const Ints pads = op.known(1);
  const int rank = op.rank(x);
  if (pads.size() != 2 * static_cast<std::size_t>(rank)) return op.refuse("paddings of another rank");
  const bool reflect = op.text("mode", "REFLECT") == "REFLECT";
  for (std::int64_t axis = 0; axis < rank; ++axis) {
    const std::int64_t before = pads[2 * axis], after = pads[2 * axis + 1];
    const std::int64_t skip = reflect ? 1 : 0;  // whether the border itself is left out
    std::vector<ValueId> parts;
    if (before > 0)
      parts.push_back(
          graph::slice(b, graph::slice(b, x, axis, skip, before + skip), axis, -1, INT64_MIN, -1));
    parts.push_back(x);
    if (after > 0) {
      const ValueId tail = graph::slice(b, x, axis, -after - skip, skip == 0 ? graph::kToEnd : -skip);
      parts.push_back(graph::slice(b, tail, axis, -1, INT64_MIN, -1));
    }
    if (parts.size() > 1) x = graph::concat(b, parts, axis);
  }
  op.out(x);
}

void roll(Op& op) {
  Builder& b = op.b;
  ValueId x = op.in(0);
  const Ints shifts = op.known(1), axes = op.known(2);
  if (shifts.size() != axes.size()) return op.refuse("shifts and axes of different number");
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const graph::Dim length = b.dim(x, axes[i]);
    std::int64_t shift = shifts[i];
    if (length.known() && length.number > 0)
      shift = ((shift % length.number) + length.number) % length.number;
    if (shift == 0) continue;
    x = graph::concat(
        b, {graph::slice(b, x, axes[i], -shift, graph::kToEnd), graph::slice(b, x, axes[i], 0, -shift)},
        axes[i]);
  }
  op.out(x);
}

// tf.space_to_depth and back order channels as ONNX does: block first, then channel.
template <bool kToDepth>
void space_depth(Op& op) {
  Builder& b = op.b;
  const bool last = op.text("data_format", "NHWC") == "NHWC";
  const ValueId x = last ? graph::channels_first(b, op.in(0)) : op.in(0);
  graph::Attributes attributes{{"blocksize", op.integer("block_size", 2)}};
  if (!kToDepth) attributes.push_back({"mode", std::string("DCR")});
  const ValueId y = b.add(kToDepth ? "SpaceToDepth" : "DepthToSpace", {x}, attributes);
  op.out(last ? graph::channels_last(b, y) : y);
}

// Lengths of some axes of x, as numbers where known.
std::vector<graph::Length> lengths_of(Builder& b, ValueId x) {
  std::vector<graph::Length> lengths;
  for (int axis = 0; axis < b.rank(x); ++axis) {
    const graph::Dim dim = b.dim(x, axis);
    if (dim.known())
      lengths.emplace_back(dim.number);
    else
      lengths.emplace_back(graph::dim_of(b, x, axis));
  }
  return lengths;
}

graph::Length times(Builder& b, const graph::Length& length, std::int64_t factor) {
  if (const auto* number = std::get_if<std::int64_t>(&length)) return *number * factor;
  return graph::binary(b, "Mul", std::get<ValueId>(length), static_cast<double>(factor));
}

graph::Length divided(Builder& b, const graph::Length& length, std::int64_t divisor) {
  if (const auto* number = std::get_if<std::int64_t>(&length)) return *number / divisor;
  return graph::binary(b, "Div", std::get<ValueId>(length), static_cast<double>(divisor));
}

std::int64_t product(const Ints& numbers) {
  std::int64_t all = 1;
  for (const std::int64_t each : numbers) all *= std::clamp<std::int64_t>(each, 1, 1 << 20);
  return all;
}

// [n, s1·b1, s2·b2, rest] → [b1·b2·n, s1, s2, rest].
void space_to_batch(Op& op) {
  Builder& b = op.b;
  ValueId x = op.in(0);
  const Ints block = op.known(1), pads = op.known(2);
  const auto rank = static_cast<std::size_t>(op.rank(x));
  if (pads.size() != 2 * block.size() || rank < block.size() + 1) return op.refuse("blocks of another rank");
  Ints before(rank), after(rank);
  for (std::size_t i = 0; i < block.size(); ++i) before[i + 1] = pads[2 * i], after[i + 1] = pads[2 * i + 1];
  x = graph::pad(b, x, before, after);
  const auto lengths = lengths_of(b, x);
  std::vector<graph::Length> split{lengths[0]}, joined{times(b, lengths[0], product(block))};
  Ints perm;
  for (std::size_t i = 0; i < block.size(); ++i) {
    split.push_back(divided(b, lengths[i + 1], block[i]));
    split.emplace_back(block[i]);
    joined.push_back(split[split.size() - 2]);
    perm.push_back(static_cast<std::int64_t>(2 * i + 2));
  }
  perm.push_back(0);
  for (std::size_t i = 0; i < block.size(); ++i) perm.push_back(static_cast<std::int64_t>(2 * i + 1));
  for (std::size_t i = block.size() + 1; i < rank; ++i) {
    perm.push_back(static_cast<std::int64_t>(split.size()));
    split.push_back(lengths[i]);
    joined.push_back(lengths[i]);
  }
  x = graph::transpose(b, graph::reshape(b, x, graph::lengths(b, split)), perm);
  op.out(graph::reshape(b, x, graph::lengths(b, joined)));
}

void batch_to_space(Op& op) {
  Builder& b = op.b;
  ValueId x = op.in(0);
  const Ints block = op.known(1), crops = op.known(2);
  const auto rank = static_cast<std::size_t>(op.rank(x));
  if (crops.size() != 2 * block.size() || rank < block.size() + 1) return op.refuse("blocks of another rank");
  const auto lengths = lengths_of(b, x);
  std::vector<graph::Length> split, joined{divided(b, lengths[0], product(block))};
  for (const std::int64_t each : block) split.emplace_back(each);
  split.push_back(joined[0]);
  Ints perm{static_cast<std::int64_t>(block.size())};
  for (std::size_t i = 0; i < block.size(); ++i) {
    perm.push_back(static_cast<std::int64_t>(split.size()));
    perm.push_back(static_cast<std::int64_t>(i));
    split.push_back(lengths[i + 1]);
    joined.push_back(times(b, lengths[i + 1], block[i]));
  }
  for (std::size_t i = block.size() + 1; i < rank; ++i) {
    perm.push_back(static_cast<std::int64_t>(split.size()));
    split.push_back(lengths[i]);
    joined.push_back(lengths[i]);
  }
  x = graph::transpose(b, graph::reshape(b, x, graph::lengths(b, split)), perm);
  x = graph::reshape(b, x, graph::lengths(b, joined));
  for (std::size_t i = 0; i < block.size(); ++i) {
    const std::int64_t start = crops[2 * i], end = crops[2 * i + 1];
    if (start != 0 || end != 0)
      x = graph::slice(b, x, static_cast<std::int64_t>(i + 1), start, end == 0 ? graph::kToEnd : -end);
  }
  op.out(x);
}

// Where a matrix' row and column numbers differ by at most so many; negative: no bound.
void matrix_band_part(Op& op) {
  Builder& b = op.b;
  const ValueId x = op.in(0);
  const Ints lower = op.known(1), upper = op.known(2);
  if (lower.size() != 1 || upper.size() != 1) return;
  const auto numbers = [&](std::int64_t axis) {
    return b.add("Range", {graph::int_scalar(b, 0), graph::dim_scalar(b, x, axis), graph::int_scalar(b, 1)});
  };
  const ValueId below = graph::binary(b, "Sub", graph::unsqueeze(b, numbers(-2), {1}), numbers(-1));
  ValueId keep = kNone;
  if (lower[0] >= 0) keep = unary(b, "Not", b.add("Greater", {below, graph::int_scalar(b, lower[0])}));
  if (upper[0] >= 0) {
    const ValueId high = unary(b, "Not", b.add("Less", {below, graph::int_scalar(b, -upper[0])}));
    keep = keep == kNone ? high : b.add("And", {keep, high});
  }
  if (keep == kNone) return op.out(x);
  if (b.dtype(x) == DType::kBool) return op.out(b.add("And", {x, keep}));
  op.out(graph::where(b, keep, x, graph::scalar_like(b, x, 0)));
}

// EnsureShape also tells what is not known otherwise.
void ensure_shape(Op& op) {
  const ValueId x = op.in(0);
  if (const auto message = op.def.attributes.shape("shape"))
    if (const auto shape = read_shape(*message); shape && *shape) {
      graph::Dims dims;
      for (const std::int64_t each : **shape) dims.push_back(each < 0 ? op.b.fresh() : graph::Dim{each});
      op.b.refine(x, dims);
    }
  op.out(x);
}

void invert_permutation(Op& op) {
  const Ints perm = op.known(0);
  Ints inverse(perm.size());
  for (std::size_t i = 0; i < perm.size(); ++i) {
    if (perm[i] < 0 || static_cast<std::size_t>(perm[i]) >= perm.size()) return op.refuse("no permutation");
    inverse[static_cast<std::size_t>(perm[i])] = static_cast<std::int64_t>(i);
  }
  op.out(cast(op.b, graph::ints(op.b, inverse), op.b.dtype(op.in(0))));
}

// Diagonals of square matrices; others, or bands, are rare.
bool main_diagonal(Op& op) {
  if (!op.def.op.ends_with("V2") && !op.def.op.ends_with("V3")) return true;
  const Ints k = op.known(1);
  if (!k.empty() && std::ranges::all_of(k, [](std::int64_t each) { return each == 0; })) return true;
  op.refuse("other diagonals than the main one");
  return false;
}

ValueId identity_mask(Builder& b, ValueId length) {
  const ValueId numbers = b.add("Range", {graph::int_scalar(b, 0), length, graph::int_scalar(b, 1)});
  return b.add("Equal", {graph::unsqueeze(b, numbers, {1}), numbers});
}

void matrix_diag(Op& op) {
  Builder& b = op.b;
  const ValueId x = op.in(0);
  if (!main_diagonal(op)) return;
  const ValueId mask = identity_mask(b, graph::dim_scalar(b, x, -1));
  op.out(graph::where(b, mask, graph::unsqueeze(b, x, {-1}), graph::scalar_like(b, x, 0)));
}

void matrix_diag_part(Op& op) {
  Builder& b = op.b;
  const ValueId x = op.in(0);
  if (!main_diagonal(op)) return;
  const graph::Dim rows = b.dim(x, -2), columns = b.dim(x, -1);
  if (!(rows == columns)) return op.refuse("a matrix which is not square");
  const ValueId mask = identity_mask(b, graph::dim_scalar(b, x, -1));
  op.out(graph::reduce(b, "ReduceSum", graph::where(b, mask, x, graph::scalar_like(b, x, 0)), {-1}, false));
}

void matrix_set_diag(Op& op) {
  Builder& b = op.b;
  const ValueId x = op.in(0), diagonal = op.in(1);
  if (op.def.op == "MatrixSetDiagV2" || op.def.op == "MatrixSetDiagV3")
    for (const std::int64_t each : op.known(2))
      if (each != 0) return op.refuse("other diagonals than the main one");
  if (!(b.dim(x, -2) == b.dim(x, -1))) return op.refuse("a matrix which is not square");
  const ValueId mask = identity_mask(b, graph::dim_scalar(b, x, -1));
  op.out(graph::where(b, mask, graph::unsqueeze(b, diagonal, {-1}), x));
}

constexpr OpRow kRows[] = {
    {"MatrixSetDiag", matrix_set_diag},
    {"MatrixSetDiagV2", matrix_set_diag},
    {"MatrixSetDiagV3", matrix_set_diag},
    {"Const", constant},
    {"Shape", shape},
    {"ShapeN", shape_n},
    {"Size", size},
    {"Rank", rank},
    {"Reshape", reshape},
    {"ExpandDims", expand_dims},
    {"Squeeze", squeeze},
    {"Transpose", transpose},
    {"ConcatV2", concat_v2},
    {"Concat", concat_v1},
    {"Pack", pack},
    {"Unpack", unpack},
    {"Split", split},
    {"SplitV", split_v},
    {"Tile", tile},
    {"Fill", fill},
    {"BroadcastTo", broadcast_to},
    {"BroadcastArgs", broadcast_args},
    {"Range", range},
    {"LinSpace", lin_space},
    {"ReverseV2", reverse_v2},
    {"ReverseSequence", reverse_sequence},
    {"Pad", pad},
    {"PadV2", pad_v2},
    {"MirrorPad", mirror_pad},
    {"Roll", roll},
    {"SpaceToDepth", space_depth<true>},
    {"DepthToSpace", space_depth<false>},
    {"SpaceToBatchND", space_to_batch},
    {"BatchToSpaceND", batch_to_space},
    {"MatrixBandPart", matrix_band_part},
    {"EnsureShape", ensure_shape},
    {"InvertPermutation", invert_permutation},
    {"MatrixDiag", matrix_diag},
    {"MatrixDiagV2", matrix_diag},
    {"MatrixDiagV3", matrix_diag},
    {"MatrixDiagPart", matrix_diag_part},
    {"MatrixDiagPartV2", matrix_diag_part},
    {"MatrixDiagPartV3", matrix_diag_part},
};

}  // namespace

std::span<const OpRow> shape_rows() {
  return kRows;
}

}  // namespace wherry::tensorflow
