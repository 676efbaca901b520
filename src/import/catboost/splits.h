// The features of a model as columns of one matrix, and its splits as comparisons with them. Private to
// module catboost.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "import/catboost/model.h"
#include "program/ops_catboost.h"
#include "program/program.h"

namespace wherry::catboost {

// `x[column] > border`; NaN is above every border where nan_high.
struct Comparison {
  std::int32_t column;
  float border;
};

struct Splits {
  std::vector<std::int64_t> number_columns;    // of X: the first columns of the matrix
  std::vector<std::int64_t> category_columns;  // of X: all of them, as CatBoost refuses a bad cell in any
  std::vector<std::uint8_t> nan_high;          // per column of the matrix
  std::vector<Comparison> comparisons;         // by the number of a split
  std::vector<const CtrFeature*> ctrs;         // the last columns of the matrix
  std::vector<OneHotSplit> one_hots;           // those before them; `category` is a position among
                                               // category_columns
};

// Checks every feature: "catboost.inconsistent",
// "catboost.unsupported_features".
base::Result<Splits> splits_of(const Model& model);

// The matrix of all features from the rows [n, columns of X].
base::Result<program::ValueId> add_features(const Model& model, const Splits& splits,
                                            program::ProgramBuilder& builder, program::ValueId rows);

}  // namespace wherry::catboost
