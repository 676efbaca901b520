// New tensors: constants, ranges, copies.
#include <array>
#include <cmath>

#include "import/torch/operators.h"
#include "import/torch/scalar_type.h"

namespace wherry::torch {
namespace {

ValueId filled(Call& c, const std::vector<Length>& shape, const Argument& number, DType dtype) {
  tensor::Shape known;
  for (const Length& length : shape)
    if (const auto* const each = std::get_if<std::int64_t>(&length)) known.push_back(*each);
  const ValueId element = as_dtype(c.b, number, dtype);
  const ValueId out = graph::expand(
      c.b, element, known.size() == shape.size() ? graph::ints(c.b, known) : graph::lengths(c.b, shape));
  const auto* const integer = number.get<std::int64_t>();
  if (integer != nullptr && *integer == 0) c.note(out, {.is_zero = true});
  return out;
}

DType number_dtype(const Argument& number) {
  if (number.get<bool>() != nullptr) return DType::kBool;
  return number.get<std::int64_t>() != nullptr || number.get<Symbol>() != nullptr ? DType::kInt64
                                                                                  : DType::kFloat32;
}

template <int Number>
Outputs constant(Call& c) {
  return filled(c, c.lengths("size"), Argument(std::int64_t{Number}), c.dtype().value_or(DType::kFloat32));
}

Outputs full(Call& c) {
  return filled(c, c.lengths("size"), c["fill_value"], c.dtype().value_or(number_dtype(c["fill_value"])));
}

std::vector<Length> shape_as(Call& c, ValueId x) {
  std::vector<Length> out;
  for (int i = 0; i < c.rank(x); ++i) {
    const graph::Dim dim = c.b.dim(x, i);
    out.push_back(dim.known() ? Length(dim.number) : Length(graph::dim_of(c.b, x, i)));
  }
  return out;
}

template <int Number>
Outputs like(Call& c) {
  const ValueId x = c.tensor("self");
  return filled(c, shape_as(c, x), Argument(std::int64_t{Number}), c.dtype().value_or(c.b.dtype(x)));
}

Outputs full_like(Call& c) {
  const ValueId x = c.tensor("self");
  return filled(c, shape_as(c, x), c["fill_value"], c.dtype().value_or(c.b.dtype(x)));
}

template <int Number>
Outputs new_constant(Call& c) {
  return filled(c, c.lengths("size"), Argument(std::int64_t{Number}),
                c.dtype().value_or(c.b.dtype(c.tensor("self"))));
}

Outputs new_full(Call& c) {
  return filled(c, c.lengths("size"), c["fill_value"], c.dtype().value_or(c.b.dtype(c.tensor("self"))));
}

Outputs fill(Call& c) {
  const ValueId x = c.tensor("self");
  return graph::expand(c.b, as_dtype(c.b, c["value"], c.b.dtype(x)), graph::shape_of(c.b, x));
}

Outputs zero(Call& c) {
  const ValueId x = c.tensor("self");
  return filled(c, shape_as(c, x), Argument(std::int64_t{0}), c.b.dtype(x));
}

Outputs copy(Call& c) {
  const ValueId x = c.tensor("self");
  return graph::expand(c.b, as_dtype(c.b, c["src"], c.b.dtype(x)), graph::shape_of(c.b, x));
}

constexpr double kMostElements = 1 << 22;

// A range of numbers that are all known, computed as PyTorch does: start + i · step in double.
std::optional<ValueId> known_range(Call& c, DType dtype) {
  const auto number = [&](std::string_view parameter, double otherwise) -> std::optional<double> {
    const Argument& argument = c[parameter];
    if (argument.is_none()) return otherwise;
    if (const auto* const real = argument.get<double>()) return *real;
    if (const auto* const integer = argument.get<std::int64_t>()) return static_cast<double>(*integer);
    if (const auto* const symbol = argument.get<Symbol>())
      if (const auto known = c.b.known_int(symbol->value)) return static_cast<double>(*known);
    return std::nullopt;
  };
  const auto start = number("start", 0);
  const auto end = number("end", 0);
  const auto step = number("step", 1);
  if (!start || !end || !step) return std::nullopt;
  const double count = *step == 0 ? -1 : std::ceil((*end - *start) / *step);
  if (!(count <= kMostElements) || *step == 0) {
    c.refuse("a range of too many numbers");
    return kNone;
  }
  const auto size = static_cast<std::size_t>(std::max(count, 0.0));
  std::vector<double> numbers(size);
  for (std::size_t i = 0; i < size; ++i) numbers[i] = *start + static_cast<double>(i) * *step;
  const auto length = static_cast<std::int64_t>(size);
  const ValueId out =
      graph::cast(c.b, c.b.constant(tensor::Tensor::of<double>({length}, std::move(numbers))), dtype);
  if (*start == 0 && *step == std::floor(*step)) c.note(out, {.step = static_cast<std::int64_t>(*step)});
  return out;
}

Outputs arange(Call& c) {
  Builder& b = c.b;
  bool integral = true;
  for (const std::string_view parameter : {"start", "end", "step"}) {
    const auto* const symbol = c[parameter].get<Symbol>();
    integral = integral && c[parameter].get<double>() == nullptr &&
               (symbol == nullptr || is_integral(b.dtype(symbol->value)));
  }
  const DType dtype = c.dtype().value_or(integral ? DType::kInt64 : DType::kFloat32);
  if (const auto known = known_range(c, dtype)) return *known;
  const DType compute = integral ? DType::kInt64 : DType::kFloat64;
  const auto bound = [&](std::string_view parameter, std::int64_t otherwise) {
    return as_dtype(b, c.has(parameter) ? c[parameter] : Argument(otherwise), compute);
  };
  const ValueId out =
      graph::cast(b, b.add("Range", {bound("start", 0), bound("end", 0), bound("step", 1)}), dtype);
  const auto* const start = c["start"].get<std::int64_t>();
  const auto* const step = c["step"].get<std::int64_t>();
  if (c["start"].is_none() || (start != nullptr && *start == 0))
    c.note(out, {.step = c["step"].is_none() ? 1 : step != nullptr ? *step : 0});
  return out;
}

Outputs linspace(Call& c) {
  const double start = c.number("start");
  const double end = c.number("end");
  const std::int64_t steps = c.integer("steps");
  if (steps < 0 || static_cast<double>(steps) > kMostElements) return c.refuse("too many steps");
  std::vector<double> numbers(static_cast<std::size_t>(steps));
  const double step = steps > 1 ? (end - start) / static_cast<double>(steps - 1) : 0;
  for (std::int64_t i = 0; i < steps; ++i)  // from both ends, as PyTorch does
    numbers[static_cast<std::size_t>(i)] = i < steps / 2 || steps == 1
                                               ? start + step * static_cast<double>(i)
                                               : end - step * static_cast<double>(steps - 1 - i);
  return graph::cast(c.b, c.b.constant(tensor::Tensor::of<double>({steps}, std::move(numbers))),
                     c.dtype().value_or(DType::kFloat32));
}

ValueId positions(Builder& b, const Length& count) {
  const ValueId end = std::holds_alternative<ValueId>(count)
                          ? graph::reshape(b, std::get<ValueId>(count), Ints{})
                          : graph::int_scalar(b, std::get<std::int64_t>(count));
  return b.add("Range", {graph::int_scalar(b, 0), end, graph::int_scalar(b, 1)});
}

Outputs eye(Call& c) {
  Builder& b = c.b;
  const Length rows = c.length("n");
  const Length columns = c.has("m") ? c.length("m") : rows;
  const ValueId same = graph::binary(b, "Equal", graph::unsqueeze(b, positions(b, rows), {1}),
                                     graph::unsqueeze(b, positions(b, columns), {0}));
  return graph::cast(b, same, c.dtype().value_or(DType::kFloat32));
}

template <bool Upper>
Outputs triangle_indices(Call& c) {
  const std::int64_t rows = c.integer("row");
  const std::int64_t columns = c.integer("col");
  const std::int64_t offset = c.integer("offset");
  if (rows < 0 || columns < 0 || static_cast<double>(rows) * static_cast<double>(columns) > kMostElements)
    return c.refuse("too many elements");
  Ints at_row;
  Ints at_column;
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j)
      if (Upper ? j >= i + offset : j <= i + offset) at_row.push_back(i), at_column.push_back(j);
  return graph::stack(c.b, {graph::ints(c.b, at_row), graph::ints(c.b, at_column)}, 0);
}

constexpr auto kRows = std::to_array<Operator>({
    {"aten::zeros(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None) -> Tensor",
     constant<0>},
    {"aten::ones(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None) -> Tensor",
     constant<1>},
    {"aten::empty.memory_format(SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, "
     "bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
     constant<0>},
    {"aten::full(SymInt[] size, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, "
     "bool? pin_memory=None) -> Tensor",
     full},
    {"aten::zeros_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
     "bool? "
     "pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
     like<0>},
    {"aten::ones_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
     "bool? "
     "pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
     like<1>},
    {"aten::empty_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
     "bool? "
     "pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
     like<0>},
    {"aten::full_like(Tensor self, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, "
     "Device? "
     "device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor",
     full_like},
    {"aten::new_zeros(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, "
     "bool? pin_memory=None) -> Tensor",
     new_constant<0>},
    {"aten::new_ones(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, "
     "bool? pin_memory=None) -> Tensor",
     new_constant<1>},
    {"aten::new_empty(Tensor self, SymInt[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, "
     "bool? pin_memory=None) -> Tensor",
     new_constant<0>},
    {"aten::new_full(Tensor self, SymInt[] size, Scalar fill_value, *, ScalarType? dtype=None, Layout? "
     "layout=None, "
     "Device? device=None, bool? pin_memory=None) -> Tensor",
     new_full},
    {"aten::empty_permuted(SymInt[] size, int[] physical_layout, *, ScalarType? dtype=None, Layout? "
     "layout=None, Device? "
     "device=None, bool? pin_memory=None) -> Tensor",
     constant<0>},
    {"aten::fill.Scalar(Tensor self, Scalar value) -> Tensor", fill},
    {"aten::fill.Tensor(Tensor self, Tensor value) -> Tensor", fill},
    {"aten::zero(Tensor self) -> Tensor", zero},
    {"aten::copy(Tensor self, Tensor src, bool non_blocking=False) -> Tensor", copy},
    {"aten::arange(Scalar end, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None) -> Tensor",
     arange},
    {"aten::arange.start(Scalar start, Scalar end, *, ScalarType? dtype=None, Layout? layout=None, Device? "
     "device=None, "
     "bool? pin_memory=None) -> Tensor",
     arange},
    {"aten::arange.start_step(Scalar start, Scalar end, Scalar step=1, *, ScalarType? dtype=None, Layout? "
     "layout=None, "
     "Device? device=None, bool? pin_memory=None) -> Tensor",
     arange},
    {"aten::linspace(Scalar start, Scalar end, int steps, *, ScalarType? dtype=None, Layout? layout=None, "
     "Device? "
     "device=None, bool? pin_memory=None) -> Tensor",
     linspace},
    {"aten::eye(SymInt n, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
     "pin_memory=None) "
     "-> Tensor",
     eye},
    {"aten::eye.m(SymInt n, SymInt m, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
     "bool? "
     "pin_memory=None) -> Tensor",
     eye},
    {"aten::tril_indices(int row, int col, int offset=0, *, ScalarType? dtype=None, Layout? layout=None, "
     "Device? "
     "device=None, bool? pin_memory=None) -> Tensor",
     triangle_indices<false>},
    {"aten::triu_indices(int row, int col, int offset=0, *, ScalarType? dtype=None, Layout? layout=None, "
     "Device? "
     "device=None, bool? pin_memory=None) -> Tensor",
     triangle_indices<true>},
});

}  // namespace

std::span<const Operator> creation_operators() {
  return kRows;
}

}  // namespace wherry::torch
