// What an OrtValue holds. Private to module runtime.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/api.h"

namespace wherry::runtime {

struct ValueType {
  int element = 0;  // ONNXTensorElementDataType
  std::vector<std::int64_t> lengths;
};

// The elements of a tensor of strings, kept between uses.
struct Texts {
  std::string bytes;  // all of them, one behind the other
  std::vector<std::size_t> offsets;
  std::vector<std::string_view> elements;  // borrowed from `bytes`
};

// Of a tensor. The status is null for success, else the caller's to release.
OrtStatus* read_type(const Api& api, const OrtValue* value, ValueType& type);
OrtStatus* read_texts(const Api& api, const OrtValue* value, std::size_t count, Texts& texts);

}  // namespace wherry::runtime
