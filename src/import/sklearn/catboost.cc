// CatBoost's estimators: catboost/core.py. A pickle's state holds the model as the bytes of a .cbm file,
// beside the parameters it was trained with.
#include "import/catboost/catboost.h"

#include "import/sklearn/lowerings.h"
#include "import/sklearn/predictions.h"

namespace wherry::sklearn {
namespace {

using catboost::Booster;

Result<Booster> booster_of(const View& estimator) {
  TRY_ASSIGN(const View model, estimator.attr("__model"));
  TRY_ASSIGN(const base::Bytes bytes, model.as_bytes());
  return Booster::read(bytes);
}

Result<InputColumns> columns_of(const View& estimator) {
  TRY_ASSIGN(const Booster booster, booster_of(estimator));
  return InputColumns{booster.column_names(), booster.columns()};
}

// Columns beyond those of training are ignored, as CatBoost ignores them.
Result<ValueId> raw_of(Context& context, const View& estimator, const Booster& booster, const Flow& input) {
  if (booster.columns() > context.width(input))
    return inconsistent(estimator, cat("fitted on ", booster.columns(),
                                       " columns, but the step before it makes ", context.width(input)));
  context.found_framework_version(booster.version());
  ValueId rows = input.value;
  if (context.is_sparse(input)) {
    TRY_ASSIGN(rows, context.numbers(input));
  }
  for (const std::int64_t column : booster.number_columns())
    context.mark(input, static_cast<std::size_t>(column), program::ColumnType::kNumber);
  for (const std::int64_t column : booster.category_columns())
    context.mark(input, static_cast<std::size_t>(column), program::ColumnType::kAny);
  return booster.raw(context.builder(), rows);
}

// predict is _predict(prediction_type='RawFormulaVal').
Result<Fitted> lower_raw(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Booster booster, booster_of(estimator));
  TRY_ASSIGN(const ValueId raw, raw_of(context, estimator, booster, input));
  return regression(context, raw, context.width(Flow{.value = raw}) == 1);
}

// As the loss has it (_get_default_prediction_type): raw values, their exponents, or means and variances.
Result<Fitted> lower_regressor(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Booster booster, booster_of(estimator));
  TRY_ASSIGN(ValueId values, raw_of(context, estimator, booster, input));
  if (booster.loss() == "Poisson" || booster.loss() == "Tweedie") {
    TRY_ASSIGN(values, booster.exponent(context.builder(), values));
  } else if (booster.loss() == "RMSEWithUncertainty") {
    TRY_ASSIGN(values, booster.uncertainty(context.builder(), values));
  }
  return regression(context, values, context.width(Flow{.value = values}) == 1);
}

Result<Fitted> lower_classifier(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const Booster booster, booster_of(estimator));
  if (!booster.classes()) return inconsistent(estimator, "a classifier whose model knows no classes");
  TRY_ASSIGN(const ValueId raw, raw_of(context, estimator, booster, input));
  Fitted fitted;
  TRY_ASSIGN(const ValueId labels, booster.labels(context.builder(), raw));
  fitted.predict = Answer{{labels}, {}};
  TRY_ASSIGN(const ValueId probabilities, booster.probabilities(context.builder(), raw));
  fitted.predict_proba = Answer{{probabilities}, booster.classes()->names};
  return fitted;
}

constexpr std::string_view kCore = "catboost.core";

constexpr EstimatorRow kCatboostRows[] = {
    {"CatBoost", kCore, "__model", lower_raw, "", columns_of},
    {"CatBoostClassifier", kCore, "__model", lower_classifier, "", columns_of},
    {"CatBoostRanker", kCore, "__model", lower_raw, "", columns_of},
    {"CatBoostRegressor", kCore, "__model", lower_regressor, "", columns_of},
};

}  // namespace

std::span<const EstimatorRow> catboost_rows() {
  return kCatboostRows;
}

}  // namespace wherry::sklearn
