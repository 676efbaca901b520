#include "graph/graph.h"

#include <algorithm>

#include "base/text.h"

namespace wherry::graph {
namespace {

struct OnnxDType {
  tensor::DType dtype;
  std::int64_t number;
};
constexpr OnnxDType kOnnxDTypes[] = {
    {tensor::DType::kFloat32, 1},  {tensor::DType::kUint8, 2},     {tensor::DType::kInt8, 3},
    {tensor::DType::kUint16, 4},   {tensor::DType::kInt16, 5},     {tensor::DType::kInt32, 6},
    {tensor::DType::kInt64, 7},    {tensor::DType::kString, 8},    {tensor::DType::kBool, 9},
    {tensor::DType::kFloat16, 10}, {tensor::DType::kFloat64, 11},  {tensor::DType::kUint32, 12},
    {tensor::DType::kUint64, 13},  {tensor::DType::kBfloat16, 16},
};

}  // namespace

std::int64_t onnx_dtype(tensor::DType dtype) {
  return std::ranges::find(kOnnxDTypes, dtype, &OnnxDType::dtype)->number;
}
std::optional<tensor::DType> dtype_of_onnx(std::int64_t number) {
  const auto* row = std::ranges::find(kOnnxDTypes, number, &OnnxDType::number);
  if (row == std::end(kOnnxDTypes)) return std::nullopt;
  return row->dtype;
}

Dims dims_of(const tensor::Shape& shape) {
  Dims dims;
  dims.reserve(shape.size());
  for (const std::int64_t length : shape) dims.push_back({length, 0});
  return dims;
}

bool Type::is_static() const {
  return ranked && std::ranges::all_of(dims, &Dim::known);
}

std::string to_string(const Type& type) {
  std::string text(tensor::info(type.dtype).numpy_name);
  if (!type.ranked) return text + "[…]";
  text += "[";
  for (const Dim& dim : type.dims) {
    if (&dim != type.dims.data()) text += ", ";
    text += dim.known() ? std::to_string(dim.number) : "?";
  }
  return text + "]";
}

}  // namespace wherry::graph
