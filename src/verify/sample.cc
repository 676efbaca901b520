#include "verify/sample.h"

#include <algorithm>
#include <cstring>
namespace wherry::verify {
namespace {

using tensor::DType;

// splitmix64: the same numbers everywhere.
std::uint64_t next(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

float next_float(std::uint64_t& state) {
  return static_cast<float>(next(state) >> 48) / 32768.0F -
         1.0F;  // exact in float32, not in the 16-bit floats
}

void fill(DType dtype, std::span<std::byte> bytes, std::uint64_t& state) {
  const std::size_t size = tensor::info(dtype).size;
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    const auto put = [&](auto value) { std::memcpy(bytes.data() + at, &value, sizeof value); };
    switch (dtype) {
      case DType::kFloat64:
        put(static_cast<double>(next_float(state)));
        break;
      case DType::kFloat32:
        put(next_float(state));
        break;
      case DType::kFloat16:  // ±0.5 to ±1 by its bits
        put(static_cast<std::uint16_t>(0x3800 | (next(state) & 0x83FF)));
        break;
      case DType::kBfloat16:
        put(static_cast<std::uint16_t>(0x3F00 | (next(state) & 0x807F)));
        break;
      case DType::kBool:
        put(std::uint8_t{1});
        break;
      default:  // little endian: the lowest byte comes first
        bytes[at] = static_cast<std::byte>(next(state) & 1);
    }
  }
}

tensor::Shape sample_shape(const program::Signature& signature, const program::InputTensor& input,
                           const SampleSize& size) {
  // One of any number of axes has 2, 1, 3 or 4 of them in turn.
  constexpr std::size_t kAxes[] = {2, 1, 3, 4};
  tensor::Shape shape = input.shape;
  if (program::is_any_shape(shape)) shape.assign(kAxes[size.seed % 4], -1);
  for (std::size_t axis = 0; axis < shape.size(); ++axis)
    if (shape[axis] < 0) shape[axis] = signature.batched && axis == 0 ? size.batch : size.length;
  return shape;
}

}  // namespace

std::size_t sample_elements(const program::Signature& signature, const SampleSize& size) {
  std::size_t most = 0;
  for (const program::InputTensor& input : signature.tensors) {
    const auto count = tensor::element_count(sample_shape(signature, input, size));
    if (!count) return SIZE_MAX;
    most = std::max<std::size_t>(most, *count);
  }
  return most;
}

tensor::Table sample_request(const program::Signature& signature, const SampleSize& size) {
  tensor::Table table;
  table.reset_tensors(signature.batched ? static_cast<std::size_t>(size.batch) : 1, signature.tensors.size());
  std::uint64_t state = size.seed;
  for (std::size_t i = 0; i < signature.tensors.size(); ++i) {
    const program::InputTensor& input = signature.tensors[i];
    tensor::TensorCells& cells = table.tensors[i];
    cells.dtype = input.dtype;
    cells.shape = sample_shape(signature, input, size);
    std::size_t count = 1;
    for (const std::int64_t length : cells.shape) count *= static_cast<std::size_t>(length);
    if (input.dtype == DType::kString) {
      cells.texts.assign(count, "1");
      continue;
    }
    const std::size_t bytes = count * tensor::info(input.dtype).size;
    cells.owned.assign(bytes, std::byte{0});
    cells.bytes = cells.owned;
    fill(input.dtype, cells.owned, state);
  }
  return table;
}

}  // namespace wherry::verify
