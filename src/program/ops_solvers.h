// Decompositions which solve a problem for each row, by the iteration of the framework: every row is answered
// as if it were asked alone. See ops.h for the conventions.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "program/op_types.h"

namespace wherry::program {

// How the row of W that makes x near W @ components is found (sklearn/decomposition/_nmf.py and
// _cdnmf_fast.pyx).
//   kCoordinates: coordinate descent from 0 (_fit_coordinate_descent); stops when the violation has fallen to
//   `tolerance` of the first.
//   kMultiplicative: multiplicative updates from sqrt(mean(x) / k) (_fit_multiplicative_update); stops when,
//   looked at every tenth time, the beta divergence falls by less than `tolerance` of the first.
//   kMultiplicativeSteps: the same updates as MiniBatchNMF._solve_W makes them; stops when a step is at most
//   `tolerance` of W's length.
enum class Factorization { kCoordinates, kMultiplicative, kMultiplicativeSteps };
inline constexpr std::string_view kFactorizationNames[] = {"coordinates", "multiplicative",
                                                           "multiplicative_steps"};
constexpr auto enum_names(Factorization) {
  return std::span(kFactorizationNames);
}

// matrix [n, d] → matrix [n, k]; components float64 [k, d]. `raise_below`: products of W and components below
// 2**-23, not only those which are 0, become that (scikit-learn since 1.3).
struct Factorize {
  static constexpr std::string_view kName = "factorize";
  Factorization method = Factorization::kCoordinates;
  WeightId components;
  double l1 = 0;
  double l2 = 0;
  double beta = 2;
  double tolerance = 0;
  std::int64_t max_iterations = 0;
  bool raise_below = true;
  template <class V>
  void fields(V& v) {
    v("method", method), v("components", components), v("l1", l1), v("l2", l2), v("beta", beta),
        v("tolerance", tolerance), v("max_iterations", max_iterations), v("raise_below", raise_below);
  }
};

// matrix [n, words] of counts → matrix [n, topics]: the unnormalised topic distribution of a document
// (sklearn/decomposition/_lda.py, _update_doc_distribution, and _online_lda_fast.pyx). topics float64
// [topics, words]: exp_dirichlet_component_. Only words counted other than 0 take part.
struct TopicMixture {
  static constexpr std::string_view kName = "topic_mixture";
  WeightId topics;
  double prior = 0;
  double tolerance = 0;
  std::int64_t max_iterations = 0;
  template <class V>
  void fields(V& v) {
    v("topics", topics), v("prior", prior), v("tolerance", tolerance), v("max_iterations", max_iterations);
  }
};

// How a row is written with few rows of a dictionary (sklearn/decomposition/_dict_learning.py,
// _sparse_encode_precomputed).
//   kThreshold: products with the dictionary, moved towards 0 by `regularization`.
//   kOmp: orthogonal matching pursuit of max_iterations atoms (linear_model/_omp.py, _gram_omp).
//   kLars, kLassoLars: least angle regression (linear_model/_least_angle.py, _lars_path_solver); of
//   max_iterations steps, or down to alpha = regularization / d.
//   kLassoCoordinates: coordinate descent (linear_model/_cd_fast.pyx, enet_coordinate_descent_gram) until the
//   dual gap is at most `tolerance` of x's squared length; with `screening` as since scikit-learn 1.8.
enum class SparseCoding { kThreshold, kOmp, kLars, kLassoLars, kLassoCoordinates };
inline constexpr std::string_view kSparseCodingNames[] = {"threshold", "omp", "lars", "lasso_lars",
                                                          "lasso_coordinates"};
constexpr auto enum_names(SparseCoding) {
  return std::span(kSparseCodingNames);
}

// matrix [n, d] → matrix [n, k]; dictionary float64 [k, d].
struct SparseCode {
  static constexpr std::string_view kName = "sparse_code";
  SparseCoding method = SparseCoding::kOmp;
  WeightId dictionary;
  double regularization = 0;
  double tolerance = 0;
  std::int64_t max_iterations = 0;
  bool positive = false;
  bool screening = false;
  template <class V>
  void fields(V& v) {
    v("method", method), v("dictionary", dictionary), v("regularization", regularization),
        v("tolerance", tolerance), v("max_iterations", max_iterations), v("positive", positive),
        v("screening", screening);
  }
};

using SolversOps = OpList<Factorize, TopicMixture, SparseCode>;

}  // namespace wherry::program
