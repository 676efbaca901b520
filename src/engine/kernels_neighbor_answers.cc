// What neighbours say about a row.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "engine/distance.h"
#include "engine/kernels.h"
#include "engine/row_sum.h"

namespace wherry::engine {
namespace {

using program::NeighborForm;
using program::NeighborWeights;
using program::OutlierVote;

struct Neighbors {
  std::size_t count = 0;
  const double* distance = nullptr;
  const std::size_t* position = nullptr;
  double* scratch = nullptr;  // room for `count` numbers twice
};

// The neighbours in a row of a list or table, among `stored` rows.
Neighbors gather(NeighborForm form, const double* row, std::size_t width, std::size_t stored,
                 Buffers& buffers) {
  double* distance = at_least(buffers.sums, 3 * width);
  std::size_t* position = at_least(buffers.places, width);
  Neighbors out{0, distance, position, distance + width};
  if (form == NeighborForm::kTable) {
    for (std::size_t i = 0; i < std::min(width, stored); ++i) {
      if (std::isnan(row[i])) continue;
      distance[out.count] = row[i];
      position[out.count++] = i;
    }
    return out;
  }
  for (std::size_t i = 0; i < width / 2; ++i) {
    const double at = row[width / 2 + i];
    if (!(at >= 0 && at < static_cast<double>(stored))) continue;
    distance[out.count] = row[i];
    position[out.count++] = static_cast<std::size_t>(at);
  }
  return out;
}

void weigh(NeighborForm form, NeighborWeights weights, const Neighbors& neighbors, double* out) {
  if (weights == NeighborWeights::kUniform) {
    std::fill_n(out, neighbors.count, 1.0);
    return;
  }
  bool on_top = false;
  for (std::size_t i = 0; i < neighbors.count; ++i) {
    out[i] = 1.0 / neighbors.distance[i];
    on_top |= form == NeighborForm::kTable ? neighbors.distance[i] == 0 : std::isinf(out[i]);
  }
  if (!on_top) return;
  for (std::size_t i = 0; i < neighbors.count; ++i)
    out[i] = (form == NeighborForm::kTable ? neighbors.distance[i] == 0 : std::isinf(out[i])) ? 1 : 0;
}

std::unexpected<base::Error> no_neighbors(std::size_t row) {
  return base::fail(base::Code::kInvalidInput, "engine.no_neighbors",
                    base::cat("row ", row, " has no neighbours among the rows the model was fitted on"),
                    "fit the model with a larger radius, or with a label for outliers");
}

void count_votes(const program::NeighborVotes& op, std::span<const std::int32_t> labels,
                 const Neighbors& neighbors, const double* weights, double* out) {
  const auto classes = static_cast<std::size_t>(op.classes);
  if (op.normalize) {
    for (std::size_t i = 0; i < neighbors.count; ++i)
      out[static_cast<std::size_t>(labels[neighbors.position[i]])] += weights[i];
    return;
  }
  double* own = neighbors.scratch + neighbors.count;
  for (std::size_t c = 0; c < classes; ++c) {
    for (std::size_t i = 0; i < neighbors.count; ++i)
      own[i] = static_cast<std::size_t>(labels[neighbors.position[i]]) == c ? weights[i] : 0;
    out[c] = row_sum(own, neighbors.count);
  }
}

// (A + a) \ 1 for a symmetric positive definite matrix A [n, n], by Cholesky decomposition in place. False
// when it is not.
bool solve_ones(double* a, std::size_t n, double* x) {
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t i = j; i < n; ++i) {
      double sum = a[i * n + j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
      if (i == j && !(sum > 0)) return false;
      a[i * n + j] = i == j ? std::sqrt(sum) : sum / a[j * n + j];
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    double sum = 1;
    for (std::size_t k = 0; k < i; ++k) sum -= a[i * n + k] * x[k];
    x[i] = sum / a[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    double sum = x[i];
    for (std::size_t k = i + 1; k < n; ++k) sum -= a[k * n + i] * x[k];
    x[i] = sum / a[i * n + i];
  }
  return true;
}

// The weights with which the neighbours' rows make up x; `scratch`: k² + k * width + k numbers. False where
// they do not exist.
bool barycenter_weights(const double* x, const Neighbors& neighbors, const std::vector<double>& rows,
                        std::size_t width, double regularization, double* scratch, double* weights) {
  const std::size_t k = neighbors.count;
  double* gram = scratch;
  double* c = scratch + k * k;
  for (std::size_t i = 0; i < k; ++i)
    for (std::size_t j = 0; j < width; ++j) c[i * width + j] = rows[neighbors.position[i] * width + j] - x[j];
  double trace = 0;
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t j = 0; j <= i; ++j)
      gram[i * k + j] = gram[j * k + i] = dot(c + i * width, c + j * width, width);
    trace += gram[i * k + i];
  }
  const double add = trace > 0 ? regularization * trace : regularization;
  for (std::size_t i = 0; i < k; ++i) gram[i * k + i] += add;
  if (!solve_ones(gram, k, weights)) return false;
  const double sum = row_sum(weights, k);
  for (std::size_t i = 0; i < k; ++i) weights[i] /= sum;
  return true;
}

}  // namespace

