// Densities of rows: sklearn/mixture/_gaussian_mixture.py, _bayesian_mixture.py, sklearn/neighbors/_kde.py.
#include <algorithm>
#include <cmath>

#include "import/sklearn/lowerings.h"
#include "import/sklearn/matrices.h"
#include "import/sklearn/neighbor_data.h"
#include "import/sklearn/tree_data.h"
#include "import/sklearn/values.h"

namespace wherry::sklearn {
namespace {

using program::Covariance;

// scipy.special.digamma of positive numbers: the recurrence up to 10, then the asymptotic series.
double digamma(double x) {
  double out = 0;
  for (; x < 10; x += 1) out -= 1 / x;
  const double y = 1 / (x * x);
  constexpr double kSeries[] = {1.0 / 12,  -1.0 / 120,     1.0 / 252, -1.0 / 240,
                                1.0 / 132, -691.0 / 32760, 1.0 / 12};
  double sum = 0;
  for (std::size_t i = std::size(kSeries); i-- > 0;) sum = (sum + kSeries[i]) * y;
  return out + std::log(x) - 0.5 / x - sum;
}

struct Mixture {
  Covariance covariance = Covariance::kFull;
  std::int64_t columns = 0;
  std::int64_t count = 0;
  std::vector<double> means, factors, log_determinants;
};

Result<Mixture> read_mixture(Context& context, const View& estimator, std::int64_t columns) {
  Mixture out{.columns = columns};
  TRY_ASSIGN(const std::string type, word(estimator, "covariance_type", "full"));
  const auto found = std::ranges::find(program::kCovarianceNames, type);
  if (found == std::end(program::kCovarianceNames))
    return unsupported_parameter(estimator, cat("covariance_type=", base::quoted(type)));
  out.covariance = static_cast<Covariance>(found - std::begin(program::kCovarianceNames));
  TRY_ASSIGN(const View means, estimator.attr("means_"));
  TRY_ASSIGN(StoredMatrix matrix, read_matrix(context, means));
  if (matrix.columns != columns) return inconsistent(means, cat("not ", columns, " columns"));
  if (matrix.float32)
    return unsupported_parameter(means, "parameters of float32, with which numpy computes in float32");
  out.count = matrix.rows;
  out.means = std::move(matrix.values);
  TRY_ASSIGN(const View factors, estimator.attr("precisions_cholesky_"));
  TRY_ASSIGN(const pickle::NdArray array, factors.array());
  const tensor::Shape shapes[] = {
      {out.count, columns, columns}, {columns, columns}, {out.count, columns}, {out.count}};
  if (array.shape != shapes[static_cast<std::size_t>(out.covariance)])
    return inconsistent(factors, cat(array.describe(), " for covariance_type=", base::quoted(type)));
  TRY(context.charge(factors, array.count));
  TRY_ASSIGN(out.factors, factors.doubles());
  return out;
}

// _compute_log_det_cholesky
void add_log_determinants(Mixture& mixture) {
  const auto width = static_cast<std::size_t>(mixture.columns);
  for (std::size_t k = 0; k < static_cast<std::size_t>(mixture.count); ++k) {
    std::vector<double> logs;
    for (std::size_t j = 0; j < width; ++j) {
      const std::size_t diagonal = j * width + j;
      const std::size_t at = mixture.covariance == Covariance::kFull       ? k * width * width + diagonal
                             : mixture.covariance == Covariance::kTied     ? diagonal
                             : mixture.covariance == Covariance::kDiagonal ? k * width + j
                                                                           : k;
      logs.push_back(std::log(mixture.factors[at]));
    }
    mixture.log_determinants.push_back(mixture.covariance == Covariance::kSpherical
                                           ? static_cast<double>(mixture.columns) * logs[0]
                                           : pairwise_sum(logs));
  }
}

Result<Fitted> mixture_answers(Context& context, const View& estimator, const Flow& input, Mixture mixture,
                               std::vector<double> offsets) {
  TRY(refuse_float32(estimator, input));
  add_log_determinants(mixture);
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false));
  program::GaussianLogDensity op{.covariance = mixture.covariance};
  op.means = context.matrix("means", mixture.count, mixture.columns, std::move(mixture.means));
  const tensor::Shape shapes[] = {{mixture.count, mixture.columns, mixture.columns},
                                  {mixture.columns, mixture.columns},
                                  {mixture.count, mixture.columns},
                                  {mixture.count}};
  op.factors = context.weight(
      "factors",
      tensor::Tensor::of(shapes[static_cast<std::size_t>(mixture.covariance)], std::move(mixture.factors)));
  op.log_determinants = context.vector("log_determinants", std::move(mixture.log_determinants));
  const auto rows = static_cast<std::int64_t>(offsets.size()) / mixture.count;
  op.offsets = context.matrix("offsets", rows, mixture.count, std::move(offsets));
  TRY_ASSIGN(const ValueId scores, context.add(op, {x}));
  TRY_ASSIGN(const ValueId component, context.add(program::Argmax{}, {scores}));
  TRY_ASSIGN(const ValueId proba, context.add(program::Softmax{.via_log = true}, {scores}));
  TRY_ASSIGN(ValueId total, context.add(program::LogSumExp{}, {scores}));
  TRY_ASSIGN(total, context.flatten(total));
  context.note_products();
  Fitted fitted;
  fitted.predict = Answer{{component}, {}};
  fitted.predict_proba = Answer{{proba}, {}};
  fitted.score_samples = Answer{{total}, {}};
  return fitted;
}

