#include "verify/elements.h"

#include <cmath>

#include "tensor/half.h"

namespace wherry::verify {

double element(const tensor::ResultView& view, std::size_t i) {
  using tensor::DType;
  switch (view.dtype) {
    case DType::kBool:
    case DType::kUint8:
      return static_cast<const std::uint8_t*>(view.data)[i];
    case DType::kInt8:
      return static_cast<const std::int8_t*>(view.data)[i];
    case DType::kInt16:
      return static_cast<const std::int16_t*>(view.data)[i];
    case DType::kInt32:
      return static_cast<const std::int32_t*>(view.data)[i];
    case DType::kInt64:
      return static_cast<double>(static_cast<const std::int64_t*>(view.data)[i]);
    case DType::kUint16:
      return static_cast<const std::uint16_t*>(view.data)[i];
    case DType::kUint32:
      return static_cast<const std::uint32_t*>(view.data)[i];
    case DType::kUint64:
      return static_cast<double>(static_cast<const std::uint64_t*>(view.data)[i]);
    case DType::kFloat16:
      return tensor::half_to_double(static_cast<const std::uint16_t*>(view.data)[i]);
    case DType::kBfloat16:
      return tensor::bfloat_to_double(static_cast<const std::uint16_t*>(view.data)[i]);
    case DType::kFloat32:
      return static_cast<const float*>(view.data)[i];
    case DType::kFloat64:
      return static_cast<const double*>(view.data)[i];
    case DType::kString:
      break;
  }
  return std::nan("");
}

}  // namespace wherry::verify
