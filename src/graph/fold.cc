#include "graph/fold.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "graph/builder.h"

namespace wherry::graph {
namespace {

using tensor::DType;
using tensor::Shape;
using tensor::Tensor;
using Folded = std::optional<std::vector<Tensor>>;

struct Call {
  const Node& node;
  std::span<const Tensor* const> inputs;
  std::size_t most_elements;
  std::size_t most_bytes;

  bool has(std::size_t i) const { return i < inputs.size() && inputs[i] != nullptr; }
  const Tensor& in(std::size_t i) const { return *inputs[i]; }
  std::int64_t int_or(std::string_view name, std::int64_t otherwise) const {
    return int_of(node.attributes, name, otherwise);
  }
  std::optional<std::vector<std::int64_t>> ints(std::size_t i) const {
    return has(i) ? integers(in(i)) : std::nullopt;
  }
  bool fits(const Shape& shape, const Tensor& like) const {
    const auto count = tensor::element_count(shape);
    return count && *count <= most_bytes / std::max<std::size_t>(tensor::info(like.dtype()).size, 1);
  }
};

Folded one(Tensor tensor) {
  std::vector<Tensor> all;
  all.push_back(std::move(tensor));
  return all;
}

// A tensor of `like`'s dtype whose element k is like's element `place(k)`.
template <class Place>
Tensor picked(const Tensor& like, Shape shape, std::size_t count, Place place) {
  if (like.dtype() == DType::kString) {
    std::vector<std::string> texts;
    texts.reserve(count);
    for (std::size_t k = 0; k < count; ++k) texts.push_back(like.as_strings()[place(k)]);
    return Tensor::of_strings(std::move(shape), std::move(texts));
  }
  const std::size_t size = tensor::info(like.dtype()).size;
  auto bytes = std::make_shared<std::vector<std::byte>>(count * size);
  const std::byte* from = like.bytes().data();
  std::byte* to = bytes->data();
  const auto copy = [&]<class T>(T) {
    for (std::size_t k = 0; k < count; ++k)
      std::memcpy(to + k * sizeof(T), from + place(k) * sizeof(T), sizeof(T));
  };
  if (size == 4)
    copy(std::uint32_t{});
  else if (size == 8)
    copy(std::uint64_t{});
  else if (size == 2)
    copy(std::uint16_t{});
  else
    copy(std::uint8_t{});
  return *Tensor::borrow(like.dtype(), std::move(shape), *bytes, bytes);
}

// The places of a strided view, counted through in row-major order.
class Strides {
 public:
  Strides(Shape shape, std::vector<std::int64_t> strides, std::int64_t offset)
      : shape_(std::move(shape)), strides_(std::move(strides)), index_(shape_.size()), at_(offset) {}
  std::size_t next() {
    const auto place = static_cast<std::size_t>(at_);
    for (std::size_t axis = shape_.size(); axis-- > 0;) {
      at_ += strides_[axis];
      if (++index_[axis] < shape_[axis]) break;
      at_ -= strides_[axis] * shape_[axis];
      index_[axis] = 0;
    }
    return place;
  }

