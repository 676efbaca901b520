// Folding of arithmetic, comparisons, casts and reductions.
#include <cmath>
#include <cstdlib>
#include <limits>
#include <type_traits>

#include "graph/fold_call.h"

namespace wherry::graph::folding {
namespace {

// Calls visit.operator()<T>() for numeric dtypes whose arithmetic C++ has.
template <class Visit>
Folded by_dtype(DType dtype, Visit visit) {
  switch (dtype) {
    case DType::kInt8:
      return visit.template operator()<std::int8_t>();
    case DType::kInt16:
      return visit.template operator()<std::int16_t>();
    case DType::kInt32:
      return visit.template operator()<std::int32_t>();
    case DType::kInt64:
      return visit.template operator()<std::int64_t>();
    case DType::kUint8:
      return visit.template operator()<std::uint8_t>();
    case DType::kFloat32:
      return visit.template operator()<float>();
    case DType::kFloat64:
      return visit.template operator()<double>();
    default:
      return std::nullopt;
  }
}

// Applies `f` to the elements of two tensors broadcast together; `f` gives nullopt where there is no result.
template <class T, class Out, class F>
Folded pairs(const Call& call, std::span<const T> x, std::span<const T> y, F f) {
  const Shape& a = call.in(0).shape();
  const Shape& b = call.in(1).shape();
  const std::size_t rank = std::max(a.size(), b.size());
  Shape shape(rank, 1);
  std::vector<std::int64_t> steps_a(rank, 0);
  std::vector<std::int64_t> steps_b(rank, 0);
  const auto lay = [&](const Shape& own, std::vector<std::int64_t>& steps) {
    const auto strides = row_major(own);
    for (std::size_t k = 0; k < own.size(); ++k) {
      const std::size_t axis = rank - own.size() + k;
      if (own[k] == 1) continue;
      if (shape[axis] != 1 && shape[axis] != own[k]) return false;
      shape[axis] = own[k];
      steps[axis] = strides[k];
    }
    return true;
  };
  if (!lay(a, steps_a) || !lay(b, steps_b)) return std::nullopt;
  const auto count = tensor::element_count(shape);
  if (!count || *count > call.most_elements) return std::nullopt;
  Strides places_x(shape, steps_a, 0);
  Strides places_y(shape, steps_b, 0);
  std::vector<Out> out;
  out.reserve(*count);
  for (std::size_t k = 0; k < *count; ++k) {
    const std::optional<Out> made = f(x[places_x.next()], y[places_y.next()]);
    if (!made) return std::nullopt;
    out.push_back(*made);
  }
  if constexpr (std::is_same_v<Out, std::uint8_t> && !std::is_same_v<T, std::uint8_t>)
    return one(Tensor::of_bools(std::move(shape), std::move(out)));
  else
    return one(Tensor::of<Out>(std::move(shape), std::move(out)));
}

template <class T>
std::optional<T> compute(std::string_view op, T x, T y) {
  if constexpr (std::is_floating_point_v<T>) {
    if (op == "Add") return x + y;
    if (op == "Sub") return x - y;
    if (op == "Mul") return x * y;
    if (op == "Div") return x / y;
    if ((op == "Max" || op == "Min") && (std::isnan(x) || std::isnan(y))) return std::nullopt;
  } else {
    T out{};
    if (op == "Add") return __builtin_add_overflow(x, y, &out) ? std::nullopt : std::optional(out);
    if (op == "Sub") return __builtin_sub_overflow(x, y, &out) ? std::nullopt : std::optional(out);
    if (op == "Mul") return __builtin_mul_overflow(x, y, &out) ? std::nullopt : std::optional(out);
    const bool divides = y != 0 && !(std::is_signed_v<T> && y == static_cast<T>(-1));
    if (op == "Div") return divides ? std::optional(static_cast<T>(x / y)) : std::nullopt;
    if (op == "Mod") {
      if (!divides) return std::nullopt;
      const T rest = static_cast<T>(x % y);  // ONNX: the divisor's sign
      return rest != 0 && (rest < 0) != (y < 0) ? static_cast<T>(rest + y) : rest;
    }
  }
  if (op == "Max") return std::max(x, y);
  if (op == "Min") return std::min(x, y);
  return std::nullopt;
}

Folded arithmetic(const Call& call) {
  if (call.inputs.size() != 2 || call.in(0).dtype() != call.in(1).dtype()) return std::nullopt;
  if (call.node.op == "Mod" && call.int_or("fmod", 0) != 0) return std::nullopt;
  return by_dtype(call.in(0).dtype(), [&]<class T>() -> Folded {
    return pairs<T, T>(call, call.in(0).as<T>(), call.in(1).as<T>(),
                       [&](T x, T y) { return compute<T>(call.node.op, x, y); });
  });
}

template <class T>
std::optional<std::uint8_t> decide(std::string_view op, T x, T y) {
  if (op == "Equal") return x == y;
  if (op == "Greater") return x > y;
  if (op == "GreaterOrEqual") return x >= y;
  if (op == "Less") return x < y;
  if (op == "LessOrEqual") return x <= y;
  if (op == "And") return x != 0 && y != 0;
  if (op == "Or") return x != 0 || y != 0;
  if (op == "Xor") return (x != 0) != (y != 0);
  return std::nullopt;
}

Folded compare(const Call& call) {
  if (call.in(0).dtype() != call.in(1).dtype()) return std::nullopt;
  if (call.in(0).dtype() == DType::kBool) {
    const auto wide = [](std::span<const std::uint8_t> bools) {
      return std::vector<std::int16_t>(bools.begin(), bools.end());
    };
    const auto x = wide(call.in(0).as_bools());
    const auto y = wide(call.in(1).as_bools());
    return pairs<std::int16_t, std::uint8_t>(
        call, x, y, [&](std::int16_t a, std::int16_t b) { return decide(call.node.op, a, b); });
  }
  if (call.in(0).dtype() == DType::kUint8) return std::nullopt;
  return by_dtype(call.in(0).dtype(), [&]<class T>() -> Folded {
    return pairs<T, std::uint8_t>(call, call.in(0).as<T>(), call.in(1).as<T>(),
                                  [&](T x, T y) { return decide<T>(call.node.op, x, y); });
  });
}

template <class T>
std::optional<T> apply(std::string_view op, T x) {
  if constexpr (std::is_floating_point_v<T>) {
    if (op == "Sqrt") return std::sqrt(x);
    if (op == "Floor") return std::floor(x);
    if (op == "Ceil") return std::ceil(x);
    if (op == "Reciprocal") return T{1} / x;
    if (op == "Abs") return std::abs(x);
    if (op == "Neg") return -x;
  } else {
    if (x == std::numeric_limits<T>::min()) return std::nullopt;
    if (op == "Abs") return static_cast<T>(x < 0 ? -x : x);
    if (op == "Neg") return static_cast<T>(-x);
  }
  return std::nullopt;
}

Folded unary(const Call& call) {
  const Tensor& x = call.in(0);
  if (x.size() > call.most_elements || x.dtype() == DType::kUint8) return std::nullopt;
  return by_dtype(x.dtype(), [&]<class T>() -> Folded {
    std::vector<T> out;
    out.reserve(x.size());
    for (const T element : x.as<T>()) {
      const auto made = apply<T>(call.node.op, element);
      if (!made) return std::nullopt;
      out.push_back(*made);
    }
    return one(Tensor::of<T>(x.shape(), std::move(out)));
  });
}

Folded negate(const Call& call) {
  const Tensor& x = call.in(0);
  if (x.dtype() != DType::kBool || x.size() > call.most_elements) return std::nullopt;
  std::vector<std::uint8_t> out;
  for (const std::uint8_t element : x.as_bools()) out.push_back(element == 0);
  return one(Tensor::of_bools(x.shape(), std::move(out)));
}

template <class To, class From>
std::optional<To> convert(From x) {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // The bounds as floats: below 2^digits, from -2^digits on.
    const double bound = std::ldexp(1.0, std::numeric_limits<To>::digits);
    const auto wide = static_cast<double>(x);
    if (!(wide > -bound - 1 && wide < bound) || (std::is_unsigned_v<To> && wide <= -1)) return std::nullopt;
  }
  return static_cast<To>(x);
}

Folded cast(const Call& call) {
  const Tensor& x = call.in(0);
  const auto to = dtype_of_onnx(call.int_or("to", 0));
  if (!to || x.size() > call.most_elements || x.dtype() == DType::kString) return std::nullopt;
  const auto from = [&]<class From>(std::span<const From> elements) -> Folded {
    if (*to == DType::kBool) {
      std::vector<std::uint8_t> out;
      for (const From element : elements) out.push_back(element != From{});
      return one(Tensor::of_bools(x.shape(), std::move(out)));
    }
    return by_dtype(*to, [&]<class To>() -> Folded {
      std::vector<To> out;
      out.reserve(elements.size());
      for (const From element : elements) {
        const auto made = convert<To>(element);
        if (!made) return std::nullopt;
        out.push_back(*made);
      }
      return one(Tensor::of<To>(x.shape(), std::move(out)));
    });
  };
  if (x.dtype() == DType::kBool) return from(x.as_bools());
  return by_dtype(x.dtype(), [&]<class From>() { return from(x.as<From>()); });
}

Folded where(const Call& call) {
  if (call.in(0).dtype() != DType::kBool || call.in(0).size() != 1) return std::nullopt;
  const Tensor& chosen = call.in(call.in(0).as_bools()[0] != 0 ? 1 : 2);
  if (call.in(0).shape().size() > chosen.shape().size() || call.in(1).shape() != call.in(2).shape())
    return std::nullopt;
  return one(chosen);
}

Folded range(const Call& call) {
  const auto start = call.ints(0);
  const auto limit = call.ints(1);
  const auto delta = call.ints(2);
  if (!start || !limit || !delta || start->size() != 1 || limit->size() != 1 || delta->size() != 1)
    return std::nullopt;
  const std::int64_t step = delta->front();
  constexpr std::int64_t kFar = std::int64_t{1} << 40;
  if (step == 0 || std::abs(start->front()) > kFar || std::abs(limit->front()) > kFar ||
      std::abs(step) > kFar)
    return std::nullopt;
  std::vector<std::int64_t> out;
  for (std::int64_t at = start->front(); step > 0 ? at < limit->front() : at > limit->front(); at += step) {
    if (out.size() >= call.most_elements) return std::nullopt;
    out.push_back(at);
  }
  return by_dtype(call.in(0).dtype(), [&]<class T>() -> Folded {
    std::vector<T> typed(out.begin(), out.end());
    const auto length = static_cast<std::int64_t>(typed.size());
    return one(Tensor::of<T>({length}, std::move(typed)));
  });
}

// Reductions of integers over all axes.
Folded reduce_integers(const Call& call) {
  const Tensor& x = call.in(0);
  if (x.dtype() != DType::kInt64 && x.dtype() != DType::kInt32) return std::nullopt;
  if (x.size() > call.most_elements ||
      (x.size() == 0 && call.node.op != "ReduceProd" && call.node.op != "ReduceSum"))
    return std::nullopt;
  if (call.has(1)) {
    const auto axes = call.ints(1);
    if (!axes || axes->size() != x.shape().size()) return std::nullopt;
  }
  const auto numbers = *integers(x);
  std::int64_t total = call.node.op == "ReduceProd" ? 1 : call.node.op == "ReduceSum" ? 0 : numbers.front();
  const std::string_view pair = call.node.op == "ReduceProd"  ? "Mul"
                                : call.node.op == "ReduceSum" ? "Add"
                                : call.node.op == "ReduceMax" ? "Max"
                                                              : "Min";
  for (const std::int64_t number : numbers) {
    const auto next = compute<std::int64_t>(pair, total, number);
    if (!next) return std::nullopt;
    total = *next;
  }
  const Shape shape = call.int_or("keepdims", 1) != 0 ? Shape(x.shape().size(), 1) : Shape{};
  if (x.dtype() == DType::kInt64) return one(Tensor::of<std::int64_t>(shape, {total}));
  if (total != static_cast<std::int32_t>(total)) return std::nullopt;
  return one(Tensor::of<std::int32_t>(shape, {static_cast<std::int32_t>(total)}));
}

constexpr FoldRow kRows[] = {
    {"Add", arithmetic},
    {"Sub", arithmetic},
    {"Mul", arithmetic},
    {"Div", arithmetic},
    {"Mod", arithmetic},
    {"Max", arithmetic},
    {"Min", arithmetic},
    {"Equal", compare},
    {"Greater", compare},
    {"GreaterOrEqual", compare},
    {"Less", compare},
    {"LessOrEqual", compare},
    {"And", compare},
    {"Or", compare},
    {"Xor", compare},
    {"Not", negate},
    {"Abs", unary},
    {"Neg", unary},
    {"Sqrt", unary},
    {"Floor", unary},
    {"Ceil", unary},
    {"Reciprocal", unary},
    {"Cast", cast},
    {"Where", where},
    {"Range", range},
    {"ReduceProd", reduce_integers},
    {"ReduceSum", reduce_integers},
    {"ReduceMax", reduce_integers},
    {"ReduceMin", reduce_integers},
};

}  // namespace

std::span<const FoldRow> arithmetic_rows() {
  return kRows;
}

}  // namespace wherry::graph::folding
