// Kernel functions and what is built on them: support vectors, Gaussian processes, likelihoods of naive
// Bayes, random feature maps. See ops.h for the conventions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "program/op_types.h"

namespace wherry::program {

// k(x, y) of two rows; dot, d2 and d1 are Σ x·y, Σ (x-y)² and Σ |x-y|, each summed in ascending order.
//   linear               dot
//   polynomial           pow(gamma * dot + coef0, degree)
//   integer_polynomial   the same with libsvm's powi: repeated squaring, degree a whole number >= 0
//   sigmoid              tanh(gamma * dot + coef0)
//   rbf                  exp(-gamma * max(-2 * dot + Σ x² + Σ y², 0)), as sklearn.metrics.pairwise
//   rbf_of_differences   exp(-gamma * d2), as libsvm and sklearn.gaussian_process (gamma 0.5)
//   laplacian            exp(-gamma * d1)
//   cosine               Σ (x / |x|)·y with |x| = 1 for a row of zeros and where |x| < coef0; the stored rows
//                        are already divided
//   additive_chi2        -Σ (x-y)² / (x+y), terms with x+y = 0 left out
//   chi2                 exp(gamma * additive_chi2)
//   matern               degree is nu: with d = sqrt(d2), exp(-d) for 0.5; (1+k) exp(-k), k = d sqrt(3), for
//                        1.5; (1 + k + k²/3) exp(-k), k = d sqrt(5), for 2.5; exp(-d²/2) for infinity; else
//                        2^(1-nu) / Γ(nu) * t^nu * K_nu(t), t = sqrt(2 nu) d, where d = 0 counts as 2^-52
//   rational_quadratic   pow(1 + d2 / coef0, -gamma); coef0 is 2 alpha length_scale², gamma is alpha
//   exp_sine_squared     exp(-2 * (sin(gamma * sqrt(d2)) / coef0)²); gamma is pi / periodicity, coef0 the
//                        length scale
// (sklearn/metrics/pairwise.py, sklearn/gaussian_process/kernels.py, libsvm's svm.cpp; the libraries take
// dot, and libsvm since 0.24 also d2, from a BLAS, which may add in another order.)
enum class KernelFunction {
  kLinear,
  kPolynomial,
  kIntegerPolynomial,
  kSigmoid,
  kRbf,
  kRbfOfDifferences,
  kLaplacian,
  kCosine,
  kAdditiveChi2,
  kChi2,
  kMatern,
  kRationalQuadratic,
  kExpSineSquared
};
inline constexpr std::string_view kKernelFunctionNames[] = {
    "linear",          "polynomial", "integer_polynomial", "sigmoid", "rbf",    "rbf_of_differences",
    "laplacian",       "cosine",     "additive_chi2",      "chi2",    "matern", "rational_quadratic",
    "exp_sine_squared"};
constexpr auto enum_names(KernelFunction) {
  return std::span(kKernelFunctionNames);
}

// matrix [n, w] → matrix [n, m]: k(x, rows[i]) of each row with each stored row; rows float64 [m, w].
struct KernelMatrix {
  static constexpr std::string_view kName = "kernel_matrix";
  KernelFunction function = KernelFunction::kLinear;
  double gamma = 1;
  double coef0 = 0;
  double degree = 3;
  WeightId rows;
  template <class V>
  void fields(V& v) {
    v("function", function), v("gamma", gamma), v("coef0", coef0), v("degree", degree), v("rows", rows);
  }
};

// matrix [n, m] of kernel values with m support vectors, those of each class together → matrix [n, pairs]:
// what libsvm's svm_predict_values calls dec_values, for the pairs (0,1), (0,2), … (k-2,k-1) of classes.
// Pair (i,j): Σ coefficients[j-1, s] * value over the vectors s of class i, then Σ coefficients[i, s] * value
// over those of class j, in ascending order in one sum, plus intercept[pair]. counts: vectors per class, k
// entries which sum to m; coefficients float64 [k-1, m], intercept float64 [pairs].
struct PairDecisions {
  static constexpr std::string_view kName = "pair_decisions";
  std::vector<std::int64_t> counts;
  WeightId coefficients;
  WeightId intercept;
  template <class V>
  void fields(V& v) {
    v("counts", counts), v("coefficients", coefficients), v("intercept", intercept);
  }
};

// matrix [n, pairs] → index: each pair (i,j) gives its vote to i where its decision is above 0, else to j;
// the first class with most votes (libsvm's svm_predict).
struct PairWinner {
  static constexpr std::string_view kName = "pair_winner";
  std::int64_t classes = 2;
  template <class V>
  void fields(V& v) {
    v("classes", classes);
  }
};

// matrix [n, pairs] of libsvm's decisions → matrix [n, classes]: Platt's sigmoid 1 / (1 + exp(a d + b)) of
// each pair, kept within [1e-7, 1 - 1e-7], coupled by the second method of Wu, Lin and Weng in at most
// max(100, classes) rounds (libsvm's svm_predict_probability). a and b float64 [pairs].
struct PairProbabilities {
  static constexpr std::string_view kName = "pair_probabilities";
  std::int64_t classes = 2;
  WeightId a;
  WeightId b;
  template <class V>
  void fields(V& v) {
    v("classes", classes), v("a", a), v("b", b);
  }
};

// matrix [n, m] → matrix [n, 1]: Σ v² with v the solution of L v = scale · row, by forward substitution;
// lower float64 [m, m] of which only the lower triangle is looked at, scale float64 [m].
struct SolvedSquares {
  static constexpr std::string_view kName = "solved_squares";
  WeightId lower;
  WeightId scale;
  template <class V>
  void fields(V& v) {
    v("lower", lower), v("scale", scale);
  }
};

// matrix [n, 1] of latent means, matrix [n, 1] of latent variances → matrix [n, 1]: the probability of the
// second class by five error functions (sklearn/gaussian_process/_gpc.py, after Williams and Barber).
struct LaplaceProbability {
  static constexpr std::string_view kName = "laplace_probability";
  template <class V>
  void fields(V&) {}
};

// matrix [n, w] → matrix [n, k]: log_prior[c] + (constant[c] - 0.5 * Σ (x - mean[c])² / variance[c]), the sum
// as RowSum::kPairwise; mean and variance float64 [k, w], constant and log_prior float64 [k].
// (sklearn/naive_bayes.py GaussianNB)
struct GaussianLikelihood {
  static constexpr std::string_view kName = "gaussian_likelihood";
  WeightId mean;
  WeightId variance;
  WeightId constant;
  WeightId log_prior;
  template <class V>
  void fields(V& v) {
    v("mean", mean), v("variance", variance), v("constant", constant), v("log_prior", log_prior);
  }
};

// matrix [n, w] → matrix [n, k]: the numbers, cut to whole ones, are categories; Σ over the columns in order
// of log_probability[first row of the column + category, c], plus log_prior[c]. counts: categories per
// column; log_probability float64 [sum of counts, k]. A number below 0 or beyond the column's categories is
// refused, naming row and column. (sklearn/naive_bayes.py CategoricalNB)
struct CategoricalLikelihood {
  static constexpr std::string_view kName = "categorical_likelihood";
  std::vector<std::int64_t> counts;
  WeightId log_probability;
  WeightId log_prior;
  template <class V>
  void fields(V& v) {
    v("counts", counts), v("log_probability", log_probability), v("log_prior", log_prior);
  }
};

// matrix [n, w] → matrix [n, components]: for each degree a count sketch, Σ of bit * x at position index; the
// sketches are combined by circular convolution, summed directly where scikit-learn multiplies Fourier
// transforms. index int64 and bit float64, both [degrees, w]; index in [0, components).
// (sklearn/kernel_approximation.py PolynomialCountSketch)
struct CountSketch {
  static constexpr std::string_view kName = "count_sketch";
  std::int64_t components = 1;
  WeightId index;
  WeightId bit;
  template <class V>
  void fields(V& v) {
    v("components", components), v("index", index), v("bit", bit);
  }
};

// matrix [n, w] of numbers >= 0 → matrix [n, w (2 steps - 1)]: sqrt(x interval), then for j = 1 … steps - 1
// f cos(j interval log x) and f sin(j interval log x) with f = sqrt(2 x interval / cosh(pi j interval)), a
// block of w columns each; 0 stays 0. (sklearn/kernel_approximation.py AdditiveChi2Sampler)
struct AdditiveChi2Features {
  static constexpr std::string_view kName = "additive_chi2_features";
  std::int64_t steps = 2;
  double interval = 0.5;
  template <class V>
  void fields(V& v) {
    v("steps", steps), v("interval", interval);
  }
};

using KernelsOps =
    OpList<KernelMatrix, PairDecisions, PairWinner, PairProbabilities, SolvedSquares, LaplaceProbability,
           GaussianLikelihood, CategoricalLikelihood, CountSketch, AdditiveChi2Features>;

}  // namespace wherry::program
