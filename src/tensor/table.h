// Rows as people send them: numbers, text and missing cells side by side; or the tensors of a tensor model.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "tensor/tensor.h"

namespace wherry::tensor {

enum class CellKind : std::uint8_t {
  kNumber,  // number, bool (0 or 1) or NaN written as such
  kText,
  kMissing,  // null, None, empty CSV field
};

// One input of a tensor model: row-major little-endian elements, aligned for the dtype; kBool is one byte 0
// or 1. A value; not synchronised.
struct TensorCells {
  DType dtype = DType::kFloat32;
  Shape shape;                          // no -1
  base::Bytes bytes;                    // all dtypes but kString: borrowed, or in `owned`
  std::vector<std::string_view> texts;  // kString: UTF-8, borrowed
  std::vector<std::byte> owned;         // keeps its capacity from use to use

  // Room of its own for `size` bytes, which become the elements; aligned for every dtype.
  std::span<std::byte> own(std::size_t size) {
    owned.resize(size);
    bytes = owned;
    return owned;
  }
  // As a Table is copied or moved: what points into `owned` follows it.
  TensorCells() = default;
  TensorCells(const TensorCells& other) { *this = other; }
  TensorCells(TensorCells&& other) noexcept { *this = std::move(other); }
  TensorCells& operator=(const TensorCells& other) {
    if (this == &other) return *this;
    dtype = other.dtype, shape = other.shape, texts = other.texts, owned = other.owned;
    bytes = other.owns_bytes() ? base::Bytes(owned) : other.bytes;
    return *this;
  }
  TensorCells& operator=(TensorCells&& other) noexcept = default;  // a vector's elements stay where they are
  ~TensorCells() = default;

 private:
  bool owns_bytes() const { return !owned.empty() && bytes.data() == owned.data(); }
};

// Of its elements; texts count by their own sizes.
inline std::size_t size_in_bytes(const TensorCells& cells) {
  std::size_t bytes = cells.bytes.size();
  for (const std::string_view text : cells.texts) bytes += text.size();
  return bytes;
}

// `rows` × `columns` cells, row-major. Every cell has an entry in `numbers` (NaN unless kNumber); `kinds` and
// `texts` are empty when every cell is a number, so a purely numeric table is a plain float64 matrix.
// Texts are UTF-8 and borrowed: they must outlive the table. A value; not synchronised.
//
// A tensor model takes no cells: it has `tensors`, one per input in the signature's order, and no columns.
// `rows` is then their length along axis 0 where the model is batched, else 1.
struct Table {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<double> numbers;
  std::vector<CellKind> kinds;
  std::vector<std::string_view> texts;
  std::vector<TensorCells> tensors;

  bool is_numeric() const { return kinds.empty(); }
  CellKind kind(std::size_t cell) const { return kinds.empty() ? CellKind::kNumber : kinds[cell]; }

  // All cells become missing numbers (NaN, kNumber); keeps the capacity of earlier use.
  void reset(std::size_t row_count, std::size_t column_count) {
    rows = row_count;
    columns = column_count;
    numbers.assign(rows * columns, std::numeric_limits<double>::quiet_NaN());
    kinds.clear();
    texts.clear();
    tensors.clear();
  }
  // `count` tensors, to be filled by the caller in place: what they hold before is unspecified, their room is
  // kept.
  void reset_tensors(std::size_t row_count, std::size_t count) {
    rows = row_count;
    columns = 0;
    numbers.clear();
    kinds.clear();
    texts.clear();
    tensors.resize(count);
  }
  // As reset() for a caller which sets every cell to a number: what they hold before is unspecified.
  void reset_for_numbers(std::size_t row_count, std::size_t column_count) {
    rows = row_count;
    columns = column_count;
    numbers.resize(rows * columns);
    kinds.clear();
    texts.clear();
    tensors.clear();
  }
  // One more row of missing numbers at the end, for readers which do not know the number of rows.
  void add_row() {
    ++rows;
    numbers.resize(rows * columns, std::numeric_limits<double>::quiet_NaN());
    if (kinds.empty()) return;
    kinds.resize(rows * columns, CellKind::kNumber);
    texts.resize(rows * columns);
  }
  void set_number(std::size_t cell, double value) { numbers[cell] = value; }
  void set_text(std::size_t cell, std::string_view value) {
    make_mixed();
    kinds[cell] = CellKind::kText;
    texts[cell] = value;
  }
  void set_missing(std::size_t cell) {
    make_mixed();
    kinds[cell] = CellKind::kMissing;
  }

 private:
  void make_mixed() {
    if (!kinds.empty()) return;
    kinds.assign(rows * columns, CellKind::kNumber);
    texts.assign(rows * columns, std::string_view());
  }
};

// A cell's value on its own, as categories and fill values are stored: missing (Python's None), a number
// (which may be NaN) or text.
using CellValue = std::variant<std::monostate, double, std::string>;

}  // namespace wherry::tensor
