#include "tensor/tensor.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/text.h"

namespace wherry::tensor {
namespace {

constexpr std::array<DTypeInfo, 14> kDTypes{{
    {DType::kBool, "bool", "BOOL", "BOOL", 1},
    {DType::kInt8, "int8", "INT8", "I8", 1},
    {DType::kInt16, "int16", "INT16", "I16", 2},
    {DType::kInt32, "int32", "INT32", "I32", 4},
    {DType::kInt64, "int64", "INT64", "I64", 8},
    {DType::kUint8, "uint8", "UINT8", "U8", 1},
    {DType::kUint16, "uint16", "UINT16", "U16", 2},
    {DType::kUint32, "uint32", "UINT32", "U32", 4},
    {DType::kUint64, "uint64", "UINT64", "U64", 8},
    {DType::kFloat16, "float16", "FP16", "F16", 2},
    {DType::kBfloat16, "bfloat16", "BF16", "BF16", 2},
    {DType::kFloat32, "float32", "FP32", "F32", 4},
    {DType::kFloat64, "float64", "FP64", "F64", 8},
    {DType::kString, "str", "BYTES", "", 0},
}};

constexpr std::uint64_t kMostElements = std::uint64_t{1} << 48;

[[noreturn]] void misuse(const char* what) {
  std::fprintf(stderr, "bug: tensor misused: %s\n", what);
  std::abort();
}

}  // namespace

const DTypeInfo& info(DType dtype) {
  return kDTypes[static_cast<std::size_t>(dtype)];
}
std::span<const DTypeInfo> dtypes() {
  return kDTypes;
}

base::Result<std::uint64_t> element_count(const Shape& shape) {
  std::uint64_t count = 1;
  for (std::int64_t size : shape) {
    if (size < 0 || (size > 0 && count > kMostElements / static_cast<std::uint64_t>(size)))
      return base::fail(base::Code::kInvalidInput, "tensor.bad_shape",
                        base::cat("shape ", to_string(shape), " is not possible"),
                        "sizes must not be negative and their product must fit in memory");
    count *= static_cast<std::uint64_t>(size);
  }
  return count;
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += base::cat(i > 0 ? ", " : "", shape[i]);
  return text + "]";
}

Tensor Tensor::adopt(DType dtype, Shape shape, base::Bytes bytes, std::shared_ptr<const void> owner) {
  const auto count = element_count(shape);
  if (!count || *count * info(dtype).size != bytes.size()) misuse("shape and number of elements differ");
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.shape_ = std::move(shape);
  tensor.count_ = static_cast<std::size_t>(*count);
  tensor.bytes_ = bytes;
  tensor.owner_ = std::move(owner);
  return tensor;
}

Tensor Tensor::of_bools(Shape shape, std::vector<std::uint8_t> elements) {
  Tensor tensor = of(std::move(shape), std::move(elements));
  tensor.dtype_ = DType::kBool;
  return tensor;
}

Tensor Tensor::of_strings(Shape shape, std::vector<std::string> elements) {
  const auto count = element_count(shape);
  if (!count || *count != elements.size()) misuse("shape and number of strings differ");
  Tensor tensor;
  tensor.dtype_ = DType::kString;
  tensor.shape_ = std::move(shape);
  tensor.count_ = elements.size();
  tensor.owner_ = std::make_shared<std::vector<std::string>>(std::move(elements));
  return tensor;
}

base::Result<Tensor> Tensor::borrow(DType dtype, Shape shape, base::Bytes bytes,
                                    std::shared_ptr<const void> owner) {
  TRY_ASSIGN(const std::uint64_t count, element_count(shape));
  const std::size_t size = info(dtype).size;
  const bool aligned = size != 0 && reinterpret_cast<std::uintptr_t>(bytes.data()) % size == 0;
  if (size == 0 || count * size != bytes.size() || (!aligned && !bytes.empty()))
    return base::fail(base::Code::kInvalidInput, "tensor.bad_shape",
                      base::cat("tensor of shape ", to_string(shape), " and type ", info(dtype).numpy_name,
                                " cannot be ", bytes.size(), " bytes at this place"),
                      "the file is corrupted; make it again");
  return adopt(dtype, std::move(shape), bytes, std::move(owner));
}

void Tensor::require(DType dtype) const {
  if (dtype_ != dtype) misuse("read as another dtype");
}

std::span<const std::uint8_t> Tensor::as_bools() const {
  require(DType::kBool);
  return {reinterpret_cast<const std::uint8_t*>(bytes_.data()), count_};
}

std::span<const std::string> Tensor::as_strings() const {
  require(DType::kString);
  return *static_cast<const std::vector<std::string>*>(owner_.get());
}

namespace {

template <class T>
bool same_floats(std::span<const T> a, std::span<const T> b) {
  return std::equal(a.begin(), a.end(), b.begin(),
                    [](T x, T y) { return (x != x && y != y) || std::memcmp(&x, &y, sizeof(T)) == 0; });
}

}  // namespace

bool identical(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  switch (a.dtype()) {
    case DType::kString:
      return std::ranges::equal(a.as_strings(), b.as_strings());
    case DType::kFloat32:
      return same_floats(a.as<float>(), b.as<float>());
    case DType::kFloat64:
      return same_floats(a.as<double>(), b.as<double>());
    default:
      return std::ranges::equal(a.bytes(), b.bytes());
  }
}

}  // namespace wherry::tensor
