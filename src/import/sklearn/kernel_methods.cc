// Models of kernel values and random features: sklearn/kernel_ridge.py, sklearn/kernel_approximation.py and
// sklearn/decomposition/_kernel_pca.py.
#include <algorithm>
#include <cmath>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/matrices.h"
#include "import/sklearn/predictions.h"
#include "import/sklearn/similarity.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using pickle::Matrix;
using program::Arithmetic;
using program::Function;

Result<Fitted> lower_kernel_ridge(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const ValueId x, checked_float64(context, estimator, input));
  TRY_ASSIGN(const PairwiseKernel kernel, pairwise_kernel(estimator));
  TRY_ASSIGN(Matrix rows, matrix_of(context, estimator, "X_fit_", -1, -1));
  TRY_ASSIGN(const ValueId values, kernel_matrix(context, estimator, x, std::move(rows), kernel));
  TRY_ASSIGN(const View dual, estimator.attr("dual_coef_"));
  TRY_ASSIGN(const pickle::NdArray array, dual.array());
  TRY_ASSIGN(std::vector<double> numbers, dual.doubles());
  TRY(context.charge(dual, numbers.size()));
  const std::int64_t count = context.width(Flow{.value = values});
  const std::int64_t outputs = array.shape.size() == 1 ? 1 : array.shape.size() == 2 ? array.shape[1] : 0;
  if (outputs < 1 || array.shape[0] != count)
    return inconsistent(dual, cat(array.describe(), " for ", count, " rows of training"));
  TRY_ASSIGN(const ValueId value, product(context, values, {count, outputs, std::move(numbers)}));
  return regression(context, value, array.shape.size() == 1);
}

// kernel_params, below the estimator's own gamma, degree and coef0.
Status add_parameters(const View& estimator, PairwiseKernel& kernel) {
  const auto parameters = estimator.find("kernel_params");
  if (!parameters || parameters->is_none()) return {};
  TRY_ASSIGN(const auto entries, parameters->entries());
  for (const auto& [key, value] : entries) {
    TRY_ASSIGN(const std::string name, key.as_string());
    if (!is_none_or_absent(estimator, name)) continue;
    TRY_ASSIGN(const double number, value.as_double());
    if (name == "gamma") kernel.gamma = number;
    if (name == "degree") kernel.degree = number;
    if (name == "coef0") kernel.coef0 = number;
  }
  return {};
}

Result<Fitted> lower_nystroem(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const ValueId x, checked_float64(context, estimator, input));
  TRY_ASSIGN(PairwiseKernel kernel, pairwise_kernel(estimator));
  TRY(add_parameters(estimator, kernel));
  TRY_ASSIGN(Matrix rows, matrix_of(context, estimator, "components_", -1, -1));
  const std::int64_t count = rows.rows;
  TRY_ASSIGN(const ValueId values, kernel_matrix(context, estimator, x, std::move(rows), kernel));
  TRY_ASSIGN(Matrix normalization, matrix_of(context, estimator, "normalization_", -1, count));
  const auto outputs = static_cast<std::size_t>(normalization.rows);
  TRY_ASSIGN(const ValueId value,
             affine(context, values, std::move(normalization.values), std::vector<double>(outputs, 0.0)));
  return transformed(context, estimator, value);
}

// cos(x @ random_weights_ + random_offset_) * factor
Result<ValueId> cosines(Context& context, const View& estimator, ValueId x, double (*factor)(double)) {
  TRY_ASSIGN(const Matrix weights,
             matrix_of(context, estimator, "random_weights_", context.width(Flow{.value = x}), -1));
  TRY_ASSIGN(std::vector<double> offset,
             doubles_of(estimator, "random_offset_", static_cast<std::size_t>(weights.columns)));
  TRY_ASSIGN(const View components, estimator.attr("n_components"));
  TRY_ASSIGN(const double count, components.as_double());
  TRY_ASSIGN(ValueId value, affine(context, x, transposed(weights), std::move(offset)));
  TRY_ASSIGN(value, context.apply(value, Function::kCos));
  return context.arithmetic(value, Arithmetic::kMultiply, {factor(count)}, "factor");
}

double root_of_ratio(double components) {
  return std::sqrt(2.0 / components);
}
double ratio_of_roots(double components) {
  return std::sqrt(2.0) / std::sqrt(components);
}

