// Operations on columns: choosing, joining, converting and filling them. See ops.h for the conventions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "program/op_types.h"
#include "tensor/table.h"

namespace wherry::program {

// columns or sparse → the same kind: those at the given positions, in the given order; repetitions allowed.
struct SelectColumns {
  static constexpr std::string_view kName = "select_columns";
  std::vector<std::int64_t> columns;
  template <class V>
  void fields(V& v) {
    v("columns", columns);
  }
};

// One or more columns with the same n → columns side by side; a matrix when all inputs are matrices. Matrices
// and sparse values → sparse, the elements of each row in the order of the inputs.
struct Concat {
  static constexpr std::string_view kName = "concat";
  template <class V>
  void fields(V&) {}
};

// columns → matrix: numbers as they are, missing cells NaN, text as Python's float() reads it
// (base/numbers.h: parse_python_float); a text which is no number is refused, naming row and column. (numpy's
// astype(float64) of an object array.)
struct ToMatrix {
  static constexpr std::string_view kName = "to_matrix";
  template <class V>
  void fields(V&) {}
};

// matrix or sparse → the same, refused (naming row and column) if a value is infinite, or NaN and not
// `allow_nan`, or, with `as_float32`, beyond the range of float32: scikit-learn's
// check_array(force_all_finite=…). `estimator` is for the message.
struct CheckFinite {
  static constexpr std::string_view kName = "check_finite";
  bool allow_nan = false;
  bool as_float32 = false;
  std::string estimator;
  template <class V>
  void fields(V& v) {
    v("allow_nan", allow_nan), v("as_float32", as_float32), v("estimator", estimator);
  }
};

// matrix → matrix [n, kept]: column kept[j], where a missing value is replaced by statistics[j] (float64
// [kept]). Missing is NaN when `missing` is NaN, else equality with it. scikit-learn SimpleImputer on
// numbers.
struct Impute {
  static constexpr std::string_view kName = "impute";
  double missing = 0;
  std::vector<std::int64_t> kept;
  WeightId statistics;
  template <class V>
  void fields(V& v) {
    v("missing", missing), v("kept", kept), v("statistics", statistics);
  }
};

// columns → table [n, kept]: as Impute for cells of any kind. A cell is missing when it matches `missing`
// (see CellMatch below).
struct ImputeCells {
  static constexpr std::string_view kName = "impute_cells";
  tensor::CellValue missing;
  std::vector<std::int64_t> kept;
  std::vector<tensor::CellValue> statistics;
  template <class V>
  void fields(V& v) {
    v("missing", missing), v("kept", kept), v("statistics", statistics);
  }
};

// columns → matrix [n, columns]: 1 where the cell of that input column matches `missing`, else 0
// (MissingIndicator). With `refuse_others`, a cell of any other column which matches is an error naming row
// and column.
struct MissingMask {
  static constexpr std::string_view kName = "missing_mask";
  tensor::CellValue missing;
  std::vector<std::int64_t> columns;
  bool refuse_others = false;
  template <class V>
  void fields(V& v) {
    v("missing", missing), v("columns", columns), v("refuse_others", refuse_others);
  }
};

// columns or sparse [n, *] → matrix [n, w]: every row is `row`, float64 [w].
struct Constant {
  static constexpr std::string_view kName = "constant";
  WeightId row;
  template <class V>
  void fields(V& v) {
    v("row", row);
  }
};

using ColumnsOps =
    OpList<SelectColumns, Concat, ToMatrix, CheckFinite, Impute, ImputeCells, MissingMask, Constant>;

}  // namespace wherry::program