 private:
  Shape shape_;
  std::vector<std::int64_t> strides_;
  std::vector<std::int64_t> index_;
  std::int64_t at_;
};

std::vector<std::int64_t> row_major(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t k = shape.size(); k-- > 1;) strides[k - 1] = strides[k] * shape[k];
  return strides;
}

std::optional<Tensor> strided(const Call& call, const Tensor& from, Shape shape,
                              std::vector<std::int64_t> strides, std::int64_t offset = 0) {
  if (!call.fits(shape, from)) return std::nullopt;
  const std::size_t count = *tensor::element_count(shape);
  Strides places(shape, std::move(strides), offset);
  return picked(from, std::move(shape), count, [&](std::size_t) { return places.next(); });
}

std::optional<std::size_t> axis_of(std::int64_t axis, std::size_t rank) {
  if (axis < 0) axis += static_cast<std::int64_t>(rank);
  if (axis < 0 || axis >= static_cast<std::int64_t>(rank)) return std::nullopt;
  return static_cast<std::size_t>(axis);
}

// --- rearranging -------------------------------------------------------------------------------------------

Folded transpose(const Call& call) {
  const Tensor& x = call.in(0);
  const std::size_t rank = x.shape().size();
  const auto perm = ints_of(call.node.attributes, "perm");
  const auto from = row_major(x.shape());
  Shape shape;
  std::vector<std::int64_t> strides;
  for (std::size_t k = 0; k < rank; ++k) {
    const std::size_t axis = perm.empty() ? rank - 1 - k : static_cast<std::size_t>(perm[k]);
    shape.push_back(x.shape()[axis]);
    strides.push_back(from[axis]);
  }
  auto made = strided(call, x, std::move(shape), std::move(strides));
  return made ? one(std::move(*made)) : std::nullopt;
}

Folded reshape(const Call& call) {
  const Tensor& x = call.in(0);
  auto target = call.ints(1);
  if (!target) return std::nullopt;
  Shape shape = *target;
  std::optional<std::size_t> computed;
  for (std::size_t k = 0; k < shape.size(); ++k) {
    if (shape[k] == 0 && call.int_or("allowzero", 0) == 0) {
      if (k >= x.shape().size()) return std::nullopt;
      shape[k] = x.shape()[k];
    } else if (shape[k] == -1) {
      if (computed) return std::nullopt;
      computed = k;
      shape[k] = 1;
    }
  }
  const auto rest = tensor::element_count(shape);
  if (!rest) return std::nullopt;
  if (computed) {
    if (*rest == 0 || x.size() % *rest != 0) return std::nullopt;
    shape[*computed] = static_cast<std::int64_t>(x.size() / *rest);
  } else if (*rest != x.size()) {
    return std::nullopt;
  }
  return one(reshaped(x, std::move(shape)));
}

Folded flatten(const Call& call) {
  const Tensor& x = call.in(0);
  const auto rank = static_cast<std::int64_t>(x.shape().size());
  std::int64_t at = call.int_or("axis", 1);
  if (at < 0) at += rank;
  if (at < 0 || at > rank) return std::nullopt;
  std::int64_t rows = 1;
  std::int64_t columns = 1;
  for (std::int64_t k = 0; k < rank; ++k) (k < at ? rows : columns) *= x.shape()[static_cast<std::size_t>(k)];
  return one(reshaped(x, {rows, columns}));
}

Folded squeeze(const Call& call) {
  const Tensor& x = call.in(0);
  std::vector<bool> gone(x.shape().size());
  if (call.has(1)) {
    const auto axes = call.ints(1);
    if (!axes) return std::nullopt;
    for (const std::int64_t given : *axes) {
      const auto axis = axis_of(given, gone.size());
      if (!axis) return std::nullopt;
      gone[*axis] = true;
    }
  } else {
    for (std::size_t k = 0; k < gone.size(); ++k) gone[k] = x.shape()[k] == 1;
  }
  Shape shape;
  for (std::size_t k = 0; k < gone.size(); ++k)
    if (!gone[k]) shape.push_back(x.shape()[k]);
  return one(reshaped(x, std::move(shape)));
}

Folded unsqueeze(const Call& call) {
  const Tensor& x = call.in(0);
  const auto axes = call.ints(1);
  if (!axes) return std::nullopt;
  std::vector<bool> is_new(x.shape().size() + axes->size());
  for (const std::int64_t given : *axes) {
    const auto axis = axis_of(given, is_new.size());
    if (!axis) return std::nullopt;
    is_new[*axis] = true;
  }
  Shape shape;
  std::size_t next = 0;
  for (const bool fresh : is_new) shape.push_back(fresh ? 1 : x.shape()[next++]);
  return one(reshaped(x, std::move(shape)));
}

Folded concat(const Call& call) {
  const Tensor& first = call.in(0);
  const auto axis = axis_of(call.int_or("axis", 0), first.shape().size());
  if (!axis || first.dtype() == DType::kString) return std::nullopt;
  Shape shape = first.shape();
  shape[*axis] = 0;
  for (const Tensor* part : call.inputs) {
    if (part->dtype() != first.dtype() || part->shape().size() != shape.size()) return std::nullopt;
    shape[*axis] += part->shape()[*axis];
  }
  if (!call.fits(shape, first)) return std::nullopt;
  const std::size_t size = tensor::info(first.dtype()).size;
  std::size_t outer = 1;
  for (std::size_t k = 0; k < *axis; ++k) outer *= static_cast<std::size_t>(shape[k]);
  auto bytes = std::make_shared<std::vector<std::byte>>();
  bytes->reserve(*tensor::element_count(shape) * size);
  for (std::size_t row = 0; row < outer; ++row)
    for (const Tensor* part : call.inputs) {
      const std::size_t length = part->bytes().size() / outer;
      const base::Bytes block = part->bytes().subspan(row * length, length);
      bytes->insert(bytes->end(), block.begin(), block.end());
    }
  auto made = Tensor::borrow(first.dtype(), std::move(shape), *bytes, bytes);
  return made ? one(std::move(*made)) : std::nullopt;
}

Folded split(const Call& call) {
  const Tensor& x = call.in(0);
  const auto axis = axis_of(call.int_or("axis", 0), x.shape().size());
  const auto sizes = call.ints(1);
  if (!axis || !sizes) return std::nullopt;
  const auto strides = row_major(x.shape());
  std::vector<Tensor> parts;
  std::int64_t at = 0;
  for (const std::int64_t size : *sizes) {
    if (size < 0 || size > x.shape()[*axis] - at) return std::nullopt;
    Shape shape = x.shape();
    shape[*axis] = size;
    auto part = strided(call, x, std::move(shape), strides, at * strides[*axis]);
    if (!part) return std::nullopt;
    parts.push_back(std::move(*part));
    at += size;
  }
  return parts;
}

Folded slice(const Call& call) {
  const Tensor& x = call.in(0);
  const auto starts = call.ints(1);
  const auto ends = call.ints(2);
  auto axes = call.ints(3);
  auto steps = call.ints(4);
  if (!starts || !ends || starts->size() != ends->size()) return std::nullopt;
  if (!axes) {
    axes.emplace();
    for (std::size_t k = 0; k < starts->size(); ++k) axes->push_back(static_cast<std::int64_t>(k));
  }
  if (!steps) steps.emplace(starts->size(), 1);
  if (axes->size() != starts->size() || steps->size() != starts->size()) return std::nullopt;
  Shape shape = x.shape();
  auto strides = row_major(shape);
  std::int64_t offset = 0;
  for (std::size_t k = 0; k < starts->size(); ++k) {
    const auto axis = axis_of((*axes)[k], shape.size());
    const std::int64_t step = (*steps)[k];
    if (!axis || step == 0 || step == std::numeric_limits<std::int64_t>::min()) return std::nullopt;
    const std::int64_t n = x.shape()[*axis];
    const auto place = [&](std::int64_t at) {
      const std::int64_t low = step < 0 ? -1 : 0;
      return std::clamp(at < 0 ? (at < -n ? low : at + n) : at, low, step < 0 ? n - 1 : n);
    };
    const std::int64_t from = place((*starts)[k]);
    const std::int64_t to = place((*ends)[k]);
    const std::int64_t span = step > 0 ? to - from : from - to;
    shape[*axis] = span > 0 ? (span - 1) / std::abs(step) + 1 : 0;
    offset += from * strides[*axis];
    strides[*axis] *= shape[*axis] > 1 ? step : 1;
  }
  auto made = strided(call, x, std::move(shape), std::move(strides), offset);
  return made ? one(std::move(*made)) : std::nullopt;
}

Folded gather(const Call& call) {
  const Tensor& x = call.in(0);
  auto indices = call.ints(1);
  const auto axis = axis_of(call.int_or("axis", 0), x.shape().size());
  if (!axis || !indices) return std::nullopt;
  const std::int64_t length = x.shape()[*axis];
  for (std::int64_t& index : *indices) {
    if (index < 0) index += length;
    if (index < 0 || index >= length) return std::nullopt;
  }
  const auto at = x.shape().begin() + static_cast<std::ptrdiff_t>(*axis);
  Shape shape(x.shape().begin(), at);
  shape.insert(shape.end(), call.in(1).shape().begin(), call.in(1).shape().end());
  shape.insert(shape.end(), at + 1, x.shape().end());
  if (!call.fits(shape, x)) return std::nullopt;
  const std::size_t inner = static_cast<std::size_t>(row_major(x.shape())[*axis]);
  const std::size_t taken = indices->size() * inner;
  const std::size_t count = *tensor::element_count(shape);
  return one(picked(x, std::move(shape), count, [&](std::size_t k) {
    const auto index = static_cast<std::size_t>((*indices)[k % taken / inner]);
    return (k / taken * static_cast<std::size_t>(length) + index) * inner + k % inner;
  }));
}

Folded expand(const Call& call) {
  const Tensor& x = call.in(0);
  const auto target = call.ints(1);
  if (!target) return std::nullopt;
  const std::size_t rank = std::max(target->size(), x.shape().size());
  Shape shape(rank, 1);
  std::ranges::copy(*target, shape.end() - static_cast<std::ptrdiff_t>(target->size()));
  const std::size_t missing = rank - x.shape().size();
  const auto own = row_major(x.shape());
  std::vector<std::int64_t> strides(rank, 0);
  for (std::size_t k = missing; k < rank; ++k) {
    const std::int64_t length = x.shape()[k - missing];
    if (length == 1) continue;
    if (shape[k] != 1 && shape[k] != length) return std::nullopt;
    shape[k] = length;
    strides[k] = own[k - missing];
  }
  if (const auto count = tensor::element_count(shape); !count || *count > call.most_elements)
    return std::nullopt;
  auto made = strided(call, x, std::move(shape), std::move(strides));
  return made ? one(std::move(*made)) : std::nullopt;
}

Folded constant_of_shape(const Call& call) {
  const auto shape = call.ints(0);
  if (!shape) return std::nullopt;
  const auto count = tensor::element_count(*shape);
  if (!count || *count > call.most_elements) return std::nullopt;
  const auto* value = find(call.node.attributes, "value");
  const auto* given = value ? std::get_if<Tensor>(value) : nullptr;
  const Tensor zero = Tensor::of<float>({1}, {0});
  const Tensor& element = given ? *given : zero;
  if (element.size() != 1) return std::nullopt;
  return one(picked(element, *shape, *count, [](std::size_t) { return std::size_t{0}; }));
}

// --- arithmetic --------------------------------------------------------------------------------------------

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

struct FoldRow {
  std::string_view op;
  Folded (*fold)(const Call&);
};
constexpr FoldRow kRows[] = {
    {"Transpose", transpose},
    {"Reshape", reshape},
    {"Flatten", flatten},
    {"Squeeze", squeeze},
    {"Unsqueeze", unsqueeze},
    {"Concat", concat},
    {"Split", split},
    {"Slice", slice},
    {"Gather", gather},
    {"Expand", expand},
    {"ConstantOfShape", constant_of_shape},
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

std::optional<std::vector<Tensor>> fold_constants(const Node& node, std::span<const Tensor* const> inputs,
                                                  std::size_t most_elements, std::size_t most_bytes) {
  const auto* row = std::ranges::find(kRows, node.op, &FoldRow::op);
  if (row == std::end(kRows) || inputs.empty() || inputs[0] == nullptr) return std::nullopt;
  return row->fold({node, inputs, most_elements, most_bytes});
}

std::optional<std::vector<std::int64_t>> integers(const Tensor& tensor) {
  const auto as = [&]<class T>(T) {
    const auto span = tensor.as<T>();
    return std::vector<std::int64_t>(span.begin(), span.end());
  };
  switch (tensor.dtype()) {
    case DType::kInt64:
      return as(std::int64_t{});
    case DType::kInt32:
      return as(std::int32_t{});
    case DType::kInt16:
      return as(std::int16_t{});
    case DType::kInt8:
      return as(std::int8_t{});
    case DType::kUint8:
      return as(std::uint8_t{});
    case DType::kBool: {
      const auto bools = tensor.as_bools();
      return std::vector<std::int64_t>(bools.begin(), bools.end());
    }
    default:
      return std::nullopt;
  }
}

Tensor reshaped(const Tensor& tensor, Shape shape) {
  if (tensor.dtype() == DType::kString) {
    const auto texts = tensor.as_strings();
    return Tensor::of_strings(std::move(shape), {texts.begin(), texts.end()});
  }
  return *Tensor::borrow(tensor.dtype(), std::move(shape), tensor.bytes(), std::make_shared<Tensor>(tensor));
}

}  // namespace wherry::graph
