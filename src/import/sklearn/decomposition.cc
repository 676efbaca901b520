// Decompositions that are one matrix product: sklearn/decomposition/_base.py, _pca.py, _incremental_pca.py,
// _sparse_pca.py, _truncated_svd.py, _factor_analysis.py, _fastica.py; random projections:
// sklearn/random_projection.py.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "import/sklearn/linear_algebra.h"
#include "import/sklearn/lowerings.h"
#include "import/sklearn/matrices.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using program::Arithmetic;

Dense dense(pickle::Matrix matrix) {
  return {static_cast<std::size_t>(matrix.rows), static_cast<std::size_t>(matrix.columns),
          std::move(matrix.values)};
}

Result<Dense> read_components(Context& context, const View& estimator, std::int64_t width) {
  TRY_ASSIGN(pickle::Matrix matrix, matrix_of(context, estimator, "components_", width));
  return dense(std::move(matrix));
}

Result<bool> fitted_on_float32(const View& estimator, std::string_view attribute) {
  TRY_ASSIGN(const View view, estimator.attr(attribute));
  TRY_ASSIGN(const std::int64_t size, element_size(view));
  return size == 4;
}

// x @ components.T
Result<ValueId> project(Context& context, ValueId x, const Dense& components) {
  return affine(context, x, components.values, std::vector<double>(components.rows));
}

Result<ValueId> centred(Context& context, const View& estimator, const Flow& input, ValueId x) {
  if (is_none_or_absent(estimator, "mean_")) return x;
  TRY_ASSIGN(std::vector<double> mean,
             doubles_of(estimator, "mean_", static_cast<std::size_t>(context.width(input))));
  return context.arithmetic(x, Arithmetic::kSubtract, std::move(mean), "mean");
}

// -0.5 * (sum of xr * (xr @ precision)) - 0.5 * (n * log(2 pi) - log det precision)
Result<Answer> gaussian_score(Context& context, ValueId xr, const Dense& precision) {
  const auto determinant = inverse(precision);
  const double log_determinant =
      determinant ? determinant->log_determinant : -std::numeric_limits<double>::infinity();
  TRY_ASSIGN(ValueId value, project(context, xr, transposed(precision)));
  TRY_ASSIGN(value, context.add(program::Elementwise{Arithmetic::kMultiply}, {xr, value}));
  TRY_ASSIGN(value, context.add(program::SumRows{}, {value}));
  TRY_ASSIGN(value, context.arithmetic(value, Arithmetic::kMultiply, {-0.5}, "half"));
  const double constant =
      0.5 * (static_cast<double>(precision.rows) * std::log(2.0 * std::numbers::pi) - log_determinant);
  TRY_ASSIGN(value, context.arithmetic(value, Arithmetic::kSubtract, {constant}, "log_normalizer"));
  TRY_ASSIGN(value, context.flatten(value));
  return Answer{{value}, {}};
}

// --- PCA ---------------------------------------------------------------------------------------------------

struct Pca {
  Dense components;
  std::vector<double> variances;
  std::vector<double> mean;
  bool whiten = false;
  bool float32 = false;
};

Result<Pca> read_pca(Context& context, const View& estimator, std::int64_t width) {
  Pca out;
  TRY_ASSIGN(out.components, read_components(context, estimator, width));
  TRY_ASSIGN(out.float32, fitted_on_float32(estimator, "components_"));
  TRY_ASSIGN(out.whiten, flag(estimator, "whiten", false));
  TRY_ASSIGN(out.variances, doubles_of(estimator, "explained_variance_", out.components.rows));
  if (is_none_or_absent(estimator, "mean_")) {
    out.mean.assign(static_cast<std::size_t>(width), 0.0);
  } else {
    TRY_ASSIGN(out.mean, doubles_of(estimator, "mean_", static_cast<std::size_t>(width)));
  }
  return out;
}

double rounded(double value, bool float32) {
  return float32 ? static_cast<double>(static_cast<float>(value)) : value;
}

// components_ @ mean_, subtracted after the projection since 1.5.
std::vector<double> projected_mean(const Pca& pca) {
  std::vector<double> out;
  for (std::size_t k = 0; k < pca.components.rows; ++k) {
    double sum = 0;
    for (std::size_t j = 0; j < pca.mean.size(); ++j) sum += pca.mean[j] * pca.components.at(k, j);
    out.push_back(rounded(sum, pca.float32));
  }
  return out;
}

