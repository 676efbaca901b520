// Element types as ONNX numbers them: TensorProto.DataType of onnx.proto3, which is also ONNX Runtime's
// ONNXTensorElementDataType.
//
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>

#include "tensor/tensor.h"

namespace wherry::tensor {

std::int64_t onnx_dtype(DType dtype);
// nullopt for types wherry has no tensors of.
std::optional<DType> dtype_of_onnx(std::int64_t number);

}  // namespace wherry::tensor
