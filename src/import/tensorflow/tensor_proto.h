// TensorProto (tensorflow/core/framework/tensor.proto) as a tensor.
//
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "tensor/tensor.h"

namespace wherry::tensorflow {

// All three ways of writing: tensor_content (little-endian), one field per element, and fewer elements than
// the shape has, of which the last one fills the rest (none: zero). Elements are borrowed from `owner`, which
// holds the message, when they lie aligned, else copied. Errors: "tensorflow.bad_model" (sizes do not agree),
// "tensorflow.unsupported_use" (complex, quantized, resource), "tensorflow.too_large" (a fill of more than
// 2^28 elements).
base::Result<tensor::Tensor> read_tensor(std::string_view message, const std::shared_ptr<const void>& owner);

// Little-endian row-major elements as a tensor: borrowed when aligned, else copied. Not for strings.
base::Result<tensor::Tensor> tensor_of(tensor::DType dtype, tensor::Shape shape, base::Bytes bytes,
                                       const std::shared_ptr<const void>& owner);

}  // namespace wherry::tensorflow
