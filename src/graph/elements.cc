#include "graph/elements.h"

#include <algorithm>
#include <limits>

#include "graph/fold.h"
#include "graph/slices.h"

namespace wherry::graph {
namespace {

Dim fold_pair(Builder& b, std::string_view op, const Dim& x, const Dim& y) {
  std::int64_t out = 0;
  if (x.known() && y.known()) {
    const std::int64_t m = x.number;
    const std::int64_t n = y.number;
    if (op == "Add" && !__builtin_add_overflow(m, n, &out)) return {out, 0};
    if (op == "Sub" && !__builtin_sub_overflow(m, n, &out)) return {out, 0};
    if (op == "Mul" && !__builtin_mul_overflow(m, n, &out)) return {out, 0};
    if (op == "Div" && n != 0 && n != -1) return {m / n, 0};
    if (op == "Max") return {std::max(m, n), 0};
    if (op == "Min") return {std::min(m, n), 0};
    return b.fresh();
  }
  if ((op == "Add" && y.is(0)) || (op == "Sub" && y.is(0)) || (op == "Mul" && y.is(1)) ||
      (op == "Div" && y.is(1)))
    return x;
  if ((op == "Add" && x.is(0)) || (op == "Mul" && x.is(1))) return y;
  if (x == y && (op == "Max" || op == "Min")) return x;
  if (x == y && op == "Sub") return {0, 0};
  return b.fresh();
}

std::optional<Dims> follow_pairs(Inference& inference) {
  const auto x = inference.elements(0);
  const auto y = inference.elements(1);
  if (!x || !y || (x->size() != y->size() && x->size() != 1 && y->size() != 1)) return std::nullopt;
  const std::size_t length = x->empty() || y->empty() ? 0 : std::max(x->size(), y->size());
  Dims out;
  for (std::size_t i = 0; i < length; ++i)
    out.push_back(fold_pair(inference.builder, inference.node.op, (*x)[x->size() == 1 ? 0 : i],
                            (*y)[y->size() == 1 ? 0 : i]));
  return out;
}

std::optional<Dims> follow_gather(Inference& inference) {
  const auto from = inference.elements(0);
  const tensor::Tensor* indices = inference.constant(1);
  if (!from || indices == nullptr || inference.in(0).rank() != 1) return std::nullopt;
  const auto places = integers(*indices);
  if (!places || places->size() > kMostElements) return std::nullopt;
  Dims out;
  for (std::int64_t place : *places) {
    if (place < 0) place += static_cast<std::int64_t>(from->size());
    if (place < 0 || place >= static_cast<std::int64_t>(from->size())) return std::nullopt;
    out.push_back((*from)[static_cast<std::size_t>(place)]);
  }
  return out;
}

std::optional<Dims> follow_slice(Inference& inference) {
  const auto from = inference.elements(0);
  const auto starts = inference.known_ints(1);
  const auto ends = inference.known_ints(2);
  const auto steps = inference.has(4) ? inference.known_ints(4) : std::vector<std::int64_t>{1};
  if (!from || inference.in(0).rank() != 1 || !starts || !ends || !steps || starts->size() != 1 ||
      ends->size() != 1 || steps->size() != 1 || steps->front() == 0)
    return std::nullopt;
  const std::int64_t step = steps->front();
  const SliceBounds slice =
      slice_bounds(starts->front(), ends->front(), step, static_cast<std::int64_t>(from->size()));
  Dims out;
  for (std::int64_t k = 0; k < slice.count; ++k)
    out.push_back((*from)[static_cast<std::size_t>(slice.start + k * step)]);
  return out;
}

std::optional<Dims> follow_concat(const Inference& inference) {
  Dims out;
  for (std::size_t i = 0; i < inference.node.inputs.size(); ++i) {
    const auto part = inference.elements(i);
    if (!part || out.size() + part->size() > kMostElements) return std::nullopt;
    out.insert(out.end(), part->begin(), part->end());
  }
  return out;
}

std::optional<Dims> follow_product(Inference& inference) {
  const auto from = inference.elements(0);
  if (!from) return std::nullopt;
  Dim product{1, 0};
  for (const Dim& dim : *from) product = fold_pair(inference.builder, "Mul", product, dim);
  return Dims{product};
}

std::optional<Dims> follow_where(const Inference& inference) {
  const auto condition = inference.elements(0);
  const auto yes = inference.elements(1);
  const auto no = inference.elements(2);
  if (!condition || !yes || !no) return std::nullopt;
  const std::size_t length = std::max({condition->size(), yes->size(), no->size()});
  const auto at = [&](const Dims& list, std::size_t i) { return list[list.size() == 1 ? 0 : i]; };
  Dims out;
  for (const Dims* list : {&*condition, &*yes, &*no})
    if (list->size() != 1 && list->size() != length) return std::nullopt;
  for (std::size_t i = 0; i < length; ++i) {
    const Dim which = at(*condition, i);
    if (!which.known()) return std::nullopt;
    out.push_back(which.number != 0 ? at(*yes, i) : at(*no, i));
  }
  return out;
}

std::optional<Dims> follow(Inference& inference) {
  const std::string& op = inference.node.op;
  if (op == "Shape") return elements_of_shape(inference.builder, inference.node);
  if (op == "Gather") return follow_gather(inference);
  if (op == "Slice") return follow_slice(inference);
  if (op == "Concat") return follow_concat(inference);
  if (op == "Add" || op == "Sub" || op == "Mul" || op == "Div" || op == "Max" || op == "Min")
    return inference.node.inputs.size() == 2 ? follow_pairs(inference) : std::nullopt;
  if (op == "Squeeze" || op == "Unsqueeze" || op == "Reshape" || op == "Cast") return inference.elements(0);
  if (op == "ReduceProd") return follow_product(inference);
  if (op == "Where") return follow_where(inference);
  if (op == "Size" && inference.in(0).is_static()) {
    Dim product{1, 0};
    for (const Dim& dim : inference.in(0).dims) product = fold_pair(inference.builder, "Mul", product, dim);
    return Dims{product};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Dims> elements_of_shape(const Builder& builder, const Node& node) {
  const Type& type = builder.type(node.inputs[0]);
  if (!type.ranked) return std::nullopt;
  const auto rank = static_cast<std::int64_t>(type.dims.size());
  const SliceBounds part =
      slice_bounds(int_of(node.attributes, "start", 0), int_of(node.attributes, "end", rank), 1, rank);
  const auto first = type.dims.begin() + part.start;
  return Dims(first, first + part.count);
}

std::optional<Dims> follow_elements(Inference& inference) {
  const Type& type = inference.outputs[0];
  const bool counts = type.dtype == tensor::DType::kInt64 || type.dtype == tensor::DType::kInt32;
  if (!counts || !type.ranked || type.rank() > 1) return std::nullopt;
  auto elements = follow(inference);
  if (!elements) return std::nullopt;
  if (type.rank() == 1 && type.dims[0].known() &&
      type.dims[0].number != static_cast<std::int64_t>(elements->size()))
    return std::nullopt;
  if (type.rank() == 0 && elements->size() != 1) return std::nullopt;
  return elements;
}

}  // namespace wherry::graph
