// sklearn/cross_decomposition/_pls.py
#include "import/sklearn/lowerings.h"
#include "import/sklearn/matrices.h"
#include "import/sklearn/predictions.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using pickle::Matrix;
using program::Arithmetic;

// Attributes had no underscore before 0.24.
std::string_view either(const View& estimator, std::string_view name, std::string_view older) {
  return estimator.has(name) ? name : older;
}

Result<ValueId> centered(Context& context, const View& estimator, const Flow& input, bool scaled) {
  const auto width = static_cast<std::size_t>(context.width(input));
  TRY_ASSIGN(ValueId x, checked_float64(context, estimator, input));
  TRY_ASSIGN(std::vector<double> mean, doubles_of(estimator, either(estimator, "_x_mean", "x_mean_"), width));
  TRY_ASSIGN(x, context.arithmetic(x, Arithmetic::kSubtract, std::move(mean), "x_mean"));
  if (!scaled) return x;
  TRY_ASSIGN(std::vector<double> std, doubles_of(estimator, either(estimator, "_x_std", "x_std_"), width));
  return context.arithmetic(x, Arithmetic::kDivide, std::move(std), "x_std");
}

Result<Fitted> projected(Context& context, const View& estimator, const Flow& input,
                         std::string_view attribute) {
  TRY_ASSIGN(const ValueId x, centered(context, estimator, input, true));
  TRY_ASSIGN(const Matrix rotations, matrix_of(context, estimator, attribute, context.width(input), -1));
  TRY_ASSIGN(const ValueId value, product(context, x, rotations));
  return transformed(context, estimator, value);
}

// Up to 1.0 coef_ is [columns, targets] and _y_mean the intercept; then [targets, columns], in 1.1 and 1.2 as
// _coef_; since 1.5 it holds the division by _x_std.
Result<Fitted> lower_regression(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(Fitted fitted, projected(context, estimator, input, "x_rotations_"));
  TRY_ASSIGN(const ValueId x, centered(context, estimator, input, !context.version().at_least(1, 5)));
  const std::int64_t width = context.width(input);
  Matrix coef;
  if (context.version().at_least(1, 1)) {
    TRY_ASSIGN(coef, matrix_of(context, estimator, either(estimator, "_coef_", "coef_"), -1, width));
  } else {
    TRY_ASSIGN(const Matrix by_column, matrix_of(context, estimator, "coef_", width, -1));
    coef = {by_column.columns, width, transposed(by_column)};
  }
  const auto targets = static_cast<std::size_t>(coef.rows);
  const bool has_intercept = estimator.has("intercept_");
  TRY_ASSIGN(
      std::vector<double> intercept,
      doubles_of(estimator, has_intercept ? "intercept_" : either(estimator, "_y_mean", "y_mean_"), targets));
  TRY_ASSIGN(const ValueId value, affine(context, x, std::move(coef.values), std::move(intercept)));
  TRY_ASSIGN(const bool one_dimensional, flag(estimator, "_predict_1d", false));
  TRY_ASSIGN(Fitted predicted, regression(context, value, one_dimensional && targets == 1));
  fitted.predict = std::move(predicted.predict);
  fitted.numbers = predicted.numbers;
  return fitted;
}

Result<Fitted> lower_svd(Context& context, const View& estimator, const Flow& input) {
  return projected(context, estimator, input, "x_weights_");
}

constexpr std::string_view kModules =
    "sklearn.cross_decomposition._pls sklearn.cross_decomposition.pls_ sklearn.cross_decomposition._cca "
    "sklearn.cross_decomposition.cca_";

constexpr EstimatorRow kRows[] = {
    {"PLSRegression", kModules, "x_rotations_", lower_regression},
    {"PLSCanonical", kModules, "x_rotations_", lower_regression},
    {"CCA", kModules, "x_rotations_", lower_regression},
    {"PLSSVD", kModules, "x_weights_", lower_svd},
};

}  // namespace

std::span<const EstimatorRow> cross_decomposition_rows() {
  return kRows;
}

}  // namespace wherry::sklearn
