// Scalers: sklearn/preprocessing/_data.py.
#include "import/sklearn/lowerings.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using program::Arithmetic;

// check_array(…, dtype=FLOAT_DTYPES, force_all_finite="allow-nan"). A float32 matrix would stay one, and the
// scalers of some versions compute in float32, those of others in float64.
Result<ValueId> scaler_input(Context& context, const View& estimator, const Flow& input) {
  if (input.float32) return unsupported_parameter(estimator, "a float32 matrix from the step before it");
  return context.checked(input, short_class(estimator), true);
}

Result<std::vector<double>> column_values(const Context& context, const View& estimator, const Flow& input,
                                          std::string_view attribute) {
  return doubles_of(estimator, attribute, static_cast<std::size_t>(context.width(input)));
}

// X /= scale_, or for a sparse X the product with 1 / scale_.
Result<ValueId> divide(Context& context, const View& estimator, const Flow& input, ValueId x) {
  TRY_ASSIGN(std::vector<double> scale, column_values(context, estimator, input, "scale_"));
  if (!input.sparse) return context.arithmetic(x, Arithmetic::kDivide, std::move(scale), "scale");
  for (double& value : scale) value = 1.0 / value;
  return context.arithmetic(x, Arithmetic::kMultiply, std::move(scale), "scale");
}

Result<ValueId> subtract(Context& context, const View& estimator, const Flow& input, ValueId x,
                         std::string_view attribute) {
  if (input.sparse) return inconsistent(estimator, "it centers, but its input is a sparse matrix");
  TRY_ASSIGN(std::vector<double> centre, column_values(context, estimator, input, attribute));
  return context.arithmetic(x, Arithmetic::kSubtract, std::move(centre), attribute);
}

Fitted one_to_one(const Context& context, const Flow& input, ValueId value) {
  Fitted fitted;
  fitted.transform = made(value, static_cast<std::size_t>(context.width(input)), input.names, input.sparse);
  return fitted;
}

Result<Fitted> lower_standard_scaler(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const bool with_mean, flag(estimator, "with_mean", true));
  TRY_ASSIGN(const bool with_std, flag(estimator, "with_std", true));
  TRY_ASSIGN(ValueId x, scaler_input(context, estimator, input));
  if (with_mean) {
    TRY_ASSIGN(x, subtract(context, estimator, input, x, "mean_"));
  }
  if (with_std) {
    TRY_ASSIGN(x, divide(context, estimator, input, x));
  }
  return one_to_one(context, input, x);
}

Result<Fitted> lower_min_max_scaler(Context& context, const View& estimator, const Flow& input) {
  if (input.sparse) return inconsistent(estimator, "a sparse matrix, which it does not take");
  TRY_ASSIGN(const bool clip, flag(estimator, "clip", false));
  TRY_ASSIGN(std::vector<double> scale, column_values(context, estimator, input, "scale_"));
  TRY_ASSIGN(std::vector<double> minimum, column_values(context, estimator, input, "min_"));
  TRY_ASSIGN(ValueId x, scaler_input(context, estimator, input));
  TRY_ASSIGN(x, context.arithmetic(x, Arithmetic::kMultiply, std::move(scale), "scale"));
  TRY_ASSIGN(x, context.arithmetic(x, Arithmetic::kAdd, std::move(minimum), "min"));
  if (clip) {
    TRY_ASSIGN(const std::vector<double> range, doubles_of(estimator, "feature_range", 2));
    TRY_ASSIGN(x, context.add(program::Clip{range[0], range[1]}, {x}));
  }
  return one_to_one(context, input, x);
}

Result<Fitted> lower_max_abs_scaler(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const bool clip, flag(estimator, "clip", false));
  TRY_ASSIGN(ValueId x, scaler_input(context, estimator, input));
  TRY_ASSIGN(x, divide(context, estimator, input, x));
  if (clip) {
    TRY_ASSIGN(x, context.add(program::Clip{-1, 1}, {x}));
  }
  return one_to_one(context, input, x);
}

Result<Fitted> lower_robust_scaler(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const bool centering, flag(estimator, "with_centering", true));
  TRY_ASSIGN(const bool scaling, flag(estimator, "with_scaling", true));
  TRY_ASSIGN(ValueId x, scaler_input(context, estimator, input));
  // transform of a sparse matrix scales and leaves the centre alone.
  if (centering && !input.sparse) {
    TRY_ASSIGN(x, subtract(context, estimator, input, x, "center_"));
  }
  if (scaling) {
    TRY_ASSIGN(x, divide(context, estimator, input, x));
  }
  return one_to_one(context, input, x);
}

constexpr std::string_view kData = "sklearn.preprocessing._data sklearn.preprocessing.data";

constexpr EstimatorRow kPreprocessingRows[] = {
    {"StandardScaler", kData, "scale_", lower_standard_scaler},
    {"MinMaxScaler", kData, "scale_", lower_min_max_scaler},
    {"MaxAbsScaler", kData, "scale_", lower_max_abs_scaler},
    {"RobustScaler", kData, "", lower_robust_scaler},
};

}  // namespace

std::span<const EstimatorRow> preprocessing_rows() {
  return kPreprocessingRows;
}

}  // namespace wherry::sklearn
