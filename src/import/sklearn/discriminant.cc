// sklearn/discriminant_analysis.py
#include <algorithm>
#include <cmath>

#include "import/sklearn/linear.h"
#include "import/sklearn/lowerings.h"
#include "import/sklearn/matrices.h"
#include "import/sklearn/predictions.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using pickle::Matrix;
using program::Arithmetic;

// The first columns of a matrix.
Matrix leading(const Matrix& matrix, std::int64_t columns) {
  Matrix out{matrix.rows, columns, {}};
  for (std::int64_t i = 0; i < matrix.rows; ++i) {
    const auto row = matrix.values.begin() + i * matrix.columns;
    out.values.insert(out.values.end(), row, row + columns);
  }
  return out;
}

Result<std::optional<Flow>> projection(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const std::string solver, word(estimator, "solver", "svd"));
  if (solver == "lsqr" || !estimator.has("scalings_")) return std::nullopt;
  TRY_ASSIGN(ValueId x, context.checked(input, short_class(estimator), false));
  const std::int64_t width = context.width(input);
  TRY_ASSIGN(const Matrix scalings, matrix_of(context, estimator, "scalings_", width, -1));
  if (solver == "svd") {
    TRY_ASSIGN(std::vector<double> mean, doubles_of(estimator, "xbar_", static_cast<std::size_t>(width)));
    TRY_ASSIGN(x, context.arithmetic(x, Arithmetic::kSubtract, std::move(mean), "xbar"));
  }
  TRY_ASSIGN(const View limit, estimator.attr("_max_components"));
  TRY_ASSIGN(const std::int64_t most, limit.as_int());
  if (most < 0) return inconsistent(limit, cat(most, " components"));
  TRY_ASSIGN(const ValueId value, product(context, x, leading(scalings, std::min(most, scalings.columns))));
  return transformed(context, estimator, value).transform;
}

Result<Fitted> lower_linear(Context& context, const View& estimator, const Flow& input) {
  if (input.float32) return unsupported_parameter(estimator, "a float32 matrix from the step before it");
  TRY_ASSIGN(const View classes, estimator.attr("classes_"));
  TRY_ASSIGN(const Scored scored, classify_linear(context, estimator, classes, input));
  TRY_ASSIGN(Fitted fitted, with_scores(context, estimator, scored));
  TRY_ASSIGN(const ValueId proba,
             scored.labels.size() == 2 ? one_vs_rest(context, scored) : softmax_of_scores(context, scored));
  fitted.predict_proba = Answer{{proba}, scored.labels.names};
  TRY_ASSIGN(fitted.transform, projection(context, estimator, input));
  return fitted;
}

struct Quadratic {
  std::vector<double> mean;
  Matrix projection;  // rotation * scaling ** -0.5
  double log_determinant = 0;
};

Result<Quadratic> quadratic(Context& context, const View& rotation, const View& scaling,
                            std::vector<double> mean) {
  Quadratic out{.mean = std::move(mean)};
  TRY_ASSIGN(out.projection, dense_matrix(context, rotation));
  TRY_ASSIGN(const std::vector<double> scales, scaling.doubles());
  const auto columns = static_cast<std::size_t>(out.projection.columns);
  if (scales.size() != columns || static_cast<std::size_t>(out.projection.rows) != out.mean.size())
    return inconsistent(rotation, "its size is not that of the scalings and means");
  for (std::size_t i = 0; i < out.projection.values.size(); ++i)
    out.projection.values[i] *= std::pow(scales[i % columns], -0.5);
  for (const double scale : scales) out.log_determinant += std::log(scale);
  return out;
}

// -0.5 * (norm2 + u) + log(priors_)
Result<ValueId> quadratic_scores(Context& context, const View& estimator, ValueId x, const Labels& classes) {
  const auto count = static_cast<std::int64_t>(classes.size());
  const std::int64_t width = context.width(Flow{.value = x});
  TRY_ASSIGN(const Matrix means, matrix_of(context, estimator, "means_", count, width));
  TRY_ASSIGN(std::vector<double> priors, doubles_of(estimator, "priors_", classes.size()));
  TRY_ASSIGN(const View rotation_list, estimator.attr("rotations_"));
  TRY_ASSIGN(const View scaling_list, estimator.attr("scalings_"));
  TRY_ASSIGN(const std::vector<View> rotations, rotation_list.items());
  TRY_ASSIGN(const std::vector<View> scalings, scaling_list.items());
  if (rotations.size() != classes.size() || scalings.size() != classes.size())
    return inconsistent(estimator, cat("not one rotation and scaling for each of ", count, " classes"));
  std::vector<ValueId> norms;
  std::vector<double> determinants;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const auto first = means.values.begin() + static_cast<std::int64_t>(c) * width;
    TRY_ASSIGN(Quadratic part, quadratic(context, rotations[c], scalings[c], {first, first + width}));
    TRY_ASSIGN(ValueId value, context.arithmetic(x, Arithmetic::kSubtract, std::move(part.mean), "means"));
    TRY_ASSIGN(value, product(context, value, part.projection));
    TRY_ASSIGN(value, context.add(program::SumRows{.squares = true}, {value}));
    norms.push_back(value);
    determinants.push_back(part.log_determinant);
    priors[c] = std::log(priors[c]);
  }
  TRY_ASSIGN(ValueId scores, context.add(program::Concat{}, norms));
  TRY_ASSIGN(scores,
             context.arithmetic(scores, Arithmetic::kAdd, std::move(determinants), "log_determinants"));
  TRY_ASSIGN(scores, context.arithmetic(scores, Arithmetic::kMultiply, {-0.5}, "half"));
  return context.arithmetic(scores, Arithmetic::kAdd, std::move(priors), "log_priors");
}

Result<Fitted> lower_quadratic(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const ValueId x, checked_float64(context, estimator, input));
  TRY_ASSIGN(const View class_view, estimator.attr("classes_"));
  TRY_ASSIGN(const Labels classes, labels(class_view));
  TRY_ASSIGN(const ValueId scores, quadratic_scores(context, estimator, x, classes));
  Fitted fitted;
  TRY_ASSIGN(fitted.predict, predict_argmax(context, scores, classes, estimator));
  TRY_ASSIGN(const ValueId proba, context.add(program::Softmax{}, {scores}));
  fitted.predict_proba = Answer{{proba}, classes.names};
  if (classes.size() != 2) {
    fitted.decision_function = Answer{{scores}, classes.names};
    return fitted;
  }
  TRY_ASSIGN(const ValueId first, context.select(scores, {0}));
  TRY_ASSIGN(const ValueId second, context.select(scores, {1}));
  TRY_ASSIGN(const ValueId difference, combine(context, second, Arithmetic::kSubtract, first));
  TRY_ASSIGN(fitted.decision_function, decision(context, difference, classes));
  return fitted;
}

constexpr std::string_view kModule = "sklearn.discriminant_analysis";

constexpr EstimatorRow kRows[] = {
    {"LinearDiscriminantAnalysis", kModule, "coef_", lower_linear},
    {"QuadraticDiscriminantAnalysis", kModule, "rotations_", lower_quadratic},
};

}  // namespace

std::span<const EstimatorRow> discriminant_rows() {
  return kRows;
}

}  // namespace wherry::sklearn