MadeKernel make_kernel(const program::NeighborVotes& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const auto weight = wiring.program.weight(op.labels).as<std::int32_t>();
  const std::vector<std::int32_t> labels(weight.begin(), weight.end());
  return Kernel{[=](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    const auto classes = static_cast<std::size_t>(op.classes);
    double* to = frame.make_matrix(out);
    for (std::size_t i = 0; i < from.rows; ++i, to += classes + (op.outlier_column ? 1 : 0)) {
      const Neighbors neighbors =
          gather(op.form, from.numbers + i * from.columns, from.columns, labels.size(), frame.buffers());
      double* weights = neighbors.scratch;
      weigh(op.form, op.weights, neighbors, weights);
      std::fill_n(to, classes, 0.0);
      const bool any = std::any_of(weights, weights + neighbors.count, [](double w) { return w != 0; });
      if (any)
        count_votes(op, labels, neighbors, weights, to);
      else if (op.outliers == OutlierVote::kRefuse)
        return no_neighbors(frame.first_row() + i);
      else if (op.outliers == OutlierVote::kClass)
        to[op.outlier] = 1;
      if (op.normalize) {
        const double sum = row_sum(to, classes);
        for (std::size_t c = 0; c < classes; ++c) to[c] /= sum == 0 ? 1 : sum;
      }
      if (op.outlier_column)
        to[classes] = std::all_of(to, to + classes, [](double vote) { return vote == 0; }) ? 1 : 0;
    }
    return {};
  }};
}

MadeKernel make_kernel(const program::NeighborMean& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const std::size_t outputs = wiring.width_of(out);
  return Kernel{[=, targets = wiring.numbers(op.targets)](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    for (std::size_t i = 0; i < from.rows; ++i, to += outputs) {
      const Neighbors neighbors = gather(op.form, from.numbers + i * from.columns, from.columns,
                                         targets.size() / outputs, frame.buffers());
      if (neighbors.count == 0) {
        std::fill_n(to, outputs, op.empty);
        continue;
      }
      double* weights = neighbors.scratch;
      double* terms = neighbors.scratch + neighbors.count;
      weigh(op.form, op.weights, neighbors, weights);
      const bool uniform = op.weights == NeighborWeights::kUniform;
      const double total = uniform ? static_cast<double>(neighbors.count) : row_sum(weights, neighbors.count);
      const bool pairwise = outputs == 1 || (!uniform && op.form == NeighborForm::kList);
      for (std::size_t k = 0; k < outputs; ++k) {
        double sum = 0;
        for (std::size_t n = 0; n < neighbors.count; ++n) {
          terms[n] = targets[neighbors.position[n] * outputs + k] * weights[n];
          sum += terms[n];
        }
        to[k] = (pairwise ? row_sum(terms, neighbors.count) : sum) / total;
      }
    }
    return {};
  }};
}

MadeKernel make_kernel(const program::NeighborGraph& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  const std::size_t stored = wiring.width_of(out);
  return Kernel{[=](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    std::fill_n(to, from.rows * stored, 0.0);
    for (std::size_t i = 0; i < from.rows; ++i, to += stored) {
      const Neighbors neighbors =
          gather(op.form, from.numbers + i * from.columns, from.columns, stored, frame.buffers());
      for (std::size_t n = 0; n < neighbors.count; ++n)
        to[neighbors.position[n]] += op.connectivity ? 1 : neighbors.distance[n];
    }
    return {};
  }};
}

