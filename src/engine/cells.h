// Matching of cells with category and marker values, as "How cells match" in program/ops.h says. Private to
// module engine.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/frame.h"
#include "tensor/table.h"

namespace wherry::engine {

// Finds the position of a cell's value among distinct values. Texts are borrowed from the values given.
// Immutable.
class CellIndex {
 public:
  explicit CellIndex(std::span<const tensor::CellValue> values);

  // Position of the matching value, or -1.
  std::int32_t find(const Columns& table, std::size_t cell) const {
    switch (table.kind(cell)) {
      case tensor::CellKind::kNumber:
        return find_number(table.numbers[cell]);
      case tensor::CellKind::kText:
        return find_text(table.texts[cell]);
      case tensor::CellKind::kMissing:
        return missing_;
    }
    return -1;
  }
  std::int32_t find_number(double number) const;
  std::int32_t find_text(std::string_view text) const;

 private:
  struct NumberEntry {
    double key = 0;
    std::int32_t position = -1;
  };
  struct TextEntry {
    std::string_view key;
    std::int32_t position = -1;
  };

  std::vector<NumberEntry> numbers_;  // open addressing; sizes are powers of two, or empty
  std::vector<TextEntry> texts_;
  std::int32_t missing_ = -1;  // what a missing cell matches
  std::int32_t nan_ = -1;      // what a NaN matches
};

// The cell as a person would write it, for messages: 'text', 2.5, NaN, or "a missing value".
std::string describe_cell(const Columns& table, std::size_t cell);

}  // namespace wherry::engine
