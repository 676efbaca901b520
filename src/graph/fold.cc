#include "graph/fold.h"

#include "graph/fold_call.h"

namespace wherry::graph {

using tensor::DType;
using tensor::Shape;
using tensor::Tensor;

std::optional<std::vector<Tensor>> fold_constants(const Node& node, std::span<const Tensor* const> inputs,
                                                  std::size_t most_elements, std::size_t most_bytes) {
  if (inputs.empty() || inputs[0] == nullptr) return std::nullopt;
  for (const auto rows : {folding::rearranging_rows(), folding::arithmetic_rows()})
    for (const folding::FoldRow& row : rows)
      if (row.op == node.op) return row.fold({node, inputs, most_elements, most_bytes});
  return std::nullopt;
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
