// LightGBM models as operations, shared by native files and the wrapper classes of Python.
//
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "import/lightgbm/model.h"
#include "program/program.h"
#include "program/provenance.h"

namespace wherry::lightgbm {

// Matrices [n, outputs]: Booster.predict(raw_score=True), and Booster.predict.
struct Predictions {
  program::ValueId raw = 0;
  program::ValueId transformed = 0;
};

// What the model makes of `matrix` [n, columns], categories as their codes. `iterations`: as
// predict(num_iteration=…), all of them when it is not positive. Same bits as LightGBM up to its exp and
// log1p. Errors: lightgbm.*, "program.invalid".
base::Result<Predictions> lower(program::ProgramBuilder& builder, const Model& model, program::ValueId matrix,
                                std::int64_t iterations);

// A column of pandas categories, and what its cells may be.
struct CategoryColumn {
  std::size_t column = 0;
  std::size_t list = 0;  // index into Model::pandas
  program::ColumnType type = program::ColumnType::kAny;
};

// The columns which were of pandas' type category in training, ascending; empty when there were none. The
// file tells the categories but not the columns: they are those declared categorical, else the only choice
// which agrees with the values seen in training ("lightgbm.ambiguous_categories" if there is no or more than
// one).
base::Result<std::vector<CategoryColumn>> category_columns(const Model& model, std::string_view what);

// `input` (table or matrix of the model's columns) as a matrix with the codes of the categories; what is none
// of them becomes NaN, as in pandas' set_categories.
base::Result<program::ValueId> recode(program::ProgramBuilder& builder, const Model& model,
                                      const std::vector<CategoryColumn>& categories, program::ValueId input);

struct Lowered {
  program::Program program;  // outputs "predict" and "margin"
  program::Provenance provenance;
};

// A native file as a program of its own.
base::Result<Lowered> lower(const Model& model, std::string_view what);

// Framework, objective, number of trees: also for models which are refused.
program::Provenance describe(const Model& model);

}  // namespace wherry::lightgbm
