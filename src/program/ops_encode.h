// Operations that look up categories. See ops.h for the conventions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "program/op_types.h"
#include "tensor/table.h"

namespace wherry::program {

// How cells match category and marker values: numbers by ==, with NaN matching NaN; text by bytes; a missing
// cell matches None where the values contain None, else NaN; a NaN number matches NaN where the values
// contain it, else None. A number never matches a text.

struct OneHotColumn {
  std::vector<tensor::CellValue> categories;  // distinct
  std::vector<std::int64_t> targets;  // per category: column within this block, or -1 (dropped: all zeros)
  std::int64_t width = 0;             // columns of this block
  std::int64_t unknown_target = -1;   // where an unknown category goes, or -1: all zeros
  bool refuse_unknown = false;        // an unknown category is an error naming value and column
  bool refuse_infinite = false;       // an infinite number is an error, before it is looked up
  template <class V>
  void fields(V& v) {
    v("categories", categories), v("targets", targets), v("width", width),
        v("unknown_target", unknown_target), v("refuse_unknown", refuse_unknown),
        v("refuse_infinite", refuse_infinite);
  }
};

// columns [n, k] → matrix [n, sum of widths]: one block of 0/1 columns per input column (OneHotEncoder).
struct OneHot {
  static constexpr std::string_view kName = "one_hot";
  std::vector<OneHotColumn> columns;
  template <class V>
  void fields(V& v) {
    v("columns", columns);
  }
};

struct OrdinalColumn {
  std::vector<tensor::CellValue> categories;  // distinct
  std::vector<double> codes;                  // per category
  double unknown_code = 0;
  bool refuse_unknown = false;
  bool refuse_infinite = false;  // as in OneHotColumn
  template <class V>
  void fields(V& v) {
    v("categories", categories), v("codes", codes), v("unknown_code", unknown_code),
        v("refuse_unknown", refuse_unknown), v("refuse_infinite", refuse_infinite);
  }
};

// columns [n, k] → matrix [n, k]: the code of each cell's category (OrdinalEncoder).
struct Ordinal {
  static constexpr std::string_view kName = "ordinal";
  std::vector<OrdinalColumn> columns;
  template <class V>
  void fields(V& v) {
    v("columns", columns);
  }
};

using EncodeOps = OpList<OneHot, Ordinal>;

}  // namespace wherry::program
