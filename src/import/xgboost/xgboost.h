// Native XGBoost models (save_model of 1.6 to 3.2, .json and .ubj) as Programs. They answer what
// Booster.predict answers: "predict", and "margin" (output_margin=True).
//
// Thread-safety: pure functions.
#pragma once

#include "import/xgboost/lower.h"
#include "import/xgboost/model.h"
#include "program/provenance.h"

namespace wherry::xgboost {

base::Result<program::Program> lower_file(const Model& model);

program::Signature signature_of(const Model& model);

// framework, framework_version, estimators.
program::Provenance provenance_of(const Model& model);

}  // namespace wherry::xgboost
