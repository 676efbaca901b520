// What the files which fold operators share. Private to module graph.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/builder.h"
#include "graph/fold.h"

namespace wherry::graph::folding {

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

inline Folded one(Tensor tensor) {
  std::vector<Tensor> all;
  all.push_back(std::move(tensor));
  return all;
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

inline std::vector<std::int64_t> row_major(const Shape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t k = shape.size(); k-- > 1;) strides[k - 1] = strides[k] * shape[k];
  return strides;
}

struct FoldRow {
  std::string_view op;
  Folded (*fold)(const Call&);
};
std::span<const FoldRow> rearranging_rows();
std::span<const FoldRow> arithmetic_rows();

}  // namespace wherry::graph::folding
