#include "protocol/datatypes.h"

#include <algorithm>
#include <limits>

namespace wherry::protocol {
namespace {

template <class T>
constexpr Datatype integer(std::string_view name) {
  using Limits = std::numeric_limits<T>;
  return {name, Limits::is_signed ? DataKind::kSigned : DataKind::kUnsigned, sizeof(T), Limits::min(),
          static_cast<std::uint64_t>(Limits::max())};
}
template <>
constexpr Datatype integer<std::uint64_t>(std::string_view name) {
  return {name, DataKind::kUnsigned, 8, 0, std::numeric_limits<std::uint64_t>::max()};
}

constexpr Datatype kDatatypes[] = {
    {"FP64", DataKind::kFloat64, 8},  {"FP32", DataKind::kFloat32, 4},  {"BYTES", DataKind::kBytes, 0},
    {"BOOL", DataKind::kBool, 1},     integer<std::int64_t>("INT64"),   integer<std::int32_t>("INT32"),
    integer<std::int16_t>("INT16"),   integer<std::int8_t>("INT8"),     integer<std::uint64_t>("UINT64"),
    integer<std::uint32_t>("UINT32"), integer<std::uint16_t>("UINT16"), integer<std::uint8_t>("UINT8"),
    {"FP16", DataKind::kFloat16, 2},  {"BF16", DataKind::kBfloat16, 2},
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

bool has_text(const tensor::Table& table) {
  return std::find(table.kinds.begin(), table.kinds.end(), tensor::CellKind::kText) != table.kinds.end();
}

std::string_view datatype_of(const tensor::ResultView& view) {
  if (view.table != nullptr) return has_text(*view.table) ? "BYTES" : "FP64";
  return datatype_of(view.dtype);
}

}  // namespace wherry::protocol
