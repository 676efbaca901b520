// What an engine answers and a protocol writes: a result borrowed from whoever computed it.
//
// Thread-safety: a value; as safe to read as what it borrows from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tensor/table.h"
#include "tensor/tensor.h"

namespace wherry::tensor {

// Row-major elements of `dtype`, or a table of mixed cells. Exactly one of the three holds the elements:
//   table != nullptr       the table's cells; the shape is [rows, columns], dtype says nothing
//   dtype == kString       `texts`, UTF-8, as many as the product of the shape
//   otherwise              `data`, aligned for the dtype; kBool is one byte 0 or 1
// The shape has no -1; its first length is the batch, but for models which are not batched. Elements are
// borrowed and must outlive the view.
struct ResultView {
  static constexpr std::size_t kMostAxes = 8;

  DType dtype = DType::kFloat64;
  std::uint8_t axes = 0;
  std::array<std::int64_t, kMostAxes> lengths{};
  const void* data = nullptr;
  std::span<const std::string_view> texts;
  const Table* table = nullptr;

  std::span<const std::int64_t> shape() const { return {lengths.data(), axes}; }
  std::size_t size() const {
    std::size_t count = 1;
    for (const std::int64_t length : shape()) count *= static_cast<std::size_t>(length);
    return count;
  }
  // The elements; the caller has looked at dtype.
  template <class T>
  std::span<const T> as() const {
    return {static_cast<const T*>(data), size()};
  }
};

// One answer under its name: a scikit-learn method such as "predict". More than one value stands for a list
// of arrays (predict_proba of a multi-output classifier). `labels` name the columns where known, else empty.
struct NamedResult {
  std::string_view name;
  std::span<const ResultView> values;
  std::span<const std::string> labels;
};

}  // namespace wherry::tensor