std::vector<double> whitening_scale(const Context& context, const Pca& pca) {
  const double least = !context.version().at_least(1, 5) ? 0
                       : pca.float32                     ? std::numeric_limits<float>::epsilon()
                                                         : std::numeric_limits<double>::epsilon();
  std::vector<double> out;
  for (const double variance : pca.variances)
    out.push_back(std::max(rounded(std::sqrt(variance), pca.float32), least));
  return out;
}

Result<ValueId> transform_pca(Context& context, const View& estimator, const Flow& input, const Pca& pca,
                              ValueId x) {
  // A sparse matrix is never centred itself.
  const bool mean_after = context.version().at_least(1, 5) || context.is_sparse(input);
  if (!mean_after) {
    TRY_ASSIGN(x, centred(context, estimator, input, x));
  }
  TRY_ASSIGN(ValueId value, project(context, x, pca.components));
  if (mean_after) {
    TRY_ASSIGN(value,
               context.arithmetic(value, Arithmetic::kSubtract, projected_mean(pca), "projected_mean"));
  }
  if (pca.whiten) {
    TRY_ASSIGN(value, context.arithmetic(value, Arithmetic::kDivide, whitening_scale(context, pca), "scale"));
  }
  if (pca.float32)
    context.note(
        cat(short_class(estimator),
            " was fitted on float32 numbers; parts of it are computed in float32 by scikit-learn, with "
            "rounding that depends on the machine"));
  return value;
}

// _BasePCA.get_precision
Result<Dense> pca_precision(const View& estimator, const Pca& pca) {
  const std::size_t features = pca.mean.size();
  TRY_ASSIGN(const View view, estimator.attr("noise_variance_"));
  TRY_ASSIGN(const double noise, view.as_double());
  Dense components = pca.components;
  if (pca.whiten)
    for (std::size_t k = 0; k < components.rows; ++k)
      for (std::size_t j = 0; j < features; ++j) components.at(k, j) *= std::sqrt(pca.variances[k]);
  const auto excess = [&](std::size_t k) { return std::max(pca.variances[k] - noise, 0.0); };
  if (noise == 0 || components.rows == features) {
    Dense scaled = components;
    for (std::size_t k = 0; k < components.rows; ++k)
      for (std::size_t j = 0; j < features; ++j) scaled.at(k, j) *= excess(k);
    Dense covariance = product(transposed(scaled), components);
    add_to_diagonal(covariance, noise);
    auto inverted = inverse(std::move(covariance));
    if (!inverted) return inconsistent(estimator, "its covariance cannot be inverted");
    return std::move(inverted->matrix);
  }
  Dense inner = product(components, transposed(components));
  for (double& value : inner.values) value /= noise;
  for (std::size_t k = 0; k < inner.rows; ++k) inner.at(k, k) += 1.0 / excess(k);
  const auto inverted = inverse(std::move(inner));
  if (!inverted) return inconsistent(estimator, "its precision cannot be computed");
  Dense precision = product(transposed(components), product(inverted->matrix, components));
  for (double& value : precision.values) value /= -(noise * noise);
  add_to_diagonal(precision, 1.0 / noise);
  return precision;
}

Result<Fitted> lower_incremental_pca(Context& context, const View& estimator, const Flow& input) {
  TRY(refuse_float32(estimator, input));
  TRY_ASSIGN(const Pca pca, read_pca(context, estimator, context.width(input)));
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false, false, Layout::kAny));
  TRY_ASSIGN(const ValueId value, transform_pca(context, estimator, input, pca, x));
  return transformed(context, estimator, value);
}

Result<Fitted> lower_pca(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(Fitted fitted, lower_incremental_pca(context, estimator, input));
  TRY_ASSIGN(const Pca pca, read_pca(context, estimator, context.width(input)));
  constexpr std::size_t kMostFeatures = 2'000;  // of a precision matrix
  const auto noise = estimator.find("noise_variance_");
  if (input.sparse || pca.components.rows == 0 || pca.mean.size() > kMostFeatures || !noise) return fitted;
  TRY(context.charge(estimator, pca.mean.size() * pca.mean.size()));
  const auto precision = pca_precision(estimator, pca);
  if (!precision) return fitted;  // score_samples only: scikit-learn raises too
  TRY_ASSIGN(ValueId x, context.checked(input, short_class(estimator), false));
  TRY_ASSIGN(x, context.arithmetic(x, Arithmetic::kSubtract, pca.mean, "mean"));
  TRY_ASSIGN(fitted.score_samples, gaussian_score(context, x, *precision));
  return fitted;
}

// --- others ------------------------------------------------------------------------------------------------

