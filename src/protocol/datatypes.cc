#include "protocol/datatypes.h"

#include <limits>

namespace wherry::protocol {
namespace {

template <class T>
constexpr Datatype integer(std::string_view name) {
  using Limits = std::numeric_limits<T>;
  return {name, Limits::is_signed ? DataKind::kSigned : DataKind::kUnsigned, Limits::min(),
          static_cast<std::uint64_t>(Limits::max())};
}
template <>
constexpr Datatype integer<std::uint64_t>(std::string_view name) {
  return {name, DataKind::kUnsigned, 0, std::numeric_limits<std::uint64_t>::max()};
}

constexpr Datatype kDatatypes[] = {
    {"FP64", DataKind::kFloat64},     {"FP32", DataKind::kFloat32},     {"BYTES", DataKind::kBytes},
    {"BOOL", DataKind::kBool},        integer<std::int64_t>("INT64"),   integer<std::int32_t>("INT32"),
    integer<std::int16_t>("INT16"),   integer<std::int8_t>("INT8"),     integer<std::uint64_t>("UINT64"),
    integer<std::uint32_t>("UINT32"), integer<std::uint16_t>("UINT16"), integer<std::uint8_t>("UINT8"),
    {"FP16", DataKind::kNotInJson},   {"BF16", DataKind::kNotInJson},
};

}  // namespace

const Datatype* find_datatype(std::string_view name) {
  for (const Datatype& row : kDatatypes)
    if (row.name == name) return &row;
  return nullptr;
}

std::string_view datatype_of(program::ColumnType type) {
  switch (type) {
    case program::ColumnType::kNumber:
      return "FP64";
    case program::ColumnType::kInteger:
      return "INT64";
    case program::ColumnType::kBool:
      return "BOOL";
    case program::ColumnType::kText:
    case program::ColumnType::kRecord:  // their JSON
    case program::ColumnType::kAny:
      break;
  }
  return "BYTES";
}

std::string_view datatype_of(tensor::DType dtype) {
  return tensor::info(dtype).protocol_name;
}

}  // namespace wherry::protocol
