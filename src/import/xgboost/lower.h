// What a model computes, as operations of a program under construction: for native files and for the
// estimators of xgboost.sklearn alike. Sums are in float32, tree after tree onto the base score (XGBoost
// src/predictor/cpu_predictor.cc since 1.3; up to 1.2 each row's trees were summed before).
//
// Thread-safety: pure functions of the builder.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "import/xgboost/model.h"
#include "program/program.h"

namespace wherry::xgboost {

struct Options {
  // As Booster.inplace_predict, which the estimators call except for gblinear: infinite numbers are taken,
  // and DART is rounded in another way. Else as Booster.predict of a DMatrix.
  bool in_place = false;
  double missing = std::numeric_limits<double>::quiet_NaN();  // this number, too, is a missing value
  bool zeros_missing = false;          // so is 0: a scipy.sparse matrix does not store it
  std::optional<std::int64_t> rounds;  // only the trees of this many rounds
};

struct Scores {
  program::ValueId margin = 0;   // matrix [n, outputs]: predict(output_margin=True)
  program::ValueId values = 0;   // matrix [n, outputs]: predict()
  bool is_class_number = false;  // multi:softmax, where predict() is the position of the largest margin
};

// `columns`: a table or matrix of Model::features columns. Text in a table is looked up among the categories
// stored in the model. Errors: "xgboost.*", "program.invalid".
base::Result<Scores> lower(program::ProgramBuilder& builder, const Model& model, program::ValueId columns,
                           const Options& options);

// The answer of Booster.predict(): [n] of one output and of class numbers, else [n, outputs].
base::Result<program::ValueId> prediction(program::ProgramBuilder& builder, const Model& model,
                                          const Scores& scores);
// A matrix [n, 1] as [n], others as they are.
base::Result<program::ValueId> shaped(program::ProgramBuilder& builder, program::ValueId matrix);

// For people, of models with category names.
inline constexpr std::string_view kCategoryNote =
    "a category which the model does not know is refused; XGBoost 3.1 and 3.2 take some of them for the next "
    "name in order";

program::ColumnType column_type(const Model& model, std::size_t feature);
std::string describe(const Model& model);  // "gbtree, binary:logistic, 30 columns, 100 trees, 3064 nodes"

}  // namespace wherry::xgboost
