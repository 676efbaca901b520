// The ways in which PyTorch's files write element types. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tensor/tensor.h"

namespace wherry::torch {

// c10::ScalarType, as TorchScript writes it (6 is float32). nullopt: none that wherry reads (complex,
// quantised, 8-bit floats).
std::optional<tensor::DType> dtype_of_c10(std::int64_t number);
// torch._export.serde.schema.ScalarType, as .pt2 writes it (7 is float32).
std::optional<tensor::DType> dtype_of_serde(std::int64_t number);
// "float32", "torch.float32", "half", "FloatStorage".
std::optional<tensor::DType> dtype_of_name(std::string_view name);
// c10's number of a dtype; float32 for strings, which PyTorch does not have.
std::int64_t c10_of(tensor::DType dtype);

bool is_floating(tensor::DType dtype);  // float16, bfloat16, float32, float64
bool is_integral(tensor::DType dtype);  // without bool

}  // namespace wherry::torch
