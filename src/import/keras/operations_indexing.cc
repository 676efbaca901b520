// Parts by their places.
#include <algorithm>

#include "base/text.h"
#include "import/keras/operations.h"

namespace wherry::keras {

namespace {

Value one_hot(Lowering& l, const Layer& layer, const Call& call) {
  Builder& b = l.b;
  const Args args{l, layer, call};
  const ValueId x = graph::cast(b, args.get(0, {"x", "indices"}).tensor, DType::kInt64);
  const auto depth = args.integer(args.get(1, {"num_classes", "depth"}));
  const std::int64_t axis = args.integer(args.option({"axis"})).value_or(-1);
  if (!depth || axis != -1 || !args.option({"on_value"}).is_none() || !args.option({"off_value"}).is_none()) {
    l.refuse(layer, "its options");
    return {};
  }
  const ValueId range =
      b.add("Range", {graph::int_scalar(b, 0), graph::int_scalar(b, *depth), graph::int_scalar(b, 1)});
  const ValueId hot = graph::binary(b, "Equal", graph::unsqueeze(b, x, {b.rank(x)}), range);
  const DType dtype = args.dtype(args.option({"dtype"})).value_or(DType::kFloat32);
  return Value::of(graph::cast(b, hot, dtype));
}
Value take(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  ValueId x = args.x();
  const Value indices = args.get(1, {"indices"});
  const Value axis = args.option({"axis"});
  if (args.integer(args.option({"batch_dims"})).value_or(0) != 0) l.refuse(layer, "batch_dims");
  if (axis.is_none() && l.keras >= 3) x = graph::reshape(l.b, x, Ints{-1});
  const ValueId index = operand(l, layer, indices, kNone);
  const DType dtype = l.b.dtype(index);
  const bool integral = dtype == DType::kInt32 || dtype == DType::kInt64;
  return Value::of(graph::gather(l.b, x, integral ? index : graph::cast(l.b, index, DType::kInt64),
                                 args.integer(axis).value_or(0)));
}
Value take_along(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const Value indices = args.get(1, {"indices"});
  const auto axis = args.integer(args.get(2, {"axis"}));
  if (!indices.is_tensor() || !axis) {
    l.refuse(layer, "its options");
    return {};
  }
  return Value::of(l.b.add("GatherElements", {args.x(), graph::cast(l.b, indices.tensor, DType::kInt64)},
                           {{"axis", *axis}}));
}
Value top_k(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  const auto k = args.integer(args.get(1, {"k"}));
  const auto made =
      l.b.add_many("TopK", {args.x(), graph::ints(l.b, {k.value_or(1)})}, 2, {{"axis", std::int64_t{-1}}});
  return Value::list({Value::of(made[0]), Value::of(graph::cast(l.b, made[1], DType::kInt32))});
}

bool is_ellipsis(const Value& value) {
  if (value.kind != Value::Kind::kLiteral || !value.literal.is_object()) return false;
  const std::string* class_name = text::find_string(value.literal, "class_name");
  return class_name != nullptr && *class_name == "__ellipsis__";
}

// x[…]: integers, slices, None and one ellipsis.
Value get_item(Lowering& l, const Layer& layer, const Call& call) {
  const Args args{l, layer, call};
  Builder& b = l.b;
  ValueId x = args.x();
  const Value key = args.get(1, {"key", "slice_spec"});
  const std::vector<Value> parts = key.kind == Value::Kind::kList ? key.items : std::vector{key};
  std::int64_t axis = 0, used = 0;
  for (const Value& part : parts)
    if (!part.is_none() && !is_ellipsis(part)) ++used;
  if (b.rank(x) < used) {
    l.bad(layer, "has more indices than its tensor has axes");
    return {};
  }
  const std::int64_t rank = b.rank(x);
  for (const Value& part : parts) {
    if (is_ellipsis(part)) {
      axis += rank - used;
    } else if (part.is_none()) {
      x = graph::unsqueeze(b, x, {axis++});
    } else if (const auto number = args.integer(part)) {
      x = graph::select(b, x, axis, *number);
    } else if (part.kind == Value::Kind::kDict) {
      const auto member = [&](std::string_view name) -> std::optional<std::int64_t> {
        const auto found = std::ranges::find(part.keys, name);
        if (found == part.keys.end()) return std::nullopt;
        const Value& value = part.items[static_cast<std::size_t>(found - part.keys.begin())];
        if (value.is_tensor()) l.refuse(layer, "a slice whose bounds are computed");
        return args.integer(value);
      };
      const std::int64_t step = member("step").value_or(1);
      if (step == 0) l.bad(layer, "has a slice with step 0");
      const std::int64_t start =
          member("start").value_or(step > 0 ? 0 : std::numeric_limits<std::int64_t>::max());
      const std::int64_t stop =
          member("stop").value_or(step > 0 ? graph::kToEnd : std::numeric_limits<std::int64_t>::min() + 1);
      x = graph::slice(b, x, axis++, start, stop, step);
    } else if (part.is_tensor() && parts.size() == 1) {
      x = graph::gather(b, x, graph::cast(b, part.tensor, DType::kInt64), 0);
    } else {
      l.refuse(layer, "an index that is neither a number nor a slice");
      return {};
    }
  }
  return Value::of(x);
}

constexpr OperationRow kRows[] = {
    {"OneHot", "one_hot", one_hot}, {"Take", "gather", take},         {"TakeAlongAxis", "", take_along},
    {"TopK", "top_k", top_k},       {"GetItem", "getitem", get_item},
};

}  // namespace

std::span<const OperationRow> indexing_operations() {
  return kRows;
}

}  // namespace wherry::keras