Result<Fitted> lower_rbf_sampler(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const ValueId x, checked_float64(context, estimator, input, Layout::kAny));
  const bool since_1_2 = context.version().at_least(1, 2);
  TRY_ASSIGN(const ValueId value, cosines(context, estimator, x, since_1_2 ? root_of_ratio : ratio_of_roots));
  return transformed(context, estimator, value);
}

Result<Fitted> lower_skewed_chi2(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(ValueId x, checked_float64(context, estimator, input));
  TRY_ASSIGN(const View view, estimator.attr("skewedness"));
  TRY_ASSIGN(const double skewedness, view.as_double());
  TRY_ASSIGN(x, context.add(program::CheckLeast{-skewedness, true, short_class(estimator)}, {x}));
  TRY_ASSIGN(x, context.arithmetic(x, Arithmetic::kAdd, {skewedness}, "skewedness"));
  TRY_ASSIGN(x, context.apply(x, Function::kLog));
  TRY_ASSIGN(const ValueId value, cosines(context, estimator, x, ratio_of_roots));
  return transformed(context, estimator, value);
}

// sample_interval_ (up to 1.2), the parameter, or the one the paper recommends.
Result<double> sample_interval(const View& estimator, std::int64_t steps) {
  for (const std::string_view name : {"sample_interval_", "_sample_interval", "sample_interval"}) {
    const auto view = estimator.find(name);
    if (view && !view->is_none()) return view->as_double();
  }
  constexpr double kRecommended[] = {0.8, 0.5, 0.4};
  if (steps > 3) return inconsistent(estimator, "no sample_interval for more than three steps");
  return kRecommended[steps - 1];
}

std::vector<std::string> chi2_names(const View& estimator, const std::vector<std::string>& names,
                                    std::int64_t steps) {
  const std::string start = base::to_lower(short_class(estimator));
  std::vector<std::string> out;
  const auto add = [&](const std::string& kind) {
    for (const std::string& name : names) out.push_back(cat(start, "_", name, "_", kind));
  };
  add("sqrt");
  for (std::int64_t step = 1; step < steps; ++step) {
    add(cat("cos", step));
    add(cat("sin", step));
  }
  return out;
}

Result<Fitted> lower_additive_chi2(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(ValueId x, checked_float64(context, estimator, input));
  TRY_ASSIGN(x, context.add(program::CheckLeast{.least = 0, .estimator = short_class(estimator)}, {x}));
  TRY_ASSIGN(const View view, estimator.attr("sample_steps"));
  TRY_ASSIGN(const std::int64_t steps, view.as_int());
  if (steps < 1 || steps > 1000) return inconsistent(view, cat(steps, " steps"));
  TRY(context.charge(view, static_cast<std::uint64_t>(context.width(input) * 2 * steps)));
  TRY_ASSIGN(const double interval, sample_interval(estimator, steps));
  TRY_ASSIGN(const ValueId value, context.add(program::AdditiveChi2Features{steps, interval}, {x}));
  Fitted fitted;
  fitted.transform = made(value, static_cast<std::size_t>(context.width(Flow{.value = value})),
                          chi2_names(estimator, input.names, steps), input.sparse);
  return fitted;
}

Result<Fitted> lower_count_sketch(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(ValueId x, checked_float64(context, estimator, input));
  const auto number = [&](std::string_view name) -> Result<double> {
    TRY_ASSIGN(const View view, estimator.attr(name));
    return view.as_double();
  };
  TRY_ASSIGN(const double gamma, number("gamma"));
  TRY_ASSIGN(const double coef0, number("coef0"));
  TRY_ASSIGN(x, context.arithmetic(x, Arithmetic::kMultiply, {std::sqrt(gamma)}, "root_gamma"));
  if (coef0 != 0) {
    TRY_ASSIGN(const ValueId ones, constant(context, {std::sqrt(coef0)}, x));
    TRY_ASSIGN(x, context.add(program::Concat{}, {x, ones}));
  }
  const std::int64_t columns = context.width(Flow{.value = x});
  TRY_ASSIGN(Matrix bits, matrix_of(context, estimator, "bitHash_", -1, columns));
  TRY_ASSIGN(const View index, estimator.attr("indexHash_"));
  TRY_ASSIGN(std::vector<std::int64_t> positions, index.int64s());
  if (positions.size() != bits.values.size()) return inconsistent(index, "not as large as bitHash_");
  TRY_ASSIGN(const View components, estimator.attr("n_components"));
  program::CountSketch op;
  TRY_ASSIGN(op.components, components.as_int());
  TRY(context.charge(components, static_cast<std::uint64_t>(std::max<std::int64_t>(op.components, 0))));
  op.index = context.weight("index", tensor::Tensor::of({bits.rows, columns}, std::move(positions)));
  op.bit = context.matrix("bit", bits.rows, columns, std::move(bits.values));
  TRY_ASSIGN(const ValueId value, context.add(op, {x}));
  context.note(
      "polynomial count sketches are convolved directly; the Fourier transform of scipy differs in the last "
      "bits");
  return transformed(context, estimator, value);
}