Result<Fitted> lower_gaussian_mixture(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(Mixture mixture, read_mixture(context, estimator, context.width(input)));
  TRY_ASSIGN(std::vector<double> weights,
             doubles_of(estimator, "weights_", static_cast<std::size_t>(mixture.count)));
  for (double& weight : weights) weight = std::log(weight);
  return mixture_answers(context, estimator, input, std::move(mixture), std::move(weights));
}

// BayesianGaussianMixture._estimate_log_weights
Result<std::vector<double>> bayesian_log_weights(const View& estimator, std::size_t count) {
  TRY_ASSIGN(const View view, estimator.attr("weight_concentration_"));
  TRY_ASSIGN(const std::string type, word(estimator, "weight_concentration_prior_type", "dirichlet_process"));
  std::vector<double> out(count);
  if (type != "dirichlet_process") {
    TRY_ASSIGN(const std::vector<double> concentration,
               doubles_of(estimator, "weight_concentration_", count));
    const double total = digamma(pairwise_sum(concentration));
    std::ranges::transform(concentration, out.begin(), [total](double c) { return digamma(c) - total; });
    return out;
  }
  TRY_ASSIGN(const View first, view.item(0));
  TRY_ASSIGN(const View second, view.item(1));
  TRY_ASSIGN(const std::vector<double> a, first.doubles());
  TRY_ASSIGN(const std::vector<double> b, second.doubles());
  if (a.size() != count || b.size() != count)
    return inconsistent(view, cat(a.size(), " concentrations of ", count, " components"));
  double before = 0;
  for (std::size_t k = 0; k < count; ++k) {
    const double sum = digamma(a[k] + b[k]);
    out[k] = digamma(a[k]) - sum + before;
    before += digamma(b[k]) - sum;
  }
  return out;
}