// ridge_regression(components_.T, X.T, ridge_alpha, solver="cholesky"): a matrix, made here once.
Result<Fitted> lower_sparse_pca(Context& context, const View& estimator, const Flow& input) {
  if (input.sparse) return inconsistent(estimator, "a sparse matrix, which it does not take");
  TRY(refuse_float32(estimator, input));
  TRY_ASSIGN(const Dense components, read_components(context, estimator, context.width(input)));
  TRY_ASSIGN(const View view, estimator.attr("ridge_alpha"));
  TRY_ASSIGN(const double alpha, view.as_double());
  TRY(context.charge(estimator, components.rows * components.rows));
  std::optional<Dense> solved;
  if (components.rows > components.columns) {  // _solve_cholesky_kernel: C (C.T C + alpha)^-1
    Dense kernel = product(transposed(components), components);
    add_to_diagonal(kernel, alpha);
    if (auto dual = solve_positive(std::move(kernel), transposed(components))) solved = transposed(*dual);
  } else {
    Dense gram = product(components, transposed(components));
    add_to_diagonal(gram, alpha);
    solved = solve_positive(std::move(gram), components);
  }
  if (!solved) return unsupported_parameter(estimator, "components whose ridge regression is singular");
  TRY_ASSIGN(ValueId x, context.checked(input, short_class(estimator), false));
  TRY_ASSIGN(x, centred(context, estimator, input, x));
  TRY_ASSIGN(const ValueId value, project(context, x, *solved));
  return transformed(context, estimator, value);
}

Result<Fitted> lower_truncated_svd(Context& context, const View& estimator, const Flow& input) {
  TRY(refuse_float32(estimator, input));
  TRY_ASSIGN(const Dense components, read_components(context, estimator, context.width(input)));
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false, false, Layout::kAny));
  TRY_ASSIGN(const ValueId value, project(context, x, components));
  return transformed(context, estimator, value);
}

Result<Fitted> lower_fast_ica(Context& context, const View& estimator, const Flow& input) {
  if (input.sparse) return inconsistent(estimator, "a sparse matrix, which it does not take");
  TRY(refuse_float32(estimator, input));
  TRY_ASSIGN(const Dense components, read_components(context, estimator, context.width(input)));
  TRY_ASSIGN(ValueId x, context.checked(input, short_class(estimator), false));
  // whiten is False, True or a word; _whiten resolves the word 'warn' (1.1, 1.2).
  auto whiten = estimator.find("_whiten");
  if (!whiten) whiten = estimator.find("whiten");
  const bool centres = whiten && (whiten->is(pickle::Kind::kStr) || whiten->as_bool().value_or(true));
  if (centres) {
    TRY_ASSIGN(x, centred(context, estimator, input, x));
  }
  TRY_ASSIGN(const ValueId value, project(context, x, components));
  return transformed(context, estimator, value);
}

Dense divided_columns(Dense matrix, const std::vector<double>& divisors) {
  for (std::size_t i = 0; i < matrix.rows; ++i)
    for (std::size_t j = 0; j < matrix.columns; ++j) matrix.at(i, j) /= divisors[j];
  return matrix;
}

// FactorAnalysis.get_precision
Result<Dense> factor_precision(const View& estimator, const Dense& components,
                               const std::vector<double>& noise) {
  const std::size_t features = noise.size();
  const auto count = estimator.find("n_components");
  const bool all =
      count && !count->is_none() && count->as_int().value_or(-1) == static_cast<std::int64_t>(features);
  if (all) {
    Dense covariance = product(transposed(components), components);
    for (std::size_t j = 0; j < features; ++j) covariance.at(j, j) += noise[j];
    auto inverted = inverse(std::move(covariance));
    if (!inverted) return inconsistent(estimator, "its covariance cannot be inverted");
    return std::move(inverted->matrix);
  }
  Dense inner = product(divided_columns(components, noise), transposed(components));
  add_to_diagonal(inner, 1.0);
  const auto inverted = inverse(std::move(inner));
  if (!inverted) return inconsistent(estimator, "its precision cannot be computed");
  Dense precision = product(transposed(components), product(inverted->matrix, components));
  for (std::size_t i = 0; i < features; ++i)
    for (std::size_t j = 0; j < features; ++j) precision.at(i, j) = precision.at(i, j) / noise[i] / -noise[j];
  for (std::size_t j = 0; j < features; ++j) precision.at(j, j) += 1.0 / noise[j];
  return precision;
}

