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
// multiply and divide also sparse → sparse: the elements it has.
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
  kRadians,
  kSignedSquare,
  kNormalCdf
};
inline constexpr std::string_view kFunctionNames[] = {
    "expit",         "exp",       "negate", "reciprocal", "square",  "sqrt",          "log",
    "log1p",         "expm1",     "abs",    "tanh",       "relu",    "logit",         "log_odds",
    "round_float32", "log2",      "log10",  "exp2",       "cbrt",    "sin",           "cos",
    "tan",           "sinh",      "cosh",   "arcsin",     "arccos",  "arctan",        "arcsinh",
    "arccosh",       "arctanh",   "sign",   "floor",      "ceil",    "trunc",         "rint",
    "is_nan",        "is_finite", "is_inf", "degrees",    "radians", "signed_square", "normal_cdf"};
constexpr auto enum_names(Function) {
  return std::span(kFunctionNames);
}

// matrix → matrix, element by element. expit(x) = 1 / (1 + exp(-x)) in double, as scipy.special.expit.
// log_odds(x) = log(x / (1 - x)). logit(x) is scipy.special.logit since scipy 1.11: log_odds(x) below 0.3 and
// above 0.65, between them log1p(s) - log1p(-s) with s = 2 * (x - 0.5). round_float32 rounds to the nearest
// float32 (and back). From log2 on they are numpy's ufuncs: sign keeps NaN and makes 0.0 of -0.0, rint rounds
// halves to even, is_… answer 1 or 0, degrees and radians multiply with 180 / pi and pi / 180.
// signed_square(x) = (s * x) * x with s = 1, 0 or -1 as x is above, at or below 0 (LightGBM's reg_sqrt).
// normal_cdf is scipy.special.ndtr: by erf where |x| < 1, by erfc elsewhere.
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
// frameworks within a few ulp. sparse → matrix: the sum is over the elements the row has, in their order (as
// csr_matvecs of scipy/sparse/sparsetools/csr.h, so equal to the last bit).
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

// matrix [n, w], matrix [n, w] or [n, 1] → matrix [n, w]: out[i,j] = a[i,j] (operation) b[i,j], or b[i,0].
struct Elementwise {
  static constexpr std::string_view kName = "elementwise";
  Arithmetic operation = Arithmetic::kAdd;
  template <class V>
  void fields(V& v) {
    v("operation", operation);
  }
};

// matrix [n, w] → matrix [n, 1]: the sum of each row, or of the squares of its elements.
struct SumRows {
  static constexpr std::string_view kName = "sum_rows";
  RowSum row_sum = RowSum::kPairwise;
  bool squares = false;
  template <class V>
  void fields(V& v) {
    v("row_sum", row_sum), v("squares", squares);
  }
};

// matrix → matrix: pow(x, exponent) of C, which for 2, 0.5 and -1 is x * x, sqrt(x) and 1 / x as numpy has
// it.
struct Power {
  static constexpr std::string_view kName = "power";
  double exponent = 1;
  template <class V>
  void fields(V& v) {
    v("exponent", exponent);
  }
};

// matrix → matrix: 1 where x > threshold (x >= threshold when `inclusive`), else 0 (NaN: 0).
struct Threshold {
  static constexpr std::string_view kName = "threshold";
  double threshold = 0;
  bool inclusive = false;
  template <class V>
  void fields(V& v) {
    v("threshold", threshold), v("inclusive", inclusive);
  }
};

// What Interpolate does with x outside of the knots: NaN, the value at the nearest end, or a refusal naming
// the row.
enum class Outside { kNan, kClip, kRefuse };
inline constexpr std::string_view kOutsideNames[] = {"nan", "clip", "refuse"};
constexpr auto enum_names(Outside) {
  return std::span(kOutsideNames);
}

// matrix [n, w] → matrix [n, w]: piecewise linear through the knots (x[k], y[k]), float64 [knots], x
// ascending and without NaN, at least one. As numpy.interp (numpy/_core/src/multiarray/compiled_base.c):
// at the last knot not above the value t, slope * (t - x[k]) + y[k] with slope = (y[k+1] - y[k]) /
// (x[k+1] - x[k]); y[k] itself where t is x[k]. NaN stays. One knot: y[0] for every t. `float32`: values are
// rounded to float32 first and everything is computed in float32, from the knot below t also where t is a
// knot (scipy.interpolate.interp1d, which leaves only float64 to numpy).
struct Interpolate {
  static constexpr std::string_view kName = "interpolate";
  WeightId x;
  WeightId y;
  Outside outside = Outside::kNan;
  bool float32 = false;
  template <class V>
  void fields(V& v) {
    v("x", x), v("y", y), v("outside", outside), v("float32", float32);
  }
};

// matrix → the same matrix, refused (naming row and column) if a value is below `least`, or equal to it when
// `exclusive`. NaN passes. `estimator` is for the message.
struct CheckLeast {
  static constexpr std::string_view kName = "check_least";
  double least = 0;
  bool exclusive = false;
  std::string estimator;
  template <class V>
  void fields(V& v) {
    v("least", least), v("exclusive", exclusive), v("estimator", estimator);
  }
};

using NumericOps = OpList<Columnwise, Clip, Apply, Linear, Softmax, NormalizeRows, MultinomialLogit,
                          Complement, Elementwise, SumRows, Power, Threshold, Interpolate, CheckLeast>;

}  // namespace wherry::program
