// CatBoost's own features, trees and exponential. See ops.h for the conventions. Source followed:
// CatBoost 1.2 (catboost/libs/model: static_ctr_provider.cpp, cpu/quantization.h, cpu/evaluator_impl.cpp),
// which computes as 1.0 does.
#pragma once

#include <cstdint>
#include <string_view>

#include "program/op_types.h"

namespace wherry::program {

// columns [n, c] of categories, and optionally a matrix [n, f] of numbers → matrix [n, f + o + t]: the
// numbers as they are, one 0/1 column for each one-hot split, and the target statistics (CTRs), which are
// float32.
//   hash(cell) = the low 32 bits of CityHash64 (version 1.0) of the cell's text; a number is written as a
//   decimal integer. A missing cell, NaN and a number which is no int64 are refused naming row and column, as
//   CatBoost refuses them. (CatBoost also refuses the float 1.0, which rows as sent cannot tell from 1.)
//   one-hot column s: hash of column one_hot_column[s] == one_hot_hash[s] ? 1 : 0
//   projection p: h = 0; for its elements e ascending (up to projection_end[p]) h = m * (h + m * v) in
//   uint64, m = 0x4906ba494954cb65, where by element_kind[e]
//     0: v = the hash of category column element_column[e], sign-extended from int32
//     1: v = 1 if float32(number element_column[e]) > element_border[e], else 0; a NaN is +infinity where
//        nan_high[column] is set, else above nothing
//     2: v = 1 if the hash of category column element_column[e] is element_hash[e], else 0
//   table q: the entry of h of projection table_projection[q], found by open addressing in its buckets (those
//   up to table_end[q], a power of two): from bucket h mod size on, to the first whose bucket_hash is h or
//   whose bucket_entry is -1 (absent)
//   CTR t: ctr_values[ctr_start[t] + entry of table ctr_table[t]], or ctr_absent[t]
// Weights, all one-dimensional: one_hot_column int32 [o], one_hot_hash uint32 [o]; element_kind uint8,
// element_column int32, element_border float32, element_hash uint32 [e]; projection_end int64 [p];
// table_projection int32, table_end int64 [q]; bucket_hash uint64, bucket_entry int32 [b]; ctr_table int32,
// ctr_start int64, ctr_absent float32 [t]; ctr_values float32 [v]; nan_high uint8 [f].
struct CatboostFeatures {
  static constexpr std::string_view kName = "catboost_features";
  WeightId one_hot_column, one_hot_hash;
  WeightId element_kind, element_column, element_border, element_hash, projection_end;
  WeightId table_projection, table_end, bucket_hash, bucket_entry;
  WeightId ctr_table, ctr_start, ctr_absent, ctr_values;
  WeightId nan_high;
  template <class V>
  void fields(V& v) {
    v("one_hot_column", one_hot_column), v("one_hot_hash", one_hot_hash);
    v("element_kind", element_kind), v("element_column", element_column);
    v("element_border", element_border), v("element_hash", element_hash);
    v("projection_end", projection_end), v("table_projection", table_projection);
    v("table_end", table_end), v("bucket_hash", bucket_hash), v("bucket_entry", bucket_entry);
    v("ctr_table", ctr_table), v("ctr_start", ctr_start), v("ctr_absent", ctr_absent);
    v("ctr_values", ctr_values), v("nan_high", nan_high);
  }
};

// matrix [n, w] → matrix [n, outputs]: symmetric (oblivious) trees. Tree t has depth[t] splits, those of all
// trees one after another, and 2^depth[t] rows of `values`.
//   x[i,j] = float32(in[i,j]), NaN being +infinity where nan_high[j] is set; leaf = sum over the tree's
//   splits d ascending of (x[i, feature] > border ? 1 : 0) << d; out[i,c] = sum over t ascending from 0.0 of
//   values[first row of t + leaf, c], in double.
// Weights: depth uint8 [t], at most 16; feature int32 [s], border float32 [s]; values float64 [rows,
// outputs]; nan_high uint8 [w].
struct ObliviousTrees {
  static constexpr std::string_view kName = "oblivious_trees";
  WeightId depth, feature, border, values, nan_high;
  template <class V>
  void fields(V& v) {
    v("depth", depth), v("feature", feature), v("border", border), v("values", values);
    v("nan_high", nan_high);
  }
};

// fast_exp(x) below is CatBoost's exp (fmath::expd): with b = 1.5 * 2^52, a = 2048 / log(2), d = x * a + b
// and t = (d - b) * (1 / a) - x it is (((3.0000000027955394 - t) * (t * t)) * 0.16666666685227835 - t + 1) *
// 2^(low 11 bits of d / 2048) * 2^(the bits above them); 0 for x <= -708.39641853226408, infinite for
// x >= 709.78271289338397. Its relative error against exp is at most
// 3e-16 * (2 + |x|).

// matrix → matrix: out = fast_exp(scale * x).
struct CatboostExp {
  static constexpr std::string_view kName = "catboost_exp";
  double scale = 1;
  template <class V>
  void fields(V& v) {
    v("scale", scale);
  }
};

// matrix [n, k] → matrix [n, k]: m = max of the row, e = fast_exp(x - m), out = e / sum(e), summed ascending.
// The exponents of the first k - k mod 4 columns are at least -708.39641853226408 instead of giving 0:
// CatBoost computes those four at a time (with AVX2).
struct CatboostSoftmax {
  static constexpr std::string_view kName = "catboost_softmax";
  template <class V>
  void fields(V&) {}
};

using CatboostOps = OpList<CatboostFeatures, ObliviousTrees, CatboostExp, CatboostSoftmax>;

}  // namespace wherry::program
