// Folding of operators which move elements; any dtype.
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>

#include "graph/fold_call.h"
#include "graph/slices.h"

namespace wherry::graph::folding {
namespace {
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
    const SliceBounds slice = slice_bounds((*starts)[k], (*ends)[k], step, x.shape()[*axis]);
    shape[*axis] = slice.count;
    offset += slice.start * strides[*axis];
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
};

}  // namespace

std::span<const FoldRow> rearranging_rows() {
  return kRows;
}

}  // namespace wherry::graph::folding
