#include "import/torch/scalar_type.h"

#include <algorithm>
#include <array>

namespace wherry::torch {
namespace {

using tensor::DType;

struct Row {
  DType dtype;
  int c10;
  int serde;
  std::string_view name;
  std::string_view alias;
  std::string_view storage;
};

constexpr auto kRows = std::to_array<Row>({
    {DType::kUint8, 0, 1, "uint8", "", "ByteStorage"},
    {DType::kInt8, 1, 2, "int8", "", "CharStorage"},
    {DType::kInt16, 2, 3, "int16", "short", "ShortStorage"},
    {DType::kInt32, 3, 4, "int32", "int", "IntStorage"},
    {DType::kInt64, 4, 5, "int64", "long", "LongStorage"},
    {DType::kFloat16, 5, 6, "float16", "half", "HalfStorage"},
    {DType::kFloat32, 6, 7, "float32", "float", "FloatStorage"},
    {DType::kFloat64, 7, 8, "float64", "double", "DoubleStorage"},
    {DType::kBool, 11, 12, "bool", "", "BoolStorage"},
    {DType::kBfloat16, 15, 13, "bfloat16", "", "BFloat16Storage"},
    {DType::kUint16, 27, 28, "uint16", "", "UInt16Storage"},
    {DType::kUint32, 28, 34, "uint32", "", "UInt32Storage"},
    {DType::kUint64, 29, 35, "uint64", "", "UInt64Storage"},
});

template <class Match>
std::optional<DType> first(const Match& match) {
  const auto found = std::ranges::find_if(kRows, match);
  if (found == kRows.end()) return std::nullopt;
  return found->dtype;
}

}  // namespace

std::optional<DType> dtype_of_c10(std::int64_t number) {
  return first([&](const Row& row) { return row.c10 == number; });
}

std::optional<DType> dtype_of_serde(std::int64_t number) {
  return first([&](const Row& row) { return row.serde == number; });
}

std::optional<DType> dtype_of_name(std::string_view name) {
  if (name.starts_with("torch.")) name.remove_prefix(6);
  if (name.empty()) return std::nullopt;
  return first([&](const Row& row) { return row.name == name || row.alias == name || row.storage == name; });
}

std::int64_t c10_of(DType dtype) {
  const auto found = std::ranges::find(kRows, dtype, &Row::dtype);
  return found != kRows.end() ? found->c10 : 6;
}

bool is_floating(DType dtype) {
  return dtype == DType::kFloat16 || dtype == DType::kBfloat16 || dtype == DType::kFloat32 ||
         dtype == DType::kFloat64;
}

bool is_integral(DType dtype) {
  return dtype != DType::kBool && dtype != DType::kString && !is_floating(dtype);
}

}  // namespace wherry::torch
