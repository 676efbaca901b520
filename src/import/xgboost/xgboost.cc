#include "import/xgboost/xgboost.h"

#include "base/text.h"

namespace wherry::xgboost {

using base::Result;
using program::ProgramBuilder;
using program::ValueId;

program::Signature signature_of(const Model& model) {
  program::Signature out;
  out.has_names = !model.feature_names.empty();
  for (std::size_t i = 0; i < static_cast<std::size_t>(model.features); ++i)
    out.columns.push_back(
        {.name = out.has_names ? model.feature_names[i] : base::cat("x", i), .type = column_type(model, i)});
  return out;
}

program::Provenance provenance_of(const Model& model) {
  program::Provenance out;
  out.framework = "XGBoost";
  out.framework_version = to_string(model.version);
  out.estimators.push_back({.class_name = "Booster", .description = describe(model)});
  if (model.has_categories()) out.notes.emplace_back(kCategoryNote);
  return out;
}

Result<program::Program> lower_file(const Model& model) {
  ProgramBuilder builder(signature_of(model));
  TRY_ASSIGN(const Scores scores, lower(builder, model, ProgramBuilder::kInput, {}));
  TRY_ASSIGN(const ValueId predict, prediction(builder, model, scores));
  TRY_ASSIGN(const ValueId margin, shaped(builder, scores.margin));
  TRY(builder.output({.name = "predict", .values = {predict}}));
  TRY(builder.output({.name = "margin", .values = {margin}}));
  return std::move(builder).build();
}

}  // namespace wherry::xgboost