Result<Fitted> lower_factor_analysis(Context& context, const View& estimator, const Flow& input) {
  if (input.sparse) return inconsistent(estimator, "a sparse matrix, which it does not take");
  TRY(refuse_float32(estimator, input));
  const std::int64_t width = context.width(input);
  TRY_ASSIGN(const Dense components, read_components(context, estimator, width));
  TRY_ASSIGN(const std::vector<double> noise,
             doubles_of(estimator, "noise_variance_", static_cast<std::size_t>(width)));
  constexpr std::size_t kMostFeatures = 2'000;  // of a precision matrix
  if (noise.size() > kMostFeatures || components.rows > kMostFeatures)
    return unsupported_parameter(estimator, cat("more than ", kMostFeatures, " columns"));
  TRY(context.charge(estimator, noise.size() * noise.size() + components.rows * components.rows));
  const Dense weighted = divided_columns(components, noise);
  Dense inner = product(weighted, transposed(components));
  add_to_diagonal(inner, 1.0);
  const auto covariance = inverse(std::move(inner));
  if (!covariance) return inconsistent(estimator, "its covariance cannot be inverted");
  TRY_ASSIGN(ValueId x, context.checked(input, short_class(estimator), false));
  TRY_ASSIGN(x, centred(context, estimator, input, x));
  TRY_ASSIGN(ValueId value, project(context, x, weighted));
  TRY_ASSIGN(value, project(context, value, transposed(covariance->matrix)));
  Fitted fitted = transformed(context, estimator, value);
  TRY_ASSIGN(const Dense precision, factor_precision(estimator, components, noise));
  TRY_ASSIGN(fitted.score_samples, gaussian_score(context, x, precision));
  return fitted;
}

Result<Fitted> lower_random_projection(Context& context, const View& estimator, const Flow& input) {
  TRY(refuse_float32(estimator, input));
  TRY_ASSIGN(const View view, estimator.attr("components_"));
  const std::int64_t width = context.width(input);
  Dense components;
  bool sparse = false;
  if (view.is_sparse()) {
    TRY_ASSIGN(const pickle::Csr rows, view.sparse());
    if (rows.columns != width)
      return inconsistent(view, cat(rows.columns, " columns where ", width, " belong"));
    TRY(context.charge(view, static_cast<std::uint64_t>(rows.rows) * static_cast<std::uint64_t>(width)));
    components = zeros(static_cast<std::size_t>(rows.rows), static_cast<std::size_t>(width));
    for (std::int64_t k = 0; k < rows.rows; ++k)
      for (std::int64_t i = rows.offsets[k]; i < rows.offsets[k + 1]; ++i)
        components.at(static_cast<std::size_t>(k), static_cast<std::size_t>(rows.indices[i])) +=
            rows.values[i];
    TRY_ASSIGN(const bool dense_output, flag(estimator, "dense_output", false));
    sparse = input.sparse && !dense_output;
  } else {
    TRY_ASSIGN(components, read_components(context, estimator, width));
  }
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false, false, Layout::kAny));
  TRY_ASSIGN(const ValueId value, project(context, x, components));
  return transformed(context, estimator, value, sparse);
}

constexpr EstimatorRow kDecompositionRows[] = {
    {"PCA", "sklearn.decomposition._pca sklearn.decomposition.pca", "components_", lower_pca},
    {"IncrementalPCA", "sklearn.decomposition._incremental_pca sklearn.decomposition.incremental_pca",
     "components_", lower_incremental_pca},
    {"SparsePCA", "sklearn.decomposition._sparse_pca sklearn.decomposition.sparse_pca", "components_",
     lower_sparse_pca},
    {"MiniBatchSparsePCA", "sklearn.decomposition._sparse_pca sklearn.decomposition.sparse_pca",
     "components_", lower_sparse_pca},
    {"TruncatedSVD", "sklearn.decomposition._truncated_svd sklearn.decomposition.truncated_svd",
     "components_", lower_truncated_svd},
    {"FactorAnalysis", "sklearn.decomposition._factor_analysis sklearn.decomposition.factor_analysis",
     "components_", lower_factor_analysis},
    {"FastICA", "sklearn.decomposition._fastica sklearn.decomposition.fastica_", "components_",
     lower_fast_ica},
    {"GaussianRandomProjection", "sklearn.random_projection", "components_", lower_random_projection},
    {"SparseRandomProjection", "sklearn.random_projection", "components_", lower_random_projection},
};

}  // namespace

std::span<const EstimatorRow> decomposition_rows() {
  return kDecompositionRows;
}

}  // namespace wherry::sklearn