// KernelCenterer.transform
Result<ValueId> centered(Context& context, const View& centerer, ValueId kernel) {
  const auto count = static_cast<std::size_t>(context.width(Flow{.value = kernel}));
  TRY_ASSIGN(std::vector<double> rows, doubles_of(centerer, "K_fit_rows_", count));
  TRY_ASSIGN(const View all_view, centerer.attr("K_fit_all_"));
  TRY_ASSIGN(const double all, all_view.as_double());
  TRY_ASSIGN(ValueId means, context.add(program::SumRows{}, {kernel}));
  TRY_ASSIGN(means, context.arithmetic(means, Arithmetic::kDivide, {static_cast<double>(count)}, "count"));
  TRY_ASSIGN(ValueId value, context.arithmetic(kernel, Arithmetic::kSubtract, std::move(rows), "K_fit_rows"));
  TRY_ASSIGN(value, combine(context, value, Arithmetic::kSubtract, means));
  return context.arithmetic(value, Arithmetic::kAdd, {all}, "K_fit_all");
}

Result<Fitted> lower_kernel_pca(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const ValueId x, checked_float64(context, estimator, input));
  TRY_ASSIGN(PairwiseKernel kernel, pairwise_kernel(estimator));
  const auto gamma = estimator.find("gamma_");  // since 1.3
  if (gamma && !gamma->is_none()) {
    TRY_ASSIGN(kernel.gamma, gamma->as_double());
  }
  TRY_ASSIGN(Matrix rows, matrix_of(context, estimator, "X_fit_", -1, -1));
  TRY_ASSIGN(ValueId values, kernel_matrix(context, estimator, x, std::move(rows), kernel));
  TRY_ASSIGN(values, context.add(program::CheckFinite{.estimator = "KernelCenterer"}, {values}));
  TRY_ASSIGN(const View centerer, estimator.attr("_centerer"));
  TRY_ASSIGN(values, centered(context, centerer, values));
  const bool renamed = estimator.has("eigenvalues_");  // lambdas_ and alphas_ before 1.0
  TRY_ASSIGN(Matrix vectors, matrix_of(context, estimator, renamed ? "eigenvectors_" : "alphas_",
                                       context.width(Flow{.value = values}), -1));
  const auto columns = static_cast<std::size_t>(vectors.columns);
  TRY_ASSIGN(const std::vector<double> eigenvalues,
             doubles_of(estimator, renamed ? "eigenvalues_" : "lambdas_", columns));
  for (std::size_t i = 0; i < vectors.values.size(); ++i) {
    const double eigenvalue = eigenvalues[i % columns];
    vectors.values[i] = eigenvalue == 0 ? 0.0 : vectors.values[i] / std::sqrt(eigenvalue);
  }
  TRY_ASSIGN(const ValueId value, product(context, values, vectors));
  return transformed(context, estimator, value);
}

constexpr std::string_view kApproximation = "sklearn.kernel_approximation";

constexpr EstimatorRow kRows[] = {
    {"KernelRidge", "sklearn.kernel_ridge", "X_fit_", lower_kernel_ridge},
    {"RBFSampler", kApproximation, "random_weights_", lower_rbf_sampler},
    {"SkewedChi2Sampler", kApproximation, "random_weights_", lower_skewed_chi2},
    {"Nystroem", kApproximation, "components_", lower_nystroem},
    {"AdditiveChi2Sampler", kApproximation, "", lower_additive_chi2},
    {"PolynomialCountSketch", kApproximation, "indexHash_", lower_count_sketch},
    {"KernelPCA", "sklearn.decomposition._kernel_pca sklearn.decomposition.kernel_pca", "X_fit_",
     lower_kernel_pca},
};

}  // namespace

std::span<const EstimatorRow> kernel_methods_rows() {
  return kRows;
}

}  // namespace wherry::sklearn
