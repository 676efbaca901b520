// Boosted ensembles of other packages: the links of their objectives, in the number type they compute in. See
// ops.h for the conventions. What says "in float32" rounds its input to float32 and every operation after
// that.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "program/op_types.h"

namespace wherry::program {

//   kSigmoid   1 / (expf(min(-x, 88.7f)) + 1 + 1e-16f), from left to right
//   kExp       expf(x)
enum class Float32Function { kSigmoid, kExp };
inline constexpr std::string_view kFloat32FunctionNames[] = {"sigmoid", "exp"};
constexpr auto enum_names(Float32Function) {
  return std::span(kFloat32FunctionNames);
}

// matrix → matrix, element by element in float32 (XGBoost src/common/math.h and src/objective).
struct ApplyFloat32 {
  static constexpr std::string_view kName = "apply_float32";
  Float32Function function = Float32Function::kSigmoid;
  template <class V>
  void fields(V& v) {
    v("function", function);
  }
};

// matrix [n, k] → matrix [n, k] in float32: m = largest of the row (fmaxf), e = expf(x - m), s = sum of e
// ascending, in double; out = e / (float)s. XGBoost src/common/math.h Softmax.
struct SoftmaxFloat32 {
  static constexpr std::string_view kName = "softmax_float32";
  template <class V>
  void fields(V&) {}
};

// matrix [n, 1] of p → matrix [n, 2]: (1 - p, p) in float32.
struct ComplementFloat32 {
  static constexpr std::string_view kName = "complement_float32";
  template <class V>
  void fields(V&) {}
};

// matrix [n, w] → matrix [n, o] in float32: sum = start[k], then for j ascending where in[i,j] is not NaN,
// sum += in[i,j] * coefficients[j,k]. coefficients float64 [w, o], start float64 [o]. XGBoost
// src/gbm/gblinear.cc Pred.
struct LinearFloat32 {
  static constexpr std::string_view kName = "linear_float32";
  WeightId coefficients;
  WeightId start;
  template <class V>
  void fields(V& v) {
    v("coefficients", coefficients), v("start", start);
  }
};

// matrix [n, w] → matrix [n, outputs]: a sum over trees with a linear model in each leaf (LightGBM's
// linear_tree; Tree::Predict of include/LightGBM/tree.h, 3.3 to 4.7).
//   out[i,*] = 0; then for each tree t ascending, with leaf l of row i: out[i, target[t]] += s, where
//   s = constants[l], then for each term m of first[l] … first[l+1]-1 ascending: s = s + coefficients[m] * x,
//   x = in[i, term_features[m]], 0 where |x| <= 1e-35f; a NaN x makes s = values[l] instead.
// Routing and node arrays are those of TreeEnsemble with float64 input and CategoryRule::kMembersLeft; of a
// leaf, left is l. Weights: values, constants float64 [leaves]; first int32 [leaves + 1]; term_features int32
// [terms]; coefficients float64 [terms].
struct LinearTrees {
  static constexpr std::string_view kName = "linear_trees";
  std::int64_t outputs = 1;
  bool has_categories = false;
  WeightId roots, target, feature, threshold, left, right, default_left;
  WeightId values, constants, first, term_features, coefficients;
  WeightId category, cat_left;
  template <class V>
  void fields(V& v) {
    v("outputs", outputs), v("has_categories", has_categories);
    v("roots", roots), v("target", target), v("feature", feature), v("threshold", threshold), v("left", left);
    v("right", right), v("default_left", default_left), v("values", values), v("constants", constants);
    v("first", first), v("term_features", term_features), v("coefficients", coefficients);
    if (has_categories) v("category", category), v("cat_left", cat_left);
  }
};

using BoostersOps = OpList<ApplyFloat32, SoftmaxFloat32, ComplementFloat32, LinearFloat32, LinearTrees>;

}  // namespace wherry::program
