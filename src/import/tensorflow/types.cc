#include "import/tensorflow/types.h"

#include "base/text.h"

namespace wherry::tensorflow {
namespace {

struct Row {
  std::int64_t type;
  std::string_view name;
  std::optional<tensor::DType> dtype;
};

using tensor::DType;
constexpr Row kRows[] = {
    {1, "DT_FLOAT", DType::kFloat32},  {2, "DT_DOUBLE", DType::kFloat64},
    {3, "DT_INT32", DType::kInt32},    {4, "DT_UINT8", DType::kUint8},
    {5, "DT_INT16", DType::kInt16},    {6, "DT_INT8", DType::kInt8},
    {7, "DT_STRING", DType::kString},  {8, "DT_COMPLEX64", std::nullopt},
    {9, "DT_INT64", DType::kInt64},    {10, "DT_BOOL", DType::kBool},
    {11, "DT_QINT8", std::nullopt},    {12, "DT_QUINT8", std::nullopt},
    {13, "DT_QINT32", std::nullopt},   {14, "DT_BFLOAT16", DType::kBfloat16},
    {15, "DT_QINT16", std::nullopt},   {16, "DT_QUINT16", std::nullopt},
    {17, "DT_UINT16", DType::kUint16}, {18, "DT_COMPLEX128", std::nullopt},
    {19, "DT_HALF", DType::kFloat16},  {20, "DT_RESOURCE", std::nullopt},
    {21, "DT_VARIANT", std::nullopt},  {22, "DT_UINT32", DType::kUint32},
    {23, "DT_UINT64", DType::kUint64},
};
constexpr std::int64_t kReference = 100;  // added to the dtype of a TF1 variable's handle

const Row* find(std::int64_t type) {
  if (type > kReference) type -= kReference;
  for (const Row& row : kRows)
    if (row.type == type) return &row;
  return nullptr;
}

}  // namespace

std::optional<tensor::DType> to_dtype(std::int64_t type) {
  const Row* row = find(type);
  return row == nullptr ? std::nullopt : row->dtype;
}

std::string type_name(std::int64_t type) {
  const Row* row = find(type);
  return row == nullptr ? base::cat("dtype ", type) : std::string(row->name);
}

}  // namespace wherry::tensorflow
