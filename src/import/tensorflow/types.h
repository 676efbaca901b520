// The dtypes of TensorFlow (core/framework/types.proto) and what they are in wherry.
//
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tensor/tensor.h"

namespace wherry::tensorflow {

enum DataType : std::int32_t {
  kInvalid = 0,
  kFloat = 1,
  kDouble = 2,
  kInt32 = 3,
  kUint8 = 4,
  kInt16 = 5,
  kInt8 = 6,
  kString = 7,
  kInt64 = 9,
  kBool = 10,
  kBfloat16 = 14,
  kUint16 = 17,
  kHalf = 19,
  kResource = 20,
  kVariant = 21,
  kUint32 = 22,
  kUint64 = 23,
};

// The dtype of a tensor, also of a reference to one ("float_ref"); nullopt: complex, quantized, a handle or
// not of TensorFlow.
std::optional<tensor::DType> to_dtype(std::int64_t type);

// "DT_FLOAT", or its number where unknown.
std::string type_name(std::int64_t type);

}  // namespace wherry::tensorflow
