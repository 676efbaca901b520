// CatBoost models (1.0 to 1.2, save_model() as .cbm and .json) as Programs: numeric, one-hot and target
// statistic (CTR) features, symmetric and other trees, every loss. Text and embedding features are refused.
//
// A model file has no wrapper class, so its outputs are those of the generic catboost.CatBoost:
//   predict           CatBoost().load_model(f).predict(X): the raw values, [n] or [n, dimension]
//   predict_proba     of a classification loss: prediction_type="Probability"
//   predict_class     of a classification loss: prediction_type="Class", what CatBoostClassifier.predict
//   gives predict_exponent  of Poisson and Tweedie: prediction_type="Exponent", what
//   CatBoostRegressor.predict gives
// Bit-equal to CatBoost's CPU evaluator on x86-64, save for classes whose probability is below 1e-307.
//
// Thread-safety: pure functions.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "program/program.h"
#include "program/provenance.h"
#include "tensor/tensor.h"

namespace wherry::catboost {

struct Model;

// A model that was read and is consistent: what lowering says of it holds. Immutable; copies share it.
class Booster {
 public:
  // A .cbm or .json file. Errors: "catboost.*", and "text.json_*" of a document which is not JSON.
  static base::Result<Booster> read(base::Bytes content);

  // The columns of X: how many, and their names (empty when it was trained on an array).
  std::int64_t columns() const;
  std::vector<std::string> column_names() const;
  // Positions of the columns which the model looks at as numbers, and of all which must be categories.
  std::vector<std::int64_t> number_columns() const;
  std::vector<std::int64_t> category_columns() const;

  std::string version() const;   // "1.2.8", empty when the file does not say
  std::string loss() const;      // "Logloss", empty when the file does not say
  std::string describe() const;  // "100 trees, 4 columns, Logloss"

  // Classes in the order of probabilities' columns; none of a model that does not classify.
  struct Classes {
    tensor::Tensor values;           // string, bool, int64 or float64
    std::vector<std::string> names;  // as Python's str()
  };
  const std::optional<Classes>& classes() const;

  // `rows`: columns [n, columns()] of the program under construction → matrix of raw values.
  base::Result<program::ValueId> raw(program::ProgramBuilder& builder, program::ValueId rows) const;
  // From raw values: probabilities [n, classes], and labels: [n], [n, 1] of a multi-class model, or of a
  // multi-label model an int64 0 or 1 for each class. Only of models with classes().
  base::Result<program::ValueId> probabilities(program::ProgramBuilder& builder, program::ValueId raw) const;
  base::Result<program::ValueId> labels(program::ProgramBuilder& builder, program::ValueId raw) const;
  // exp of each value; and (value, variance) of RMSEWithUncertainty's (value, log of deviation).
  base::Result<program::ValueId> exponent(program::ProgramBuilder& builder, program::ValueId raw) const;
  base::Result<program::ValueId> uncertainty(program::ProgramBuilder& builder, program::ValueId raw) const;

 private:
  struct State;
  explicit Booster(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

struct Lowered {
  program::Program program;
  program::Provenance provenance;  // not the source's fields, nor the format
};
base::Result<Lowered> lower(const Booster& booster);

}  // namespace wherry::catboost
