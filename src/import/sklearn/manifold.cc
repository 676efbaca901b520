// Manifolds: sklearn/manifold/_isomap.py (with sklearn/decomposition/_kernel_pca.py and KernelCenterer) and
// _locally_linear.py.
#include <cmath>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/matrices.h"
#include "import/sklearn/neighbor_data.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using program::NeighborForm;

// KernelPCA's eigenvectors_ divided by the square roots of its eigenvalues_, transposed: [components, rows].
// Before 1.0 they were called alphas_ and lambdas_.
Result<StoredMatrix> projection(Context& context, const View& pca) {
  const bool old = !pca.has("eigenvalues_");
  TRY_ASSIGN(const View vectors_view, pca.attr(old ? "alphas_" : "eigenvectors_"));
  TRY_ASSIGN(const StoredMatrix vectors, read_matrix(context, vectors_view));
  TRY_ASSIGN(const std::vector<double> values,
             doubles_of(pca, old ? "lambdas_" : "eigenvalues_", static_cast<std::size_t>(vectors.columns)));
  StoredMatrix out{.rows = vectors.columns, .columns = vectors.rows};
  for (std::size_t k = 0; k < values.size(); ++k)
    for (std::size_t i = 0; i < static_cast<std::size_t>(vectors.rows); ++i)
      out.values.push_back(values[k] == 0 ? 0 : vectors.values[i * values.size() + k] / std::sqrt(values[k]));
  return out;
}

Result<Fitted> lower_isomap(Context& context, const View& estimator, const Flow& input) {
  TRY(refuse_float32(estimator, input));
  TRY_ASSIGN(const View neighbors, estimator.attr("nbrs_"));
  TRY_ASSIGN(const Neighborhood hood, read_neighborhood(context, neighbors, input, short_class(estimator)));
  const bool by_radius = is_none_or_absent(neighbors, "n_neighbors");
  ValueId near = 0;
  if (by_radius) {
    TRY_ASSIGN(near, rows_within(context, neighbors, hood));
  } else {
    TRY_ASSIGN(const std::int64_t count, count_of(neighbors, "n_neighbors"));
    TRY_ASSIGN(near, nearest_rows(context, neighbors, hood, count));
  }
  TRY_ASSIGN(const View distances_view, estimator.attr("dist_matrix_"));
  TRY_ASSIGN(StoredMatrix distances, read_matrix(context, distances_view));
  TRY_ASSIGN(const View pca, estimator.attr("kernel_pca_"));
  TRY_ASSIGN(StoredMatrix components, projection(context, pca));
  if (distances.rows != hood.rows || distances.columns != hood.rows || components.columns != hood.rows)
    return inconsistent(distances_view, cat("not the distances among ", hood.rows, " rows"));
  TRY_ASSIGN(const View centerer, pca.attr("_centerer"));
  TRY_ASSIGN(std::vector<double> fit_rows,
             doubles_of(centerer, "K_fit_rows_", static_cast<std::size_t>(hood.rows)));
  TRY_ASSIGN(const View fit_all, centerer.attr("K_fit_all_"));
  program::GeodesicKernel op{.form = by_radius ? NeighborForm::kTable : NeighborForm::kList};
  TRY_ASSIGN(op.fit_all, fit_all.as_double());
  op.distances = context.matrix("distances", hood.rows, hood.rows, std::move(distances.values));
  op.fit_rows = context.vector("fit_rows", std::move(fit_rows));
  TRY_ASSIGN(ValueId kernel, context.add(op, {near}));
  TRY_ASSIGN(kernel, context.add(program::CheckFinite{.estimator = "KernelCenterer"}, {kernel}));
  const std::int64_t outputs = components.rows;
  program::Linear linear;
  linear.coefficients = context.matrix("components", outputs, hood.rows, std::move(components.values));
  linear.intercept = context.vector("zero", std::vector<double>(static_cast<std::size_t>(outputs)));
  TRY_ASSIGN(const ValueId value, context.add(linear, {kernel}));
  return transformed(context, estimator, value);
}

Result<Fitted> lower_locally_linear(Context& context, const View& estimator, const Flow& input) {
  TRY(refuse_float32(estimator, input));
  TRY_ASSIGN(const View neighbors, estimator.attr("nbrs_"));
  TRY_ASSIGN(const Neighborhood hood, read_neighborhood(context, neighbors, input, short_class(estimator)));
  TRY_ASSIGN(const std::int64_t count, count_of(estimator, "n_neighbors"));
  TRY_ASSIGN(const ValueId near, nearest_rows(context, neighbors, hood, count));
  TRY_ASSIGN(const View embedding_view, estimator.attr("embedding_"));
  TRY_ASSIGN(StoredMatrix embedding, read_matrix(context, embedding_view));
  if (embedding.rows != hood.rows) return inconsistent(embedding_view, cat("not ", hood.rows, " rows"));
  program::Barycenter op{.rows = hood.stored};
  TRY_ASSIGN(const View regularization, estimator.attr("reg"));
  TRY_ASSIGN(op.regularization, regularization.as_double());
  const std::int64_t outputs = embedding.columns;
  op.embedding = context.matrix("embedding", hood.rows, outputs, std::move(embedding.values));
  TRY_ASSIGN(const ValueId value, context.add(op, {hood.x, near}));
  context.note(
      "weights of neighbours are solved for by a Cholesky decomposition, whose last bits depend on "
      "the LAPACK under scipy");
  return transformed(context, estimator, value);
}

constexpr EstimatorRow kManifoldRows[] = {
    {"Isomap", "sklearn.manifold._isomap sklearn.manifold.isomap", "kernel_pca_", lower_isomap},
    {"LocallyLinearEmbedding", "sklearn.manifold._locally_linear sklearn.manifold.locally_linear",
     "embedding_", lower_locally_linear},
};

}  // namespace

std::span<const EstimatorRow> manifold_rows() {
  return kManifoldRows;
}

}  // namespace wherry::sklearn
