// Nonlinear preprocessing of columns, and products of columns. See ops.h for the conventions; the operations
// which solve a problem for each row are in ops_solvers.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "program/op_types.h"

namespace wherry::program {

// One constant with every element x: divide_by_x is c / x, power_of_x is pow(c, x); maximum and minimum are
// numpy's: NaN wins over everything.
enum class ConstantOperation { kDivideByX, kPowerOfX, kMaximum, kMinimum };
inline constexpr std::string_view kConstantOperationNames[] = {"divide_by_x", "power_of_x", "maximum",
                                                               "minimum"};
constexpr auto enum_names(ConstantOperation) {
  return std::span(kConstantOperationNames);
}

// matrix → matrix, element by element.
struct WithConstant {
  static constexpr std::string_view kName = "with_constant";
  ConstantOperation operation = ConstantOperation::kDivideByX;
  double constant = 0;
  template <class V>
  void fields(V& v) {
    v("operation", operation), v("constant", constant);
  }
};

// matrix → matrix: NaN and the infinities replaced by these numbers (numpy.nan_to_num).
struct ReplaceNonFinite {
  static constexpr std::string_view kName = "replace_non_finite";
  double nan = 0;
  double positive = 0;
  double negative = 0;
  template <class V>
  void fields(V& v) {
    v("nan", nan), v("positive", positive), v("negative", negative);
  }
};

// How the norm of a row is made.
//   kL1: sum of |x|; kL2: square root of the sum of x * x; kMax: the largest |x|; kNone: rows stay as they
//   are.
enum class Norm { kNone, kL1, kL2, kMax };
inline constexpr std::string_view kNormNames[] = {"none", "l1", "l2", "max"};
constexpr auto enum_names(Norm) {
  return std::span(kNormNames);
}

// matrix → matrix: each row divided by its norm, where that is not below `smallest` and not 0. Sums of a
// `sparse` row go from left to right (sklearn/utils/sparsefuncs_fast.pyx); others as numpy makes them: l1
// pairwise, l2 as numpy.einsum("ij,ij->i") since numpy 1.20 (einsum_sumprod.c.src,
// contig_contig_outstride0_two, with two lanes). scikit-learn's normalize().
struct NormalizeLengths {
  static constexpr std::string_view kName = "normalize_lengths";
  Norm norm = Norm::kL2;
  bool sparse = false;
  double smallest = 0;
  template <class V>
  void fields(V& v) {
    v("norm", norm), v("sparse", sparse), v("smallest", smallest);
  }
};

// matrix [n, w] of kernel values → matrix [n, w]: x - rows[j] - sum(x of the row) / w + all, in this order,
// the sum pairwise; rows float64 [w]. scikit-learn KernelCenterer.
struct CenterKernel {
  static constexpr std::string_view kName = "center_kernel";
  WeightId rows;
  double all = 0;
  template <class V>
  void fields(V& v) {
    v("rows", rows), v("all", all);
  }
};

// What is done to x with the lambda of its column.
//   kBoxCox: scipy.special.boxcox; a value that is not above 0 is an error naming row and column, NaN stays.
//   kYeoJohnson: scikit-learn's own, with pow(), before it took scipy's.
//   kYeoJohnsonStable: scipy.stats.yeojohnson, with expm1() and log1p().
enum class PowerMethod { kBoxCox, kYeoJohnson, kYeoJohnsonStable };
inline constexpr std::string_view kPowerMethodNames[] = {"box_cox", "yeo_johnson", "yeo_johnson_stable"};
constexpr auto enum_names(PowerMethod) {
  return std::span(kPowerMethodNames);
}

// matrix [n, w] → matrix [n, w]; lambdas float64 [w]. scikit-learn PowerTransformer without its scaler.
struct PowerTransform {
  static constexpr std::string_view kName = "power_transform";
  PowerMethod method = PowerMethod::kYeoJohnson;
  WeightId lambdas;
  template <class V>
  void fields(V& v) {
    v("method", method), v("lambdas", lambdas);
  }
};

// matrix [n, w] → matrix [n, w]: quantiles float64 [w, q] in ascending order within a column, references
// float64 [q] ascending, q >= 1. Half the sum of numpy.interp over both, forwards and (negated) backwards; 0
// and 1 at the ends; with `normal` then scipy.special.ndtri, clipped (sklearn/preprocessing/_data.py,
// QuantileTransformer._transform_col). With `keep_zeros`, 0 stays 0: of a sparse matrix only stored values
// are transformed.
struct Quantiles {
  static constexpr std::string_view kName = "quantiles";
  bool normal = false;
  bool keep_zeros = false;
  WeightId quantiles;
  WeightId references;
  template <class V>
  void fields(V& v) {
    v("normal", normal), v("keep_zeros", keep_zeros), v("quantiles", quantiles), v("references", references);
  }
};

// matrix [n, w] → matrix [n, w]: the number of edges of the column that are <= x (numpy.searchsorted, right).
// edges: those of all columns, ascending within a column; column j has edges offsets[j] to offsets[j + 1].
// With `tolerant`, x + (1e-8 + 1e-5 * |x|) is looked up instead (KBinsDiscretizer before scikit-learn 1.1).
struct Bins {
  static constexpr std::string_view kName = "bins";
  bool tolerant = false;
  std::vector<std::int64_t> offsets;
  WeightId edges;
  template <class V>
  void fields(V& v) {
    v("tolerant", tolerant), v("offsets", offsets), v("edges", edges);
  }
};

// matrix [n, w] → matrix [n, k]: out[i] is 1 where features[i] is -1, x[features[i]] where parents[i] is -1,
// else out[parents[i]] * x[features[i]]; parents come before their children. scikit-learn PolynomialFeatures.
struct Products {
  static constexpr std::string_view kName = "products";
  std::vector<std::int64_t> parents;
  std::vector<std::int64_t> features;
  template <class V>
  void fields(V& v) {
    v("parents", parents), v("features", features);
  }
};

// What a spline basis answers outside the range of its knots; kError refuses, naming row and column.
enum class Extrapolation { kError, kConstant, kLinear, kContinue, kPeriodic };
inline constexpr std::string_view kExtrapolationNames[] = {"error", "constant", "linear", "continue",
                                                           "periodic"};
constexpr auto enum_names(Extrapolation) {
  return std::span(kExtrapolationNames);
}

// matrix [n, w] → matrix [n, w * kept]: the B-spline basis of each column at x. knots float64 [w, t],
// ascending within a column; there are s = t - degree - 1 basis functions, of which a periodic basis joins
// the last `degree` to the first. kept: with `include_last` all, else all but the last. A row of NaN answers
// 0 with `nan_as_zeros`, else NaN. Evaluated as scipy does (interpolate/src/__fitpack.cc, _deBoor_D) and
// combined as sklearn/preprocessing/_polynomial.py, SplineTransformer.transform. `sparse`: values come from
// BSpline.design_matrix, so that no infinity of one function makes the others NaN.
struct SplineBasis {
  static constexpr std::string_view kName = "spline_basis";
  std::int64_t degree = 3;
  Extrapolation extrapolation = Extrapolation::kConstant;
  bool include_last = true;
  bool nan_as_zeros = false;
  bool sparse = false;
  WeightId knots;
  template <class V>
  void fields(V& v) {
    v("degree", degree), v("extrapolation", extrapolation), v("include_last", include_last),
        v("nan_as_zeros", nan_as_zeros), v("sparse", sparse), v("knots", knots);
  }
};

using PreprocessOps = OpList<WithConstant, ReplaceNonFinite, NormalizeLengths, CenterKernel, PowerTransform,
                             Quantiles, Bins, Products, SplineBasis>;

}  // namespace wherry::program
