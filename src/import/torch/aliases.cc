#include "import/torch/aliases.h"

#include <algorithm>
#include <array>

namespace wherry::torch {
namespace {

ValueId put_all(Call&, ValueId, ValueId part, std::size_t) {
  return part;
}

ValueId put_reshaped(Call& call, ValueId whole, ValueId part, std::size_t) {
  return graph::reshape(call.b, part, graph::shape_of(call.b, whole));
}

ValueId put_permuted(Call& call, ValueId whole, ValueId part, std::size_t) {
  const int rank = call.rank(whole);
  const Ints perm = call.ints("dims");
  Ints inverse(perm.size());
  for (std::size_t i = 0; i < perm.size(); ++i) {
    const std::int64_t to = perm[i] < 0 ? perm[i] + rank : perm[i];
    if (to < 0 || to >= static_cast<std::int64_t>(inverse.size()))
      return call.refuse("dims is no permutation");
    inverse[static_cast<std::size_t>(to)] = static_cast<std::int64_t>(i);
  }
  return graph::transpose(call.b, part, inverse);
}

ValueId put_transposed(Call& call, ValueId, ValueId part, std::size_t) {
  return graph::swap_axes(call.b, part, call.integer("dim0"), call.integer("dim1"));
}

ValueId put_t(Call& call, ValueId, ValueId part, std::size_t) {
  return graph::swap_axes(call.b, part, 0, 1);
}

// `part` in the place of indices start, start + step, … of an axis.
ValueId put_range(Call& call, ValueId whole, ValueId part, std::int64_t axis, const graph::Length& first,
                  std::int64_t step) {
  Builder& b = call.b;
  const graph::Dim length = b.dim(whole, axis);
  ValueId from = kNone;
  if (const auto* const known = std::get_if<std::int64_t>(&first)) {
    std::int64_t start = *known;
    if (start < 0 && length.known()) start = std::max<std::int64_t>(start + length.number, 0);
    if (length.known()) start = std::min(start, length.number);
    if (const graph::Dim width = b.dim(part, axis); step == 1 && start >= 0 && width.known()) {
      std::vector<ValueId> pieces;
      if (start > 0) pieces.push_back(graph::slice(b, whole, axis, 0, start));
      pieces.push_back(part);
      if (!length.is(start + width.number))
        pieces.push_back(graph::slice(b, whole, axis, start + width.number, graph::kToEnd));
      return pieces.size() == 1 ? part : graph::concat(b, pieces, axis);
    }
    from = graph::int_scalar(b, start);
  } else {
    from = std::get<ValueId>(first);
  }
  const ValueId count = graph::dim_scalar(b, part, axis);
  const ValueId size = graph::dim_scalar(b, whole, axis);
  const ValueId zero = graph::int_scalar(b, 0);
  from = graph::where(b, graph::binary(b, "Less", from, zero),
                      graph::binary(b, "Max", graph::binary(b, "Add", size, from), zero), from);
  const ValueId indices =
      graph::binary(b, "Add",
                    graph::binary(b, "Mul", b.add("Range", {zero, count, graph::int_scalar(b, 1)}),
                                  graph::int_scalar(b, step)),
                    from);
  const int rank = call.rank(whole);
  Ints perm;
  for (int i = 0; i < rank; ++i) perm.push_back(i);
  std::swap(perm[0], perm[static_cast<std::size_t>(axis)]);
  const ValueId data = graph::transpose(b, whole, perm);
  const ValueId update = graph::transpose(b, part, perm);
  const ValueId put = b.add("ScatterND", {data, graph::unsqueeze(b, indices, {1}), update});
  return graph::transpose(b, put, perm);
}

ValueId put_selected(Call& call, ValueId whole, ValueId part, std::size_t) {
  const std::int64_t axis = call.axis("dim", call.rank(whole));
  return put_range(call, whole, graph::unsqueeze(call.b, part, {axis}), axis, call.length("index"), 1);
}

ValueId put_slice(Call& call, ValueId whole, ValueId part, std::size_t) {
  const std::int64_t axis = call.axis("dim", call.rank(whole));
  const graph::Length start = call.has("start") ? call.length("start") : graph::Length(std::int64_t{0});
  return put_range(call, whole, part, axis, start, call.integer("step", 1));
}

ValueId put_narrow(Call& call, ValueId whole, ValueId part, std::size_t) {
  return put_range(call, whole, part, call.axis("dim", call.rank(whole)), call.length("start"), 1);
}

ValueId put_unbound(Call& call, ValueId whole, ValueId part, std::size_t index) {
  const std::int64_t axis = call.axis("dim", call.rank(whole));
  return put_range(call, whole, graph::unsqueeze(call.b, part, {axis}), axis,
                   static_cast<std::int64_t>(index), 1);
}

ValueId put_chunk(Call& call, ValueId whole, ValueId part, std::size_t index) {
  const std::int64_t axis = call.axis("dim", call.rank(whole));
  const std::int64_t chunks = std::max<std::int64_t>(call.integer("chunks"), 1);
  const std::int64_t total = call.size(whole, axis);
  const std::int64_t width = (total + chunks - 1) / chunks;
  return put_range(call, whole, part, axis, static_cast<std::int64_t>(index) * width, 1);
}

ValueId put_split(Call& call, ValueId whole, ValueId part, std::size_t index) {
  const std::int64_t axis = call.axis("dim", call.rank(whole));
  std::int64_t start = 0;
  if (call["split_size"].is_number()) {
    start = static_cast<std::int64_t>(index) * call.integer("split_size");
  } else {
    const Ints sizes = call.ints(call.has("split_sizes") ? "split_sizes" : "split_size");
    for (std::size_t i = 0; i < std::min(index, sizes.size()); ++i) start += sizes[i];
  }
  return put_range(call, whole, part, axis, start, 1);
}

ValueId put_moved(Call& call, ValueId whole, ValueId part, std::size_t) {
  const int rank = call.rank(whole);
  const auto axes = [&](std::string_view parameter) {
    Ints given = call[parameter].get<Argument::List>() != nullptr ? call.ints(parameter)
                                                                  : Ints{call.integer(parameter)};
    for (std::int64_t& axis : given) axis += axis < 0 ? rank : 0;
    return given;
  };
  const Ints from = axes("source");
  const Ints to = axes("destination");
  Ints perm(static_cast<std::size_t>(rank), -1);  // of `whole`: the axis of `part` it is
  std::vector<bool> taken(static_cast<std::size_t>(rank));
  for (std::size_t i = 0; i < std::min(from.size(), to.size()); ++i) {
    if (from[i] < 0 || from[i] >= rank || to[i] < 0 || to[i] >= rank)
      return call.refuse("an axis does not exist");
    perm[static_cast<std::size_t>(from[i])] = to[i];
    taken[static_cast<std::size_t>(to[i])] = true;
  }
  std::size_t next = 0;
  for (std::int64_t& axis : perm) {
    if (axis >= 0) continue;
    while (next < taken.size() && taken[next]) ++next;
    axis = static_cast<std::int64_t>(next++);
  }
  return graph::transpose(call.b, part, perm);
}

// Ordered as one looks for them: what leaves the elements in order first.
constexpr auto kAliases = std::to_array<Alias>({
    {"aten::alias", Sharing::kAlways, true, put_all},
    {"aten::detach", Sharing::kAlways, true, put_all},
    {"aten::lift_fresh", Sharing::kAlways, true, put_all},
    {"aten::dropout", Sharing::kAlways, true, put_all},
    {"aten::feature_dropout", Sharing::kAlways, true, put_all},
    {"aten::contiguous", Sharing::kIfInOrder, true, put_all},
    {"aten::to", Sharing::kAlways, true, put_all},
    {"aten::type_as", Sharing::kAlways, true, put_all},
    {"aten::view", Sharing::kAlways, true, put_reshaped},
    {"aten::_unsafe_view", Sharing::kAlways, true, put_reshaped},
    {"aten::view_as", Sharing::kAlways, true, put_reshaped},
    {"aten::reshape", Sharing::kIfInOrder, true, put_reshaped},
    {"aten::reshape_as", Sharing::kIfInOrder, true, put_reshaped},
    {"aten::flatten", Sharing::kIfInOrder, true, put_reshaped},
    {"aten::ravel", Sharing::kIfInOrder, true, put_reshaped},
    {"aten::unflatten", Sharing::kAlways, true, put_reshaped},
    {"aten::unsqueeze", Sharing::kAlways, true, put_reshaped},
    {"aten::squeeze", Sharing::kAlways, true, put_reshaped},
    {"aten::permute", Sharing::kAlways, false, put_permuted},
    {"aten::transpose", Sharing::kAlways, false, put_transposed},
    {"aten::t", Sharing::kAlways, false, put_t},
    {"aten::select", Sharing::kAlways, false, put_selected},
    {"aten::slice", Sharing::kAlways, false, put_slice},
    {"aten::narrow", Sharing::kAlways, false, put_narrow},
    {"aten::unbind", Sharing::kAlways, false, put_unbound},
    {"aten::split", Sharing::kAlways, false, put_split},
    {"aten::split_with_sizes", Sharing::kAlways, false, put_split},
    {"aten::chunk", Sharing::kAlways, false, put_chunk},
    {"aten::expand", Sharing::kAlways, false, nullptr},
    {"aten::expand_as", Sharing::kAlways, false, nullptr},
    {"aten::diagonal", Sharing::kAlways, false, nullptr},
    {"aten::movedim", Sharing::kAlways, false, put_moved},
    {"aten::unfold", Sharing::kAlways, false, nullptr},
});

}  // namespace

const Alias* find_alias(std::string_view name) {
  const auto found = std::ranges::find(kAliases, name, &Alias::name);
  return found != kAliases.end() ? &*found : nullptr;
}

}  // namespace wherry::torch