Result<Fitted> lower_bayesian_mixture(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(Mixture mixture, read_mixture(context, estimator, context.width(input)));
  const auto count = static_cast<std::size_t>(mixture.count);
  const auto columns = static_cast<double>(mixture.columns);
  TRY_ASSIGN(const View freedom_view, estimator.attr("degrees_of_freedom_"));
  std::vector<double> freedom;
  if (const auto single = freedom_view.as_double()) {  // tied
    freedom.assign(count, *single);
  } else {
    TRY_ASSIGN(freedom, doubles_of(estimator, "degrees_of_freedom_", count));
  }
  TRY_ASSIGN(const std::vector<double> precision, doubles_of(estimator, "mean_precision_", count));
  TRY_ASSIGN(const std::vector<double> log_weights, bayesian_log_weights(estimator, count));
  std::vector<double> offsets;
  for (const double f : freedom) offsets.push_back(-0.5 * columns * std::log(f));
  for (std::size_t k = 0; k < count; ++k) {
    double log_lambda = 0;
    for (std::int64_t j = 0; j < mixture.columns; ++j)
      log_lambda += digamma(0.5 * (freedom[k] - static_cast<double>(j)));
    log_lambda = columns * std::log(2.0) + log_lambda;
    offsets.push_back(0.5 * (log_lambda - columns / precision[k]));
  }
  offsets.insert(offsets.end(), log_weights.begin(), log_weights.end());
  return mixture_answers(context, estimator, input, std::move(mixture), std::move(offsets));
}

Result<program::DensityKernel> density_kernel(const View& estimator) {
  TRY_ASSIGN(const std::string name, word(estimator, "kernel", "gaussian"));
  const auto found = std::ranges::find(program::kDensityKernelNames, name);
  if (found == std::end(program::kDensityKernelNames))
    return unsupported_parameter(estimator, cat("kernel=", base::quoted(name)));
  return static_cast<program::DensityKernel>(found - std::begin(program::kDensityKernelNames));
}

Result<Fitted> lower_kernel_density(Context& context, const View& estimator, const Flow& input) {
  TRY_ASSIGN(const View tree_view, estimator.attr("tree_"));
  const std::string shape = short_class(tree_view).starts_with("KDTree") ? "kd_tree" : "ball_tree";
  TRY_ASSIGN(StoredTree tree, read_spatial_tree(context, tree_view, context.width(input), shape));
  program::KernelDensities op{.metric = tree.metric, .tree = tree.tree};
  TRY_ASSIGN(op.kernel, density_kernel(estimator));
  TRY_ASSIGN(const View bandwidth,
             estimator.has("bandwidth_") ? estimator.attr("bandwidth_") : estimator.attr("bandwidth"));
  TRY_ASSIGN(op.bandwidth, bandwidth.as_double());
  TRY_ASSIGN(const View absolute, estimator.attr("atol"));
  TRY_ASSIGN(const double tolerance, absolute.as_double());
  TRY_ASSIGN(const View relative, estimator.attr("rtol"));
  TRY_ASSIGN(op.relative_tolerance, relative.as_double());
  TRY_ASSIGN(op.breadth_first, flag(estimator, "breadth_first", true));
  op.total = static_cast<double>(tree.rows.rows);
  if (!tree.weights.empty()) {
    if (static_cast<std::int64_t>(tree.weights.size()) != tree.rows.rows)
      return inconsistent(tree_view, "not one weight per row");
    op.has_weights = true;
    op.total = pairwise_sum(tree.weights);
    op.weights = context.vector("weights", std::move(tree.weights));
  }
  op.absolute_tolerance = tolerance * op.total;
  op.rows = context.matrix("rows", tree.rows.rows, tree.rows.columns, std::move(tree.rows.values));
  TRY_ASSIGN(const ValueId x, context.checked(input, short_class(estimator), false));
  TRY_ASSIGN(ValueId value, context.add(op, {x}));
  TRY_ASSIGN(value, context.flatten(value));
  Fitted fitted;
  fitted.score_samples = Answer{{value}, {}};
  return fitted;
}

constexpr EstimatorRow kMixtureRows[] = {
    {"GaussianMixture", "sklearn.mixture._gaussian_mixture sklearn.mixture.gaussian_mixture", "means_",
     lower_gaussian_mixture},
    {"BayesianGaussianMixture", "sklearn.mixture._bayesian_mixture sklearn.mixture.bayesian_mixture",
     "means_", lower_bayesian_mixture},
    {"KernelDensity", "sklearn.neighbors._kde sklearn.neighbors.kde", "tree_", lower_kernel_density},
};

}  // namespace

std::span<const EstimatorRow> mixture_rows() {
  return kMixtureRows;
}

}  // namespace wherry::sklearn
