// The datatypes of the Open Inference Protocol as JSON carries them. Private to module protocol.
#pragma once

#include <cstdint>
#include <string_view>

#include "program/program.h"
#include "tensor/tensor.h"

namespace wherry::protocol {

enum class DataKind : std::uint8_t { kBool, kSigned, kUnsigned, kFloat32, kFloat64, kBytes, kNotInJson };

struct Datatype {
  std::string_view name;  // "INT64"
  DataKind kind;
  std::int64_t low = 0;  // integers: the range
  std::uint64_t high = 0;
};

const Datatype* find_datatype(std::string_view name);  // null when the protocol has no such type

// What a column of this type is announced as: FP64, INT64, BOOL or BYTES.
std::string_view datatype_of(program::ColumnType type);
// What a result of this dtype is announced as; float32 as FP32 and so on.
std::string_view datatype_of(tensor::DType dtype);

}  // namespace wherry::protocol