MadeKernel make_kernel(const program::LocalOutliers& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  return Kernel{[=, reach = wiring.numbers(op.reach),
                 density = wiring.numbers(op.density)](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    double* to = frame.make_matrix(out);
    for (std::size_t i = 0; i < from.rows; ++i) {
      const Neighbors neighbors = gather(NeighborForm::kList, from.numbers + i * from.columns, from.columns,
                                         reach.size(), frame.buffers());
      double* terms = neighbors.scratch;
      const auto count = static_cast<double>(neighbors.count);
      for (std::size_t n = 0; n < neighbors.count; ++n)
        terms[n] = std::max(neighbors.distance[n], reach[neighbors.position[n]]);
      const double own = 1.0 / (row_sum(terms, neighbors.count) / count + 1e-10);
      for (std::size_t n = 0; n < neighbors.count; ++n) terms[n] = density[neighbors.position[n]] / own;
      to[i] = -(row_sum(terms, neighbors.count) / count);
    }
    return {};
  }};
}

MadeKernel make_kernel(const program::GeodesicKernel& op, const Wiring& wiring) {
  const auto in = wiring.input();
  const auto out = wiring.output();
  return Kernel{[=, distances = wiring.numbers(op.distances),
                 fit_rows = wiring.numbers(op.fit_rows)](const Frame& frame) -> base::Status {
    const Columns& from = frame.columns(in);
    const std::size_t stored = fit_rows.size();
    double* to = frame.make_matrix(out);
    for (std::size_t i = 0; i < from.rows; ++i, to += stored) {
      const Neighbors neighbors =
          gather(op.form, from.numbers + i * from.columns, from.columns, stored, frame.buffers());
      if (neighbors.count == 0) return no_neighbors(frame.first_row() + i);
      for (std::size_t n = 0; n < neighbors.count; ++n) {
        const double* way = distances.data() + neighbors.position[n] * stored;
        for (std::size_t j = 0; j < stored; ++j) {
          const double length = way[j] + neighbors.distance[n];
          to[j] = n == 0 ? length : std::min(to[j], length);
        }
      }
      for (std::size_t j = 0; j < stored; ++j) to[j] = to[j] * to[j] * -0.5;
      const double mean = row_sum(to, stored) / static_cast<double>(stored);
      for (std::size_t j = 0; j < stored; ++j) to[j] = to[j] - fit_rows[j] - mean + op.fit_all;
    }
    return {};
  }};
}

MadeKernel make_kernel(const program::Barycenter& op, const Wiring& wiring) {
  const auto in = wiring.node.inputs[0];
  const auto list = wiring.node.inputs[1];
  const auto out = wiring.output();
  const std::size_t components = wiring.width_of(out);
  return Kernel{[=, rows = wiring.numbers(op.rows),
                 embedding = wiring.numbers(op.embedding)](const Frame& frame) -> base::Status {
    const Columns& x = frame.columns(in);
    const Columns& from = frame.columns(list);
    double* to = frame.make_matrix(out);
    for (std::size_t i = 0; i < from.rows; ++i, to += components) {
      const Neighbors neighbors = gather(NeighborForm::kList, from.numbers + i * from.columns, from.columns,
                                         embedding.size() / components, frame.buffers());
      const std::size_t k = neighbors.count;
      double* scratch = at_least(frame.buffers().doubles, k * (k + x.columns));
      double* weights = neighbors.scratch;
      if (!barycenter_weights(x.numbers + i * x.columns, neighbors, rows, x.columns, op.regularization,
                              scratch, weights))
        return no_neighbors(frame.first_row() + i);
      for (std::size_t c = 0; c < components; ++c) {
        double sum = 0;
        for (std::size_t n = 0; n < k; ++n)
          sum += embedding[neighbors.position[n] * components + c] * weights[n];
        to[c] = sum;
      }
    }
    return {};
  }};
}

}  // namespace wherry::engine
