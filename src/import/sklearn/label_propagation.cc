// sklearn/semi_supervised/_label_propagation.py
#include "import/sklearn/lowerings.h"
#include "import/sklearn/matrices.h"
#include "import/sklearn/predictions.h"
#include "import/sklearn/similarity.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using pickle::Matrix;

Result<Fitted> lower_label_propagation(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const ValueId x, checked_float64(context, estimator, input));
  TRY_ASSIGN(const View class_view, estimator.attr("classes_"));
  TRY_ASSIGN(const Labels classes, labels(class_view));
  TRY_ASSIGN(PairwiseKernel kernel, pairwise_kernel(estimator));
  if (kernel.name != "rbf")
    return unsupported_parameter(estimator, cat("kernel=", base::quoted(kernel.name)));
  TRY_ASSIGN(Matrix rows, matrix_of(context, estimator, "X_", -1, context.width(input)));
  const std::int64_t count = rows.rows;
  TRY_ASSIGN(const ValueId weights, kernel_matrix(context, estimator, x, std::move(rows), kernel));
  TRY_ASSIGN(const Matrix distributions, matrix_of(context, estimator, "label_distributions_", count,
                                                   static_cast<std::int64_t>(classes.size())));
  TRY_ASSIGN(const ValueId sums, product(context, weights, distributions));
  TRY_ASSIGN(const ValueId proba, context.add(program::NormalizeRows{program::ZeroSum::kDivide}, {sums}));
  Fitted fitted;
  TRY_ASSIGN(fitted.predict, predict_argmax(context, proba, classes, estimator));
  fitted.predict_proba = Answer{{proba}, classes.names};
  return fitted;
}

constexpr std::string_view kModules =
    "sklearn.semi_supervised._label_propagation sklearn.semi_supervised.label_propagation";

constexpr EstimatorRow kRows[] = {
    {"LabelPropagation", kModules, "label_distributions_", lower_label_propagation},
    {"LabelSpreading", kModules, "label_distributions_", lower_label_propagation},
};

}  // namespace

std::span<const EstimatorRow> label_propagation_rows() {
  return kRows;
}

}  // namespace wherry::sklearn
