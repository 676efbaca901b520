// Dense tensors: the numbers and strings of weights, inputs and outputs.
//
// Thread-safety: a Tensor is immutable and reference-counted; copies share the data and may be read from any
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"

namespace wherry::tensor {

enum class DType : std::uint8_t {
  kBool,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kFloat16,
  kBfloat16,
  kFloat32,
  kFloat64,
  kString,
};

// numpy's names, by dtype.
inline constexpr std::string_view kDTypeNames[] = {"bool",     "int8",    "int16",   "int32",  "int64",
                                                   "uint8",    "uint16",  "uint32",  "uint64", "float16",
                                                   "bfloat16", "float32", "float64", "str"};
constexpr auto enum_names(DType) {
  return std::span(kDTypeNames);
}

// One row per dtype: the names the outside world uses. `protocol_name` is the Open Inference Protocol's
// ("FP64"), `safetensors_name` the file format's ("F64"; empty where it has none), `numpy_name` "float64".
struct DTypeInfo {
  DType dtype;
  std::string_view numpy_name;
  std::string_view protocol_name;
  std::string_view safetensors_name;
  std::size_t size;  // bytes of an element; 0 for strings
};
const DTypeInfo& info(DType dtype);
std::span<const DTypeInfo> dtypes();

// Sizes along each axis; -1 stands for the batch or another length that a request chooses, in types only,
// never in a Tensor.
using Shape = std::vector<std::int64_t>;

// Product of the sizes; "tensor.bad_shape" when one is negative or the product does not fit 2^48.
base::Result<std::uint64_t> element_count(const Shape& shape);
std::string to_string(const Shape& shape);  // "[-1, 30]"

template <class T>
struct DTypeOf;
template <>
struct DTypeOf<std::int8_t> {
  static constexpr DType value = DType::kInt8;
};
template <>
struct DTypeOf<std::int16_t> {
  static constexpr DType value = DType::kInt16;
};
template <>
struct DTypeOf<std::int32_t> {
  static constexpr DType value = DType::kInt32;
};
template <>
struct DTypeOf<std::int64_t> {
  static constexpr DType value = DType::kInt64;
};
template <>
struct DTypeOf<std::uint8_t> {
  static constexpr DType value = DType::kUint8;
};
template <>
struct DTypeOf<std::uint16_t> {
  static constexpr DType value = DType::kUint16;
};
template <>
struct DTypeOf<std::uint32_t> {
  static constexpr DType value = DType::kUint32;
};
template <>
struct DTypeOf<std::uint64_t> {
  static constexpr DType value = DType::kUint64;
};
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::kFloat32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::kFloat64;
};

class Tensor {
 public:
  Tensor() = default;  // an empty float64 vector

  // Takes the elements; their number must be the product of `shape` (a bug otherwise: checked, aborts).
  template <class T>
  static Tensor of(Shape shape, std::vector<T> elements) {
    auto owner = std::make_shared<std::vector<T>>(std::move(elements));
    const base::Bytes bytes = std::as_bytes(std::span<const T>(*owner));
    return adopt(DTypeOf<T>::value, std::move(shape), bytes, std::move(owner));
  }
  static Tensor of_bools(Shape shape, std::vector<std::uint8_t> elements);  // 0 or 1 each
  static Tensor of_strings(Shape shape, std::vector<std::string> elements);

  // Borrows little-endian row-major bytes kept alive by `owner`; "tensor.bad_shape" when sizes do not agree
  // or the data is not aligned for the dtype. Not for strings.
  static base::Result<Tensor> borrow(DType dtype, Shape shape, base::Bytes bytes,
                                     std::shared_ptr<const void> owner);

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  std::size_t size() const { return count_; }   // elements
  base::Bytes bytes() const { return bytes_; }  // empty for strings

  // The elements; the dtype must be T's (a bug otherwise: checked, aborts).
  template <class T>
  std::span<const T> as() const {
    require(DTypeOf<T>::value);
    return {reinterpret_cast<const T*>(bytes_.data()), count_};
  }
  std::span<const std::uint8_t> as_bools() const;
  std::span<const std::string> as_strings() const;

 private:
  static Tensor adopt(DType dtype, Shape shape, base::Bytes bytes, std::shared_ptr<const void> owner);
  void require(DType dtype) const;

  DType dtype_ = DType::kFloat64;
  Shape shape_{0};
  std::size_t count_ = 0;
  base::Bytes bytes_;
  std::shared_ptr<const void> owner_;  // for strings: a std::vector<std::string>
};

// Same dtype, shape and elements; NaN equals NaN, -0.0 differs from 0.0.
bool identical(const Tensor& a, const Tensor& b);

}  // namespace wherry::tensor
