// The datatypes of the Open Inference Protocol. Private to module protocol.
#pragma once

#include <cstdint>
#include <string_view>

#include "program/program.h"
#include "tensor/tensor.h"
#include "tensor/view.h"

namespace wherry::protocol {

enum class DataKind : std::uint8_t {
  kBool,
  kSigned,
  kUnsigned,
  kFloat16,   // IEEE 754 binary16; not in JSON
  kBfloat16,  // the upper half of binary32; not in JSON
  kFloat32,
  kFloat64,
  kBytes,
};

struct Datatype {
  std::string_view name;  // "INT64"
  DataKind kind;
  std::uint8_t size;     // bytes of an element as raw little-endian data; 0 for BYTES
  std::int64_t low = 0;  // integers: the range
  std::uint64_t high = 0;

  bool in_json() const { return kind != DataKind::kFloat16 && kind != DataKind::kBfloat16; }
};

const Datatype* find_datatype(std::string_view name);  // null when the protocol has no such type

// What a column of this type is announced as: FP64, INT64, BOOL or BYTES.
std::string_view datatype_of(program::ColumnType type);
// What a result of this dtype is announced as; float32 as FP32 and so on.
std::string_view datatype_of(tensor::DType dtype);
// What a result is announced as: a table of mixed cells has one datatype, FP64 when no cell is text, else
// BYTES.
std::string_view datatype_of(const tensor::ResultView& view);

bool has_text(const tensor::Table& table);

}  // namespace wherry::protocol
