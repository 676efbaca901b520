#include "tensor/onnx_dtype.h"

#include <algorithm>
#include <iterator>

namespace wherry::tensor {
namespace {

struct OnnxDType {
  DType dtype;
  std::int64_t number;
};
constexpr OnnxDType kOnnxDTypes[] = {
    {DType::kFloat32, 1}, {DType::kUint8, 2},     {DType::kInt8, 3},     {DType::kUint16, 4},
    {DType::kInt16, 5},   {DType::kInt32, 6},     {DType::kInt64, 7},    {DType::kString, 8},
    {DType::kBool, 9},    {DType::kFloat16, 10},  {DType::kFloat64, 11}, {DType::kUint32, 12},
    {DType::kUint64, 13}, {DType::kBfloat16, 16},
};

}  // namespace

std::int64_t onnx_dtype(DType dtype) {
  return std::ranges::find(kOnnxDTypes, dtype, &OnnxDType::dtype)->number;
}
std::optional<DType> dtype_of_onnx(std::int64_t number) {
  const auto* row = std::ranges::find(kOnnxDTypes, number, &OnnxDType::number);
  if (row == std::end(kOnnxDTypes)) return std::nullopt;
  return row->dtype;
}

}  // namespace wherry::tensor
