// One small node per operator of a tensor graph: what wherry infers and folds is held against what ONNX
// Runtime answers (operators_test.cc). Cases stand in operator_cases_*_test.cc, as the rows in
// graph/rules_*.cc do.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/builder.h"

namespace wherry::onnx::testing {

using graph::Attributes;
using tensor::Shape;
using tensor::Tensor;
using Ints = std::vector<std::int64_t>;

struct Case {
  std::string_view op;
  std::vector<std::optional<Tensor>> inputs;  // nothing: left out
  std::size_t data = 1;  // the first so many come with requests, the others are constants
  Attributes attributes = {};
  std::size_t outputs = 1;
  bool is_open = false;  // a length depends on elements, or is not inferred: need not be known
  std::string_view domain = {};
};

// Elements of both signs and 0 by quarters; positive ones; some between -1 and 1.
inline Tensor floats(Shape shape, float scale = 0.25F, float shift = -5) {
  std::vector<float> elements(*tensor::element_count(shape));
  for (std::size_t k = 0; k < elements.size(); ++k)
    elements[k] = (static_cast<float>((k * 7 + 3) % 11) + shift) * scale;
  return Tensor::of<float>(std::move(shape), std::move(elements));
}
inline Tensor positive(Shape shape) {
  return floats(std::move(shape), 0.25F, 4);
}
inline Tensor small(Shape shape) {
  return floats(std::move(shape), 0.125F);
}
inline Tensor number(float value) {
  return Tensor::of<float>({}, {value});
}
inline Tensor integer(std::int64_t value) {
  return Tensor::of<std::int64_t>({}, {value});
}
inline Tensor list(Ints values) {
  const auto length = static_cast<std::int64_t>(values.size());
  return Tensor::of<std::int64_t>({length}, std::move(values));
}
template <class T>
Tensor of(Shape shape, std::vector<T> elements) {
  return Tensor::of<T>(std::move(shape), std::move(elements));
}
// -4, -3, … in any integer type.
template <class T>
Tensor counted(Shape shape, int first = -4) {
  std::vector<T> elements(*tensor::element_count(shape));
  for (std::size_t k = 0; k < elements.size(); ++k) elements[k] = static_cast<T>(first + static_cast<int>(k));
  return Tensor::of<T>(std::move(shape), std::move(elements));
}
inline Tensor bools(Shape shape) {
  std::vector<std::uint8_t> elements(*tensor::element_count(shape));
  for (std::size_t k = 0; k < elements.size(); ++k) elements[k] = k % 3 == 0 ? 1 : 0;
  return Tensor::of_bools(std::move(shape), std::move(elements));
}
inline Tensor texts(std::vector<std::string> elements) {
  const auto length = static_cast<std::int64_t>(elements.size());
  return Tensor::of_strings({length}, std::move(elements));
}

std::vector<Case> elementwise_cases();
std::vector<Case> shape_cases();
std::vector<Case> layer_cases();
std::vector<Case> text_cases();  // of ai.onnx.ml and ai.wherry too

}  // namespace wherry::onnx::testing
