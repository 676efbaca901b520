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

using BoostersOps = OpList<ApplyFloat32, SoftmaxFloat32, ComplementFloat32, LinearFloat32>;

}  // namespace wherry::program
