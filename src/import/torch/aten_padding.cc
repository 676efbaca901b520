// Padding: pairs of numbers for the last axis, the one before it, …
#include <algorithm>
#include <array>

#include "import/torch/operators.h"

namespace wherry::torch {
namespace {

struct Amounts {
  Ints before;
  Ints after;
};

// Per axis of x.
std::optional<Amounts> amounts(Call& c, ValueId x, std::string_view parameter) {
  const Ints given = c.ints(parameter);
  const auto rank = static_cast<std::size_t>(c.rank(x));
  if (given.size() % 2 != 0 || given.size() / 2 > rank) {
    c.refuse("the padding does not fit the axes");
    return std::nullopt;
  }
  Amounts out{Ints(rank, 0), Ints(rank, 0)};
  for (std::size_t i = 0; i < given.size() / 2; ++i) {
    out.before[rank - 1 - i] = given[2 * i];
    out.after[rank - 1 - i] = given[2 * i + 1];
  }
  return out;
}

// Negative padding cuts; what is left to pad stays in `by`.
ValueId cropped(Builder& b, ValueId x, Amounts& by) {
  for (std::size_t i = 0; i < by.before.size(); ++i) {
    const std::int64_t front = std::max<std::int64_t>(-by.before[i], 0);
    const std::int64_t back = std::max<std::int64_t>(-by.after[i], 0);
    if (front != 0 || back != 0)
      x = graph::slice(b, x, static_cast<std::int64_t>(i), front, back != 0 ? -back : graph::kToEnd);
    by.before[i] = std::max<std::int64_t>(by.before[i], 0);
    by.after[i] = std::max<std::int64_t>(by.after[i], 0);
  }
  return x;
}

bool is_nothing(const Amounts& by) {
  const auto zero = [](std::int64_t each) { return each == 0; };
  return std::ranges::all_of(by.before, zero) && std::ranges::all_of(by.after, zero);
}

// ONNX Runtime before 1.17 has no "wrap", so the parts are joined.
ValueId wrapped(Builder& b, ValueId x, const Amounts& by) {
  for (std::size_t i = 0; i < by.before.size(); ++i) {
    const auto axis = static_cast<std::int64_t>(i);
    std::vector<ValueId> parts;
    if (by.before[i] > 0) parts.push_back(graph::slice(b, x, axis, -by.before[i], graph::kToEnd));
    parts.push_back(x);
    if (by.after[i] > 0) parts.push_back(graph::slice(b, x, axis, 0, by.after[i]));
    if (parts.size() > 1) x = graph::concat(b, parts, axis);
  }
  return x;
}

// Amounts which the graph computes, of constant padding only.
Outputs computed(Call& c, ValueId x, const std::vector<Length>& given, ValueId number) {
  Builder& b = c.b;
  const auto rank = static_cast<std::size_t>(c.rank(x));
  std::vector<Length> all(2 * rank, std::int64_t{0});
  if (given.size() % 2 != 0 || given.size() / 2 > rank) return c.refuse("the padding does not fit the axes");
  for (std::size_t i = 0; i < given.size() / 2; ++i) {
    all[rank - 1 - i] = given[2 * i];
    all[2 * rank - 1 - i] = given[2 * i + 1];
  }
  return b.add("Pad", {x, graph::lengths(b, all), number}, {{"mode", std::string("constant")}});
}

Outputs constant(Call& c, std::string_view parameter) {
  Builder& b = c.b;
  ValueId x = c.tensor("self");
  const ValueId number =
      as_dtype(b, c["value"].is_none() ? Argument(std::int64_t{0}) : c["value"], b.dtype(x));
  const std::vector<Length> given = c.lengths(parameter);
  if (std::ranges::any_of(given, [](const Length& each) { return std::holds_alternative<ValueId>(each); }))
    return computed(c, x, given, number);
  auto by = amounts(c, x, parameter);
  if (!by) return kNone;
  x = cropped(b, x, *by);
  if (is_nothing(*by)) return x;
  Ints both = by->before;
  both.insert(both.end(), by->after.begin(), by->after.end());
  return b.add("Pad", {x, graph::ints(b, both), number}, {{"mode", std::string("constant")}});
}

Outputs by_mode(Call& c, std::string_view parameter, std::string_view mode) {
  Builder& b = c.b;
  ValueId x = c.tensor("self");
  auto by = amounts(c, x, parameter);
  if (!by) return kNone;
  x = cropped(b, x, *by);
  if (is_nothing(*by)) return x;
  if (mode == "wrap") return wrapped(b, x, *by);
  return graph::pad(b, x, by->before, by->after, mode);
}

Outputs constant_pad(Call& c) {
  return constant(c, "pad");
}
Outputs reflection_pad(Call& c) {
  return by_mode(c, "padding", "reflect");
}
Outputs replication_pad(Call& c) {
  return by_mode(c, "padding", "edge");
}
Outputs circular_pad(Call& c) {
  return by_mode(c, "pad", "wrap");
}

struct Mode {
  std::string_view torch;
  std::string_view onnx;
};
constexpr auto kModes =
    std::to_array<Mode>({{"reflect", "reflect"}, {"replicate", "edge"}, {"circular", "wrap"}});

Outputs pad(Call& c) {
  const std::string mode = c.text("mode", "constant");
  if (mode == "constant") return constant(c, "pad");
  const auto row = std::ranges::find(kModes, mode, &Mode::torch);
  if (row == kModes.end()) return c.refuse("its mode is unknown");
  return by_mode(c, "pad", row->onnx);
}

constexpr auto kRows = std::to_array<Operator>({
    {"aten::pad(Tensor self, SymInt[] pad, str mode=\"constant\", float? value=None) -> Tensor", pad},
    {"aten::constant_pad_nd(Tensor self, SymInt[] pad, Scalar value=0) -> Tensor", constant_pad},
    {"aten::reflection_pad1d(Tensor self, SymInt[2] padding) -> Tensor", reflection_pad},
    {"aten::reflection_pad2d(Tensor self, SymInt[4] padding) -> Tensor", reflection_pad},
    {"aten::reflection_pad3d(Tensor self, SymInt[6] padding) -> Tensor", reflection_pad},
    {"aten::replication_pad1d(Tensor self, SymInt[2] padding) -> Tensor", replication_pad},
    {"aten::replication_pad2d(Tensor self, SymInt[4] padding) -> Tensor", replication_pad},
    {"aten::replication_pad3d(Tensor self, SymInt[6] padding) -> Tensor", replication_pad},
    {"aten::_pad_circular(Tensor self, SymInt[] pad) -> Tensor", circular_pad},
});

}  // namespace

std::span<const Operator> padding_operators() {
  return kRows;
}

}  // namespace wherry::torch
