// sklearn/isotonic.py
#include "import/sklearn/isotonic.h"

#include "import/sklearn/lowerings.h"
#include "import/sklearn/matrices.h"
#include "import/sklearn/predictions.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {

Result<ValueId> isotonic(Context& context, const View& regression, ValueId x) {
  const bool renamed = regression.has("X_thresholds_");  // since 0.24
  TRY_ASSIGN(const View knot_view, regression.attr(renamed ? "X_thresholds_" : "_necessary_X_"));
  TRY_ASSIGN(std::vector<double> knots, knot_view.doubles());
  TRY_ASSIGN(std::vector<double> values,
             doubles_of(regression, renamed ? "y_thresholds_" : "_necessary_y_", knots.size()));
  TRY(context.charge(knot_view, knots.size()));
  TRY_ASSIGN(const std::string outside, word(regression, "out_of_bounds", "nan"));
  program::Interpolate op;
  op.float32 = is_float32_array(knot_view);
  if (outside == "clip") {
    op.outside = program::Outside::kClip;
  } else if (outside == "raise") {
    op.outside = program::Outside::kRefuse;
  } else if (outside != "nan") {
    return unsupported_parameter(regression, cat("out_of_bounds=", base::quoted(outside)));
  }
  op.x = context.vector("knots", std::move(knots));
  op.y = context.vector("values", std::move(values));
  return context.add(op, {x});
}

namespace {

Result<Fitted> lower_isotonic(Context& context, const View& estimator, const Flow& input) {
  if (context.width(input) != 1)
    return inconsistent(estimator, cat(context.width(input), " columns, not one"));
  const auto knots = estimator.find("X_thresholds_");
  const bool as_float32 = knots && is_float32_array(*knots);
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false, as_float32));
  TRY_ASSIGN(const ValueId value, isotonic(context, estimator, x));
  TRY_ASSIGN(Fitted fitted, regression(context, value, true));
  fitted.transform = made(value, 1, {}, false);
  fitted.transform->one_dimensional = true;
  return fitted;
}

constexpr EstimatorRow kRows[] = {
    {"IsotonicRegression", "sklearn.isotonic", "increasing_", lower_isotonic},
};

}  // namespace

std::span<const EstimatorRow> isotonic_rows() {
  return kRows;
}

}  // namespace wherry::sklearn
