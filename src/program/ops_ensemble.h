// What several estimators say, put together: votes, pairs, medians. See ops.h for the conventions.
#pragma once

#include <cstdint>
#include <string_view>

#include "program/op_types.h"

namespace wherry::program {

// labels [n] or [n, k] of dtype float64, int64 or bool → matrix [n, k] of the same numbers (k = 1 for [n]).
struct AsMatrix {
  static constexpr std::string_view kName = "as_matrix";
  template <class V>
  void fields(V&) {}
};

// labels [n] → matrix [n, k]: `hit` where the label is labels[j], else `miss`. The weight is 1-D, as in
// TakeLabels: text for text, numbers of any dtype for numbers (compared as double).
struct MatchLabels {
  static constexpr std::string_view kName = "match_labels";
  WeightId labels;
  double hit = 1;
  double miss = 0;
  template <class V>
  void fields(V& v) {
    v("labels", labels), v("hit", hit), v("miss", miss);
  }
};

// One or more matrices [n, k] → matrix [n, k]: 0, plus weights[i] * input i, input after input (float64
// [inputs]); at last divided by `divisor` unless it is 1. numpy.average over the first axis, and what
// Python's sum() makes of arrays.
struct WeightedSum {
  static constexpr std::string_view kName = "weighted_sum";
  WeightId weights;
  double divisor = 1;
  template <class V>
  void fields(V& v) {
    v("weights", weights), v("divisor", divisor);
  }
};

// matrix [n, m] → matrix [n, 1]: the values of a row in ascending order (NaN last, equal ones by position),
// their weights (float64 [m]) added up in that order; the first value whose sum is at least half of the last
// sum, or the first of all where none is. AdaBoostRegressor._get_median_predict.
struct WeightedMedian {
  static constexpr std::string_view kName = "weighted_median";
  WeightId weights;
  template <class V>
  void fields(V& v) {
    v("weights", weights);
  }
};

// matrix [n, k] of probabilities → matrix [n, k]: l = log(max(p, 2^-52)), out = (k - 1) * (l - (1 / k) *
// sum(l)), the sum in numpy's order (RowSum::kPairwise). sklearn/ensemble/_weight_boosting.py, _samme_proba
// up to 1.5.
struct SammeScores {
  static constexpr std::string_view kName = "samme_scores";
  template <class V>
  void fields(V&) {}
};

// Two matrices [n, m], predictions and confidences of the pairs (0,1), (0,2), …, (1,2), … of k classes, m =
// k (k - 1) / 2 → matrix [n, k]: votes of the pairs (a prediction 0 for the first, 1 for the second class)
// plus s / (3 (|s| + 1)), s the sum of the confidences for the class, pair after pair.
// sklearn/utils/multiclass.py, _ovr_decision_function.
struct PairVotes {
  static constexpr std::string_view kName = "pair_votes";
  std::int64_t classes = 0;
  template <class V>
  void fields(V& v) {
    v("classes", classes);
  }
};

// matrix [n, w] → index: the row of codes (float64 [k, w]) at the least euclidean distance, the first of
// equals. The squared distance is max(0, (-2 x·c + x·x) + c·c), products added up in column order: where
// codes are equally near but for rounding, a BLAS may see another one nearer.
struct NearestCode {
  static constexpr std::string_view kName = "nearest_code";
  WeightId codes;
  template <class V>
  void fields(V& v) {
    v("codes", codes);
  }
};

using EnsembleOps =
    OpList<AsMatrix, MatchLabels, WeightedSum, WeightedMedian, SammeScores, PairVotes, NearestCode>;

}  // namespace wherry::program
