// What changes shapes, joins and splits.
#include <algorithm>
#include <numeric>

#include "base/text.h"
#include "import/keras/operations.h"

namespace wherry::keras {

namespace {

Value reshape(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const Value shape = args.get(1, {"newshape", "shape", "target_shape"});
  if (shape.is_tensor())
    return Value::of(graph::reshape(l.b, args.x(), graph::cast(l.b, shape.tensor, DType::kInt64)));
  // Lengths may be tensors: tf.shape(x)[0].
  std::vector<ValueId> parts;
  for (const Value& item : shape.kind == Value::Kind::kList ? shape.items : std::vector{shape}) {
    if (item.is_tensor())
      parts.push_back(graph::reshape(l.b, graph::cast(l.b, item.tensor, DType::kInt64), Ints{1}));
    else
      parts.push_back(graph::ints(l.b, {item.is_none() ? -1 : args.integer(item).value_or(-1)}));
  }
  if (parts.empty()) return Value::of(graph::reshape(l.b, args.x(), Ints{}));
  return Value::of(graph::reshape(l.b, args.x(), graph::concat(l.b, parts, 0)));
}
Value transpose(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const ValueId x = args.x();
  auto perm = args.integers(args.get(1, {"axes", "perm"}));
  if (!perm) {
    perm = Ints(static_cast<std::size_t>(std::max(l.b.rank(x), 0)));
    std::iota(perm->rbegin(), perm->rend(), 0);
  }
  for (std::int64_t& axis : *perm) axis = l.axis(x, axis);
  return Value::of(graph::transpose(l.b, x, *perm));
}
Value swap_axes(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  return Value::of(graph::swap_axes(l.b, args.x(), args.integer(args.get(1, {"axis1"})).value_or(0),
                                    args.integer(args.get(2, {"axis2"})).value_or(1)));
}
Value expand_dims(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  return Value::of(graph::unsqueeze(l.b, args.x(), args.integers(args.get(1, {"axis"})).value_or(Ints{-1})));
}
Value squeeze(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const ValueId x = args.x();
  auto axes = args.integers(args.get(1, {"axis", "squeeze_dims"}));
  if (!axes || axes->empty()) {
    axes = Ints();
    for (int axis = 0; axis < l.b.rank(x); ++axis)
      if (l.b.dim(x, axis).is(1)) axes->push_back(axis);
    if (axes->empty()) return Value::of(x);
  }
  return Value::of(graph::squeeze(l.b, x, *axes));
}
Value concatenate(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const std::vector<ValueId> values = list_of(args);
  if (values.empty()) return {};
  return Value::of(graph::concat(l.b, values, l.axis(values[0], args.axis(1, l.keras < 3 ? -1 : 0))));
}
Value stack(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const std::vector<ValueId> values = list_of(args);
  if (values.empty()) return {};
  return Value::of(graph::stack(l.b, values, args.axis(1, 0)));
}
Value sum_of(Lowering& l, const Layer& layer, const Call& call) {
  ValueId y = kNone;
  for (const ValueId x : list_of({l, layer, call})) y = y == kNone ? x : graph::binary(l.b, "Add", y, x);
  return Value::of(y);
}
Value split(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const ValueId x = args.x();
  const Value how = args.get(1, {"indices_or_sections", "num_or_size_splits"});
  const std::int64_t axis = l.axis(x, args.axis(2, 0));
  const graph::Dim length = l.b.dim(x, axis);
  const auto numbers = args.integers(how);
  if (!numbers || !length.known() || numbers->empty()) {
    l.refuse(layer, "splitting an axis of unknown length");
    return {};
  }
  Ints sizes;
  if (how.kind != Value::Kind::kList) {
    if (numbers->front() <= 0 || numbers->front() > 65536 || length.number % numbers->front() != 0) {
      l.bad(layer, "does not split evenly");
      return {};
    }
    sizes.assign(static_cast<std::size_t>(numbers->front()), length.number / numbers->front());
  } else if (l.keras < 3) {
    sizes = *numbers;
  } else {
    std::int64_t from = 0;
    for (const std::int64_t at : *numbers) {
      sizes.push_back(at - from);
      from = at;
    }
    sizes.push_back(length.number - from);
  }
  std::vector<Value> out;
  for (const ValueId part : graph::split(l.b, x, sizes, axis)) out.push_back(Value::of(part));
  return Value::list(std::move(out));
}
Value unstack(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const ValueId x = args.x();
  const std::int64_t axis = l.axis(x, args.integer(args.option({"axis"})).value_or(0));
  const graph::Dim length = l.b.dim(x, axis);
  if (!length.known() || length.number > 65536) {
    l.refuse(layer, "an axis of unknown length");
    return {};
  }
  std::vector<Value> out;
  for (std::int64_t i = 0; i < length.number; ++i) out.push_back(Value::of(graph::select(l.b, x, axis, i)));
  return Value::list(std::move(out));
}
Value tile(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  ValueId x = args.x();
  Ints repeats = args.integers(args.get(1, {"repeats", "multiples"})).value_or(Ints{1});
  const auto rank = static_cast<std::size_t>(std::max(l.b.rank(x), 0));
  if (repeats.size() < rank) repeats.insert(repeats.begin(), rank - repeats.size(), 1);
  Ints front;
  for (std::size_t i = rank; i < repeats.size(); ++i)
    front.push_back(static_cast<std::int64_t>(front.size()));
  if (!front.empty()) x = graph::unsqueeze(l.b, x, front);
  return Value::of(graph::tile(l.b, x, repeats));
}
Value repeat(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  ValueId x = args.x();
  const auto times = args.integer(args.get(1, {"repeats"}));
  const auto given = args.integer(args.get(2, {"axis"}));
  if (!times || !given) {
    l.refuse(layer, "repeats that differ, or without an axis");
    return {};
  }
  const std::int64_t axis = l.axis(x, *given);
  Ints repeats(static_cast<std::size_t>(l.b.rank(x)) + 1, 1);
  repeats[static_cast<std::size_t>(axis) + 1] = *times;
  return Value::of(
      graph::flatten(l.b, graph::tile(l.b, graph::unsqueeze(l.b, x, {axis + 1}), repeats), axis, axis + 1));
}
Value flip(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  ValueId x = args.x();
  auto axes = args.integers(args.get(1, {"axis"}));
  if (!axes) {
    axes = Ints(static_cast<std::size_t>(std::max(l.b.rank(x), 0)));
    std::iota(axes->begin(), axes->end(), 0);
  }
  for (const std::int64_t axis : *axes)
    x = graph::slice(l.b, x, l.axis(x, axis), -1, std::numeric_limits<std::int64_t>::min() + 1, -1);
  return Value::of(x);
}
Value pad(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const ValueId x = args.x();
  const Value widths = args.get(1, {"pad_width", "paddings"});
  const auto rank = static_cast<std::size_t>(std::max(l.b.rank(x), 0));
  Ints before, after;
  for (const Value& item : widths.items) {
    const auto numbers = args.integers(item);
    if (!numbers || numbers->size() != 2) break;
    before.push_back((*numbers)[0]);
    after.push_back((*numbers)[1]);
  }
  if (before.size() == 1 && rank > 1) {
    before.resize(rank, before[0]);
    after.resize(rank, after[0]);
  }
  const Value given = args.option({"mode"});
  std::string mode = given.kind == Value::Kind::kLiteral && given.literal.is_string()
                         ? base::to_lower(given.literal.get_ref<const std::string&>())
                         : "constant";
  if (before.size() != rank || (mode != "constant" && mode != "reflect")) {
    l.refuse(layer, "its kind of padding");
    return {};
  }
  return Value::of(graph::pad(l.b, x, before, after, mode, args.number({"constant_values"}, 0)));
}
Value broadcast_to(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const auto shape = args.integers(args.get(1, {"shape"}));
  if (!shape) return {};
  return Value::of(graph::expand(l.b, args.x(), graph::ints(l.b, *shape)));
}
template <int number>
Value filled_like(Lowering& l, const Layer& layer, const Call& call) {
  const ValueId x = Args{l, layer, call}.x();
  return Value::of(graph::full(l.b, l.b.dtype(x), graph::shape_of(l.b, x), number));
}
Value shape(Lowering& l, const Layer& layer, const Call& call) {
  return Value::of(graph::cast(l.b, graph::shape_of(l.b, Args{l, layer, call}.x()), DType::kInt32));
}

constexpr OperationRow kRows[] = {
    {"Reshape", "reshape", reshape},
    {"Transpose", "transpose", transpose},
    {"Swapaxes", "", swap_axes},
    {"ExpandDims", "expand_dims", expand_dims},
    {"Squeeze", "squeeze", squeeze},
    {"Concatenate", "concat", concatenate},
    {"Stack", "stack", stack},
    {"Split", "split", split},
    {"Unstack", "unstack", unstack},
    {"Tile", "tile", tile},
    {"Repeat", "repeat", repeat},
    {"Flip", "reverse", flip},
    {"Pad", "pad", pad},
    {"BroadcastTo", "broadcast_to", broadcast_to},
    {"ZerosLike", "zeros_like", filled_like<0>},
    {"OnesLike", "ones_like", filled_like<1>},
    {"", "add_n", sum_of},
    {"", "shape", shape},
};

}  // namespace

std::span<const OperationRow> shape_operations() {
  return kRows;
}

}  // namespace wherry::keras
