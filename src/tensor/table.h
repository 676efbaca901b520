// Rows as people send them: numbers, text and missing cells side by side.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace wherry::tensor {

enum class CellKind : std::uint8_t {
  kNumber,  // number, bool (0 or 1) or NaN written as such
  kText,
  kMissing,  // null, None, empty CSV field
};

// `rows` × `columns` cells, row-major. Every cell has an entry in `numbers` (NaN unless kNumber); `kinds` and
// `texts` are empty when every cell is a number, so a purely numeric table is a plain float64 matrix.
// Texts are UTF-8 and borrowed: they must outlive the table. A value; not synchronised.
struct Table {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<double> numbers;
  std::vector<CellKind> kinds;
  std::vector<std::string_view> texts;

  bool is_numeric() const { return kinds.empty(); }
  CellKind kind(std::size_t cell) const { return kinds.empty() ? CellKind::kNumber : kinds[cell]; }

  // All cells become missing numbers (NaN, kNumber); keeps the capacity of earlier use.
  void reset(std::size_t row_count, std::size_t column_count) {
    rows = row_count;
    columns = column_count;
    numbers.assign(rows * columns, std::numeric_limits<double>::quiet_NaN());
    kinds.clear();
    texts.clear();
  }
  // The same for a caller which sets every cell to a number: what they hold before is unspecified.
  void reset_for_numbers(std::size_t row_count, std::size_t column_count) {
    rows = row_count;
    columns = column_count;
    numbers.resize(rows * columns);
    kinds.clear();
    texts.clear();
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
