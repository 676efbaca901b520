// The operations of a Program. Each is a plain struct: its numeric contract in the comment, its parameters as
// fields. Importers fill them in, infer.cc checks them, module engine executes them.
//
// Values between operations:  matrix = float64 [n, w] · table = cells [n, w] (number, text or missing) ·
// index = int64 [n] · labels = any dtype [n] or [n, k].  Where an operation says "columns", a matrix or a
// table will do. Everything is IEEE double in the order stated; nothing is fused or reassociated. Large
// arrays are weights, named by WeightId. `fields` lists a struct's members once, for reading, writing and
// documentation alike.
//
// To add an operation: a struct here and in `Op`, a rule in infer.cc, a kernel in src/engine.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tensor/table.h"

namespace wherry::program {

// Index into Program::weights().
struct WeightId {
  std::uint32_t index = 0;
  friend bool operator==(WeightId, WeightId) = default;
};

// columns → columns: those at the given positions, in the given order; repetitions allowed.
struct SelectColumns {
  static constexpr std::string_view kName = "select_columns";
  std::vector<std::int64_t> columns;
  template <class V>
  void fields(V& v) {
    v("columns", columns);
  }
};

// One or more columns with the same n → columns side by side; a matrix when all inputs are matrices.
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

// matrix → the same matrix, refused (naming row and column) if a value is infinite, or NaN and not
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

enum class Arithmetic { kAdd, kSubtract, kMultiply, kDivide };
inline constexpr std::string_view kArithmeticNames[] = {"add", "subtract", "multiply", "divide"};
constexpr auto enum_names(Arithmetic) {
  return std::span(kArithmeticNames);
}

// matrix → matrix: out[i,j] = in[i,j] (operation) operand[j]; operand float64 [w], or [1] for every column.
struct Columnwise {
  static constexpr std::string_view kName = "columnwise";
  Arithmetic operation = Arithmetic::kAdd;
  WeightId operand;
  template <class V>
  void fields(V& v) {
    v("operation", operation), v("operand", operand);
  }
};

// matrix → matrix: values below `low` become low, above `high` become high; NaN stays.
struct Clip {
  static constexpr std::string_view kName = "clip";
  double low = 0;
  double high = 0;
  template <class V>
  void fields(V& v) {
    v("low", low), v("high", high);
  }
};

enum class Function {
  kExpit,
  kExp,
  kNegate,
  kReciprocal,
  kSquare,
  kSqrt,
  kLog,
  kLog1p,
  kExpm1,
  kAbs,
  kTanh,
  kRelu,
  kLogit,
  kLogOdds,
  kRoundFloat32
};
inline constexpr std::string_view kFunctionNames[] = {
    "expit", "exp", "negate", "reciprocal", "square", "sqrt",     "log",          "log1p",
    "expm1", "abs", "tanh",   "relu",       "logit",  "log_odds", "round_float32"};
constexpr auto enum_names(Function) {
  return std::span(kFunctionNames);
}

// matrix → matrix, element by element. expit(x) = 1 / (1 + exp(-x)) in double, as scipy.special.expit.
// log_odds(x) = log(x / (1 - x)). logit(x) is scipy.special.logit since scipy 1.11: log_odds(x) below 0.3 and
// above 0.65, between them log1p(s) - log1p(-s) with s = 2 * (x - 0.5). round_float32 rounds to the nearest
// float32 (and back).
struct Apply {
  static constexpr std::string_view kName = "apply";
  Function function = Function::kExpit;
  template <class V>
  void fields(V& v) {
    v("function", function);
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

// matrix [n, w] → matrix [n, o]: out[i,k] = (sum over j ascending of in[i,j] * coefficients[k,j]) +
// intercept[k]; coefficients float64 [o, w], intercept float64 [o]. A BLAS may add in another order: equal to
// frameworks within a few ulp.
struct Linear {
  static constexpr std::string_view kName = "linear";
  WeightId coefficients;
  WeightId intercept;
  template <class V>
  void fields(V& v) {
    v("coefficients", coefficients), v("intercept", intercept);
  }
};

enum class TreeInput { kFloat32, kFloat64 };
inline constexpr std::string_view kTreeInputNames[] = {"float32", "float64"};
constexpr auto enum_names(TreeInput) {
  return std::span(kTreeInputNames);
}

// matrix [n, w] → matrix [n, outputs]: a sum over trees. An optional second input, a matrix [n, outputs],
// takes the place of `base`.
//   out[i,*] = base; then for each tree t ascending, with leaf l of row i: out[i, target[t] + c] += values[l,
//   c] for each c of the leaf width; at last every element is divided by `divisor` unless it is 1.
// Node arrays share one index space over all trees; tree t starts at roots[t]. A node is a leaf when feature
// < 0: then left is its row in `values`. Otherwise x = in[i, feature] (rounded to float32 first when input is
// kFloat32, then compared as double):
//   NaN → default_left ? left : right
//   category < 0:  x <= threshold → left, else right
//   category = c:  members are bits of cat_left[c,*], known ones of cat_known[c,*]; u = the low 8 bits of x
//                  truncated to int32 (0 where it does not fit): scikit-learn's cast to uint8 on x86-64;
//                  x < 0, or u neither in cat_left nor known → as NaN; u in cat_left → left; else right.
// Children lie after their parent (no cycles). Weights: roots int32 [t]; target int32 [t]; feature int32 [N];
// threshold float64 [N]; left, right int32 [N]; default_left uint8 [N]; values float64 [leaves, width]; base
// float64 [outputs]; category int32 [N] and cat_left, cat_known uint32 [c, words] only when has_categories.
struct TreeEnsemble {
  static constexpr std::string_view kName = "tree_ensemble";
  TreeInput input = TreeInput::kFloat64;
  std::int64_t outputs = 1;
  double divisor = 1;
  bool has_categories = false;
  WeightId roots, target, feature, threshold, left, right, default_left, values, base;
  WeightId category, cat_left, cat_known;
  template <class V>
  void fields(V& v) {
    v("input", input), v("outputs", outputs), v("divisor", divisor), v("has_categories", has_categories);
    v("roots", roots), v("target", target), v("feature", feature), v("threshold", threshold), v("left", left);
    v("right", right), v("default_left", default_left), v("values", values), v("base", base);
    if (has_categories) v("category", category), v("cat_left", cat_left), v("cat_known", cat_known);
  }
};

// How a row is summed.
//   kPairwise: numpy's summation over a contiguous row (numpy/core/src/umath/loops_utils.h.src): sequential
//   below 8 elements, else eight accumulators combined as ((0+1)+(2+3))+((4+5)+(6+7)), blocks of 128 halved
//   recursively.
//   kSequential: one element after the other, as numpy does over the rows of a Fortran-ordered matrix.
enum class RowSum { kPairwise, kSequential };
inline constexpr std::string_view kRowSumNames[] = {"pairwise", "sequential"};
constexpr auto enum_names(RowSum) {
  return std::span(kRowSumNames);
}

// matrix [n, k] → matrix [n, k]: m = max of the row, e = exp(x - m), s = sum(e); out = e / s, or, when
// `via_log`, out = exp(x - (log(s) + m)).
struct Softmax {
  static constexpr std::string_view kName = "softmax";
  RowSum row_sum = RowSum::kPairwise;
  bool via_log = false;
  template <class V>
  void fields(V& v) {
    v("row_sum", row_sum), v("via_log", via_log);
  }
};

// What becomes of a row whose sum is 0: it stays, its k elements become 1/k, or it is divided (NaN).
enum class ZeroSum { kKeep, kUniform, kDivide };
inline constexpr std::string_view kZeroSumNames[] = {"keep", "uniform", "divide"};
constexpr auto enum_names(ZeroSum) {
  return std::span(kZeroSumNames);
}

// matrix [n, k] → matrix [n, k]: each row divided by its sum (RowSum::kPairwise).
struct NormalizeRows {
  static constexpr std::string_view kName = "normalize_rows";
  ZeroSum zero_sum = ZeroSum::kKeep;
  template <class V>
  void fields(V& v) {
    v("zero_sum", zero_sum);
  }
};

// matrix [n, k] → matrix [n, k]: g = exp(sum(log(x)) / k) of the row (RowSum::kPairwise), out = log(x / g):
// the symmetric multinomial logit (sklearn/_loss/link.py MultinomialLogit).
struct MultinomialLogit {
  static constexpr std::string_view kName = "multinomial_logit";
  template <class V>
  void fields(V&) {}
};

// columns [n, *] → matrix [n, w]: every row is `row`, float64 [w].
struct Constant {
  static constexpr std::string_view kName = "constant";
  WeightId row;
  template <class V>
  void fields(V& v) {
    v("row", row);
  }
};

// matrix [n, 1] of p → matrix [n, 2]: (1 - p, p).
struct Complement {
  static constexpr std::string_view kName = "complement";
  template <class V>
  void fields(V&) {}
};

// matrix [n, k] → index: position of the first maximum; the first NaN wins over everything, as numpy.argmax.
struct Argmax {
  static constexpr std::string_view kName = "argmax";
  template <class V>
  void fields(V&) {}
};

// matrix [n, 1] → index: 1 where x > threshold (x >= threshold when `inclusive`), else 0 (NaN: 0).
struct Above {
  static constexpr std::string_view kName = "above";
  double threshold = 0;
  bool inclusive = false;
  template <class V>
  void fields(V& v) {
    v("threshold", threshold), v("inclusive", inclusive);
  }
};

// index → labels [n]: labels[index]; the weight is 1-D of dtype string, bool, int64 or float64.
struct TakeLabels {
  static constexpr std::string_view kName = "take_labels";
  WeightId labels;
  template <class V>
  void fields(V& v) {
    v("labels", labels);
  }
};

// Two or more labels [n] of one dtype → labels [n, k].
struct StackLabels {
  static constexpr std::string_view kName = "stack_labels";
  template <class V>
  void fields(V&) {}
};

// matrix [n, 1] → float64 [n].
struct Flatten {
  static constexpr std::string_view kName = "flatten";
  template <class V>
  void fields(V&) {}
};

using Op =
    std::variant<SelectColumns, Concat, ToMatrix, CheckFinite, Columnwise, Clip, Apply, Impute, ImputeCells,
                 MissingMask, OneHot, Ordinal, Linear, TreeEnsemble, Softmax, NormalizeRows, MultinomialLogit,
                 Constant, Complement, Argmax, Above, TakeLabels, StackLabels, Flatten>;

std::string_view name(const Op& op);

}  // namespace wherry::program
