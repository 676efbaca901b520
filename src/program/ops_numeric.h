// Arithmetic on matrices. See ops.h for the conventions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "program/op_types.h"

namespace wherry::program {

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
  kRoundFloat32,
  kLog2,
  kLog10,
  kExp2,
  kCbrt,
  kSin,
  kCos,
  kTan,
  kSinh,
  kCosh,
  kArcsin,
  kArccos,
  kArctan,
  kArcsinh,
  kArccosh,
  kArctanh,
  kSign,
  kFloor,
  kCeil,
  kTrunc,
  kRint,
  kIsNan,
  kIsFinite,
  kIsInf,
  kDegrees,
  kRadians
};
inline constexpr std::string_view kFunctionNames[] = {
    "expit",  "exp",    "negate", "reciprocal", "square",    "sqrt",     "log",           "log1p",
    "expm1",  "abs",    "tanh",   "relu",       "logit",     "log_odds", "round_float32", "log2",
    "log10",  "exp2",   "cbrt",   "sin",        "cos",       "tan",      "sinh",          "cosh",
    "arcsin", "arccos", "arctan", "arcsinh",    "arccosh",   "arctanh",  "sign",          "floor",
    "ceil",   "trunc",  "rint",   "is_nan",     "is_finite", "is_inf",   "degrees",       "radians"};
constexpr auto enum_names(Function) {
  return std::span(kFunctionNames);
}

// matrix → matrix, element by element. expit(x) = 1 / (1 + exp(-x)) in double, as scipy.special.expit.
// log_odds(x) = log(x / (1 - x)). logit(x) is scipy.special.logit since scipy 1.11: log_odds(x) below 0.3 and
// above 0.65, between them log1p(s) - log1p(-s) with s = 2 * (x - 0.5). round_float32 rounds to the nearest
// float32 (and back). From log2 on they are numpy's ufuncs: sign keeps NaN and makes 0.0 of -0.0, rint rounds
// halves to even, is_… answer 1 or 0, degrees and radians multiply with 180 / pi and pi / 180.
struct Apply {
  static constexpr std::string_view kName = "apply";
  Function function = Function::kExpit;
  template <class V>
  void fields(V& v) {
    v("function", function);
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

// matrix [n, 1] of p → matrix [n, 2]: (1 - p, p).
struct Complement {
  static constexpr std::string_view kName = "complement";
  template <class V>
  void fields(V&) {}
};

using NumericOps =
    OpList<Columnwise, Clip, Apply, Linear, Softmax, NormalizeRows, MultinomialLogit, Complement>;

}  // namespace wherry::program
