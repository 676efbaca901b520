// A tiny ONNX model for the tests of whoever runs graphs, made without any library.
#pragma once

#include <string>
#include <string_view>

#include "runtime/environment.h"

namespace wherry::runtime::testing {

// $WHERRY_ONNXRUNTIME or one of the usual places has the library; tests which need it skip themselves
// otherwise.
inline bool has_library() {
  return static_cast<bool>(Environment::get());
}

inline std::string field(int number, std::string_view bytes) {
  std::string out(1, static_cast<char>(number << 3 | 2));
  std::size_t size = bytes.size();
  for (; size >= 0x80; size >>= 7) out += static_cast<char>(size | 0x80);
  out += static_cast<char>(size);
  return out + std::string(bytes);
}
inline std::string number(int field, int value) {
  return std::string(1, static_cast<char>(field << 3)) + static_cast<char>(value);
}

// ValueInfoProto of a tensor of `type` (TensorProto.DataType) [batch, columns].
inline std::string matrix(std::string_view name, int type, int columns) {
  const std::string shape = field(1, field(2, "batch")) + field(1, number(1, columns));
  return field(1, name) + field(2, field(1, number(1, type) + field(2, shape)));
}
inline std::string node(std::string_view op, std::string_view a, std::string_view b, std::string_view out) {
  return field(1, a) + (b.empty() ? "" : field(1, b)) + field(2, out) + field(4, op);
}
// float32 [1, columns] of external data.
inline std::string external(std::string_view name, int columns) {
  return number(1, 1) + number(1, columns) + number(2, 1) + field(8, name) +
         field(13, field(1, "location") + field(2, "*wherry*")) + number(14, 1);
}
inline std::string model(std::string_view graph) {
  return number(1, 8) + field(7, graph) + field(8, number(2, 17));
}

// sum = x + bias, where `bias` [1, 2] comes from outside; x float32 [batch, 2].
inline std::string adder() {
  return model(field(1, node("Add", "x", "bias", "sum")) + field(2, "g") + field(5, external("bias", 2)) +
               field(11, matrix("x", 1, 2)) + field(12, matrix("sum", 1, 2)));
}

}  // namespace wherry::runtime::testing
