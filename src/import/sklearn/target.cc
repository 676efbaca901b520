// TransformedTargetRegressor: sklearn/compose/_target.py.
#include "import/sklearn/inverse.h"
#include "import/sklearn/lowerings.h"
#include "import/sklearn/members.h"
#include "import/sklearn/predictions.h"

namespace wherry::sklearn {
namespace {

Result<Fitted> lower_transformed_target(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View regressor, estimator.attr("regressor_"));
  TRY_ASSIGN(const View transformer, estimator.attr("transformer_"));
  TRY_ASSIGN(const View dimensions, estimator.attr("_training_dim"));
  TRY_ASSIGN(const std::int64_t training, dimensions.as_int());
  TRY_ASSIGN(const Fitted fitted, lower_estimator(context, regressor, input));
  TRY_ASSIGN(const ValueId predicted, predicted_numbers(context, fitted, regressor));
  TRY_ASSIGN(const ValueId value, inverse_transform(context, transformer, predicted));
  return regression(context, value, training == 1 && context.width(Flow{.value = value}) == 1);
}

constexpr EstimatorRow kTargetRows[] = {
    {"TransformedTargetRegressor", "sklearn.compose._target", "regressor_", lower_transformed_target,
     "regressor_ transformer_", nullptr, "regressor_"},
};

}  // namespace

std::span<const EstimatorRow> target_rows() {
  return kTargetRows;
}

}  // namespace wherry::sklearn
