#include "graph/verbs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/text.h"
#include "tensor/half.h"

namespace wherry::graph {
namespace {

using tensor::DType;
using tensor::Tensor;

template <class T>
std::optional<Tensor> of_integer(const tensor::Shape& shape, double number) {
  const double bound = std::ldexp(1.0, std::numeric_limits<T>::digits);
  if (!(number < bound && number >= (std::is_signed_v<T> ? -bound : 0)) || number != std::trunc(number))
    return std::nullopt;
  return Tensor::of<T>(shape, {static_cast<T>(number)});
}

// One element of `shape`, whose lengths are all 1.
std::optional<Tensor> element(DType dtype, double number, const tensor::Shape& shape) {
  const auto bits = [&](std::uint16_t pattern) {
    auto held = std::make_shared<std::uint16_t>(pattern);
    return *Tensor::borrow(dtype, shape, std::as_bytes(std::span(held.get(), 1)), held);
  };
  switch (dtype) {
    case DType::kBool:
      return Tensor::of_bools(shape, {static_cast<std::uint8_t>(number != 0)});
    case DType::kInt8:
      return of_integer<std::int8_t>(shape, number);
    case DType::kInt16:
      return of_integer<std::int16_t>(shape, number);
    case DType::kInt32:
      return of_integer<std::int32_t>(shape, number);
    case DType::kInt64:
      return of_integer<std::int64_t>(shape, number);
    case DType::kUint8:
      return of_integer<std::uint8_t>(shape, number);
    case DType::kUint16:
      return of_integer<std::uint16_t>(shape, number);
    case DType::kUint32:
      return of_integer<std::uint32_t>(shape, number);
    case DType::kUint64:
      return of_integer<std::uint64_t>(shape, number);
    case DType::kFloat16:
      return bits(tensor::double_to_half(number));
    case DType::kBfloat16:
      return bits(tensor::double_to_bfloat(number));
    case DType::kFloat32:
      return Tensor::of<float>(shape, {static_cast<float>(number)});
    case DType::kFloat64:
      return Tensor::of<double>(shape, {number});
    case DType::kString:
      return std::nullopt;
  }
  return std::nullopt;
}

ValueId one_element(Builder& b, DType dtype, double number, const tensor::Shape& shape) {
  auto made = element(dtype, number, shape);
  if (!made) {
    b.fail(base::cat("the number ", number, " is not of the type ", tensor::info(dtype).numpy_name));
    return kNone;
  }
  return b.constant(std::move(*made));
}

Ints all_axes_but_first_two(int rank, bool first) {
  Ints perm{0};
  if (first) perm.push_back(rank - 1);
  for (int k = first ? 1 : 2; k < rank - (first ? 1 : 0); ++k) perm.push_back(k);
  if (!first) perm.push_back(1);
  return perm;
}

ValueId move_channels(Builder& b, ValueId x, bool first) {
  const int rank = b.rank(x);
  if (rank < 3) {
    b.fail(base::cat("channels cannot be moved in ", to_string(b.type(x))));
    return kNone;
  }
  return transpose(b, x, all_axes_but_first_two(rank, first));
}

}  // namespace

ValueId scalar(Builder& b, DType dtype, double number) {
  return one_element(b, dtype, number, {});
}
ValueId int_scalar(Builder& b, std::int64_t number) {
  return b.constant(Tensor::of<std::int64_t>({}, {number}));
}
ValueId ints(Builder& b, Ints numbers) {
  const auto length = static_cast<std::int64_t>(numbers.size());
  return b.constant(Tensor::of<std::int64_t>({length}, std::move(numbers)));
}
ValueId floats(Builder& b, std::vector<float> numbers) {
  const auto length = static_cast<std::int64_t>(numbers.size());
  return b.constant(Tensor::of<float>({length}, std::move(numbers)));
}
ValueId bool_scalar(Builder& b, bool value) {
  return b.constant(Tensor::of_bools({}, {static_cast<std::uint8_t>(value)}));
}
ValueId string_scalar(Builder& b, std::string text) {
  return b.constant(Tensor::of_strings({}, {std::move(text)}));
}
ValueId scalar_like(Builder& b, ValueId x, double number) {
  return scalar(b, b.dtype(x), number);
}
ValueId full(Builder& b, DType dtype, const tensor::Shape& shape, double number) {
  return full(b, dtype, ints(b, shape), number);
}
ValueId full(Builder& b, DType dtype, ValueId shape, double number) {
  auto made = element(dtype, number, {1});
  if (!made) {
    b.fail(base::cat("the number ", number, " is not of the type ", tensor::info(dtype).numpy_name));
    return kNone;
  }
  return b.add("ConstantOfShape", {shape}, {{"value", std::move(*made)}});
}

ValueId cast(Builder& b, ValueId x, DType dtype) {
  return b.add("Cast", {x}, {{"to", onnx_dtype(dtype)}});
}
ValueId unary(Builder& b, std::string_view op, ValueId x) {
  return b.add(op, {x});
}
ValueId binary(Builder& b, std::string_view op, ValueId x, ValueId y) {
  return b.add(op, {x, y});
}
ValueId binary(Builder& b, std::string_view op, ValueId x, double y) {
  return b.add(op, {x, scalar_like(b, x, y)});
}
ValueId where(Builder& b, ValueId condition, ValueId yes, ValueId no) {
  return b.add("Where", {condition, yes, no});
}
ValueId clip(Builder& b, ValueId x, double low, double high) {
  const ValueId least = std::isinf(low) ? kNone : scalar_like(b, x, low);
  const ValueId most = std::isinf(high) ? kNone : scalar_like(b, x, high);
  return least == kNone && most == kNone ? x : b.add("Clip", {x, least, most});
}

ValueId shape_of(Builder& b, ValueId x) {
  return b.add("Shape", {x});
}
ValueId dim_of(Builder& b, ValueId x, std::int64_t axis) {
  axis = positive_axis(b, x, axis);
  return b.add("Shape", {x}, {{"start", axis}, {"end", axis + 1}});
}
ValueId dim_scalar(Builder& b, ValueId x, std::int64_t axis) {
  return squeeze(b, dim_of(b, x, axis), {0});
}
ValueId lengths(Builder& b, std::span<const Length> parts) {
  std::vector<ValueId> values;
  Ints numbers;
  const auto flush = [&] {
    if (!numbers.empty()) values.push_back(ints(b, std::exchange(numbers, {})));
  };
  for (const Length& part : parts) {
    if (const auto* number = std::get_if<std::int64_t>(&part)) {
      numbers.push_back(*number);
      continue;
    }
    flush();
    const ValueId value = cast(b, std::get<ValueId>(part), DType::kInt64);
    values.push_back(b.rank(value) == 0 ? unsqueeze(b, value, {0}) : value);
  }
  flush();
  return values.empty() ? ints(b, {}) : concat(b, std::move(values), 0);
}
ValueId reshape(Builder& b, ValueId x, Ints shape) {
  return b.add("Reshape", {x, ints(b, std::move(shape))});
}
ValueId reshape(Builder& b, ValueId x, ValueId shape) {
  return b.add("Reshape", {x, shape});
}
ValueId flatten(Builder& b, ValueId x, std::int64_t first, std::int64_t last) {
  const int rank = b.rank(x);
  if (rank < 0) {
    b.fail("axes of a value of unknown rank are to become one");
    return kNone;
  }
  if (rank == 0) return reshape(b, x, Ints{1});
  first = positive_axis(b, x, first);
  last = positive_axis(b, x, last);
  if (last <= first) return x;
  std::vector<Length> parts;
  for (std::int64_t k = 0; k < rank; ++k) {
    if (k > first && k <= last) continue;
    const Dim dim = b.dim(x, k);
    if (k == first) {
      std::int64_t product = 1;
      for (std::int64_t j = first; j <= last; ++j) {
        const Dim each = b.dim(x, j);
        if (!each.known() || __builtin_mul_overflow(product, each.number, &product)) product = -1;
        if (product < 0) break;
      }
      parts.push_back(product);
    } else if (dim.known()) {
      parts.push_back(dim.number);
    } else {
      parts.push_back(dim_of(b, x, k));
    }
  }
  // Axes before `first` keep their place, so 0 says the same as their length and needs no arithmetic.
  for (std::int64_t k = 0; k < first; ++k)
    if (!b.dim(x, k).known()) parts[static_cast<std::size_t>(k)] = std::int64_t{0};
  return reshape(b, x, lengths(b, parts));
}
ValueId transpose(Builder& b, ValueId x, Ints perm) {
  return b.add("Transpose", {x}, {{"perm", std::move(perm)}});
}
ValueId swap_axes(Builder& b, ValueId x, std::int64_t one, std::int64_t other) {
  const int rank = b.rank(x);
  one = positive_axis(b, x, one);
  other = positive_axis(b, x, other);
  if (!b.status()) return kNone;
  Ints perm;
  for (int k = 0; k < rank; ++k) perm.push_back(k);
  std::swap(perm[static_cast<std::size_t>(one)], perm[static_cast<std::size_t>(other)]);
  return transpose(b, x, std::move(perm));
}
ValueId channels_first(Builder& b, ValueId x) {
  return move_channels(b, x, true);
}
ValueId channels_last(Builder& b, ValueId x) {
  return move_channels(b, x, false);
}
ValueId squeeze(Builder& b, ValueId x, Ints axes) {
  return b.add("Squeeze", {x, ints(b, std::move(axes))});
}
ValueId unsqueeze(Builder& b, ValueId x, Ints axes) {
  return b.add("Unsqueeze", {x, ints(b, std::move(axes))});
}
ValueId expand(Builder& b, ValueId x, ValueId shape) {
  return b.add("Expand", {x, shape});
}
ValueId tile(Builder& b, ValueId x, Ints repeats) {
  return b.add("Tile", {x, ints(b, std::move(repeats))});
}

ValueId concat(Builder& b, std::vector<ValueId> values, std::int64_t axis) {
  return b.add("Concat", std::move(values), {{"axis", axis}});
}
ValueId stack(Builder& b, std::vector<ValueId> values, std::int64_t axis) {
  for (ValueId& value : values) value = unsqueeze(b, value, {axis});
  return concat(b, std::move(values), axis);
}
std::vector<ValueId> split(Builder& b, ValueId x, Ints sizes, std::int64_t axis) {
  const std::size_t count = sizes.size();
  if (count == 1) return {x};
  return b.add_many("Split", {x, ints(b, std::move(sizes))}, count, {{"axis", axis}});
}
ValueId slice(Builder& b, ValueId x, std::int64_t axis, std::int64_t start, std::int64_t end,
              std::int64_t step) {
  if (start == 0 && end == kToEnd && step == 1) return x;
  return b.add("Slice", {x, ints(b, {start}), ints(b, {end}), ints(b, {axis}), ints(b, {step})});
}
ValueId slice(Builder& b, ValueId x, ValueId starts, ValueId ends, Ints axes, Ints steps) {
  std::vector<ValueId> inputs{x, starts, ends, ints(b, std::move(axes))};
  if (!steps.empty()) inputs.push_back(ints(b, std::move(steps)));
  return b.add("Slice", std::move(inputs));
}
ValueId select(Builder& b, ValueId x, std::int64_t axis, std::int64_t index) {
  return gather(b, x, int_scalar(b, index), axis);
}
ValueId gather(Builder& b, ValueId x, ValueId indices, std::int64_t axis) {
  return b.add("Gather", {x, indices}, {{"axis", axis}});
}
ValueId pad(Builder& b, ValueId x, const Ints& before, const Ints& after, std::string_view mode,
            double number) {
  Ints pads = before;
  pads.insert(pads.end(), after.begin(), after.end());
  if (std::ranges::all_of(pads, [](std::int64_t length) { return length == 0; })) return x;
  std::vector<ValueId> inputs{x, ints(b, std::move(pads))};
  if (mode == "constant") inputs.push_back(scalar_like(b, x, number));
  return b.add("Pad", std::move(inputs), {{"mode", std::string(mode)}});
}

ValueId matmul(Builder& b, ValueId x, ValueId y) {
  return b.add("MatMul", {x, y});
}
ValueId reduce(Builder& b, std::string_view op, ValueId x, Ints axes, bool keep) {
  std::vector<ValueId> inputs{x};
  if (!axes.empty()) inputs.push_back(ints(b, std::move(axes)));
  return b.add(op, std::move(inputs), {{"keepdims", std::int64_t{keep}}});
}
ValueId softmax(Builder& b, ValueId x, std::int64_t axis) {
  return b.add("Softmax", {x}, {{"axis", axis}});
}
ValueId silu(Builder& b, ValueId x) {
  return binary(b, "Mul", x, unary(b, "Sigmoid", x));
}
ValueId gelu(Builder& b, ValueId x, bool by_tanh) {
  return b.add("Gelu", {x}, {{"approximate", by_tanh ? "tanh" : "none"}});
}

std::int64_t positive_axis(Builder& b, ValueId x, std::int64_t axis) {
  const int rank = b.rank(x);
  if (rank < 0) {
    b.fail(base::cat("axis ", axis, " of a value of unknown rank is used"));
    return 0;
  }
  if (axis < -rank || axis >= rank) {
    b.fail(base::cat("there is no axis ", axis, " in ", to_string(b.type(x))));
    return 0;
  }
  return axis < 0 ? axis + rank : axis;
}

}  // namespace wherry::graph
